"""One recorder a session: a lock that the operating system lets go of however the recorder ends.

Knows nothing of what a session holds.
"""

import contextlib
import os
from pathlib import Path

from gameenv.errors import SessionError
from gameenv.files import lock_file

LOCK_FILE = ".lock"


class SessionLock:
    """Held from construction to ``close()`` or to the end of the process, SIGKILL included.

    The file stays in place afterwards: removing it would let two recorders lock two files of one name.

    Args:
        folder: The session's folder, which must exist.

    Raises:
        SessionError: If another recorder holds it, in this process or another.
    """

    def __init__(self, folder: Path) -> None:
        self._fd: int | None = None
        path = folder / LOCK_FILE
        try:
            fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
        except OSError as error:
            raise SessionError(f"cannot lock the session {folder}: {error}") from error
        try:
            lock_file(fd)
        except (BlockingIOError, PermissionError):
            # Windows forbids reading the locked byte, so the holder's number stands behind it.
            holder = _read_holder(fd)
            os.close(fd)
            raise SessionError(
                f"another recorder{holder} is writing the session {folder}; stop it, or record under another name"
            ) from None
        except OSError as error:
            os.close(fd)
            raise SessionError(f"cannot lock {path} ({error}); record to a disk that has file locks") from error
        self._fd = fd
        with contextlib.suppress(OSError):  # a full disk: the number is only for the message above
            os.lseek(fd, 0, os.SEEK_SET)
            os.write(fd, f"\n{os.getpid()}\n".encode())
            os.ftruncate(fd, os.lseek(fd, 0, os.SEEK_CUR))

    def close(self) -> None:
        """Let go; may be called twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None


def _read_holder(fd: int) -> str:
    with contextlib.suppress(OSError, ValueError):
        os.lseek(fd, 1, os.SEEK_SET)
        return f" (process {int(os.read(fd, 32))})"
    return ""
