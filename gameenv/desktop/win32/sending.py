"""Key injection on Windows by scan code, which games that read DirectInput need too. Not run on Windows so far.

Knows nothing of actions; a release that the system refuses is made up for as soon as it lets us.
"""

import threading
from collections.abc import Collection
from ctypes import POINTER, byref, c_int, c_ushort
from ctypes.wintypes import DWORD, HWND
from typing import Any

from gameenv.clock import pause
from gameenv.desktop.places import SCAN_CODES
from gameenv.desktop.win32.api import declare, load
from gameenv.desktop.win32.keys import VIRTUAL_KEYS
from gameenv.desktop.win32.programs import Processes
from gameenv.errors import DisplayError, require

_RETRY_S = 0.02
_DOWN = 0x8000  # of GetAsyncKeyState
_NO_WINDOW = (0, 0)
"""In front while the system itself asks for something."""


class Win32Sender:
    """A ``KeySender``.

    Raises:
        MissingExtraError: If pydirectinput-rgx is not installed.
    """

    def __init__(self) -> None:
        self._input: Any = require("pydirectinput", "live")
        self._input.PAUSE = None
        self._input.FAILSAFE = False  # the panic key is ours; a mouse in the corner is nobody's wish to stop
        user32 = load("user32")
        self._foreground = declare(user32, "GetForegroundWindow", HWND)
        self._thread_process = declare(user32, "GetWindowThreadProcessId", DWORD, HWND, POINTER(DWORD))
        self._key_state = declare(user32, "GetAsyncKeyState", c_ushort, c_int)
        self._processes = Processes()
        self._front = _NO_WINDOW
        self._front_outranks = False
        self._lock = threading.Lock()
        self._owed: set[str] = set()
        self._payer: threading.Thread | None = None

    def send(self, key: str, down: bool) -> None:
        """Press or release a key of ``KEY_NAMES``.

        A release that the system refuses, because it asks for consent or a password just now or because a program
        with more rights has come to the front, is tried again until it is through.

        Raises:
            DisplayError: If a press cannot get through; says what to do.
        """
        with self._lock:
            if not down:
                if not self._release(key):
                    self._owe(key)
                return
            self._owed.discard(key)
            if self._does_front_outrank():
                raise DisplayError(
                    "the window in front runs as administrator and this program does not, so Windows keeps our keys "
                    "from it: run this as administrator too, or the game without"
                )
            if not self._input.scancode_keyDown(SCAN_CODES[key], _pause=False):
                raise DisplayError(
                    f"Windows does not let the key {key!r} be pressed. Is the screen locked, or does the game run as "
                    "administrator? Then run this as administrator too"
                )

    def press_in(self, key: str, handle: int) -> bool:
        """Press a key if the window is in front, and say whether it was pressed.

        Windows has no way to do both at once: what comes to the front in the microseconds between gets the key.

        Raises:
            DisplayError: If a press cannot get through; says what to do.
        """
        if self._foreground() != handle:
            return False
        self.send(key, True)
        return True

    def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
        """Those of the keys that are down; Windows does not tell whether a person or a program pressed them."""
        return tuple(key for key in keys if self._key_state(VIRTUAL_KEYS[key]) & _DOWN)

    @property
    def owes(self) -> int:
        """How many keys are still to be released."""
        with self._lock:
            return len(self._owed)

    def close(self) -> None:
        """Nothing is held open. May be called twice."""

    def _release(self, key: str) -> bool:
        sent = self._input.scancode_keyUp(SCAN_CODES[key], _pause=False)
        outranked = self._does_front_outrank()
        return bool(sent) and self._front != _NO_WINDOW and not outranked

    def _does_front_outrank(self) -> bool:
        """Whether our keys do not reach the window in front; asked again only when that changes."""
        handle = self._foreground() or 0
        pid = DWORD()
        self._thread_process(handle, byref(pid))
        if (handle, pid.value) != self._front:
            self._front = (handle, pid.value)
            self._front_outranks = bool(pid.value) and self._processes.outranks(pid.value)
        return self._front_outranks

    def _owe(self, key: str) -> None:
        self._owed.add(key)
        if self._payer is None:
            # Not a daemon: the process stays until every key is up.
            self._payer = threading.Thread(target=self._pay, name="keys to release")
            self._payer.start()

    def _pay(self) -> None:
        while True:
            with self._lock:
                self._owed = {key for key in self._owed if not self._release(key)}
                if not self._owed:
                    self._payer = None
                    return
            pause(_RETRY_S)
