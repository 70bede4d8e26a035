"""Listening on Windows by a low-level keyboard hook: keys by scan code, and whether a program injected them.

The hook sees every key before the game does, notes the few that are asked for, and swallows only what is withheld from
the game. Knows nothing of actions. Not run on Windows so far.
"""

import contextlib
import threading
from collections.abc import Collection
from ctypes.wintypes import HWND
from multiprocessing import Pipe
from typing import Any

from gameenv.clock import now_ns
from gameenv.desktop.listener import HeardKey
from gameenv.desktop.places import EXTENDED, SCAN_CODES
from gameenv.desktop.win32.api import declare, load
from gameenv.desktop.win32.keys import VIRTUAL_KEYS
from gameenv.errors import ListenerDiedError, require

_FLAG_EXTENDED = 0x01  # LLKHF_EXTENDED
_FLAG_INJECTED = 0x10  # LLKHF_INJECTED
_FLAG_UP = 0x80  # LLKHF_UP
_REPEATS_WITHIN_NS = 1_500_000_000
"""A held key repeats after one second at the latest; a press that comes later follows a release that was not heard."""


class HookTranslator:
    """Reads what the hook is told, as plain numbers.

    By the whole scan code: the Shift that NumLock makes up has another (0x22A), and so has the Ctrl of AltGr.

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``; every other key is nobody's business.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._by_scan_code = {SCAN_CODES[key]: key for key in keys}
        self._by_virtual_key = {VIRTUAL_KEYS[key]: key for key in keys}
        self._down: dict[tuple[str, bool], int] = {}

    def name(self, virtual_key: int, scan_code: int, flags: int) -> str | None:
        """Which of the keys it is, None if none of them."""
        if scan_code:
            return self._by_scan_code.get(scan_code + (EXTENDED if flags & _FLAG_EXTENDED else 0))
        return self._by_virtual_key.get(virtual_key)

    def read(self, virtual_key: int, scan_code: int, flags: int, t_ns: int) -> tuple[HeardKey, ...]:
        """What happened: nothing that counts, a press or a release, or a release that was missed and a new press.

        Args:
            virtual_key: ``vkCode`` of a ``KBDLLHOOKSTRUCT``.
            scan_code: Its ``scanCode``, 0 where a program injected the key without one.
            flags: Its ``flags``.
            t_ns: When, on the monotonic clock.
        """
        key = self.name(virtual_key, scan_code, flags)
        if key is None:
            return ()
        injected, down = bool(flags & _FLAG_INJECTED), not flags & _FLAG_UP
        last_ns = self._down.pop((key, injected), None)
        if not down:
            return () if last_ns is None else (HeardKey(t_ns, key, False, injected),)
        self._down[key, injected] = t_ns
        press = HeardKey(t_ns, key, True, injected)
        if last_ns is None:
            return (press,)
        if t_ns - last_ns < _REPEATS_WITHIN_NS:
            return ()
        return HeardKey(t_ns, key, False, injected), press


class Win32Listener:
    """A ``KeyListener``.

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``.

    Raises:
        MissingExtraError: If pynput is not installed.
    """

    def __init__(self, keys: Collection[str]) -> None:
        keyboard: Any = require("pynput.keyboard", "live")
        self._translator = HookTranslator(keys)
        self._lock = threading.Lock()
        self._heard: list[HeardKey] = []
        self._bell, self._ringer = Pipe(duplex=False)
        self._has_rung = False
        self._is_open = True
        self._foreground: Any = None
        self._window = 0
        self._withheld: frozenset[str] = frozenset()
        self._hook: Any = keyboard.Listener(win32_event_filter=self._hear)
        self._hook.start()
        self._hook.wait()

    def poll(self) -> list[HeardKey]:
        """What was heard since the last call, in order; never waits.

        Raises:
            ListenerDiedError: If the thread with the hook has ended.
        """
        with self._lock:
            heard, self._heard = self._heard, []
            if self._has_rung:
                self._bell.recv_bytes()
                self._has_rung = False
        if not heard and not self._hook.is_alive():
            raise ListenerDiedError("what listens to the keys has stopped")
        return heard

    def wait_object(self) -> object:
        """A connection that has something to read when keys were heard."""
        return self._bell

    def attend(self, handle: int, withhold: Collection[str]) -> None:
        """Keep some keys from the window: they are swallowed while it is in front."""
        self._foreground = declare(load("user32"), "GetForegroundWindow", HWND)
        self._window, self._withheld = handle, frozenset(withhold)

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._is_open:
            self._is_open = False
            self._hook.stop()
            with self._lock:
                self._bell.close()
                self._ringer.close()

    def _hear(self, _message: int, data: Any) -> bool:
        """Called in the hook's thread, which Windows gives 0.3 s at most: note it and be off.

        Returns:
            False, which only keeps pynput from looking the key up again; the game gets it all the same. A key that is
            withheld never returns: pynput swallows it by raising.
        """
        heard = self._translator.read(data.vkCode, data.scanCode, data.flags, now_ns())
        if heard:
            with self._lock, contextlib.suppress(OSError):  # closed just now
                self._heard.extend(heard)
                if not self._has_rung:
                    self._ringer.send_bytes(b"\0")
                    self._has_rung = True
        if self._is_withheld(data):
            self._hook.suppress_event()
        return False

    def _is_withheld(self, data: Any) -> bool:
        if self._translator.name(data.vkCode, data.scanCode, data.flags) not in self._withheld:
            return False
        return bool(self._foreground() == self._window)
