"""Recordings for the tests of this folder: words played through the real recorder in the real arena."""

from collections.abc import Sequence
from pathlib import Path

import gymnasium as gym

import gameenv  # noqa: F401 (registers the arena)
from gameenv.actions import action_index
from recording.wrapper import RecordingWrapper


def record_walks(root: Path, walks: Sequence[Sequence[str]], split: str = "train") -> Path:
    """Play each list of words on the level of its number (0, 1, ...); return the session's folder."""
    arena = gym.make("gameenv/Arena-v0", task="go-to-lantern", split=split, frame_size=(256, 144))
    env = RecordingWrapper(arena, root, "walks", source="policy")
    for seed, words in enumerate(walks):
        env.reset(seed=seed)
        for word in words:
            env.step(action_index(word))
    env.close()
    return env.path
