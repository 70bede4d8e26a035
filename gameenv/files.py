"""Locks that the operating system lets go of however their holder ends, SIGKILL included.

Knows nothing of what they protect.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from gameenv.errors import WindowBusyError


def lock_file(fd: int) -> None:
    """Lock an open file for this process, until it is closed.

    Raises:
        BlockingIOError, PermissionError: If someone else holds it.
        OSError: If the disk has no locks.
    """
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415 (Windows only)

        os.lseek(fd, 0, os.SEEK_SET)
        msvcrt.locking(fd, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415 (not on Windows)

        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)


@contextlib.contextmanager
def lock_window(handle: int) -> Iterator[None]:
    """Be the only agent that plays a window.

    Raises:
        WindowBusyError: If another process plays it.
    """
    display = "".join(sign if sign.isalnum() else "-" for sign in os.environ.get("DISPLAY", ""))
    path = Path(tempfile.gettempdir()) / f"gameenv-window{display}-{handle}.lock"
    fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        lock_file(fd)
    except (BlockingIOError, PermissionError):
        os.close(fd)
        raise WindowBusyError("another agent is playing this window; stop it first") from None
    except OSError:
        pass  # a folder of temporary files without locks
    try:
        yield
    finally:
        os.close(fd)  # the file stays: removing it would let two processes lock two files of one name
