"""What Gymnasium asks of all our environments alike: spaces, frame size, render mode, metadata."""

from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS
from gameenv.clock import DEFAULT_FPS
from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec

RENDER_MODE = "rgb_array"
METADATA = {"render_modes": [RENDER_MODE], "render_fps": DEFAULT_FPS}
"""Of the classes; an environment that is made has ``metadata_at`` its own rate."""


def metadata_at(fps: float) -> dict[str, Any]:
    """The metadata of an environment that runs at so many ticks a second: its videos play at that rate."""
    return {**METADATA, "render_fps": fps}


def check_render_mode(mode: str | None) -> str | None:
    """Return ``mode`` if it is ``"rgb_array"`` or None.

    Raises:
        InvalidInputError: If it is neither.
    """
    if mode not in (None, RENDER_MODE):
        raise InvalidInputError(f"render_mode is {RENDER_MODE!r} or None, got {mode!r}")
    return mode


def frame_space(spec: FrameSpec) -> gym.spaces.Box:
    """The observations: ``(height, width, 3)`` uint8, 0 to 255."""
    return gym.spaces.Box(0, 255, spec.shape, np.uint8)


def action_space() -> Any:
    """The actions: ``Discrete(12)``, an index of ``gameenv.ACTIONS``. Its type has int64 where ours have int."""
    return gym.spaces.Discrete(len(ACTIONS))
