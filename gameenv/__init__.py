"""A game window as a Gymnasium environment: frames out, one of twelve actions in.

Importing this package registers the environment ids. It loads no engine, no screen capture and no model.
"""

from gymnasium.envs.registration import register, registry

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, ActionChunk

__all__ = ["ACTIONS", "CHUNK_LENGTH", "Action", "ActionChunk"]
__version__ = "0.1.0"

if "gameenv/Arena-v0" not in registry:
    register(id="gameenv/Arena-v0", entry_point="gameenv.arena.env:ArenaEnv")
if "gameenv/Live-v0" not in registry:
    register(id="gameenv/Live-v0", entry_point="gameenv.live.env:LiveEnv", nondeterministic=True)
if "gameenv/ArenaWindow-v0" not in registry:
    register(id="gameenv/ArenaWindow-v0", entry_point="gameenv.arena.window_env:ArenaWindowEnv", nondeterministic=True)
