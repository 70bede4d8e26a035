"""The windows of an X11 desktop, with a window manager or without. Knows nothing of pictures or keys."""

import contextlib
from typing import Any

from Xlib import X, Xatom
from Xlib.error import BadDrawable, BadWindow

from gameenv.desktop.window import Rect, WindowInfo, WindowState
from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.desktop.x11.focus import has_focus
from gameenv.errors import DisplayError
from gameenv.processes import process_name

_ICONIC = 3  # of the property WM_STATE
_SMALLEST_GAME = 64
"""Pixels across; smaller windows without a title are a toolkit's helpers."""


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
        """The window manager's clients or, without one, the root's children; those without a title last."""
        with Translated():
            clients = self._numbers(self._root, "_NET_CLIENT_LIST")
            ids = clients or [child.id for child in self._root.query_tree().children]
            there = [info for number in ids if (info := self._info(number, managed=bool(clients))) is not None]
            return tuple(sorted(there, key=lambda info: not info.title))

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
                minimised = self._numbers(window, "WM_STATE")[:1] == [_ICONIC]
            return WindowState(client, self.has_focus(handle), minimised, Rect(0, 0, desktop.width, desktop.height))

    def has_focus(self, handle: int) -> bool:
        """Whether the input focus is the window, a part of it, or the frame around it; or, where the focus follows
        the pointer, whether that is in it.

        Raises:
            DisplayError: If the X server is gone.
        """
        return has_focus(self._display, handle)

    def close(self) -> None:
        """Let go of the connection. May be called twice."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(DisplayError), Translated():  # it may have gone before us
                self._display.close()

    def _info(self, number: int, *, managed: bool) -> WindowInfo | None:
        window = self._display.create_resource_object("window", number)
        try:
            title = self._text(window, "_NET_WM_NAME") or self._text(window, "WM_NAME")
            pid = next(iter(self._numbers(window, "_NET_WM_PID")), 0)
            process = self._process(window, pid)
            if not title and not (process and (managed or self._may_be_a_game(window))):
                return None
            return WindowInfo(number, title, process, pid)
        except (BadWindow, BadDrawable):
            return None  # closed just now

    @staticmethod
    def _may_be_a_game(window: Any) -> bool:
        """Whether a window that has no title, and no window manager to vouch for it, is more than a helper or menu."""
        attributes, size = window.get_attributes(), window.get_geometry()
        shown = attributes.map_state == X.IsViewable and attributes.win_class == X.InputOutput
        return shown and not attributes.override_redirect and min(size.width, size.height) >= _SMALLEST_GAME

    def _process(self, window: Any, pid: int) -> str:
        return process_name(pid) or self._text(window, "WM_CLASS").rpartition("\0")[2]

    def _text(self, window: Any, name: str) -> str:
        """A property as text; any client may have put any bytes there."""
        found = self._property(window, name)
        if found is None or found.format != 8:
            return ""
        encoding = "latin-1" if found.property_type == Xatom.STRING else "utf-8"
        return found.value.decode(encoding, errors="replace").strip("\0")

    def _numbers(self, window: Any, name: str) -> list[int]:
        """A property as numbers, empty if it holds none."""
        found = self._property(window, name)
        return [] if found is None or found.format != 32 else [int(number) for number in found.value]

    def _property(self, window: Any, name: str) -> Any:
        return window.get_full_property(self._display.get_atom(name), X.AnyPropertyType)
