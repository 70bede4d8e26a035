"""Every backend that can run here passes the judges, and the judges find what is wrong."""

import sys
import threading
from collections.abc import Callable, Collection, Iterator
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from gameenv.desktop.conformance import (
    LISTENER_CHECKS,
    SENDER_CHECKS,
    WINDOW_CHECKS,
    ListenerSubject,
    SenderSubject,
    WindowSubject,
    check_key_listener,
    check_key_sender,
    check_window_system,
)
from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.listener import HeardKey
from gameenv.desktop.macos import MacListener, MacSender
from gameenv.desktop.opening import open_listener, open_sender, open_window_system
from gameenv.desktop.window import WindowInfo, WindowSystem
from gameenv.errors import InvalidInputError
from gameenv.judging import find_problem
from tests.gameenv.live.display import Probe, wait_for

if sys.platform != "linux":
    pytest.skip("X11 only", allow_module_level=True)


@pytest.fixture
def x11_windows(make_probe: Callable[..., Probe]) -> WindowSubject:
    gone, there = make_probe("Gone", focus=False), make_probe("Probe")
    gone.close()
    system = open_window_system()
    wait_for(lambda: len(system.windows()) == 1)
    system.close()
    return WindowSubject(open_window_system, there.handle, gone.handle)


@pytest.fixture
def x11_sender(make_probe: Callable[..., Probe]) -> SenderSubject:
    other, probe = make_probe("Other", focus=False), make_probe()
    return SenderSubject(open_sender, open_listener, probe.handle, other.handle)


@pytest.fixture
def press(display: str) -> Iterator[Callable[[str, bool], None]]:
    sender = open_sender()
    yield sender.send
    sender.close()


@pytest.fixture
def x11_listener(probe: Probe, press: Callable[[str, bool], None]) -> ListenerSubject:
    return ListenerSubject(open_listener, press, probe.handle)


class Keyboards:
    """In place of ``pynput.keyboard`` on a Mac: what its controller sends, its listeners hear. It cannot run here."""

    def __init__(self) -> None:
        self.taps: list[Any] = []
        keyboards = self

        class KeyCode(SimpleNamespace):
            @classmethod
            def from_vk(cls, vk: int) -> "KeyCode":
                return cls(vk=vk)

        class Controller:
            InvalidKeyException = ValueError

            def press(self, key: KeyCode) -> None:
                for tap in keyboards.taps:
                    tap.on_press(key, True)

            def release(self, key: KeyCode) -> None:
                for tap in keyboards.taps:
                    tap.on_release(key, True)

        class Listener(threading.Thread):
            IS_TRUSTED = True

            def __init__(self, on_press: Callable[..., None], on_release: Callable[..., None]) -> None:
                super().__init__(daemon=True)
                self.on_press, self.on_release = on_press, on_release
                self.ended = threading.Event()

            def run(self) -> None:
                keyboards.taps.append(self)
                self.ended.wait()

            def wait(self) -> None:
                wait_for(lambda: self in keyboards.taps)

            def stop(self) -> None:
                if self in keyboards.taps:
                    keyboards.taps.remove(self)
                self.ended.set()

        self.module = ModuleType("pynput.keyboard")
        vars(self.module).update(KeyCode=KeyCode, Controller=Controller, Listener=Listener)


@pytest.fixture
def mac(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pynput", ModuleType("pynput"))
    monkeypatch.setitem(sys.modules, "pynput.keyboard", Keyboards().module)


@pytest.mark.parametrize("check", WINDOW_CHECKS)
def test_x11_windows_conform(x11_windows: WindowSubject, check: str) -> None:
    assert find_problem(WINDOW_CHECKS[check], x11_windows) is None


@pytest.mark.parametrize("check", WINDOW_CHECKS)
def test_x11_windows_conform_under_a_window_manager(
    window_manager: None, x11_windows: WindowSubject, check: str
) -> None:
    assert find_problem(WINDOW_CHECKS[check], x11_windows) is None


@pytest.mark.parametrize("check", SENDER_CHECKS)
def test_the_x11_sender_conforms(x11_sender: SenderSubject, check: str) -> None:
    assert find_problem(SENDER_CHECKS[check], x11_sender) is None


@pytest.mark.parametrize("check", LISTENER_CHECKS)
def test_the_x11_listener_conforms(x11_listener: ListenerSubject, check: str) -> None:
    assert find_problem(LISTENER_CHECKS[check], x11_listener) is None


NEED_WINDOWS = ("presses only where the focus is", "tells what is left down")
"""What a Mac cannot do, as no windows are supported there."""


@pytest.mark.parametrize("check", [name for name in SENDER_CHECKS if name not in NEED_WINDOWS])
def test_the_mac_sender_conforms_to_what_pynput_does(mac: None, check: str) -> None:
    assert find_problem(SENDER_CHECKS[check], SenderSubject(MacSender, MacListener, 1, 2)) is None


@pytest.mark.parametrize("check", NEED_WINDOWS)
def test_what_a_mac_cannot_do_is_found_out(mac: None, check: str) -> None:
    assert find_problem(SENDER_CHECKS[check], SenderSubject(MacSender, MacListener, 1, 2)) is not None


@pytest.mark.parametrize("check", LISTENER_CHECKS)
def test_the_mac_listener_conforms_to_what_pynput_does(mac: None, check: str) -> None:
    assert find_problem(LISTENER_CHECKS[check], ListenerSubject(MacListener, MacSender().send, 1)) is None


# The judges themselves


def test_a_backend_that_conforms_passes(x11_windows: WindowSubject, press: Callable[[str, bool], None]) -> None:
    check_window_system(x11_windows.open, x11_windows.handle, x11_windows.gone)
    check_key_sender(open_sender, open_listener, x11_windows.handle, x11_windows.gone)
    check_key_listener(open_listener, press, x11_windows.handle)


class Wrong:
    """A window system that answers as another does, but for what a test replaces."""

    def __init__(self, system: WindowSystem, **instead: Callable[..., Any]) -> None:
        self._system = system
        self._instead = instead

    def __getattr__(self, name: str) -> Any:
        return self._instead.get(name) or getattr(self._system, name)


def named_by_the_judge(subject: WindowSubject, **instead: Callable[..., Any]) -> str:
    def open_wrong() -> Any:
        return Wrong(subject.open(), **instead)

    with pytest.raises(InvalidInputError, match="does not conform") as raised:
        check_window_system(open_wrong, subject.handle, subject.gone)
    return str(raised.value)


def test_a_window_system_that_lies_is_found_out(x11_windows: WindowSubject) -> None:
    assert "lists the window once" in named_by_the_judge(x11_windows, windows=lambda: ())
    everywhere = named_by_the_judge(x11_windows, has_focus=lambda handle: True)
    assert "has_focus() of a closed window is not False" in everywhere
    with pytest.raises(InvalidInputError, match="gone"):
        check_window_system(x11_windows.open, x11_windows.handle, gone=x11_windows.handle)
    twice = [WindowInfo(x11_windows.handle, "Probe", "", 0)] * 2
    assert "each window is listed once" in named_by_the_judge(x11_windows, windows=lambda: tuple(twice))


def test_a_sender_that_forgets_releases_is_found_out(x11_sender: SenderSubject) -> None:
    class Sticky:
        def __init__(self) -> None:
            self._sender = open_sender()

        def send(self, key: str, down: bool) -> None:
            self._sender.send(key, down)
            if down:
                self._sender.send(key, False)

        def press_in(self, key: str, handle: int) -> bool:
            return self._sender.press_in(key, handle)

        def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
            return self._sender.left_down(keys)

        def close(self) -> None:
            self._sender.close()

    def open_sticky() -> KeySender:
        return Sticky()

    with pytest.raises(InvalidInputError, match=r"holds a key until it is released: w down should be heard"):
        check_key_sender(open_sticky, x11_sender.listen, x11_sender.focused, x11_sender.unfocused)


def test_a_listener_that_hears_everything_is_found_out(
    x11_listener: ListenerSubject, press: Callable[[str, bool], None]
) -> None:
    class Nosy:
        def __init__(self, keys: Collection[str]) -> None:
            self._listener = open_listener({*keys, "a"})

        def poll(self) -> list[HeardKey]:
            return self._listener.poll()

        def wait_object(self) -> None:
            return None

        def attend(self, handle: int, withhold: Collection[str]) -> None:
            self._listener.attend(handle, withhold)

        def close(self) -> None:
            self._listener.close()

    with pytest.raises(InvalidInputError, match=r"hears only what was asked for: w down w up should be heard, and a"):
        check_key_listener(Nosy, press, x11_listener.focused)
