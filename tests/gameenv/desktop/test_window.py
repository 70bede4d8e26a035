"""Rectangles, and finding the one window that is meant."""

import pytest

from gameenv.desktop.window import Rect, WindowInfo, WindowState, choose_window, find_window
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
    with pytest.raises(InvalidInputError, match="name a window"):
        find_window(DESK)
    with pytest.raises(NoWindowError, match="Quake"):
        find_window(DESK, "Quake (")  # no regular expression either


BOOM = WindowInfo(4, "DOOM (1993) [Vulkan]", "gzdoom", 14)
BARE = WindowInfo(5, "", "untitled.exe", 15)
TERMINAL = WindowInfo(6, "$ gameenv-record --window quake", "xterm", 16)


@pytest.mark.parametrize(
    ("title", "process", "found"),
    [
        ("DOOM (1993) [Vulkan]", None, BOOM),
        ("doom (1993) [vulkan]", None, BOOM),
        ("(1993) [", None, BOOM),  # a part, though no regular expression
        ("doom (2016)", None, OTHER),
        (r"doom \(\d+\) \[", None, BOOM),
        ("The Dark Mod", "firefox", DARK_WIKI),  # the program decides before the exact title does
        (None, "UNTITLED.EXE", BARE),
        (None, "doom.exe", OTHER),  # exactly, though gzdoom has doom in it
    ],
)
def test_a_text_is_taken_as_it_stands_before_it_is_a_regular_expression(
    title: str | None, process: str | None, found: WindowInfo
) -> None:
    assert find_window(Desk(DARK, DARK_WIKI, OTHER, BOOM, BARE), title, process) is found


def test_of_a_programs_windows_the_one_with_a_title_is_meant() -> None:
    helper = WindowInfo(7, "", "doom.exe", 13)
    assert find_window(Desk(OTHER, helper), process="doom") is OTHER
    with pytest.raises(NoWindowError):
        find_window(Desk(helper), "doom")


def test_the_terminal_that_holds_the_command_is_left_out_and_named() -> None:
    quake = WindowInfo(8, "Quake", "quake", 18)
    assert find_window(Desk(TERMINAL, quake), "quake", own={16}) is quake
    with pytest.raises(AmbiguousWindowError, match="2 windows"):
        find_window(Desk(TERMINAL, quake), "^quake|quake$")
    with pytest.raises(NoWindowError, match=r"(?s)started from, which is left out.*0x6  '\$ gameenv-record"):
        find_window(Desk(TERMINAL), "quake", own={16})


def test_a_windows_number_is_read_as_it_is_listed() -> None:
    assert choose_window(None, None, "0x4600007") == choose_window(None, None, "73400327") == 0x4600007
    assert choose_window("Doom", None, None) == "Doom"
    for wrong in ("four", "0", "-3", ""):
        with pytest.raises(InvalidInputError, match="window-id is a window's number"):
            choose_window(None, None, wrong)
    with pytest.raises(InvalidInputError, match="leave out --window"):
        choose_window("Doom", None, "7")
