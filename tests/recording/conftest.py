"""A small game that keeps the info contract, and rows made by hand."""

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gameenv.actions import ACTIONS, NONE, Action
from gameenv.frames import FrameSpec
from recording.info import SessionInfo
from recording.rows import KeyEvent, SessionRow, frame_name

PERIOD_NS = 100_000_000


class SmallGame(gym.Env[np.ndarray, Any]):
    """Lock-step; the frame's brightness is the tick. ``change`` may rewrite any tick's info before it is returned."""

    metadata = {"render_modes": [], "render_fps": 10}  # noqa: RUF012

    def __init__(self, length: int = 10_000, change: Callable[[dict[str, Any]], None] = lambda info: None) -> None:
        self.frame_spec = FrameSpec(48, 32)
        self.fps = 10.0
        self.observation_space = gym.spaces.Box(0, 255, self.frame_spec.shape, np.uint8)
        self.action_space = gym.spaces.Discrete(12)
        self.closed = 0
        self._length = length
        self._change = change

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[np.ndarray, dict]:
        super().reset(seed=seed)
        self.tick, self.held = 0, NONE
        return self._frame(), self._info(())

    def step(self, action: int) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        word, t_ns = ACTIONS[int(action)], self.tick * PERIOD_NS
        events = []
        if word != self.held:
            events = [(t_ns, key, down) for key, down in ((self.held, False), (word, True)) if key != NONE]
        self.held = word
        self.tick += 1
        won = self.tick >= self._length
        return self._frame(), float(won), won, False, self._info(tuple(events))

    def close(self) -> None:
        self.closed += 1

    def _frame(self) -> np.ndarray:
        return np.full(self.frame_spec.shape, self.tick % 256, np.uint8)

    def _info(self, events: tuple) -> dict[str, Any]:
        info = {
            "goal": "Go to the lantern",
            "tick": self.tick,
            "t_ns": self.tick * PERIOD_NS,
            "held": () if self.held == NONE else (self.held,),
            "late": False,
            "focused": True,
            "new_frame": True,
            "key_events": events,
            "goal_reached": np.bool_(self.tick >= 5),
            "level": "train/small/0",
            "health": np.float32(99.5),
        }
        self._change(info)
        return info


@pytest.fixture
def make_env() -> type[SmallGame]:
    return SmallGame


@pytest.fixture
def make_info() -> Callable[..., SessionInfo]:
    def make(session_id: str = "one", **changes: Any) -> SessionInfo:
        values: dict[str, Any] = {
            "game": "small",
            "env_id": None,
            "env_kwargs": {},
            "window": None,
            "fps": 10.0,
            "frame": FrameSpec(48, 32),
        }
        return SessionInfo(session_id, **{**values, **changes})

    return make


@pytest.fixture
def make_row() -> Callable[..., SessionRow]:
    def make(
        index: int = 0,
        held: tuple[Action, ...] = (),
        events: tuple[tuple[float, Action, bool], ...] = (),
        take: int = 0,
        **changes: Any,
    ) -> SessionRow:
        """``events`` are (share of the tick, word, down)."""
        begin = index * PERIOD_NS
        values: dict[str, Any] = {
            "t_ns": begin,
            "frame": frame_name(index),
            "end_t_ns": begin + PERIOD_NS,
            "source": "human",
            "late": False,
            "focused": True,
            "new_frame": True,
            "goal": None,
            "info": {"tick": index},
        }
        pressed = tuple(KeyEvent(begin + round(share * PERIOD_NS), word, down) for share, word, down in events)
        return SessionRow(index=index, held=held, events=pressed, take=take, **{**values, **changes})

    return make
