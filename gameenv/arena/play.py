"""A person plays the built-in game's levels in a window, and is told how each went.

The environment watches the keys; this says what the referee thinks. Knows nothing of the terminal's arguments.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym

from gameenv.arena.steplimit import step_limit
from gameenv.arena.window_env import ArenaWindowEnv
from gameenv.errors import InvalidInputError

NEXT_LEVEL_KEY = "n"
"""Gives a level up and goes to the next."""

Outcome = Literal["declared", "lost", "out of time", "given up", "closed", "failed"]


@dataclass(frozen=True, slots=True)
class Attempt:
    """How a person did on a level.

    Attributes:
        level: Its id.
        outcome: How it ended; ``"closed"`` with the window, ``"failed"`` if it cannot be played any more.
        seconds: How long it took.
        reached_s: When the goal first held, seconds after the start; None if it never did.
    """

    level: str
    outcome: Outcome
    seconds: float
    reached_s: float | None


def play_levels(
    env: gym.Env[Any, Any],
    levels: Iterable[tuple[str, int]],
    say: Callable[[str], object],
    show: Callable[[str], object] = lambda line: None,
) -> list[Attempt]:
    """Let a person play levels until there are no more or the window is gone.

    Args:
        env: ``gameenv/ArenaWindow-v0`` with ``control="human"`` that reports ``NEXT_LEVEL_KEY``; it stays open.
        levels: Family and level number of each.
        say: Told each thing that happens, once.
        show: Told at every tick how it stands.

    Raises:
        DisplayError: If there is no desktop to open a window on.
        GameEnvError: If the window does not open.
    """
    attempts = []
    for task, seed in levels:
        attempts.append(_play(env, task, seed, say, show))
        if attempts[-1].outcome in ("closed", "failed"):
            break
    return attempts


def _play(
    env: gym.Env[Any, Any], task: str, seed: int, say: Callable[[str], object], show: Callable[[str], object]
) -> Attempt:
    bare = env.unwrapped
    if not isinstance(bare, ArenaWindowEnv):
        raise InvalidInputError(f"a person plays gameenv/ArenaWindow-v0, got {type(bare).__name__}")
    _, info = env.reset(seed=seed, options={"task": task})
    first_tick = bare.tick
    limit_s = step_limit(bare.level, bare.fps) / bare.fps
    say(f"goal: {info['goal']}   ({info['level']}; a policy has {limit_s:.1f} s)")
    reached_s: float | None = None
    outcome: Outcome | None = None
    seconds = 0.0
    while outcome is None:
        _, reward, terminated, truncated, info = env.step(0)
        seconds = (bare.tick - first_tick) / bare.fps
        if info["goal_reached"] and reached_s is None:
            reached_s = seconds
            say(f"reached after {seconds:.1f} s: hands off all keys for a second declares it")
        show(_line(info, seconds))
        outcome = _outcome(info, bool(reward), terminated, truncated)
    say(_describe(outcome, seconds))
    return Attempt(info["level"], outcome, seconds, reached_s)


def _outcome(info: dict[str, Any], won: bool, terminated: bool, truncated: bool) -> Outcome | None:
    """How the level ended with this step, None if it goes on."""
    if why := info.get("truncated_because"):
        return "closed" if why == "window-closed" else "failed"
    if terminated:
        return "declared" if won else "lost"
    if truncated:
        return "out of time"
    return "given up" if NEXT_LEVEL_KEY in info["hotkeys"] else None


def _describe(outcome: Outcome, seconds: float) -> str:
    return {
        "declared": f"declared, and the referee agrees: won in {seconds:.1f} s",
        "lost": f"lost after {seconds:.1f} s",
        "out of time": f"out of time after {seconds:.1f} s",
        "given up": "given up",
        "closed": "the window was closed",
        "failed": "the window cannot be played any more",
    }[outcome]


def _line(info: dict[str, Any], seconds: float) -> str:
    keys = " ".join(info["held"]) or "-"
    holds = "   THE GOAL HOLDS: hands off" if info["goal_reached"] else ""
    focus = "" if info["focused"] else "   click into the game's window"
    return f"{info['goal']}   {seconds:5.1f} s   keys: {keys:<12}{holds}{focus}"
