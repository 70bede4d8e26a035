"""The X11 backends on a real server: windows, keys sent, keys heard."""

import os
import sys
import time
from collections.abc import Callable, Iterator

import pytest

from gameenv.desktop.family import own_processes
from gameenv.desktop.keyboard import KEY_NAMES, KeySender
from gameenv.desktop.listener import HeardKey, KeyListener
from gameenv.desktop.opening import open_listener, open_sender, open_window_system
from gameenv.desktop.window import Rect, WindowSystem, find_window
from gameenv.errors import DisplayError, ListenerDiedError, WindowGoneError
from tests.gameenv.live.display import Probe, wait_for, x_server

if sys.platform != "linux":
    pytest.skip("X11 only", allow_module_level=True)

from Xlib.error import ConnectionClosedError

from gameenv.desktop.x11.listening import X11Listener

MakeProbe = Callable[..., Probe]


@pytest.fixture
def system(display: str) -> Iterator[WindowSystem]:
    system = open_window_system()
    yield system
    system.close()
    system.close()


@pytest.fixture
def sender(display: str) -> Iterator[KeySender]:
    sender = open_sender()
    yield sender
    sender.close()
    sender.close()


def hear(listener: KeyListener, count: int) -> list[HeardKey]:
    heard: list[HeardKey] = []

    def enough() -> bool:
        heard.extend(listener.poll())
        return len(heard) >= count

    wait_for(enough)
    time.sleep(0.05)
    return heard + listener.poll()


def test_windows_without_a_window_manager(system: WindowSystem, make_probe: MakeProbe) -> None:
    first, second = make_probe("First", "300x200+50+60"), make_probe("Zweites Fenster ü", focus=False)
    found = {each.title: each for each in system.windows()}
    assert set(found) == {"First", "Zweites Fenster ü"}
    assert (found["First"].handle, found["First"].pid) == (first.handle, first.pid)
    assert found["First"].process.startswith("python")
    state = system.state(first.handle)
    assert (state.client, state.focused, state.minimised) == (Rect(50, 60, 300, 200), True, False)
    assert state.desktop == Rect(0, 0, 1920, 1080)
    assert not system.has_focus(second.handle)


def test_windows_with_a_window_manager(window_manager: None, system: WindowSystem, make_probe: MakeProbe) -> None:
    probe = make_probe("Managed", "300x200+50+60")
    assert [each.title for each in wait_for(system.windows)] == ["Managed"]
    state = system.state(probe.handle)
    assert (state.client.width, state.client.height) == (300, 200), "the client area, without the frame"
    assert state.focused
    probe.tell("move 400 300")
    wait_for(lambda: system.state(probe.handle).client.left >= 400)
    probe.tell("iconify")
    wait_for(lambda: system.state(probe.handle).minimised)
    assert not system.has_focus(probe.handle)
    assert find_window(system, "Managed").handle == probe.handle, "a minimised window is found too"


def test_a_window_that_is_gone(system: WindowSystem, make_probe: MakeProbe) -> None:
    probe = make_probe()
    probe.close()
    wait_for(lambda: not system.windows())
    with pytest.raises(WindowGoneError, match="closed"):
        system.state(probe.handle)
    assert not system.has_focus(probe.handle)


def test_the_focus_follows_the_pointer_where_nobody_sets_it(system: WindowSystem, make_probe: MakeProbe) -> None:
    from Xlib import X, display  # noqa: PLC0415

    probe = make_probe()
    connection = display.Display()
    connection.set_input_focus(X.PointerRoot, X.RevertToPointerRoot, X.CurrentTime)
    for place, expected in (((300, 200), True), ((1500, 900), False)):
        connection.screen().root.warp_pointer(*place)
        connection.sync()
        assert system.has_focus(probe.handle) is expected
    connection.close()


def test_every_key_arrives_as_a_real_event(probe: Probe, sender: KeySender) -> None:
    listener = open_listener(KEY_NAMES)
    for key in KEY_NAMES:
        sender.send(key, True)
        sender.send(key, False)
    heard = hear(listener, 2 * len(KEY_NAMES))
    listener.close()
    assert [(each.key, each.down) for each in heard] == [(key, down) for key in KEY_NAMES for down in (True, False)]
    assert all(each.injected for each in heard)
    wait_for(lambda: len(probe.keys) >= 2 * len(KEY_NAMES))
    assert probe.synthetic == 0
    assert len({key for key, _ in probe.keys}) == len(KEY_NAMES)


def test_only_the_keys_that_were_asked_for_are_heard(probe: Probe, sender: KeySender) -> None:
    listener = open_listener(["w", "p"])
    for key in ("a", "1", "w", "shift", "p", "enter"):
        sender.send(key, True)
        sender.send(key, False)
    assert [each.key for each in hear(listener, 4)] == ["w", "w", "p", "p"]
    listener.close()
    listener.close()


def test_times_are_on_our_clock(probe: Probe, sender: KeySender) -> None:
    listener = open_listener(["w"])
    before = time.monotonic_ns()
    sender.send("w", True)
    time.sleep(0.2)
    sender.send("w", False)
    after = time.monotonic_ns()
    time.sleep(0.3)  # heard late, and yet dated rightly
    press, release = hear(listener, 2)
    listener.close()
    slack = 10_000_000  # the server's clock is coarse
    assert before - slack <= press.t_ns <= press.t_ns + 150_000_000 <= release.t_ns <= after + slack


def test_a_listener_whose_server_has_gone_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    with x_server("Xvfb", "-screen", "0", "320x200x24") as name:
        monkeypatch.setenv("DISPLAY", name)
        listener = open_listener(["w"])
        assert listener.poll() == []

    def poll_for_ever() -> None:
        while True:
            listener.poll()

    with pytest.raises(ListenerDiedError, match="X server"):
        poll_for_ever()
    listener.close()


CUT_NAME = "Призрак.exe".encode()[:13]
"""Ends inside a letter, as Linux cuts the names of programs."""


def test_a_programs_name_may_end_inside_a_letter(system: WindowSystem, probe: Probe) -> None:
    probe.tell(f"comm {CUT_NAME.hex()}")
    assert [each.process for each in system.windows()] == ["Призра\ufffd"]


def test_a_clients_properties_may_hold_any_bytes(system: WindowSystem, probe: Probe) -> None:
    from Xlib import Xatom, display  # noqa: PLC0415

    connection = display.Display()
    window = connection.create_resource_object("window", probe.handle)
    utf8 = connection.intern_atom("UTF8_STRING")
    for name, kind, form, value, title in (
        ("_NET_WM_NAME", utf8, 8, b"Doom \xd0", "Doom \ufffd"),
        ("_NET_WM_NAME", utf8, 32, [1, 2], "Probe"),
        ("_NET_WM_NAME", Xatom.STRING, 8, b"J\xe4ger", "Jäger"),
        ("_NET_WM_PID", utf8, 8, b"\xff\xff", "Jäger"),
        ("_NET_WM_PID", Xatom.CARDINAL, 32, [], "Jäger"),
        ("_NET_WM_PID", Xatom.CARDINAL, 32, [0xFFFFFFFF], "Jäger"),
        ("WM_STATE", utf8, 8, b"\x03", "Jäger"),
        ("WM_CLASS", Xatom.STRING, 8, b"\xff\xfe", "Jäger"),
        ("WM_NAME", utf8, 8, b"\xff\0\0", "Jäger"),
    ):
        window.change_property(connection.intern_atom(name), kind, form, value)
        connection.sync()
        assert [each.title for each in system.windows()] == [title], (name, value)
        assert not system.state(probe.handle).minimised
    connection.close()


def test_a_window_without_a_title_is_found_by_its_program(system: WindowSystem, make_probe: MakeProbe) -> None:
    probe = make_probe("")
    assert [(each.handle, each.title) for each in system.windows()] == [(probe.handle, "")]
    assert find_window(system, process="python").handle == probe.handle
    helper = make_probe("", "20x20+0+0", focus=False)
    assert helper.handle not in [each.handle for each in system.windows()]


def test_we_are_our_own_family(system: WindowSystem, probe: Probe) -> None:
    assert {os.getpid(), os.getppid()} <= own_processes()
    assert probe.pid not in own_processes()


def test_a_listener_whose_server_breaks_off_while_it_begins_says_so(
    display: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(_: X11Listener) -> None:
        raise ConnectionClosedError("server")

    closed: list[X11Listener] = []

    def close(listener: X11Listener) -> None:
        closed.append(listener)

    monkeypatch.setattr(X11Listener, "_read_devices", gone)
    monkeypatch.setattr(X11Listener, "close", close)
    with pytest.raises(DisplayError, match="does not answer any more"):
        X11Listener(["w"])
    assert closed
