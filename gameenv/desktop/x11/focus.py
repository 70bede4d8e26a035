"""Which window of an X server has the input focus, and a server that does nothing else meanwhile.

Knows nothing of keys.
"""

import contextlib
from collections.abc import Iterator
from typing import Any

from Xlib import X

from gameenv.desktop.x11.connection import Translated
from gameenv.errors import WindowGoneError


def has_focus(display: Any, handle: int) -> bool:
    """Whether the input focus is a window, a part of it, or the frame around it; or, where the focus follows the
    pointer, whether that is in it.

    Raises:
        DisplayError: If the X server is gone.
    """
    root = display.screen().root
    try:
        with Translated():
            focus = display.get_input_focus().focus
            if focus == X.NONE:
                return False
            if focus == X.PointerRoot or focus.id == root.id:
                return _is_under_pointer(root, handle)
            return _is_inside(root, focus, handle) or _is_frame(display, focus, handle)
    except WindowGoneError:
        return False


@contextlib.contextmanager
def server_grabbed(display: Any) -> Iterator[None]:
    """While in here the X server serves this connection alone, so that nothing changes between two requests.

    The server lets go by itself when the connection or its process ends. To be left at once: the desktop stands still.
    """
    display.grab_server()
    try:
        yield
    finally:
        display.ungrab_server()
        display.flush()


def _is_inside(root: Any, window: Any, handle: int) -> bool:
    while not isinstance(window, int) and window.id != root.id:
        if window.id == handle:
            return True
        window = window.query_tree().parent
    return False


def _is_frame(display: Any, focus: Any, handle: int) -> bool:
    """Whether the focus is on what the window manager has put around the window."""
    return _is_inside(display.screen().root, display.create_resource_object("window", handle), focus.id)


def _is_under_pointer(root: Any, handle: int) -> bool:
    window = root
    while not isinstance(window := window.query_pointer().child, int):
        if window.id == handle:
            return True
    return False
