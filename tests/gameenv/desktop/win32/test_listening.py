"""What the keyboard hook's data mean, and how they come from its thread to the loop that waits for them."""

import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.connection import wait
from types import ModuleType
from typing import Any, cast

import pytest

from gameenv.actions import KEYS
from gameenv.desktop.listener import HeardKey
from gameenv.desktop.places import SCAN_CODES
from gameenv.desktop.win32.listening import HookTranslator, Win32Listener
from gameenv.errors import ListenerDiedError
from tests.gameenv.desktop.win32.fake import FakeWindowsSystem

EXTENDED, INJECTED, UP = 0x01, 0x10, 0x80  # LLKHF_*
S = 1_000_000_000


@pytest.fixture
def translator() -> HookTranslator:
    return HookTranslator((*KEYS, "shift", "ctrl", "f12"))


def said(heard: tuple[HeardKey, ...]) -> list[tuple[str, bool]]:
    return [(each.key, each.down) for each in heard]


@pytest.mark.parametrize("key", KEYS)
def test_each_key_goes_down_and_comes_up(translator: HookTranslator, key: str) -> None:
    scan_code, extended = SCAN_CODES[key] & 0xFF, EXTENDED if SCAN_CODES[key] > 0xFF else 0
    assert translator.read(0, scan_code, extended, 5) == (HeardKey(5, key, True, False),)
    assert translator.read(0, scan_code, extended | UP, 9) == (HeardKey(9, key, False, False),)


def test_a_held_key_repeats_nothing(translator: HookTranslator) -> None:
    assert said(translator.read(0x57, 0x11, 0, 0)) == [("w", True)]
    for t_ns in (S, S + 33_000_000, S + 66_000_000):
        assert translator.read(0x57, 0x11, 0, t_ns) == ()
    assert said(translator.read(0x57, 0x11, UP, 2 * S)) == [("w", False)]
    assert translator.read(0x57, 0x11, UP, 2 * S) == ()


def test_a_release_that_was_missed_does_not_swallow_the_next_press(translator: HookTranslator) -> None:
    translator.read(0x57, 0x11, 0, 0)
    assert said(translator.read(0x57, 0x11, 0, 10 * S)) == [("w", False), ("w", True)]
    assert said(translator.read(0x57, 0x11, UP, 11 * S)) == [("w", False)]


def test_shift_strands_no_key(translator: HookTranslator) -> None:
    """By character, W would go down and w come up."""
    events = [(0xA0, 0x2A, 0), (0x57, 0x11, 0), (0xA0, 0x2A, UP), (0x57, 0x11, UP)]
    heard = [each for event in events for each in said(translator.read(*event, 0))]
    assert heard == [("shift", True), ("w", True), ("shift", False), ("w", False)]


def test_the_number_pad_is_not_the_arrows(translator: HookTranslator) -> None:
    assert translator.read(0x26, 0x48, 0, 0) == (), "8 on the number pad, NumLock off"
    assert translator.read(0x68, 0x48, 0, 0) == (), "8 on the number pad, NumLock on"
    assert translator.read(0x0D, 0x1C, EXTENDED, 0) == (), "Enter on the number pad"
    assert said(translator.read(0x26, 0x48, EXTENDED, 0)) == [("up", True)]


def test_what_windows_makes_up_is_not_heard(translator: HookTranslator) -> None:
    assert translator.read(0xA0, 0x22A, UP, 0) == (), "the Shift around a key of the number pad with NumLock on"
    assert translator.read(0xA2, 0x21D, 0, 0) == (), "the Ctrl of AltGr"
    assert translator.read(0xE7, 0x2D, 0, 0) == (), "a character that no key gives"


def test_a_programs_key_is_told_from_a_persons(translator: HookTranslator) -> None:
    assert translator.read(0x57, 0x11, INJECTED, 0) == (HeardKey(0, "w", True, True),)
    assert translator.read(0x57, 0x11, 0, 1) == (HeardKey(1, "w", True, False),)
    assert translator.read(0x57, 0x11, INJECTED | UP, 2) == (HeardKey(2, "w", False, True),)
    assert translator.read(0x57, 0x11, UP, 3) == (HeardKey(3, "w", False, False),)


def test_a_key_injected_without_a_scan_code_is_known_by_its_virtual_key(translator: HookTranslator) -> None:
    assert said(translator.read(0x57, 0, INJECTED, 0)) == [("w", True)]
    assert said(translator.read(0x57, 0, INJECTED | UP, 0)) == [("w", False)]


def test_other_keys_are_nobodys_business(translator: HookTranslator) -> None:
    others = set(range(1, 0x59)) - {SCAN_CODES[key] & 0xFF for key in (*KEYS, "shift", "ctrl", "f12")}
    assert all(translator.read(0x51, scan_code, 0, 0) == () for scan_code in others)


@dataclass
class HookData:
    """What pynput hands to an event filter: a KBDLLHOOKSTRUCT."""

    vkCode: int  # noqa: N815
    scanCode: int  # noqa: N815
    flags: int


class SwallowedError(Exception):
    """What pynput raises to keep a key from everybody else."""


class FakeHook(threading.Thread):
    """In place of pynput's listener: a thread that lives until it is stopped."""

    last: "FakeHook"

    def __init__(self, **options: Any) -> None:
        super().__init__(daemon=True)
        assert list(options) == ["win32_event_filter"], "nothing else is asked for, above all no suppressing"
        self.filter = options["win32_event_filter"]
        self._ended = threading.Event()
        FakeHook.last = self

    def run(self) -> None:
        self._ended.wait()

    def wait(self) -> None:
        pass

    def stop(self) -> None:
        self._ended.set()

    def suppress_event(self) -> None:
        raise SwallowedError

    def type(self, scan_code: int, flags: int = 0) -> object:
        return self.filter(0x100, HookData(0, scan_code, flags))


@pytest.fixture
def listener(monkeypatch: pytest.MonkeyPatch) -> Iterator[Win32Listener]:
    keyboard = ModuleType("pynput.keyboard")
    keyboard.Listener = FakeHook  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pynput", ModuleType("pynput"))
    monkeypatch.setitem(sys.modules, "pynput.keyboard", keyboard)
    opened = Win32Listener(KEYS)
    yield opened
    opened.close()
    opened.close()


def test_a_key_wakes_the_loop_that_waits(listener: Win32Listener) -> None:
    bell = cast("Any", listener.wait_object())
    assert wait([bell], 0) == []
    before_ns = time.monotonic_ns()
    typist = threading.Thread(target=lambda: [FakeHook.last.type(0x11), FakeHook.last.type(0x11, UP)])
    typist.start()
    assert wait([bell], 15) == [bell]
    typist.join()
    heard = listener.poll()
    assert [(each.key, each.down) for each in heard] == [("w", True), ("w", False)]
    assert before_ns <= heard[0].t_ns <= heard[1].t_ns <= time.monotonic_ns()
    assert wait([bell], 0) == []
    assert listener.poll() == []


def test_the_hook_never_waits_for_the_loop(listener: Win32Listener) -> None:
    """Windows takes a hook away that is slow; a pipe that nobody empties would block it."""
    typist = threading.Thread(
        target=lambda: [FakeHook.last.type(0x11, flags) for _ in range(100_000) for flags in (0, UP)], daemon=True
    )
    typist.start()
    typist.join(60)
    assert not typist.is_alive()
    assert len(listener.poll()) == 200_000


def test_the_filter_passes_every_key_on_to_the_game(listener: Win32Listener) -> None:
    """False only ends pynput's own work on it; suppressing is done by raising."""
    assert FakeHook.last.type(0x11) is False
    assert FakeHook.last.type(0x10) is False


def test_a_listener_whose_thread_ended_says_so_after_what_it_heard(listener: Win32Listener) -> None:
    FakeHook.last.type(0x11)
    FakeHook.last.stop()
    FakeHook.last.join(15)
    assert len(listener.poll()) == 1
    with pytest.raises(ListenerDiedError):
        listener.poll()


def test_a_key_after_closing_does_no_harm(listener: Win32Listener) -> None:
    hook = FakeHook.last
    listener.close()
    assert hook.type(0x11) is False


def test_a_key_that_is_withheld_is_heard_and_swallowed_in_that_window_only(
    listener: Win32Listener, system: FakeWindowsSystem
) -> None:
    system.foreground = 0x7FF0_0001_0002_0003
    listener.attend(system.foreground, ["w"])
    for flags in (0, UP):
        with pytest.raises(SwallowedError):
            FakeHook.last.type(0x11, flags)
    assert FakeHook.last.type(0x1F) is False, "no other key"
    system.foreground = 7
    assert FakeHook.last.type(0x11) is False, "no other window"
    assert [(each.key, each.down) for each in listener.poll()] == [("w", True), ("w", False), ("s", True), ("w", True)]
