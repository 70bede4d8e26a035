"""Rectangles, and finding the one window that is meant."""

import pytest

from gameenv.desktop.window import Rect, WindowInfo, WindowState, find_window
from gameenv.errors import AmbiguousWindowError, InvalidInputError, NoWindowError


class Desk:
    """A desktop with these windows."""

    def __init__(self, *windows: WindowInfo) -> None:
        self._windows = windows

    def windows(self) -> tuple[WindowInfo, ...]:
        return self._windows

    def state(self, handle: int) -> WindowState:
        raise NotImplementedError

    def has_focus(self, handle: int) -> bool:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


DARK = WindowInfo(1, "The Dark Mod", "thedarkmod.x64", 11)
DARK_WIKI = WindowInfo(2, "The Dark Mod - Wiki", "firefox", 12)
OTHER = WindowInfo(3, "Doom (2016)", "doom.exe", 13)
DESK = Desk(DARK, DARK_WIKI, OTHER)


def test_rectangles_intersect() -> None:
    assert Rect(0, 0, 10, 10).intersection(Rect(-5, 5, 10, 10)) == Rect(0, 5, 5, 5)
    nothing = Rect(0, 0, 10, 10).intersection(Rect(20, 20, 5, 5))
    assert (nothing.width, nothing.height) == (0, 0)


@pytest.mark.parametrize(
    ("title", "process", "found"),
    [
        ("doom", None, OTHER),
        ("^The Dark Mod$", None, DARK),
        ("The Dark Mod", None, DARK),  # its whole title, though another has it in it
        ("dark", "firefox", DARK_WIKI),
        (None, r"\.x64$", DARK),
        (r"Doom \(", None, OTHER),
    ],
)
def test_one_window_is_found(title: str | None, process: str | None, found: WindowInfo) -> None:
    assert find_window(DESK, title, process) is found


def test_several_are_listed() -> None:
    with pytest.raises(AmbiguousWindowError) as raised:
        find_window(DESK, "dark")
    said = str(raised.value)
    assert "2 windows" in said
    assert "'The Dark Mod' (thedarkmod.x64, process 11)" in said
    assert "firefox" in said
    assert "Doom" not in said


def test_none_lists_all() -> None:
    with pytest.raises(NoWindowError, match=r"(?s)title 'quake' and process 'q'.*The Dark Mod.*Doom"):
        find_window(DESK, "quake", "q")
    with pytest.raises(NoWindowError, match="no windows with a title at all"):
        find_window(Desk(), "quake")


def test_what_is_no_description_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not a regular expression"):
        find_window(DESK, "Doom (")
    with pytest.raises(InvalidInputError, match="name a window"):
        find_window(DESK)
