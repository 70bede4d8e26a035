"""Windows of other programs: which there are, where their client area is, whether one has the focus.

Knows nothing of backends, frames or keys; never moves, raises or focuses a window.
"""

import re
from collections.abc import Callable, Collection, Sequence
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
        title: Its title, empty if it has none.
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
        """The top-level windows of other programs, minimised ones included; last those that have no title, only a
        program.
        """
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


def find_window(
    system: WindowSystem, title: str | None = None, process: str | None = None, own: Collection[int] = ()
) -> WindowInfo:
    """Return the one window whose title and process match.

    Each text is looked for as it stands first, then as a part, upper and lower case alike, then as a regular
    expression; the first of these that any window has decides.

    Args:
        system: Where to look.
        title: Of the title.
        process: Of the program's file name.
        own: Process numbers whose windows are left out: our own terminal, whose title often holds the command itself.

    Raises:
        NoWindowError: If none matches; lists the windows there are.
        AmbiguousWindowError: If several match; lists them.
        InvalidInputError: If neither is given.
    """
    if not title and not process:
        raise InvalidInputError('name a window by its title or its process: window="The Dark Mod"')
    wanted = " and ".join(
        f"{name} {value!r}" for name, value in (("title", title), ("process", process)) if value is not None
    )
    all_of_them = system.windows()
    there = [each for each in all_of_them if each.pid not in own]
    found = _matching(there, title, process)
    if len(found) == 1:
        return found[0]
    if not found:
        if _matching(all_of_them, title, process):
            raise NoWindowError(
                f"no window has {wanted} but the one this command was started from, which is left out. If it is the "
                f"game all the same, name it by its number. {describe_windows('There are', all_of_them)}"
            )
        raise NoWindowError(f"no window has {wanted}. {describe_windows('There are', there)}")
    raise AmbiguousWindowError(
        f"{len(found)} windows have {wanted}; write more of the title, name the process too, or give the window's "
        f"number. {describe_windows('They are', found)}"
    )


def describe_window(window: WindowInfo) -> str:
    """A window in a line: its number, title and program."""
    title = repr(window.title) if window.title else "(no title)"
    return f"{window.handle:#x}  {title} ({window.process or 'unknown program'}, process {window.pid or 'unknown'})"


def describe_windows(heading: str, windows: Sequence[WindowInfo]) -> str:
    """Windows, a line each, under a heading."""
    if not windows:
        return "There are no windows with a title at all."
    return f"{heading}:" + "".join(f"\n  {describe_window(each)}" for each in windows)


def choose_window(title: str | None, process: str | None, number: str | None) -> str | int | None:
    """What a command line names a window by: its number where one is given, else its title if any.

    Args:
        title, process: As for ``find_window``.
        number: ``73400327``, or ``0x4600007`` as ``gameenv-doctor --windows`` lists it.

    Raises:
        InvalidInputError: If it is not a number above 0, or a title or program is given as well.
    """
    if number is None:
        return title
    if title is not None or process is not None:
        raise InvalidInputError("--window-id names one window already; leave out --window and --process")
    try:
        found = int(number, 0)
    except ValueError:
        found = 0
    if found <= 0:
        raise InvalidInputError(
            f"--window-id is a window's number such as 0x4600007, got {number!r}; gameenv-doctor --windows lists them"
        )
    return found


def _matching(windows: Sequence[WindowInfo], title: str | None, process: str | None) -> list[WindowInfo]:
    """Those that match best; of several of a program, those that have a title."""
    found = _best(_best(windows, process, lambda each: each.process), title, lambda each: each.title)
    return [each for each in found if each.title] or found


def _best(windows: Sequence[WindowInfo], text: str | None, of: Callable[[WindowInfo], str]) -> list[WindowInfo]:
    if not text:
        return list(windows)
    exact = [each for each in windows if of(each) == text]
    parts = [each for each in windows if text.casefold() in of(each).casefold()]
    try:
        pattern = re.compile(text, re.IGNORECASE)
    except re.error:  # a plain text, then
        return exact or parts
    return exact or parts or [each for each in windows if pattern.search(of(each))]
