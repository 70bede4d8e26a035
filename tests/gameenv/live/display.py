"""X servers and probe windows for tests: started, driven and ended."""

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

PATIENCE_S = 60.0
"""Enough for a machine that is busy with other things; only what fails waits so long."""
PROBE = Path(__file__).with_name("probe.py")


def wait_for(what: Callable[[], Any], seconds: float = PATIENCE_S) -> Any:
    """Return the first true answer; fails after a while."""
    end = time.monotonic() + seconds
    while not (answer := what()):
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.005)
    return answer


def demand(program: str) -> None:
    """Fail, saying how to install it, if a program of the tests is missing."""
    if shutil.which(program) is None:
        pytest.fail(
            f"{program} is missing; live windows need: apt-get install xvfb xserver-xephyr openbox x11-xkb-utils"
        )


@contextlib.contextmanager
def x_server(*command: str, **environment: str) -> Iterator[str]:
    """Start an X server on a free display and return its name, such as ``:7``."""
    demand(command[0])
    read, write = os.pipe()
    process = subprocess.Popen(
        [*command, "-displayfd", str(write), "-noreset", "-nolisten", "tcp"],
        pass_fds=[write],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, **environment},
    )
    os.close(write)
    try:
        with os.fdopen(read) as told:
            number = told.readline().strip()
        assert number, f"{command[0]} did not start"
        yield f":{number}"
    finally:
        process.terminate()
        process.wait(10)


class Probe:
    """A probe window in a process of its own; see ``probe.py``."""

    def __init__(self, title: str = "Probe", geometry: str = "640x360+100+80") -> None:
        self.title = title
        self._process = subprocess.Popen(
            [sys.executable, str(PROBE), title, geometry], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._said: queue.Queue[dict[str, Any]] = queue.Queue()
        self.keys: list[tuple[str, bool]] = []
        self.codes: list[tuple[int, bool]] = []
        self.key_times: list[int] = []
        self.synthetic = 0
        self.focused = False
        threading.Thread(target=self._listen, daemon=True).start()
        self.pid = self._process.pid
        try:
            self.handle = int(self._next("window"))
            self._show()
        except BaseException:
            self.close()
            raise

    def _show(self) -> None:
        try:
            self._next("mapped", 10)
        except queue.Empty:  # a window manager that is about to start or to end may lose what it is asked
            self.tell("map")
            self._next("mapped")

    def _listen(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            said = json.loads(line)
            if "key" in said:
                self.synthetic += said["synthetic"]
                self.key_times.append(said["t_ns"])
                self.codes.append((said["code"], said["down"]))
                self.keys.append((said["key"], said["down"]))
            elif "focus" in said:
                self.focused = said["focus"]
            else:
                self._said.put(said)

    def _next(self, name: str, patience_s: float = PATIENCE_S) -> Any:
        end = time.monotonic() + patience_s
        while True:
            said = self._said.get(timeout=max(0.01, end - time.monotonic()))
            if name in said:
                return said[name]

    def tell(self, command: str) -> None:
        """Give a command and wait until it has been carried out."""
        assert self._process.stdin is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        while self._next("done") != command:
            pass

    def focus(self) -> None:
        """Take the input focus and wait until the window has it."""
        self.tell("focus")
        wait_for(lambda: self.focused)

    @property
    def down(self) -> list[str]:
        """The keys that are down by what the window was told."""
        down: list[str] = []
        for key, pressed in list(self.keys):
            if pressed and key not in down:
                down.append(key)
            elif not pressed and key in down:
                down.remove(key)
        return down

    def close(self) -> None:
        """End the program."""
        self._process.kill()
        self._process.wait()
