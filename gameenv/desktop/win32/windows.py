"""The windows of a Windows desktop, in physical pixels. Not run on Windows so far.

Knows nothing of pictures or keys.
"""

import contextlib
import os
from ctypes import POINTER, byref, c_int, c_long, create_unicode_buffer, sizeof
from ctypes.wintypes import BOOL, DWORD, HWND, LPARAM, LPWSTR, POINT, RECT, UINT

from gameenv.desktop.win32.api import Callback, declare, load
from gameenv.desktop.win32.dpi import make_dpi_aware
from gameenv.desktop.win32.programs import Processes
from gameenv.desktop.window import Rect, WindowInfo, WindowState
from gameenv.errors import WindowGoneError

_EACH_WINDOW = Callback(BOOL, HWND, LPARAM)
_DESKTOP_METRICS = (76, 77, 78, 79)  # SM_XVIRTUALSCREEN, SM_YVIRTUALSCREEN, SM_CXVIRTUALSCREEN, SM_CYVIRTUALSCREEN
_CLOAKED = 14  # DWMWA_CLOAKED
_OWNER = 4  # GW_OWNER
_EXTENDED_STYLE = -20  # GWL_EXSTYLE
_TOOL_WINDOW = 0x80  # WS_EX_TOOLWINDOW
_SMALLEST_GAME = 64
"""Pixels across; smaller windows without a title are a toolkit's helpers."""


class Win32Windows:
    """A ``WindowSystem``. A window's handle is pinned to its process: a later window with the same number is another.

    Raises:
        DisplayError: Elsewhere than on Windows.
    """

    def __init__(self) -> None:
        make_dpi_aware()
        user32 = load("user32")
        self._enum_windows = declare(user32, "EnumWindows", BOOL, _EACH_WINDOW, LPARAM)
        self._is_window = declare(user32, "IsWindow", BOOL, HWND)
        self._is_visible = declare(user32, "IsWindowVisible", BOOL, HWND)
        self._is_iconic = declare(user32, "IsIconic", BOOL, HWND)
        self._text_length = declare(user32, "GetWindowTextLengthW", c_int, HWND)
        self._text = declare(user32, "GetWindowTextW", c_int, HWND, LPWSTR, c_int)
        self._client_rect = declare(user32, "GetClientRect", BOOL, HWND, POINTER(RECT))
        self._client_to_screen = declare(user32, "ClientToScreen", BOOL, HWND, POINTER(POINT))
        self._foreground = declare(user32, "GetForegroundWindow", HWND)
        self._thread_process = declare(user32, "GetWindowThreadProcessId", DWORD, HWND, POINTER(DWORD))
        self._relative = declare(user32, "GetWindow", HWND, HWND, UINT)
        self._long = declare(user32, "GetWindowLongW", c_long, HWND, c_int)
        self._metric = declare(user32, "GetSystemMetrics", c_int, c_int)
        self._window_attribute = declare(
            load("dwmapi"), "DwmGetWindowAttribute", c_long, HWND, DWORD, POINTER(DWORD), DWORD
        )
        self._processes = Processes()
        self._owners: dict[int, int] = {}

    def windows(self) -> tuple[WindowInfo, ...]:
        """The visible top-level windows of other programs; last those without a title that are a program's main ones.

        Windows of suspended apps and of other virtual desktops are left out: they are "cloaked".
        """
        handles: list[int] = []

        def note(handle: int | None, _: int) -> bool:
            handles.append(handle or 0)
            return True

        self._enum_windows(_EACH_WINDOW(note), 0)
        there = [info for handle in handles if (info := self._info(handle)) is not None]
        return tuple(sorted(there, key=lambda info: not info.title))

    def state(self, handle: int) -> WindowState:
        """Where the window is, and whether it has the focus.

        Raises:
            WindowGoneError: If it has been closed.
        """
        size, corner = RECT(), POINT(0, 0)
        there = self._is_window(handle) and self._client_rect(handle, byref(size))
        if not there or not self._client_to_screen(handle, byref(corner)) or not self._is_same(handle):
            raise WindowGoneError("the game's window has been closed")
        return WindowState(
            client=Rect(corner.x, corner.y, size.right, size.bottom),
            focused=self.has_focus(handle),
            minimised=bool(self._is_iconic(handle)) or not self._is_shown(handle),
            desktop=Rect(*(self._metric(metric) for metric in _DESKTOP_METRICS)),
        )

    def has_focus(self, handle: int) -> bool:
        """Whether it is the foreground window; nobody's is while the system asks for a password or for consent."""
        return self._foreground() == handle and self._is_same(handle)

    def close(self) -> None:
        """Nothing is held open. May be called twice."""

    def _info(self, handle: int) -> WindowInfo | None:
        pid = self._pid(handle)
        if pid in (0, os.getpid()) or not self._is_shown(handle):
            return None
        text = create_unicode_buffer(self._text_length(handle) + 1)
        self._text(handle, text, len(text))
        process = self._processes.name(pid)
        if not text.value and not (process and self._may_be_a_game(handle)):
            return None
        return WindowInfo(handle, text.value, process, pid)

    def _may_be_a_game(self, handle: int) -> bool:
        """Whether a window without a title is more than a helper: no tool window, nobody's dialogue, not tiny."""
        size = RECT()
        self._client_rect(handle, byref(size))
        helper = self._long(handle, _EXTENDED_STYLE) & _TOOL_WINDOW or self._relative(handle, _OWNER)
        return not helper and min(size.right, size.bottom) >= _SMALLEST_GAME

    def _is_shown(self, handle: int) -> bool:
        cloaked = DWORD()
        with contextlib.suppress(OSError):
            self._window_attribute(handle, _CLOAKED, byref(cloaked), sizeof(cloaked))
        return bool(self._is_visible(handle)) and not cloaked.value

    def _is_same(self, handle: int) -> bool:
        pid = self._pid(handle)
        return pid != 0 and self._owners.setdefault(handle, pid) == pid

    def _pid(self, handle: int) -> int:
        pid = DWORD()
        self._thread_process(handle, byref(pid))
        return pid.value
