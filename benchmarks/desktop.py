"""An X server and a probe window for benchmarks, where there is no desktop or it should not be disturbed."""

import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


def percentile(values: list[float], percent: float) -> float:
    """The value that so many percent of the others do not exceed."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]
