"""True pixels: without this Windows tells a program scaled rectangles on a screen at 150 %.

Knows nothing of windows.
"""

import contextlib
from ctypes import c_int
from ctypes.wintypes import BOOL, HANDLE

from gameenv.desktop.win32.api import declare, load

_PER_MONITOR_V2 = -4  # DPI_AWARENESS_CONTEXT_PER_MONITOR_AWARE_V2
_PER_MONITOR = 2  # PROCESS_PER_MONITOR_DPI_AWARE


def make_dpi_aware() -> None:
    """Have Windows tell this thread, and the process where that is still undecided, physical pixels of every monitor.

    To be called before any rectangle is read. Whatever this Windows does not have is left out.
    """
    user32 = load("user32")
    with contextlib.suppress(AttributeError):  # Windows 10, 1607: also where the process is decided already
        declare(user32, "SetThreadDpiAwarenessContext", HANDLE, HANDLE)(HANDLE(_PER_MONITOR_V2))
    with contextlib.suppress(AttributeError):  # Windows 10, 1703
        if declare(user32, "SetProcessDpiAwarenessContext", BOOL, HANDLE)(HANDLE(_PER_MONITOR_V2)):
            return
    with contextlib.suppress(AttributeError, OSError):  # Windows 8.1
        if declare(load("shcore"), "SetProcessDpiAwareness", c_int, c_int)(_PER_MONITOR) == 0:
            return
    with contextlib.suppress(AttributeError):  # Windows 7: one resolution for all monitors
        declare(user32, "SetProcessDPIAware", BOOL)()
