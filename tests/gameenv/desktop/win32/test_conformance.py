"""The Windows backends against the judges that every backend must pass, on the fake Windows."""

import contextlib
import sys
from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any

import pytest

from gameenv.desktop.conformance import (
    LISTENER_CHECKS,
    SENDER_CHECKS,
    WINDOW_CHECKS,
    ListenerSubject,
    SenderSubject,
    WindowSubject,
)
from gameenv.desktop.win32.listening import Win32Listener
from gameenv.desktop.win32.sending import Win32Sender
from gameenv.desktop.win32.windows import Win32Windows
from gameenv.judging import find_problem
from tests.gameenv.desktop.win32.fake import FakeWindow, FakeWindowsSystem
from tests.gameenv.desktop.win32.test_listening import FakeHook, SwallowedError

EXTENDED, UP = 0x1, 0x2  # KEYEVENTF_*
HOOK_EXTENDED, HOOK_INJECTED, HOOK_UP = 0x01, 0x10, 0x80  # LLKHF_*
GAME, CLOSED = 0x7FF0_0001_0002_0003, 99


@pytest.fixture
def desktop(system: FakeWindowsSystem) -> FakeWindowsSystem:
    system.windows = {GAME: FakeWindow("The Dark Mod", 100), 7: FakeWindow("notes", 200)}
    system.foreground = GAME
    return system


@pytest.fixture
def hooks(desktop: FakeWindowsSystem, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What is sent to the fake Windows goes through every hook, as on a real one."""
    keyboard = ModuleType("pynput.keyboard")
    opened: list[FakeHook] = []

    class Hook(FakeHook):
        def start(self) -> None:
            opened.append(self)
            super().start()

        def stop(self) -> None:
            if self in opened:
                opened.remove(self)
            super().stop()

    class Sent(list[tuple[int, int]]):
        def append(self, event: tuple[int, int]) -> None:
            super().append(event)
            scan_code, flags = event
            told = HOOK_INJECTED | (HOOK_EXTENDED if flags & EXTENDED else 0) | (HOOK_UP if flags & UP else 0)
            for hook in opened:
                with contextlib.suppress(SwallowedError):
                    hook.type(scan_code & 0xFF, told)

    desktop.sent = Sent()
    vars(keyboard).update(Listener=Hook)
    monkeypatch.setitem(sys.modules, "pynput", ModuleType("pynput"))
    monkeypatch.setitem(sys.modules, "pynput.keyboard", keyboard)
    yield
    for hook in opened:
        hook.stop()


def listen(keys: Collection[str]) -> Win32Listener:
    return Win32Listener(keys)


@pytest.mark.parametrize("check", WINDOW_CHECKS)
def test_windows_conform(desktop: FakeWindowsSystem, check: str) -> None:
    assert find_problem(WINDOW_CHECKS[check], WindowSubject(Win32Windows, GAME, CLOSED)) is None


@pytest.mark.parametrize("check", SENDER_CHECKS)
def test_the_sender_conforms(hooks: None, pydirectinput: Any, check: str) -> None:
    assert find_problem(SENDER_CHECKS[check], SenderSubject(Win32Sender, listen, GAME, 7)) is None


@pytest.mark.parametrize("check", LISTENER_CHECKS)
def test_the_listener_conforms(hooks: None, pydirectinput: Any, check: str) -> None:
    assert find_problem(LISTENER_CHECKS[check], ListenerSubject(listen, Win32Sender().send, GAME)) is None
