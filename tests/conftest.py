"""A fresh X server for each test that asks for one, probe windows in it, and a check that no key stays down."""

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import gymnasium as gym
import pytest

import gameenv  # noqa: F401 (registers the environments)
from gameenv.arena.engine.ownership import sweep_orphans
from gameenv.live.env import LiveEnv
from tests.gameenv.live.display import Probe, demand, wait_for, x_server


def pytest_configure() -> None:
    """Have the children of tests begin with signals as in a terminal: a script's background jobs ignore Ctrl-C."""
    for number, usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGTERM, signal.SIG_DFL)):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, usual)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT, signal.SIGTERM})


def pytest_sessionfinish() -> None:
    """Leave no process behind, whatever failed: not this one's children, and no engine that has lost its owner."""
    for pid in descendants(os.getpid()):
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    sweep_orphans()


def descendants(pid: int) -> list[int]:
    """Processes started by this one, and by those, as far as Linux tells; one that keeps Python's books is left out."""
    found: list[int] = []
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_bytes().split()):
                if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes():
                    found += [child, *descendants(child)]
    return found


@pytest.fixture(scope="session")
def xvfb() -> Iterator[str]:
    """One X server for the whole run; each test uses it alone."""
    if sys.platform != "linux":
        pytest.skip("the tests of live windows need X11")
    with x_server("Xvfb", "-screen", "0", "1920x1080x24") as name:
        yield name


@pytest.fixture
def display(xvfb: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The X server as this test's display, with no key down afterwards."""
    monkeypatch.setenv("DISPLAY", xvfb)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    yield xvfb
    down = keys_down(xvfb)
    for code in down:  # so that one failure does not spoil the next test
        release(xvfb, code)
    assert not down, f"keycodes left down: {down}"


def keys_down(name: str) -> list[int]:
    """The keycodes that are down by the X server's own account."""
    from Xlib import display as xdisplay  # noqa: PLC0415

    connection = xdisplay.Display(name)
    try:
        bits = connection.query_keymap()
        return [8 * byte + bit for byte in range(32) for bit in range(8) if bits[byte] >> bit & 1]
    finally:
        connection.close()


def release(name: str, code: int) -> None:
    """Let go of a keycode."""
    from Xlib import X  # noqa: PLC0415
    from Xlib import display as xdisplay  # noqa: PLC0415

    connection = xdisplay.Display(name)
    connection.xtest_fake_input(X.KeyRelease, code)
    connection.sync()
    connection.close()


@pytest.fixture
def window_manager(display: str) -> Iterator[None]:
    """openbox runs during the test."""
    demand("openbox")
    process = subprocess.Popen(["openbox", "--sm-disable"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    from Xlib import display as xdisplay  # noqa: PLC0415
    from Xlib.error import BadWindow  # noqa: PLC0415

    connection = xdisplay.Display(display)
    root, atom = connection.screen().root, connection.intern_atom("_NET_SUPPORTING_WM_CHECK")

    def manages() -> bool:
        """Whether the root names a window that names itself: what an earlier manager left names one that is gone."""
        named = root.get_full_property(atom, 0)
        with contextlib.suppress(BadWindow):
            itself = named and connection.create_resource_object("window", named.value[0]).get_full_property(atom, 0)
            return bool(itself) and itself.value[0] == named.value[0]
        return False

    wait_for(manages)
    connection.close()
    yield
    process.terminate()
    process.wait(10)


@pytest.fixture
def make_probe(display: str) -> Iterator[Callable[..., Probe]]:
    """Open probe windows, closed at the end."""
    with contextlib.ExitStack() as opened:

        def make(title: str = "Probe", geometry: str = "640x360+100+80", focus: bool = True) -> Probe:
            probe = Probe(title, geometry)
            opened.callback(probe.close)
            if focus:
                probe.focus()
            return probe

        yield make


@pytest.fixture
def probe(make_probe: Callable[..., Probe]) -> Probe:
    """A probe window that has the focus."""
    return make_probe()


@pytest.fixture
def make_env(display: str) -> Iterator[Callable[..., LiveEnv]]:
    """Make live environments, closed at the end."""
    with contextlib.ExitStack() as opened:

        def make(**kwargs: object) -> LiveEnv:
            env = gym.make("gameenv/Live-v0", disable_env_checker=True, **{"window": "^Probe$", **kwargs}).unwrapped
            opened.callback(env.close)
            assert isinstance(env, LiveEnv)
            return env

        yield make


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    folder = tmp_path / "small"
    folder.mkdir()
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a tmpfs needs root")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def is_alive(pid: int) -> bool:
    """Whether a process runs."""
    with contextlib.suppress(OSError):
        os.kill(pid, 0)
        return True
    return False
