"""The connection to the X server, and its errors in the project's words. Knows nothing of what is done with it."""

from types import TracebackType
from typing import Any, Self

from Xlib import display
from Xlib.error import BadDrawable, BadWindow, ConnectionClosedError, XError
from Xlib.error import DisplayError as XDisplayError

from gameenv.errors import DisplayError, WindowGoneError


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
