"""Windows on Windows: which are listed, where they are, which has the focus."""

import os

import pytest

from gameenv.desktop.win32 import api
from gameenv.desktop.win32.programs import Processes
from gameenv.desktop.win32.windows import Win32Windows
from gameenv.desktop.window import Rect, WindowInfo, find_window
from gameenv.errors import DisplayError, NoWindowError, WindowGoneError
from tests.gameenv.desktop.win32.fake import FakeWindow, FakeWindowsSystem

GAME = 0x7FF0_0001_0002_0003  # a handle that does not fit into 32 bits
EDITOR = 7


@pytest.fixture
def desktop(system: FakeWindowsSystem) -> FakeWindowsSystem:
    system.windows = {
        GAME: FakeWindow("The Dark Mod", 100, left=-1600, top=40, width=1280, height=720),
        EDITOR: FakeWindow("notes on The Dark Mod walkthrough", 200),
    }
    system.foreground = GAME
    return system


def test_windows_of_other_programs_are_listed_with_their_programs(desktop: FakeWindowsSystem) -> None:
    desktop.windows |= {
        11: FakeWindow("", 200),
        12: FakeWindow("hidden", 200, visible=False),
        13: FakeWindow("suspended app", 200, cloaked=True),
        14: FakeWindow("our own", os.getpid()),
        15: FakeWindow("minimised", 300, iconic=True),
    }
    assert Win32Windows().windows() == (
        WindowInfo(GAME, "The Dark Mod", "TheDarkMod.exe", 100),
        WindowInfo(EDITOR, "notes on The Dark Mod walkthrough", "notepad.exe", 200),
        WindowInfo(15, "minimised", "", 300),
        WindowInfo(11, "", "notepad.exe", 200),
    )
    assert desktop.open_handles == 0, "handles were left open"


def test_a_window_is_found_by_title_and_process(desktop: FakeWindowsSystem) -> None:
    windows = Win32Windows()
    assert find_window(windows, "dark mod", "thedarkmod").handle == GAME
    with pytest.raises(NoWindowError, match="notepad"):
        find_window(windows, "minesweeper")


def test_the_client_area_may_lie_on_a_monitor_to_the_left(desktop: FakeWindowsSystem) -> None:
    desktop.desktop = (-1920, 0, 3840, 1080)
    state = Win32Windows().state(GAME)
    assert state.client == Rect(-1600, 40, 1280, 720)
    assert state.desktop == Rect(-1920, 0, 3840, 1080)
    assert state.focused
    assert not state.minimised


@pytest.mark.parametrize("how", ["iconic", "cloaked"])
def test_a_window_that_is_not_shown_counts_as_minimised(desktop: FakeWindowsSystem, how: str) -> None:
    """One on another virtual desktop is cloaked; what is on the screen in its place is nobody's business."""
    setattr(desktop.windows[GAME], how, True)
    assert Win32Windows().state(GAME).minimised


def test_the_focus_is_with_the_foreground_window_only(desktop: FakeWindowsSystem) -> None:
    windows = Win32Windows()
    assert windows.has_focus(GAME)
    assert not windows.has_focus(EDITOR)
    desktop.foreground = 0  # the secure desktop: consent or password
    assert not windows.has_focus(GAME)


def test_a_closed_window_is_gone_even_if_its_number_is_used_again(desktop: FakeWindowsSystem) -> None:
    windows = Win32Windows()
    windows.state(GAME)
    desktop.windows[GAME] = FakeWindow("a chat", 200)
    assert not windows.has_focus(GAME)
    with pytest.raises(WindowGoneError):
        windows.state(GAME)
    del desktop.windows[GAME]
    assert not windows.has_focus(GAME)
    with pytest.raises(WindowGoneError):
        windows.state(GAME)


@pytest.mark.parametrize(
    ("lacking", "expected"),
    [
        ((), [("thread", -4), ("process", -4)]),
        (("SetThreadDpiAwarenessContext", "SetProcessDpiAwarenessContext"), [("shcore", 2)]),
        (
            ("SetThreadDpiAwarenessContext", "SetProcessDpiAwarenessContext", "SetProcessDpiAwareness"),
            [("system", 1)],
        ),
    ],
)
def test_dpi_awareness_is_set_by_the_best_that_this_windows_has(
    desktop: FakeWindowsSystem, lacking: tuple[str, ...], expected: list[tuple[str, int]]
) -> None:
    desktop.lacking = frozenset(lacking)
    Win32Windows()
    assert desktop.dpi == expected


def test_a_program_outranks_us_only_if_it_is_elevated_and_we_are_not(desktop: FakeWindowsSystem) -> None:
    desktop.elevated = {100}
    processes = Processes()
    assert processes.outranks(100)
    assert not processes.outranks(200)
    assert not processes.outranks(999), "unknown process"
    desktop.closed_to_us = {200}
    assert processes.outranks(200), "a token we may not look at"
    desktop.elevated.add(os.getpid())
    assert not processes.outranks(100)
    assert desktop.open_handles == 0, "handles were left open"


def test_elsewhere_the_libraries_are_refused_in_words() -> None:
    with pytest.raises(DisplayError, match="library of Windows"):
        api.load("user32")


def test_a_window_without_a_title_is_listed_last_if_it_may_be_a_game(desktop: FakeWindowsSystem) -> None:
    helpers = {
        21: FakeWindow("", 100, width=10, height=10),
        22: FakeWindow("", 100, tool=True),
        23: FakeWindow("", 100, owner=GAME),
        24: FakeWindow("", 300),  # of no known program
    }
    desktop.windows = {20: FakeWindow("", 200), **helpers, **desktop.windows}
    assert [each.handle for each in Win32Windows().windows()] == [GAME, EDITOR, 20]
    assert find_window(Win32Windows(), process="notepad").handle == EDITOR, "the one with a title"
    desktop.windows[EDITOR].title = ""
    del desktop.windows[20]
    assert find_window(Win32Windows(), process="notepad").handle == EDITOR


def test_ancestors_are_followed_until_a_number_is_used_again(desktop: FakeWindowsSystem) -> None:
    desktop.parents = {os.getpid(): 11, 11: 12, 12: 13, 14: 11, 13: 0}
    assert Processes().ancestors() == {os.getpid(), 11, 12, 13}
    desktop.parents = {os.getpid(): 11, 11: os.getpid()}
    assert Processes().ancestors() == {os.getpid(), 11}
    desktop.parents = {os.getpid(): 11}
    assert Processes().ancestors() == {os.getpid()}, "its parent has ended"
    assert desktop.open_handles == 0
