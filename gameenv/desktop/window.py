"""Windows of other programs: which there are, where their client area is, whether one has the focus.

Knows nothing of backends, frames or keys; never moves, raises or focuses a window.
"""

import re
from dataclasses import dataclass
from typing import Protocol

from gameenv.errors import AmbiguousWindowError, InvalidInputError, NoWindowError


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle in physical pixels of the whole desktop; ``left`` and ``top`` may be negative."""

    left: int
    top: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """First column to the right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """First row below it."""
        return self.top + self.height

    def intersection(self, other: "Rect") -> "Rect":
        """What the two have in common; of width or height 0 if nothing."""
        left, top = max(self.left, other.left), max(self.top, other.top)
        width = max(0, min(self.right, other.right) - left)
        height = max(0, min(self.bottom, other.bottom) - top)
        return Rect(left, top, width, height)


@dataclass(frozen=True, slots=True)
class WindowInfo:
    """A window as a person would name it.

    Attributes:
        handle: The system's number for it: an X11 window id, a Windows HWND.
        title: Its title.
        process: File name of its program, empty where unknown.
        pid: Its process number, 0 where unknown.
    """

    handle: int
    title: str
    process: str
    pid: int


@dataclass(frozen=True, slots=True)
class WindowState:
    """A window at this moment.

    Attributes:
        client: Its client area (what the game draws, without title bar and frame).
        focused: Whether keys go to it.
        minimised: Whether it is iconified or not mapped.
        desktop: The whole desktop, all monitors together.
    """

    client: Rect
    focused: bool
    minimised: bool
    desktop: Rect


class WindowSystem(Protocol):
    """A connection to the system's windows."""

    def windows(self) -> tuple[WindowInfo, ...]:
        """The top-level windows of other programs that have a title, minimised ones included."""
        ...

    def state(self, handle: int) -> WindowState:
        """What the window is like now.

        Raises:
            WindowGoneError: If it does not exist any more.
        """
        ...

    def has_focus(self, handle: int) -> bool:
        """Whether keys go to the window now: quick, and False for a window that is gone."""
        ...

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        ...


def find_window(system: WindowSystem, title: str | None = None, process: str | None = None) -> WindowInfo:
    """Return the one window whose title and process match.

    Args:
        system: Where to look.
        title: A regular expression found anywhere in the title, upper and lower case alike.
        process: A regular expression found anywhere in the program's file name, upper and lower case alike.

    Raises:
        NoWindowError: If none matches; lists the windows there are.
        AmbiguousWindowError: If several match; lists them.
        InvalidInputError: If neither is given, or one is not a regular expression.
    """
    if not title and not process:
        raise InvalidInputError('name a window by its title or its process: window="The Dark Mod"')
    wanted = " and ".join(
        f"{name} {value!r}" for name, value in (("title", title), ("process", process)) if value is not None
    )
    title_pattern, process_pattern = _pattern("title", title), _pattern("process", process)
    there = system.windows()
    found = [each for each in there if title_pattern.search(each.title) and process_pattern.search(each.process)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise NoWindowError(f"no window has {wanted}. {_listed('There are', there)}")
    exact = [each for each in found if title is not None and each.title == title]
    if len(exact) == 1:
        return exact[0]
    raise AmbiguousWindowError(
        f"{len(found)} windows have {wanted}; write more of the title, or name the process too. "
        f"{_listed('They are', found)}"
    )


def _pattern(name: str, text: str | None) -> re.Pattern[str]:
    try:
        return re.compile(text or "", re.IGNORECASE)
    except re.error as error:
        raise InvalidInputError(f"the window's {name} {text!r} is not a regular expression: {error}") from error


def _listed(heading: str, windows: "tuple[WindowInfo, ...] | list[WindowInfo]") -> str:
    if not windows:
        return "There are no windows with a title at all."
    lines = "".join(
        f"\n  {each.title!r} ({each.process or 'unknown program'}, process {each.pid or 'unknown'})" for each in windows
    )
    return f"{heading}:{lines}"
