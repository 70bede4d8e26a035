"""Whether a monitor is in HDR, where Windows hands out pictures with other colours. Knows nothing of windows.

Structures as in wingdi.h (DISPLAYCONFIG_...), with only the fields that are read here by name.
"""

import ctypes
from ctypes import POINTER, byref, c_int32, c_uint32, sizeof
from typing import Any

from gameenv.desktop.win32.api import declare, load

_ACTIVE_PATHS = 2  # QDC_ONLY_ACTIVE_PATHS
_ADVANCED_COLOR = 9  # DISPLAYCONFIG_DEVICE_INFO_GET_ADVANCED_COLOR_INFO
_ADVANCED_COLOR_ON = 0b10
_TRIES = 3  # a monitor may be plugged in between asking how many there are and what they are


class _Luid(ctypes.Structure):
    _fields_ = (("low", c_uint32), ("high", c_int32))


class _Path(ctypes.Structure):
    """DISPLAYCONFIG_PATH_INFO, 72 bytes."""

    _fields_ = (
        ("source", c_uint32 * 5),
        ("target_adapter", _Luid),
        ("target", c_uint32),
        ("rest", c_uint32 * 10),
    )


class _Mode(ctypes.Structure):
    """DISPLAYCONFIG_MODE_INFO, 64 bytes; one of its variants holds 64-bit numbers, which sets the alignment."""

    _fields_ = (("all", ctypes.c_uint64 * 8),)


class _AdvancedColor(ctypes.Structure):
    """DISPLAYCONFIG_GET_ADVANCED_COLOR_INFO, 32 bytes."""

    _fields_ = (
        ("kind", c_uint32),
        ("size", c_uint32),
        ("adapter", _Luid),
        ("target", c_uint32),
        ("value", c_uint32),
        ("color_encoding", c_uint32),
        ("bits_per_channel", c_uint32),
    )


def is_hdr_on() -> bool | None:
    """Whether any active monitor is in HDR; None where this Windows does not tell."""
    user32 = load("user32")
    try:
        buffer_sizes = declare(
            user32, "GetDisplayConfigBufferSizes", c_int32, c_uint32, POINTER(c_uint32), POINTER(c_uint32)
        )
        query = declare(
            user32,
            "QueryDisplayConfig",
            c_int32,
            c_uint32,
            POINTER(c_uint32),
            POINTER(_Path),
            POINTER(c_uint32),
            POINTER(_Mode),
            ctypes.c_void_p,
        )
        device_info = declare(user32, "DisplayConfigGetDeviceInfo", c_int32, POINTER(_AdvancedColor))
    except AttributeError:  # before Windows 7
        return None
    for _ in range(_TRIES):
        path_count, mode_count = c_uint32(), c_uint32()
        if buffer_sizes(_ACTIVE_PATHS, byref(path_count), byref(mode_count)):
            return None
        paths: Any = (_Path * path_count.value)()
        modes: Any = (_Mode * mode_count.value)()
        if query(_ACTIVE_PATHS, byref(path_count), paths, byref(mode_count), modes, None) == 0:
            return any(_is_advanced_color_on(device_info, path) for path in paths[: path_count.value])
    return None


def _is_advanced_color_on(device_info: Any, path: _Path) -> bool:
    asked = _AdvancedColor(_ADVANCED_COLOR, sizeof(_AdvancedColor), path.target_adapter, path.target)
    return device_info(byref(asked)) == 0 and bool(asked.value & _ADVANCED_COLOR_ON)
