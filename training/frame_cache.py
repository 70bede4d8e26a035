"""Frames of a dataset, decoded and shrunk once, in a file that is read from while training.

Memory never holds more than a few batches, however many frames there are. Uses the same resize as playing. Knows
nothing of goals, actions or networks.
"""

import hashlib
import math
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from gameenv.errors import DiskFullError, GameEnvError, InvalidInputError
from gameenv.files import replacing
from gameenv.frames import FrameSpec, fit_frame, load_frame
from gameenv.processes import sigint_held_back, worker_pool

_CHUNK = 256
_AHEAD = 2  # chunks that each process may be ahead of the file
_SPARE_BYTES = 64 << 20  # for the checkpoint, the model and the plots


class Frames(Protocol):
    """Frames by number: an array ``(n, height, width, 3)`` uint8, or a ``FrameFile``."""

    @property
    def shape(self) -> tuple[int, ...]:
        """``(n, height, width, 3)``."""
        ...

    def __getitem__(self, rows: Any, /) -> Any:
        """One frame for a number, ``(len(rows), height, width, 3)`` for several."""
        ...


class FrameFile:
    """Frames in a file, read when they are asked for and not kept. Can be handed to another process.

    Args:
        path: An array ``(n, height, width, 3)`` uint8, as numpy writes it.
        rows: The rows of it that this one is about; None for all.

    Raises:
        InvalidInputError: If the file cannot be read.
    """

    def __init__(self, path: Path, rows: range | None = None) -> None:
        self._path = path
        whole = self._open().shape
        self._rows = range(whole[0]) if rows is None else rows
        self.shape: tuple[int, ...] = (len(self._rows), *whole[1:])

    def part(self, start: int, stop: int) -> "FrameFile":
        """The frames from ``start`` up to ``stop``."""
        return FrameFile(self._path, self._rows[start:stop])

    def __getitem__(self, rows: int | np.ndarray) -> np.ndarray:
        """One frame ``(height, width, 3)``, or several ``(len(rows), height, width, 3)``, freshly owned."""
        return np.array(self._open()[self._rows.start : self._rows.stop][rows])

    def __len__(self) -> int:
        return len(self._rows)

    def _open(self) -> np.ndarray:
        """Map the file, for as long as the result lives: pages that were read stay in memory no longer than that."""
        try:
            return np.load(self._path, mmap_mode="r")
        except (OSError, ValueError) as error:
            raise InvalidInputError(f"cannot read {self._path}: {error}. Delete it and run again.") from error


def cached_frames(
    paths: Sequence[Path],
    spec: FrameSpec,
    cache: Path,
    workers: int,
    on_progress: Callable[[int], object] = lambda count: None,
) -> FrameFile:
    """Decode, fit and keep frames.

    Args:
        paths: Image files.
        spec: The size wanted.
        cache: Folder for the file; one that holds these very frames already is used again.
        workers: Processes that decode.
        on_progress: Called with the number of frames done.

    Returns:
        ``(len(paths), height, width, 3)`` uint8, read from the file when they are asked for.

    Raises:
        InvalidInputError: If a frame cannot be read.
        DiskFullError: If there is too little room for the file.
    """
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{_key(paths, spec)}.npy"
    if not path.exists():
        with replacing(path, flush=False) as scratch:
            _decode_all(paths, spec, scratch, workers, on_progress)
    on_progress(len(paths))
    return FrameFile(path)


def _key(paths: Sequence[Path], spec: FrameSpec) -> str:
    """Names the frames by path, size and time, so that a changed dataset is decoded anew."""
    digest = hashlib.sha256(f"{spec}".encode())
    for path in paths:
        try:
            stat = path.stat()
        except OSError as error:
            raise InvalidInputError(f"cannot read the frame {path}: {error}") from error
        digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\n".encode())
    return digest.hexdigest()[:20]


def _decode_all(
    paths: Sequence[Path], spec: FrameSpec, target: Path, workers: int, on_progress: Callable[[int], object]
) -> None:
    _reserve(target, len(paths) * math.prod(spec.shape))
    starts = iter(range(0, len(paths), _CHUNK))
    done = 0
    try:
        with worker_pool(max(workers, 1)) as pool, target.open("wb") as file:
            header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), *spec.shape)}
            np.lib.format.write_array_header_1_0(file, header)

            def submit(count: int) -> list[Future[np.ndarray]]:
                with sigint_held_back():
                    return [
                        pool.submit(_decode, paths[start : start + _CHUNK], spec) for start in islice(starts, count)
                    ]

            parts = deque(submit(_AHEAD * max(workers, 1)))
            while parts:
                part = parts.popleft().result()
                parts.extend(submit(1))
                file.write(part.data)
                done += len(part)
                on_progress(done)
    except BrokenProcessPool as error:
        raise GameEnvError("a decoding process died, perhaps for want of memory; use fewer --workers") from error


def _reserve(target: Path, size: int) -> None:
    """Make sure of the room first, rather than fail after many minutes.

    Raises:
        DiskFullError: If there is too little.
    """
    free = shutil.disk_usage(target.parent).free
    if free < size + _SPARE_BYTES:
        raise DiskFullError(
            f"the decoded frames take {size / 1e6:,.0f} MB in {target.parent} and {free / 1e6:,.0f} MB are free; "
            "free some, or name an --out on another disk"
        )


def _decode(paths: Sequence[Path], spec: FrameSpec) -> np.ndarray:
    return np.stack([fit_frame(load_frame(path), spec) for path in paths])
