"""A game window as a Gymnasium environment: frames out, one of twelve actions in.

Importing this package registers the environment ids. It loads no engine, no screen capture and no model.
"""

from gymnasium.envs.registration import register, registry

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, ActionChunk

__all__ = ["ACTIONS", "ARENA_ID", "ARENA_WINDOW_ID", "CHUNK_LENGTH", "LIVE_ID", "Action", "ActionChunk"]
__version__ = "0.1.0"

ARENA_ID, ARENA_WINDOW_ID, LIVE_ID = "gameenv/Arena-v0", "gameenv/ArenaWindow-v0", "gameenv/Live-v0"

if ARENA_ID not in registry:
    register(id=ARENA_ID, entry_point="gameenv.arena.env:ArenaEnv")
    register(id=LIVE_ID, entry_point="gameenv.live.env:LiveEnv", nondeterministic=True)
    register(id=ARENA_WINDOW_ID, entry_point="gameenv.arena.window_env:ArenaWindowEnv", nondeterministic=True)
