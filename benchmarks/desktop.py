"""An X server and a probe window for benchmarks, where there is no desktop or it should not be disturbed."""

import contextlib
import importlib.util
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

from gameenv import ACTIONS

PROBE = Path(__file__).resolve().parent.parent / "tests/gameenv/live/probe.py"


@contextlib.contextmanager
def desktop(width: int = 1920, height: int = 1080) -> Iterator[str]:
    """Start Xvfb and make it this process's display."""
    read, write = os.pipe()
    server = subprocess.Popen(
        ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24", "-noreset", "-nolisten", "tcp"],
        pass_fds=[write],
        stderr=subprocess.DEVNULL,
    )
    os.close(write)
    with os.fdopen(read) as told:
        os.environ["DISPLAY"] = f":{told.readline().strip()}"
    for name in ("WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        os.environ.pop(name, None)
    try:
        yield os.environ["DISPLAY"]
    finally:
        server.terminate()
        server.wait()


@contextlib.contextmanager
def probe_window(title: str = "Probe", geometry: str = "1280x720+100+80") -> Iterator[subprocess.Popen[str]]:
    """Open a probe window with the focus; its key events are JSON lines on its standard output."""
    probe = subprocess.Popen(
        [sys.executable, str(PROBE), title, geometry], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert probe.stdin is not None
    assert probe.stdout is not None
    while "mapped" not in json.loads(probe.stdout.readline()):
        pass
    probe.stdin.write("focus\n")
    probe.stdin.flush()
    while "focus" not in json.loads(probe.stdout.readline()):
        pass
    try:
        yield probe
    finally:
        probe.kill()
        probe.wait()


@contextlib.contextmanager
def busy_cores() -> Iterator[None]:
    """Keep every core busy at ordinary priority."""
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def drain(probe: subprocess.Popen[str]) -> None:
    """Read what the probe says, so that it never waits for us."""

    def read() -> None:
        assert probe.stdout is not None
        for _ in probe.stdout:
            pass

    threading.Thread(target=read, daemon=True).start()


def probe_colours() -> dict[str, tuple[int, int, int]]:
    """The colour that the probe shows for each action."""
    spec = importlib.util.spec_from_file_location("probe", PROBE)
    assert spec is not None
    assert spec.loader is not None
    probe = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(probe)
    names = {"up": "Up", "down": "Down", "left": "Left", "right": "Right", "enter": "Return"}
    return {word: probe.COLOURS.get(names.get(word, word), probe.BASE) for word in ACTIONS}


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent of the others do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]
