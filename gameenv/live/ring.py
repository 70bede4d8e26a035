"""Frames in memory that two processes share: a few slots, written and read in turn.

Knows nothing of what the frames show. Which slots hold something is told by messages; how many have been read is
told here.
"""

import mmap
import os
import sys
import tempfile
from pathlib import Path

import numpy as np

from gameenv.errors import DisplayError
from gameenv.frames import Frame

SLOTS = 64
"""Grabs that wait for a reader who is busy: 6 s at 10 ticks a second."""
_COUNTER_BYTES = 64


class FrameRing:
    """The owner's or the other process's end.

    Args:
        shape: Of every frame: height, width, 3.
        name: What the owner's ``name`` says; None to be the owner and make it.

    Raises:
        DisplayError: If there is not enough shared memory for it; says how much it takes.
    """

    def __init__(self, shape: tuple[int, int, int], name: str | None = None) -> None:
        frame_bytes = shape[0] * shape[1] * shape[2]
        size = _COUNTER_BYTES + SLOTS * frame_bytes
        self._is_owner = name is None
        if sys.platform == "win32":
            self.name = name or f"gameenv-ring-{os.getpid()}-{os.urandom(8).hex()}"
            memory = mmap.mmap(-1, size, tagname=self.name)
        else:
            if name is None:
                in_memory = Path("/dev/shm")
                usable = in_memory.is_dir() and os.access(in_memory, os.W_OK | os.X_OK)
                fd, name = tempfile.mkstemp("", "gameenv-ring-", in_memory if usable else None)
                _take_room(fd, Path(name), size)
            else:
                fd = os.open(name, os.O_RDWR)
            self.name = name
            try:
                memory = mmap.mmap(fd, size)
            except BaseException:
                self.forget_name()
                raise
            finally:
                os.close(fd)
        # Freed by the garbage collector: numpy keeps the memory open for as long as a view of it lives.
        self._read = np.frombuffer(memory, np.int64, 1)
        self._slots = np.frombuffer(memory, np.uint8, SLOTS * frame_bytes, _COUNTER_BYTES).reshape(SLOTS, *shape)

    @property
    def read(self) -> int:
        """How many frames the reader has taken so far."""
        return int(self._read[0])

    def put(self, number: int, frame: Frame) -> None:
        """Write frame ``number`` (0, 1, 2 ...); at most ``SLOTS`` beyond ``read``."""
        self._slots[number % SLOTS] = frame

    def blank(self, number: int) -> None:
        """Make frame ``number`` black."""
        self._slots[number % SLOTS] = 0

    def take(self, number: int) -> Frame:
        """Return a copy of frame ``number`` and count it and all before it as read."""
        frame = self.peek(number)
        self.skip(number)
        return frame

    def peek(self, number: int) -> Frame:
        """Return a copy of frame ``number``, which must not be ``SLOTS`` frames old yet."""
        return self._slots[number % SLOTS].copy()

    def skip(self, number: int) -> None:
        """Count frame ``number`` and all before it as read."""
        self._read[0] = number + 1

    def forget_name(self) -> None:
        """Once both ends are open: leave nothing behind, however they end. May be called twice."""
        if self._is_owner and sys.platform != "win32":
            Path(self.name).unlink(missing_ok=True)


def _take_room(fd: int, path: Path, size: int) -> None:
    """Make a file of so many bytes that are there: a file with holes would end both processes when they run out.

    Raises:
        DisplayError: If there is no room; the file is gone then.
    """
    try:
        if sys.platform == "linux":
            os.posix_fallocate(fd, 0, size)
        else:
            os.ftruncate(fd, size)
    except OSError as error:
        os.close(fd)
        path.unlink(missing_ok=True)
        needed_mb = -(-size // 1_000_000)
        raise DisplayError(
            f"{path.parent} has no room for {needed_mb} MB of frames ({error.strerror}). Give it more (docker run "
            f"--shm-size={2 * needed_mb}m, or mount -o remount,size={2 * needed_mb}m {path.parent}), or make "
            "frame_size smaller"
        ) from error
