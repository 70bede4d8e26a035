"""Keys on macOS by pynput: pressing and listening, by key code. Untested: nobody has run this on a Mac so far.

Windows are not supported there, so ``Live-v0`` is not either. Knows nothing of actions.
"""

import queue
from collections.abc import Collection
from typing import Any

from gameenv.clock import now_ns
from gameenv.desktop.listener import HeardKey
from gameenv.errors import DisplayError, ListenerDiedError, require

_IN_ORDER = (("asdfhgzxcv", 0x00), ("bqweryt1234", 0x0B), ("65", 0x16), ("ou", 0x1F), ("ip", 0x22), ("lj", 0x25))
_F_KEYS = (0x7A, 0x78, 0x63, 0x76, 0x60, 0x61, 0x62, 0x64, 0x65, 0x6D, 0x67, 0x6F)
KEY_CODES: dict[str, int] = {
    **{key: first + place for keys, first in _IN_ORDER for place, key in enumerate(keys)},
    **dict(zip("970kn8m", (0x19, 0x1A, 0x1D, 0x28, 0x2D, 0x1C, 0x2E), strict=True)),
    **{f"f{number}": code for number, code in enumerate(_F_KEYS, start=1)},
    "enter": 0x24,
    "tab": 0x30,
    "space": 0x31,
    "backspace": 0x33,
    "shift": 0x38,
    "ctrl": 0x3B,
    "insert": 0x72,
    "home": 0x73,
    "pageup": 0x74,
    "delete": 0x75,
    "end": 0x77,
    "pagedown": 0x79,
    "left": 0x7B,
    "right": 0x7C,
    "down": 0x7D,
    "up": 0x7E,
}
"""The key code (of an ANSI keyboard) of each key of ``gameenv.desktop.keyboard.KEY_NAMES``."""

_PERMISSION = (
    "macOS does not let this program {what}: allow it in System Settings, Privacy & Security, under Accessibility and "
    "under Input Monitoring, and start it again"
)


class MacSender:
    """A ``KeySender``.

    Raises:
        MissingExtraError: If pynput is not installed.
    """

    def __init__(self) -> None:
        self._pynput: Any = require("pynput.keyboard", "live")
        self._controller: Any = self._pynput.Controller()

    def send(self, key: str, down: bool) -> None:
        """Press or release a key.

        Raises:
            DisplayError: If that is not allowed.
        """
        code = self._pynput.KeyCode.from_vk(KEY_CODES[key])
        try:
            (self._controller.press if down else self._controller.release)(code)
        except (self._controller.InvalidKeyException, OSError) as error:
            raise DisplayError(_PERMISSION.format(what="press keys")) from error

    def press_in(self, key: str, handle: int) -> bool:
        """Never presses: which window has the focus is not told here."""
        return False

    def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
        """None: who holds a key is not told here."""
        return ()

    def close(self) -> None:
        """Nothing is held open. May be called twice."""


class MacListener:
    """A ``KeyListener``.

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``.

    Raises:
        MissingExtraError: If pynput is not installed.
        DisplayError: If listening is not allowed.
    """

    def __init__(self, keys: Collection[str]) -> None:
        keyboard: Any = require("pynput.keyboard", "live")
        self._names = {KEY_CODES[key]: key for key in keys}
        self._down: set[tuple[str, bool]] = set()
        self._heard: queue.SimpleQueue[HeardKey] = queue.SimpleQueue()
        self._tap: Any = keyboard.Listener(on_press=self._press, on_release=self._release)
        self._tap.start()
        self._tap.wait()
        if not getattr(self._tap, "IS_TRUSTED", True):
            self._tap.stop()
            raise DisplayError(_PERMISSION.format(what="hear keys"))

    def poll(self) -> list[HeardKey]:
        """What was heard since the last call, in order; never waits.

        Raises:
            ListenerDiedError: If the listening thread has ended.
        """
        heard = [self._heard.get_nowait() for _ in range(self._heard.qsize())]
        if not heard and not self._tap.is_alive():
            raise ListenerDiedError("what listens to the keys has stopped")
        return heard

    def wait_object(self) -> None:
        """Nothing can be waited on; ``poll`` now and then."""

    def attend(self, handle: int, withhold: Collection[str]) -> None:
        """Nothing: there are no windows here."""

    def close(self) -> None:
        """Stop listening. May be called twice."""
        self._tap.stop()

    def _press(self, key: Any, injected: bool) -> None:
        self._hear(key, True, injected)

    def _release(self, key: Any, injected: bool) -> None:
        self._hear(key, False, injected)

    def _hear(self, key: Any, down: bool, injected: bool) -> None:
        name = self._names.get(getattr(getattr(key, "value", key), "vk", -1))
        if name is None or down == ((name, injected) in self._down):
            return
        (self._down.add if down else self._down.discard)((name, injected))
        self._heard.put(HeardKey(now_ns(), name, down, injected))
