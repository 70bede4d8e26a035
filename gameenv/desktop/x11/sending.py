"""Key injection by XTest: real key events, from a device of its own. Knows nothing of focus or of actions."""

import contextlib
from typing import Any

from Xlib import X
from Xlib.ext import xtest

from gameenv.desktop.x11.connection import Translated, keycode, open_display
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
            DisplayError: If the keyboard layout lacks the key, or the server is gone.
        """
        with Translated():
            code = self._codes.get(key) or keycode(self._display, key)
            if not code:
                raise DisplayError(f"the keyboard layout has no key {key!r}; bind the word to another key")
            self._codes[key] = code
            xtest.fake_input(self._display, X.KeyPress if down else X.KeyRelease, code)
            if down:
                self._display.flush()
            else:
                self._display.sync()  # a server that sees the connection close may drop what it has not read yet

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._open:
            self._open = False
            with contextlib.suppress(DisplayError), Translated():  # it may have gone before us
                self._display.close()
