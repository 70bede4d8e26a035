"""What the real pydirectinput-rgx hands to SendInput for our keys, and what happens when Windows refuses them."""

import time
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest

from gameenv.actions import KEYS
from gameenv.desktop.keyboard import KEY_NAMES, Keyboard, bind_keys
from gameenv.desktop.places import SCAN_CODES
from gameenv.desktop.win32.keys import VIRTUAL_KEYS
from gameenv.desktop.win32.sending import Win32Sender
from gameenv.errors import DisplayError
from tests.gameenv.desktop.win32.fake import FakeWindow, FakeWindowsSystem

EXTENDED, UP, SCAN_CODE = 0x1, 0x2, 0x8  # KEYEVENTF_*

# The eleven words' keys as a US keyboard sends them (scan code set 1), written out here once more on purpose.
EXPECTED = {
    "w": 0x11,
    "s": 0x1F,
    "a": 0x1E,
    "d": 0x20,
    "up": 0x48,
    "down": 0x50,
    "left": 0x4B,
    "right": 0x4D,
    "c": 0x2E,
    "space": 0x39,
    "enter": 0x1C,
}
ARROWS = ("up", "down", "left", "right")


@pytest.fixture
def sender(system: FakeWindowsSystem, pydirectinput: ModuleType) -> Iterator[Win32Sender]:
    system.windows = {1: FakeWindow("game", 100), 2: FakeWindow("Task Manager", 200)}
    system.foreground = 1
    yield Win32Sender()
    # Whatever the test found: no key stays owed, for which the process would wait.
    system.blocked, system.foreground, system.windows[1].pid = False, 1, 300


def wait_until(happened: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not happened():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


@pytest.mark.parametrize("word", KEYS)
def test_each_word_is_sent_as_its_scan_code(sender: Win32Sender, system: FakeWindowsSystem, word: str) -> None:
    sender.send(word, True)
    sender.send(word, False)
    assert [scan & 0xFF for scan, _ in system.sent] == [EXPECTED[word]] * 2
    extended = EXTENDED if word in ARROWS else 0
    assert [flags for _, flags in system.sent] == [SCAN_CODE | extended, SCAN_CODE | extended | UP]


def test_every_key_name_has_the_scan_code_that_pydirectinput_knows(pydirectinput: ModuleType) -> None:
    assert set(SCAN_CODES) == set(KEY_NAMES) == set(VIRTUAL_KEYS)
    assert {key: pydirectinput.KEYBOARD_MAPPING[key] for key in KEY_NAMES} == SCAN_CODES
    assert len(set(SCAN_CODES.values())) == len(set(VIRTUAL_KEYS.values())) == len(KEY_NAMES)


def test_the_keyboard_sends_only_what_differs(sender: Win32Sender, system: FakeWindowsSystem) -> None:
    keyboard = Keyboard(sender, bind_keys({"enter": "e"}), 1)
    keyboard.hold(["w"])
    keyboard.hold(["w", "enter"])
    keyboard.close()
    assert system.sent == [
        (0x11, SCAN_CODE),
        (0x12, SCAN_CODE),
        (0x11, SCAN_CODE | UP),
        (0x12, SCAN_CODE | UP),
    ]


def test_pause_and_corner_fail_safe_are_off(sender: Win32Sender, pydirectinput: ModuleType) -> None:
    assert pydirectinput.PAUSE is None
    assert pydirectinput.FAILSAFE is False


def test_a_press_that_windows_refuses_says_what_to_do(sender: Win32Sender, system: FakeWindowsSystem) -> None:
    system.blocked = True
    with pytest.raises(DisplayError, match="administrator too"):
        sender.send("w", True)


def test_a_press_for_a_game_that_runs_as_administrator_says_what_to_do(
    sender: Win32Sender, system: FakeWindowsSystem
) -> None:
    """Windows swallows it without a word."""
    system.elevated = {100}
    with pytest.raises(DisplayError, match="run this as administrator too"):
        sender.send("w", True)
    assert system.sent == []


@pytest.mark.parametrize("says_so", [True, False])
def test_a_release_that_the_secure_desktop_refuses_is_made_up_for(
    sender: Win32Sender, system: FakeWindowsSystem, says_so: bool
) -> None:
    sender.send("w", True)
    system.blocked, system.foreground = says_so, 0
    sender.send("w", False)
    assert sender.owes == 1
    system.sent.clear()
    system.blocked, system.foreground = False, 1
    wait_until(lambda: sender.owes == 0)
    assert system.sent[-1] == (0x11, SCAN_CODE | UP)


def test_a_release_swallowed_by_a_program_with_more_rights_is_made_up_for(
    sender: Win32Sender, system: FakeWindowsSystem
) -> None:
    system.elevated = {200}
    sender.send("w", True)
    system.foreground = 2
    sender.send("w", False)
    wait_until(lambda: system.sent.count((0x11, SCAN_CODE | UP)) > 1)
    system.foreground = 1
    wait_until(lambda: sender.owes == 0)
    assert system.sent[-1] == (0x11, SCAN_CODE | UP)
    sender.send("w", True)
    assert system.sent[-1] == (0x11, SCAN_CODE), "playing goes on"
    sender.send("w", False)
    assert sender.owes == 0


def test_a_key_that_is_pressed_again_is_not_owed_a_release(sender: Win32Sender, system: FakeWindowsSystem) -> None:
    sender.send("w", True)
    system.blocked = True
    sender.send("w", False)
    sender.send("d", False)
    assert sender.owes == 2
    system.blocked = False
    sender.send("w", True)
    wait_until(lambda: sender.owes == 0)
    after_the_press = system.sent[system.sent.index((0x11, SCAN_CODE), 1) :]
    assert (0x11, SCAN_CODE | UP) not in after_the_press
