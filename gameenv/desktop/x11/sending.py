"""Key injection by XTest: real key events, from a device of its own. Knows nothing of actions."""

import contextlib
from collections.abc import Collection
from typing import Any

from Xlib import X
from Xlib.ext import xtest

from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.desktop.x11.devices import keycodes_down_by_programs
from gameenv.desktop.x11.focus import has_focus, server_grabbed
from gameenv.desktop.x11.keycodes import keycode
from gameenv.errors import DisplayError


class X11Sender:
    """A ``KeySender``.

    Raises:
        DisplayError: If the display cannot be opened or does not have XTest.
    """

    def __init__(self) -> None:
        self._display: Any = open_display()
        self._open = True
        if not self._display.has_extension("XTEST"):
            self.close()
            raise DisplayError("this X server has no XTEST extension, so no keys can be pressed on it")
        self._codes: dict[str, int] = {}

    def send(self, key: str, down: bool) -> None:
        """Press a key, which is on its way to the X server on return, or release one, which the server has seen.

        Raises:
            DisplayError: If this server has no such key, or is gone.
        """
        with Translated():
            xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, self._code(key))
            if down:
                self._display.flush()
            else:
                self._display.sync()  # a server that sees the connection close may drop what it has not read yet

    def press_in(self, key: str, handle: int) -> bool:
        """Press a key if the window has the focus, and say whether it was pressed.

        Both under one grab of the server, some tenths of a millisecond: between the look and the press nothing else
        happens in it.

        Raises:
            DisplayError: If this server has no such key, or is gone.
        """
        with Translated():
            code = self._code(key)
            with server_grabbed(self._display):
                focused = has_focus(self._display, handle)
                if focused:
                    xtest.fake_input(self._display, X.KeyPress, code)
        return focused

    def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
        """Those of the keys that a program has pressed and not released, and that no person holds.

        Raises:
            DisplayError: If the server does not tell, or is gone.
        """
        with Translated():
            down = keycodes_down_by_programs(self._display)
            return tuple(key for key in keys if keycode(self._display, key) in down)

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._open:
            self._open = False
            with contextlib.suppress(DisplayError), Translated():  # it may have gone before us
                self._display.close()

    def _code(self, key: str) -> int:
        code = self._codes.get(key) or keycode(self._display, key)
        if not code:
            raise DisplayError(f"this X server's keyboard has no key {key!r}; bind the word to another key")
        self._codes[key] = code
        return code
