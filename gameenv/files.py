"""Files that are whole or not there, locks that end with their holder, and what a full disk looks like.

What is promised of ``write_atomically`` and ``replacing``: whoever opens the file finds the old content or the new one,
whole, whenever the writer is killed; after a power cut too, unless ``flush`` is off. Whether it is the old or the new
one after a power cut is open: the folder is not flushed. A writer that is killed leaves a hidden scratch file, which
the next write into that folder removes. Knows nothing of what is in the files.
"""

import contextlib
import errno
import os
import re
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from gameenv.errors import DiskFullError, GameEnvError, WindowBusyError
from gameenv.temporary import own_path
from gameenv.users import belongs_to

LOCK_FILE = ".lock"
"""The name of a folder's lock."""
_SCRATCH = re.compile(r"\.partial-[0-9a-f]{16}(\..*)?", re.DOTALL)
_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))
_O_BINARY = getattr(os, "O_BINARY", 0)
_FIRST_SHARE, _SHARES = 1_000_000, 64
"""Bytes, far behind any content, that are locked on Windows by those who share a lock."""


def write_atomically(path: Path, content: str | bytes | memoryview, *, flush: bool = True) -> None:
    """Write a file that is never seen half written.

    Args:
        path: Its folder must exist.
        content: Text is written as UTF-8, its line ends as they are.
        flush: See ``replacing``.

    Raises:
        DiskFullError: If there is no room; what was there stays.
        OSError: If it cannot be written; what was there stays.
    """
    with replacing(path, flush=flush) as scratch:
        scratch.write_bytes(content.encode() if isinstance(content, str) else content)


@contextlib.contextmanager
def replacing(path: Path, *, flush: bool = True) -> Iterator[Path]:
    """Give a scratch file to write, empty and of the same suffix; it takes the place of ``path`` if all goes well.

    It is removed on every other way out. Processes that write one file at once do not meet: the last one stays.

    Args:
        path: Its folder must exist.
        flush: Wait until the content is on the disk, a few milliseconds; without it a power cut may leave an empty
            file. Only for what can be made again.

    Raises:
        DiskFullError: If there is no room, in the block too; what was there stays.
        OSError: If it cannot be written; what was there stays.
    """
    path = Path(path)
    with full_disk_named(path):
        sweep(path.parent)
        scratch, fd = _open_scratch(path)
        try:
            yield scratch
            if flush:
                _flush(scratch)
            if sys.platform == "win32" and fd is not None:  # it renames no open file
                os.close(fd)
                fd = None
            os.replace(scratch, path)
        finally:
            if fd is not None:
                os.close(fd)
            scratch.unlink(missing_ok=True)


def is_scratch(name: str) -> bool:
    """Whether a file of this name is one that ``replacing`` made; a killed process may have left it."""
    return _SCRATCH.fullmatch(name) is not None


def sweep(folder: Path) -> None:
    """Remove the scratch files in a folder whose writers are gone. Those of living ones are never touched."""
    with contextlib.suppress(OSError):  # what cannot be swept is in nobody's way
        for name in os.listdir(folder):
            if is_scratch(name):
                _sweep_file(folder / name)


def is_full(error: BaseException) -> bool:
    """Whether there was no room left: on the disk, or in the user's share of it."""
    return getattr(error, "errno", None) in _FULL


@contextlib.contextmanager
def full_disk_named(path: Path) -> Iterator[None]:
    """Turn the error of a full disk into the one that people see.

    Args:
        path: What was being written.

    Raises:
        DiskFullError: If the disk is full, or the user's share of it.
    """
    try:
        yield
    except Exception as error:  # not only OSError: video writers have errors of their own with the same numbers
        if not is_full(error) or isinstance(error, GameEnvError):
            raise
        raise DiskFullError(
            f"the disk of {path} is full; everything until now is saved. Make room, or name a folder on another disk, "
            "and run the same command again"
        ) from error


class LockedError(Exception):
    """Someone else holds a lock. The message is who, as far as it is known: ``" (process 12)"``; say what it means."""


class FileLock:
    """Held from construction to ``close()`` or to the end of the process, SIGKILL included.

    The file stays in place afterwards: removing it would let two processes lock two files of one name.

    Args:
        path: The file to lock; made where it is missing. Give it no content: Windows lets nobody else read it.

    Raises:
        LockedError: If someone holds it, in this process or another.
        OSError: If the file cannot be opened, or its disk has no locks.
    """

    def __init__(self, path: Path) -> None:
        self._fd: int | None = None
        fd = _open_lock(path)
        try:
            _lock(fd)
        except (BlockingIOError, PermissionError):
            holder = _read_holder(fd)
            os.close(fd)
            raise LockedError(holder) from None
        except OSError:
            os.close(fd)
            raise
        self._fd = fd
        with contextlib.suppress(OSError):  # a full disk: the number is only for the message above
            os.lseek(fd, 0, os.SEEK_SET)
            os.write(fd, f"\n{os.getpid()}\n".encode())  # behind the byte that is locked
            os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_CUR))

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextlib.contextmanager
def lock_window(handle: int, *, watch: bool = False) -> Iterator[None]:
    """Be the only agent that plays a window or, to ``watch`` a person play, one of those who watch while none does.

    Among the programs of one user: each user has files of their own.

    Raises:
        GameEnvError: If the file that is locked cannot be made.
        WindowBusyError: If another process plays it; or, for an agent, if one records a person there.
    """
    display = "".join(sign if sign.isalnum() else "-" for sign in os.environ.get("DISPLAY", ""))
    path = own_path(f"window{display}-{handle}.lock")
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise GameEnvError(
            f"cannot open {path}, which keeps a second agent out of the window ({error.strerror}).{belongs_to(path)} "
            "Remove it, or set TMPDIR to a folder of your own"
        ) from error
    try:
        (_lock_shared if watch else _lock)(fd)
    except (BlockingIOError, PermissionError):
        only_watched = not watch and _is_shared(fd)
        os.close(fd)
        if watch:
            raise WindowBusyError(
                "an agent is playing this window, and its keys would be taken for a person's: stop it first, or record "
                "what it plays with gameenv-play --record"
            ) from None
        if only_watched:
            raise WindowBusyError(
                "a person is being recorded in this window, and an agent's keys would be taken for theirs: stop the "
                "recorder first, or record the agent with gameenv-play --record"
            ) from None
        raise WindowBusyError("another agent is playing this window; stop it first") from None
    except OSError:
        pass  # a folder of temporary files without locks
    try:
        yield
    finally:
        os.close(fd)  # the file stays: removing it would let two processes lock two files of one name


def _is_shared(fd: int) -> bool:
    try:
        _lock_shared(fd)
    except OSError:
        return False
    return True


def _open_lock(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    except PermissionError:
        if sys.platform == "win32" or not path.exists():
            raise
        return os.open(path, os.O_RDONLY)  # another user's: to lock it, reading is enough on most disks


def _open_scratch(path: Path) -> tuple[Path, int | None]:
    """Make a scratch file beside ``path``, held so that others know that its writer lives."""
    while True:
        scratch = path.with_name(f".partial-{secrets.token_hex(8)}{path.suffix}")
        fd = os.open(scratch, os.O_RDWR | os.O_CREAT | os.O_EXCL | _O_BINARY, 0o666)
        if sys.platform == "win32":
            return scratch, fd  # an open file cannot be removed there
        with contextlib.suppress(OSError):  # no locks on this disk: then nobody sweeps it either
            _lock(fd)
        if scratch.exists():
            return scratch, fd
        os.close(fd)  # someone swept it before it was locked


def _sweep_file(path: Path) -> None:
    with contextlib.suppress(OSError):
        if sys.platform == "win32":
            path.unlink()
            return
        fd = os.open(path, os.O_RDWR)
        try:
            _lock(fd)
            path.unlink()
        finally:
            os.close(fd)


def _flush(path: Path) -> None:
    fd = os.open(path, os.O_RDWR | _O_BINARY)  # the writer may have put another file of that name in place
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _lock(fd: int) -> None:
    """Lock an open file until it is closed.

    Raises:
        BlockingIOError, PermissionError: If someone else holds it.
        OSError: If the disk has no locks.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 (Windows only)

        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
        try:
            os.lseek(fd, _FIRST_SHARE, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_NBLCK, _SHARES)
        except OSError:
            os.lseek(fd, 0, os.SEEK_SET)
            msvcrt.locking(fd, msvcrt.LK_UNLCK, 1)
            raise
    else:
        import fcntl  # noqa: PLC0415 (not on Windows)

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _lock_shared(fd: int) -> None:
    """Lock an open file together with others who do so, until it is closed.

    Raises:
        BlockingIOError, PermissionError: If someone holds it alone.
        OSError: If the disk has no locks.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 (Windows only)

        for share in range(_SHARES):  # Windows' C library has no shared locks: each takes a byte of its own
            os.lseek(fd, _FIRST_SHARE + share, os.SEEK_SET)
            with contextlib.suppress(PermissionError):
                msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
                return
        raise PermissionError("someone holds it alone")
    import fcntl  # noqa: PLC0415 (not on Windows)

    fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)


def _read_holder(fd: int) -> str:
    with contextlib.suppress(OSError, ValueError):
        os.lseek(fd, 1, os.SEEK_SET)
        return f" (process {int(os.read(fd, 32))})"
    return ""
