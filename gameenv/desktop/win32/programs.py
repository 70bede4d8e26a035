"""Other programs on Windows: the name of one, and whether it has more rights than we have.

Windows lets no program press keys for one that runs as administrator unless it does so itself, and does not say when
it has swallowed one. Knows nothing of windows or keys.
"""

import contextlib
import ctypes
import os
from collections.abc import Iterator
from ctypes import POINTER, byref, c_uint16, c_uint32, c_void_p, create_unicode_buffer, sizeof
from ctypes.wintypes import BOOL, DWORD, HANDLE, LPWSTR
from pathlib import PureWindowsPath

from gameenv.desktop.win32.api import declare, last_error, load

_QUERY_LIMITED = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION: granted even for a program with more rights
_TOKEN_QUERY = 0x0008
_TOKEN_ELEVATION = 20
_ACCESS_DENIED = 5
_LONGEST_PATH = 32_768
_SNAPSHOT_OF_PROCESSES = 2  # TH32CS_SNAPPROCESS
_INVALID_HANDLE = c_void_p(-1).value


class _Entry(ctypes.Structure):
    """PROCESSENTRY32W, 568 bytes where addresses have 64 bits."""

    _fields_ = (
        ("size", c_uint32),
        ("usage", c_uint32),
        ("pid", c_uint32),
        ("heap", c_void_p),
        ("module", c_uint32),
        ("threads", c_uint32),
        ("parent", c_uint32),
        ("priority", c_uint32),
        ("flags", c_uint32),
        ("name", c_uint16 * 260),
    )


class Processes:
    """What the system tells of processes."""

    def __init__(self) -> None:
        kernel32, advapi32 = load("kernel32"), load("advapi32")
        self._snapshot = declare(kernel32, "CreateToolhelp32Snapshot", HANDLE, DWORD, DWORD)
        self._first = declare(kernel32, "Process32FirstW", BOOL, HANDLE, POINTER(_Entry))
        self._next = declare(kernel32, "Process32NextW", BOOL, HANDLE, POINTER(_Entry))
        self._open = declare(kernel32, "OpenProcess", HANDLE, DWORD, BOOL, DWORD)
        self._close = declare(kernel32, "CloseHandle", BOOL, HANDLE)
        self._current = declare(kernel32, "GetCurrentProcess", HANDLE)
        self._image_name = declare(kernel32, "QueryFullProcessImageNameW", BOOL, HANDLE, DWORD, LPWSTR, POINTER(DWORD))
        self._open_token = declare(advapi32, "OpenProcessToken", BOOL, HANDLE, DWORD, POINTER(HANDLE))
        self._token_information = declare(
            advapi32, "GetTokenInformation", BOOL, HANDLE, ctypes.c_int, c_void_p, DWORD, POINTER(DWORD)
        )

    def name(self, pid: int) -> str:
        """File name of a process's program, such as ``game.exe``; empty where the system does not tell."""
        with self._opened(pid) as process:
            length = DWORD(_LONGEST_PATH)
            path = create_unicode_buffer(_LONGEST_PATH)
            if not process or not self._image_name(process, 0, path, byref(length)):
                return ""
            return PureWindowsPath(path.value).name

    def outranks(self, pid: int) -> bool:
        """Whether a process runs as administrator and this one does not, so that our keys do not reach it."""
        if self.is_elevated():
            return False
        with self._opened(pid) as process:
            return bool(process) and self._is_elevated(process)

    def is_elevated(self) -> bool:
        """Whether this process runs as administrator."""
        return self._is_elevated(self._current())

    def ancestors(self) -> frozenset[int]:
        """Numbers of this process and of those it was started by, as far as they still run."""
        parents = self._parents()
        found: list[int] = []
        pid = os.getpid()
        while pid and pid not in found:  # numbers are used again, so there may be a circle
            found.append(pid)
            pid = parents.get(pid, 0)
        return frozenset(found)

    def _parents(self) -> dict[int, int]:
        snapshot = self._snapshot(_SNAPSHOT_OF_PROCESSES, 0)
        if snapshot in (None, _INVALID_HANDLE):
            return {}
        parents = {}
        try:
            entry = _Entry(size=sizeof(_Entry))
            more = self._first(snapshot, byref(entry))
            while more:
                parents[entry.pid] = entry.parent
                more = self._next(snapshot, byref(entry))
        finally:
            self._close(snapshot)
        return {pid: parent for pid, parent in parents.items() if parent in parents}

    @contextlib.contextmanager
    def _opened(self, pid: int) -> Iterator[int | None]:
        process = self._open(_QUERY_LIMITED, False, pid)
        try:
            yield process
        finally:
            if process:
                self._close(process)

    def _is_elevated(self, process: int) -> bool:
        token = HANDLE()
        if not self._open_token(process, _TOKEN_QUERY, byref(token)):
            return last_error() == _ACCESS_DENIED  # who may not look has the fewer rights
        try:
            elevated, length = DWORD(), DWORD()
            told = self._token_information(token, _TOKEN_ELEVATION, byref(elevated), sizeof(elevated), byref(length))
            return bool(told and elevated.value)
        finally:
            self._close(token)
