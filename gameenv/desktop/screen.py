"""Pictures of a window's client area, whatever part of it is on the screen, and what is wrong with them.

The only module that imports mss. Knows nothing of time, keys or sizes wanted.
"""

from typing import Any, Literal

import numpy as np

from gameenv.clock import NS_PER_S
from gameenv.desktop.window import Rect, WindowState
from gameenv.errors import DisplayError, require
from gameenv.frames import Frame

Problem = Literal["black", "frozen", "off-screen", "partly-off-screen", "minimised"]

REMEDIES: dict[Problem, str] = {
    "black": "the window shows nothing but black: set the game to borderless or windowed, not exclusive full screen",
    "frozen": "the picture has not changed for a while: is it paused, or in exclusive full screen? use borderless",
    "off-screen": "the window lies outside the screen: move it back",
    "partly-off-screen": "a part of the window lies outside the screen and is recorded as black: move it back",
    "minimised": "the window is minimised: restore it",
}
"""What to tell a person, for each problem."""

_BLACK = 8  # brightest value of a picture that counts as black
_BLACK_AFTER_NS = 1 * NS_PER_S  # shorter is a fade
_FROZEN_AFTER_NS = 5 * NS_PER_S


class Screen:
    """Grabs rectangles of the desktop.

    Raises:
        MissingExtraError: If mss is not installed.
        DisplayError: If the screen cannot be read.
    """

    def __init__(self) -> None:
        mss: Any = require("mss", "live")
        self._failures = (mss.ScreenShotError, OSError)
        self._make = mss.MSS
        self._desktop: Rect | None = None
        self._mss: Any = None
        self._open()

    def grab(self, state: WindowState) -> np.ndarray | None:
        """What the window shows now.

        Args:
            state: Where it is.

        Returns:
            The pixels of its client area, ``(height, width, 4)`` uint8: blue, green, red, and a byte that means
            nothing; black where that lies outside the desktop. None where all of it does, or where the window is
            minimised.

        Raises:
            DisplayError: If the screen cannot be read.
        """
        client, seen = state.client, state.client.intersection(state.desktop)
        if state.minimised or not (seen.width and seen.height):
            return None
        if state.desktop != self._desktop:
            if self._desktop is not None:  # docked, another resolution: what is open has a buffer of the old size
                self._open()
            self._desktop = state.desktop
        pixels = self._grab(seen)
        if seen == client:
            return pixels
        whole = np.zeros((client.height, client.width, 4), np.uint8)
        left, top = seen.left - client.left, seen.top - client.top
        whole[top : top + seen.height, left : left + seen.width] = pixels
        return whole

    def _open(self) -> None:
        self.close()
        try:
            self._mss = self._make()
        except self._failures as error:
            raise DisplayError(f"the screen cannot be read: {error}") from error

    def _grab(self, rect: Rect) -> np.ndarray:
        try:
            shot = self._mss.grab((rect.left, rect.top, rect.right, rect.bottom))
        except self._failures as error:
            raise DisplayError(f"the screen cannot be read: {error}") from error
        return np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)

    def close(self) -> None:
        """Let go of the screen. May be called twice."""
        if self._mss is not None:
            self._mss.close()
            self._mss = None


class PictureWatch:
    """Notices a picture that is new, one that stays black, and one that has frozen."""

    def __init__(self) -> None:
        self._last: Frame | None = None
        self._changed_ns = 0
        self._bright_ns: int | None = None

    def look(self, frame: Frame, t_ns: int) -> tuple[bool, Problem | None]:
        """Whether the frame differs from the last, and what is wrong with the picture by now."""
        new = self._last is None or not np.array_equal(frame, self._last)
        if new:
            self._changed_ns = t_ns
        self._last = frame
        # Most pictures show that they are not black in a few of their pixels already.
        if self._bright_ns is None or frame[::16, ::16].max() > _BLACK or frame.max() > _BLACK:
            self._bright_ns = t_ns
        if t_ns - self._bright_ns >= _BLACK_AFTER_NS:
            return new, "black"
        return new, "frozen" if t_ns - self._changed_ns >= _FROZEN_AFTER_NS else None


def placement_problem(state: WindowState) -> Problem | None:
    """What is wrong with where a window is."""
    if state.minimised:
        return "minimised"
    seen = state.client.intersection(state.desktop)
    if not (seen.width and seen.height):
        return "off-screen"
    return None if seen == state.client else "partly-off-screen"
