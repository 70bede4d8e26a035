"""The connection to the X server, and which keycode is which key. Knows nothing of what is done with them."""

from types import TracebackType
from typing import Any, Self

from Xlib import XK, display
from Xlib.error import BadDrawable, BadWindow, ConnectionClosedError, XError
from Xlib.error import DisplayError as XDisplayError

from gameenv.errors import DisplayError, WindowGoneError

_KEYSYMS = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "enter": "Return",
    "tab": "Tab",
    "backspace": "BackSpace",
    "shift": "Shift_L",
    "ctrl": "Control_L",
    "insert": "Insert",
    "delete": "Delete",
    "home": "Home",
    "end": "End",
    "pageup": "Prior",
    "pagedown": "Next",
}


def open_display() -> Any:
    """Connect to the X server that DISPLAY names.

    Raises:
        DisplayError: If that fails; says what to do.
    """
    try:
        return display.Display()
    except (XDisplayError, ConnectionClosedError, XError, OSError, OverflowError) as error:
        raise DisplayError(
            f"the X display cannot be opened ({error}). Is DISPLAY right, and may this user connect to it (xauth)?"
        ) from error


class Translated:
    """While in here, the X server's errors are the project's."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, BadWindow | BadDrawable):
            raise WindowGoneError("the game's window has been closed") from error
        if isinstance(error, ConnectionClosedError | XError | OSError):
            raise DisplayError(f"the X server does not answer any more: {error}") from error


def keycode(connection: Any, key: str) -> int:
    """The keycode that gives a key of ``KEY_NAMES`` without a modifier, 0 if the layout has none.

    By keycode, so that neither Shift nor a lock changes which key it is.
    """
    keysym = XK.string_to_keysym(_KEYSYMS.get(key, key.upper() if key[0] == "f" and len(key) > 1 else key))
    plain = [code for code, index in connection.keysym_to_keycodes(keysym) if index == 0]
    shifted = [code for code, index in connection.keysym_to_keycodes(keysym) if index == 1]
    return min(plain or shifted, default=0)
