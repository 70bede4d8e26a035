"""The windows of an X11 desktop, with a window manager or without. Knows nothing of pictures or keys."""

import contextlib
from pathlib import Path
from typing import Any

from Xlib import X
from Xlib.error import BadDrawable, BadWindow

from gameenv.desktop.window import Rect, WindowInfo, WindowState
from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.errors import DisplayError, WindowGoneError

_ICONIC = 3  # of the property WM_STATE


class X11Windows:
    """A ``WindowSystem``.

    Raises:
        DisplayError: If the display cannot be opened.
    """

    def __init__(self) -> None:
        self._display: Any = open_display()
        self._root: Any = self._display.screen().root
        self._is_open = True

    def windows(self) -> tuple[WindowInfo, ...]:
        """The window manager's clients or, without one, the root's named children."""
        with Translated():
            clients = self._property(self._root, "_NET_CLIENT_LIST")
            ids = list(clients) if clients else [child.id for child in self._root.query_tree().children]
            return tuple(info for number in ids if (info := self._info(number)) is not None)

    def state(self, handle: int) -> WindowState:
        """Where the window is, and whether it has the focus.

        Raises:
            WindowGoneError: If it has been closed.
            DisplayError: If the X server is gone.
        """
        window = self._display.create_resource_object("window", handle)
        with Translated():
            size = window.get_geometry()
            place = window.translate_coords(self._root, 0, 0)
            desktop = self._root.get_geometry()
            client = Rect(-place.x, -place.y, size.width, size.height)
            minimised = window.get_attributes().map_state != X.IsViewable
            if not minimised:
                state = self._property(window, "WM_STATE")
                minimised = bool(state) and state[0] == _ICONIC
            return WindowState(client, self.has_focus(handle), minimised, Rect(0, 0, desktop.width, desktop.height))

    def has_focus(self, handle: int) -> bool:
        """Whether the input focus is the window, a part of it, or the frame around it; or, where the focus follows
        the pointer, whether that is in it.

        Raises:
            DisplayError: If the X server is gone.
        """
        try:
            with Translated():
                focus = self._display.get_input_focus().focus
                if focus == X.NONE:
                    return False
                if focus == X.PointerRoot or focus.id == self._root.id:
                    return self._is_under_pointer(handle)
                return self._is_inside(focus, handle) or self._is_frame(focus, handle)
        except WindowGoneError:
            return False

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(DisplayError), Translated():  # it may have gone before us
                self._display.close()

    def _info(self, number: int) -> WindowInfo | None:
        window = self._display.create_resource_object("window", number)
        try:
            title = self._title(window)
            if not title:
                return None
            pid = int((self._property(window, "_NET_WM_PID") or [0])[0])
            return WindowInfo(number, title, self._process(window, pid), pid)
        except (BadWindow, BadDrawable):
            return None  # closed just now

    def _title(self, window: Any) -> str:
        value = self._property(window, "_NET_WM_NAME") or window.get_wm_name() or ""
        return value.decode(errors="replace") if isinstance(value, bytes) else str(value)

    @staticmethod
    def _process(window: Any, pid: int) -> str:
        try:
            return Path(f"/proc/{pid}/comm").read_text().strip()
        except OSError:
            names = window.get_wm_class()
            return names[1] if names else ""

    def _property(self, window: Any, name: str) -> Any:
        found = window.get_full_property(self._display.get_atom(name), X.AnyPropertyType)
        return None if found is None else found.value

    def _is_inside(self, window: Any, handle: int) -> bool:
        while not isinstance(window, int) and window.id != self._root.id:
            if window.id == handle:
                return True
            window = window.query_tree().parent
        return False

    def _is_frame(self, focus: Any, handle: int) -> bool:
        """Whether the focus is on what the window manager has put around the window."""
        window = self._display.create_resource_object("window", handle)
        return self._is_inside(window, focus.id)

    def _is_under_pointer(self, handle: int) -> bool:
        window = self._root
        while not isinstance(window := window.query_pointer().child, int):
            if window.id == handle:
                return True
        return False
