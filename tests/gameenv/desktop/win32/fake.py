"""A Windows to test against where there is none: libraries whose functions answer from a model of a desktop.

Every call goes through ctypes with the types that the code under test declares, so a wrong type or a handle cut to 32
bits shows. Stands in for what cannot exist here, and only that.
"""

import ctypes
import os
import struct
from collections.abc import Callable
from ctypes import wintypes
from dataclasses import dataclass, field
from typing import Any

from gameenv.desktop.places import EXTENDED, SCAN_CODES
from gameenv.desktop.win32.keys import VIRTUAL_KEYS

_AS_ON_WINDOWS: dict[Any, Any] = {
    ctypes.c_long: ctypes.c_int32,
    ctypes.c_ulong: ctypes.c_uint32,  # a long has 32 bits there
    ctypes.c_wchar_p: ctypes.c_void_p,  # a callback is handed a string as a copy; to an address it can write
}


KEY_AT = {(scan_code & 0xFF, scan_code >= EXTENDED): key for key, scan_code in SCAN_CODES.items()}


@dataclass
class FakeWindow:
    """A window of the fake desktop."""

    title: str
    pid: int
    left: int = 0
    top: int = 0
    width: int = 640
    height: int = 360
    visible: bool = True
    iconic: bool = False
    cloaked: bool = False
    owner: int = 0
    tool: bool = False


class FakeFunction:
    """A function of a library: remembers the types declared for it, and converts by them as ctypes does."""

    def __init__(self, answer: Callable[..., Any]) -> None:
        self._answer = answer
        self.restype: Any = ctypes.c_int
        self.argtypes: Any = ()

    def __call__(self, *given: Any) -> Any:
        assert len(given) == len(self.argtypes), f"{self._answer.__name__} takes {self.argtypes}, got {given}"
        for kind, value in zip(self.argtypes, given, strict=True):
            kind.from_param(value)
        result, *kinds = (_AS_ON_WINDOWS.get(kind, kind) for kind in (self.restype, *self.argtypes))
        return ctypes.CFUNCTYPE(result, *kinds)(self._answer)(*given)


class FakeLibrary:
    """Its functions are the methods of a model by their names; it lacks the others."""

    def __init__(self, model: object, lacking: frozenset[str]) -> None:
        self._model = model
        self._lacking = lacking

    def __getattr__(self, name: str) -> FakeFunction:
        if name in self._lacking:
            raise AttributeError(name)
        function = FakeFunction(getattr(self._model, name))
        setattr(self, name, function)
        return function


@dataclass
class FakeWindowsSystem:
    """The desktop, its programs, and a record of what was done to it."""

    windows: dict[int, FakeWindow] = field(default_factory=dict)
    foreground: int = 0
    programs: dict[int, str] = field(default_factory=dict)
    elevated: set[int] = field(default_factory=set)
    closed_to_us: set[int] = field(default_factory=set)
    desktop: tuple[int, int, int, int] = (0, 0, 1920, 1080)
    lacking: frozenset[str] = frozenset()
    blocked: bool = False
    sent: list[tuple[int, int]] = field(default_factory=list)
    dpi: list[tuple[str, int]] = field(default_factory=list)
    hdr: tuple[bool, ...] = (False,)
    types: dict[int, int] = field(default_factory=dict)
    down: set[int] = field(default_factory=set)
    open_handles: int = 0
    parents: dict[int, int] = field(default_factory=dict)
    error: int = 0

    def load(self, _library: str) -> FakeLibrary:
        """In place of ``gameenv.desktop.win32.api.load``."""
        return FakeLibrary(self, self.lacking)

    # From here on the functions of Windows, under their own names.
    def EnumWindows(self, each: Any, parameter: int) -> bool:  # noqa: N802
        return all(each(handle, parameter) for handle in list(self.windows))

    def IsWindow(self, handle: int) -> bool:  # noqa: N802
        return handle in self.windows

    def IsWindowVisible(self, handle: int) -> bool:  # noqa: N802
        return self.windows[handle].visible

    def IsIconic(self, handle: int) -> bool:  # noqa: N802
        return self.windows[handle].iconic

    def GetWindowTextLengthW(self, handle: int) -> int:  # noqa: N802
        return len(self.windows[handle].title)

    def GetWindowTextW(self, handle: int, buffer: int, size: int) -> int:  # noqa: N802
        return _write(buffer, self.windows[handle].title[: size - 1])

    def GetClientRect(self, handle: int, rect: Any) -> bool:  # noqa: N802
        window = self.windows[handle]
        rect.contents.right, rect.contents.bottom = window.width, window.height
        return True

    def ClientToScreen(self, handle: int, point: Any) -> bool:  # noqa: N802
        point.contents.x += self.windows[handle].left
        point.contents.y += self.windows[handle].top
        return True

    def GetForegroundWindow(self) -> int | None:  # noqa: N802
        return self.foreground or None

    def GetWindowThreadProcessId(self, handle: int | None, pid: Any) -> int:  # noqa: N802
        if handle not in self.windows:
            return 0
        pid.contents.value = self.windows[handle].pid
        return 1

    def GetWindow(self, handle: int, which: int) -> int | None:  # noqa: N802
        assert which == 4, "its owner"
        return self.windows[handle].owner or None

    def GetWindowLongW(self, handle: int, which: int) -> int:  # noqa: N802
        assert which == -20, "its extended style"
        return 0x80 if self.windows[handle].tool else 0x100

    def CreateToolhelp32Snapshot(self, what: int, pid: int) -> int:  # noqa: N802
        assert (what, pid) == (2, 0)
        self.open_handles += 1
        self._listed = iter(self.parents.items())
        return 1

    def Process32FirstW(self, snapshot: int, entry: Any) -> bool:  # noqa: N802
        return self.Process32NextW(snapshot, entry)

    def Process32NextW(self, _snapshot: int, entry: Any) -> bool:  # noqa: N802
        # PROCESSENTRY32W on 64 bits: dwSize, cntUsage, th32ProcessID, th32DefaultHeapID, th32ModuleID, cntThreads,
        # th32ParentProcessID.
        raw = ctypes.cast(entry, ctypes.POINTER(ctypes.c_char * 568)).contents
        assert struct.unpack_from("<I", raw) == (568,)
        found = next(self._listed, None)
        if found is not None:
            struct.pack_into("<I", raw, 8, found[0])
            struct.pack_into("<I", raw, 32, found[1])
        return found is not None

    def GetAsyncKeyState(self, virtual_key: int) -> int:  # noqa: N802
        return 0x8000 if virtual_key in self.down else 1

    def GetSystemMetrics(self, metric: int) -> int:  # noqa: N802
        return self.desktop[metric - 76]

    def DwmGetWindowAttribute(self, handle: int, attribute: int, value: Any, size: int) -> int:  # noqa: N802
        assert (attribute, size) == (14, ctypes.sizeof(wintypes.DWORD))
        value.contents.value = 2 if self.windows[handle].cloaked else 0
        return 0

    def SetThreadDpiAwarenessContext(self, context: int) -> int:  # noqa: N802
        self.dpi.append(("thread", _signed(context)))
        return 1

    def SetProcessDpiAwarenessContext(self, context: int) -> bool:  # noqa: N802
        self.dpi.append(("process", _signed(context)))
        return True

    def SetProcessDpiAwareness(self, awareness: int) -> int:  # noqa: N802
        self.dpi.append(("shcore", awareness))
        return 0

    def SetProcessDPIAware(self) -> bool:  # noqa: N802
        self.dpi.append(("system", 1))
        return True

    def OpenProcess(self, rights: int, inherit: int, pid: int) -> int | None:  # noqa: N802
        assert (rights, inherit) == (0x1000, 0)
        if pid not in self.programs:
            return None
        self.open_handles += 1
        return pid

    def CloseHandle(self, _handle: int) -> bool:  # noqa: N802
        self.open_handles -= 1
        return True

    def GetCurrentProcess(self) -> int:  # noqa: N802
        return os.getpid()

    def QueryFullProcessImageNameW(self, process: int, _flags: int, buffer: int, size: Any) -> bool:  # noqa: N802
        size.contents.value = _write(buffer, self.programs[process])
        return True

    def OpenProcessToken(self, process: int, rights: int, token: Any) -> bool:  # noqa: N802
        assert rights == 8
        if process in self.closed_to_us:
            self.error = 5
            return False
        self.open_handles += 1
        token.contents.value = process
        return True

    def GetTokenInformation(self, token: int, kind: int, value: int, size: int, length: Any) -> bool:  # noqa: N802
        assert kind == 20
        assert size == ctypes.sizeof(wintypes.DWORD)
        wintypes.DWORD.from_address(value).value = token in self.elevated
        length.contents.value = size
        return True

    def MapVirtualKeyW(self, virtual_key: int, kind: int) -> int:  # noqa: N802
        if kind == 3:  # from a scan code to a virtual key; those of letters are made up: 0x1000 + scan code
            names = {0xE04B: 0x25, 0xE048: 0x26, 0xE04D: 0x27, 0xE050: 0x28, 0x39: 0x20, 0x1C: 0x0D}
            return names.get(virtual_key, 0x1000 + virtual_key)
        if kind == 2:  # from a virtual key to the character it types
            us = {0x1000 + SCAN_CODES[key]: ord(key.upper()) for key in SCAN_CODES if len(key) == 1}
            return self.types.get(virtual_key - 0x1000, us.get(virtual_key, 0))
        assert kind == 0
        return {0x25: 0x4B, 0x26: 0x48, 0x27: 0x4D, 0x28: 0x50}[virtual_key]

    def SendInput(self, count: int, inputs: Any, size: int) -> int:  # noqa: N802
        assert size == ctypes.sizeof(inputs.contents)
        for each in inputs[:count]:
            assert each.type == 1, "a keyboard event"
            assert each.ki.wVk == 0, "no virtual key"
            if not self.blocked:
                self.sent.append((each.ki.wScan, each.ki.dwFlags))
                key = KEY_AT[each.ki.wScan & 0xFF, bool(each.ki.dwFlags & 0x1)]
                (self.down.discard if each.ki.dwFlags & 0x2 else self.down.add)(VIRTUAL_KEYS[key])
        return 0 if self.blocked else count

    def GetDisplayConfigBufferSizes(self, flags: int, paths: Any, modes: Any) -> int:  # noqa: N802
        assert flags == 2
        paths.contents.value, modes.contents.value = len(self.hdr) + 1, 2 * len(self.hdr)  # there may be fewer
        return 0

    def QueryDisplayConfig(  # noqa: N802, PLR0917
        self, flags: int, path_count: Any, paths: Any, mode_count: Any, modes: Any, topology: int | None
    ) -> int:
        assert (flags, topology) == (2, None)
        path_count.contents.value, mode_count.contents.value = len(self.hdr), 2 * len(self.hdr)
        # DISPLAYCONFIG_PATH_INFO: source (20 bytes), target (adapter 8, id 4, 36 more), flags.
        records = b"".join(struct.pack("<20xqI36xI", 77, number, 1) for number in range(len(self.hdr)))
        ctypes.memmove(paths, records, len(records))
        ctypes.memset(modes, 0, 64 * 2 * len(self.hdr))
        return 0

    def DisplayConfigGetDeviceInfo(self, packet: Any) -> int:  # noqa: N802
        raw = ctypes.cast(packet, ctypes.POINTER(ctypes.c_char * 32)).contents
        kind, size, adapter, target = struct.unpack_from("<IIqI", raw)
        assert (kind, size, adapter) == (9, 32, 77)
        struct.pack_into("<I", raw, 20, 0b11 if self.hdr[target] else 0b01)
        return 0

    def SystemParametersInfoW(self, *_: Any) -> bool:  # noqa: N802
        return True

    def MonitorFromPoint(self, *_: Any) -> int:  # noqa: N802
        return 1

    def GetCursorPos(self, *_: Any) -> bool:  # noqa: N802
        raise AssertionError("nobody asks for the mouse")


def _write(address: int, text: str) -> int:
    (ctypes.c_wchar * (len(text) + 1)).from_address(address).value = text
    return len(text)


def _signed(handle: int) -> int:
    bits = 8 * ctypes.sizeof(ctypes.c_void_p)
    return handle - (1 << bits) if handle >> (bits - 1) else handle
