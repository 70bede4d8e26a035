"""A live environment's side of its watchdog process: starts it, tells it what to hold, receives its grabs.

If the watchdog process itself ends unexpectedly, the keys are let go of from here. Knows nothing of Gymnasium.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener
from types import TracebackType
from typing import IO, Self

from gameenv.actions import Action
from gameenv.desktop.keyboard import Keyboard
from gameenv.desktop.opening import open_sender
from gameenv.errors import GameEnvError
from gameenv.frames import Frame
from gameenv.live.messages import (
    Begin,
    Channel,
    Grab,
    Hold,
    Ready,
    TapResetKey,
    WatchdogFailed,
    WatchEnded,
    WatchSettings,
)
from gameenv.live.ring import FrameRing
from gameenv.processes import sigint_held_back
from gameenv.temporary import make_folder

_REUSE_MEMORY = {"MALLOC_MMAP_THRESHOLD_": "67108864", "MALLOC_TRIM_THRESHOLD_": "268435456"}
"""glibc would give the memory of each grab back to the system and get it anew, page by page: half the grab's time."""
_SOCKET = "door"
_LONGEST_PATH = 98
"""Bytes in the path of the socket's folder: the socket's own may have 107 on Linux, 103 on macOS (``unix(7)``)."""
_PATIENCE_S = 20.0
"""How long, beyond a tick, a watchdog process is waited for that does not answer."""


class Companion:
    """A running watchdog process.

    Args:
        settings: What it works on.
        ring: The frames it shares with us; its name is in the settings.

    Raises:
        GameEnvError: If it does not start, or cannot use the window, the screen or the keys.
    """

    def __init__(self, settings: WatchSettings, ring: FrameRing) -> None:
        self._settings = settings
        self._ring = ring
        self._command = 0
        self._closing = False
        self._connection: Channel | None = None
        key = os.urandom(32)
        try:
            with sigint_held_back(), _door(key) as door:
                self._process = self._start(str(door.address), key)
                self._watcher = threading.Thread(
                    target=self._watch, args=(str(door.address), key), name="watchdog's watcher", daemon=True
                )
                self._watcher.start()
                self._connection = door.accept()
            self._connection.send(settings)
            answer = self._receive()
        except (EOFError, OSError, AuthenticationError) as error:
            said = self._last_words()
            self.close()
            raise GameEnvError(f"the watchdog process did not start: {said}") from error
        finally:
            ring.forget_name()
        if isinstance(answer, WatchdogFailed):
            self.close()
            raise answer.error
        if not isinstance(answer, Ready):
            self.close()
            raise GameEnvError(f"the watchdog process did not start: {self._last_words()}")
        self.left_behind = answer.left_behind
        """Words whose keys an earlier run had left down; they are up now."""

    @property
    def pid(self) -> int:
        """The watchdog's process number."""
        return self._process.pid

    def begin(self) -> Grab | WatchEnded:
        """Let go of all keys, start the clock anew, and return the grab of tick 0."""
        self._command += 1
        return self._ask(Begin(self._command))

    def hold(self, word: Action) -> Grab | WatchEnded:
        """Have this word held until the next tick, and return that tick's grab."""
        self._command += 1
        return self._ask(Hold(self._command, word))

    def tap_reset_key(self) -> None:
        """Have the reset key pressed and released in the game, if it has the focus."""
        assert self._connection is not None
        self._command += 1
        with contextlib.suppress(OSError):  # it has ended, and its last message says why
            self._connection.send(TapResetKey(self._command))

    def next_grab(self) -> Grab | WatchEnded:
        """Return the next grab, in order: for a person's play, where every tick is grabbed."""
        answer = self._receive()
        assert isinstance(answer, Grab | WatchEnded)
        return answer

    def frame(self, grab: Grab) -> Frame:
        """Return the frame of a grab, freshly owned; later grabs may not be asked for earlier ones."""
        return self._ring.take(grab.number)

    def skip(self, grab: Grab) -> None:
        """Pass over the frame of a grab."""
        self._ring.skip(grab.number)

    def close(self) -> None:
        """Have all keys let go of and end the process. May be called twice."""
        if self._closing:
            return
        self._closing = True
        if self._connection is not None:
            self._connection.close()  # which tells it to end
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(timeout=2)
            if self._process.poll() is None:
                self._process.kill()
                self._process.wait()
                self._release_keys()
        self._errors.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, address: str, key: bytes) -> "subprocess.Popen[bytes]":
        """Start the process and tell it the key.

        Raises:
            GameEnvError: If the system does not start it.
        """
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed in close)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "gameenv.live.watchdog", address],
                stdin=subprocess.PIPE,
                stderr=self._errors,
                env={**os.environ, **_REUSE_MEMORY},
                start_new_session=True,
            )
        except OSError as error:
            self._errors.close()
            raise GameEnvError(f"the watchdog process did not start: {error}") from error
        assert process.stdin is not None
        with contextlib.suppress(OSError):
            process.stdin.write(key.hex().encode() + b"\n")
            process.stdin.close()
        return process

    def _ask(self, command: Begin | Hold) -> Grab | WatchEnded:
        assert self._connection is not None
        with contextlib.suppress(OSError):  # it has ended, and its last message says why
            self._connection.send(command)
        while True:
            answer = self._receive()
            if isinstance(answer, WatchEnded) or (isinstance(answer, Grab) and answer.command == self._command):
                return answer
            if isinstance(answer, Grab):
                self.skip(answer)

    def _receive(self) -> object:
        assert self._connection is not None
        try:
            patience_s = _PATIENCE_S + 1 / self._settings.fps
            if self._connection.poll(patience_s):
                return self._connection.recv()
            why = f"it has not answered for {patience_s:.0f} s"
        except (EOFError, OSError):
            why = self._last_words()
        return WatchEnded("watchdog-ended", f"the watchdog process ended unexpectedly: {why}")

    def _watch(self, address: str, key: bytes) -> None:
        """Wait for the process's end; if nobody wanted it, let go of the keys, and of whoever waits for it."""
        code = self._process.wait()
        if self._connection is None:
            with contextlib.suppress(Exception), Client(address, authkey=key):
                pass
        elif not self._closing and code != 0:
            self._release_keys()

    def _release_keys(self) -> None:
        if self._settings.control != "agent":
            return
        with (
            contextlib.suppress(GameEnvError, OSError),
            contextlib.closing(Keyboard(open_sender(), self._settings.bound, self._settings.handle)) as keyboard,
        ):
            keyboard.let_go_of_all()

    def _last_words(self) -> str:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=2)
        with contextlib.suppress(OSError, ValueError):
            self._errors.seek(0)
            lines = self._errors.read().decode(errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
        return f"exit code {self._process.poll()}"


@contextlib.contextmanager
def _door(key: bytes) -> Iterator[Listener]:
    """Where the process connects to: a named pipe on Windows, else a socket in a folder that is gone afterwards.

    Raises:
        GameEnvError: If it cannot be made.
    """
    with contextlib.ExitStack() as opened:
        address = None
        if sys.platform != "win32":
            folder = make_folder("gameenv-watchdog-", _LONGEST_PATH)
            opened.callback(shutil.rmtree, folder, ignore_errors=True)
            address = str(folder / _SOCKET)
        try:
            door = opened.enter_context(Listener(address, authkey=key))
        except OSError as error:
            raise GameEnvError(
                f"nothing can connect to this process ({error}), so its watchdog cannot start"
            ) from error
        yield door
