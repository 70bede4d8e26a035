"""Environments of the real arena; each is started once a file, since a start costs more than a level."""

from collections.abc import Callable, Iterator
from typing import Any

import gymnasium as gym
import pytest

import gameenv  # noqa: F401 (registers the arena)
from gameenv.arena.env import ArenaEnv

MakeArena = Callable[..., ArenaEnv]


@pytest.fixture(scope="module")
def make_arena() -> Iterator[MakeArena]:
    """Makes an environment, small and unwrapped unless asked otherwise; the same one for the same arguments."""
    made: dict[str, gym.Env[Any, Any]] = {}

    def make(task: str = "go-to-lantern", split: str = "validation", **options: Any) -> ArenaEnv:
        options = {"frame_size": (256, 144), **options}
        name = repr((task, split, options))
        if name not in made:
            made[name] = gym.make("gameenv/Arena-v0", task=task, split=split, disable_env_checker=True, **options)
        env = made[name].unwrapped
        assert isinstance(env, ArenaEnv)
        return env

    yield make
    for env in made.values():
        env.close()
