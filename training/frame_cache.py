"""Frames of a dataset, decoded and shrunk once, in a file that is read from while training.

Memory never holds more than a few batches, however many frames there are. Uses the same resize as playing. Knows
nothing of goals, actions or networks.
"""

import hashlib
import json
import math
import shutil
from collections import deque
from collections.abc import Callable, Generator, Sequence
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np

from gameenv.errors import DiskFullError, GameEnvError, InvalidInputError
from gameenv.files import replacing, write_atomically
from gameenv.frames import Frame, FrameSpec, fit_frame, load_frame
from gameenv.processes import sigint_held_back, worker_pool

_CHUNK = 256
_AHEAD = 2  # chunks that each process may be ahead of the file
_SPARE_BYTES = 64 << 20  # for the checkpoint, the model and the plots
T = TypeVar("T")


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

    def __init__(self, path: Path, rows: np.ndarray | None = None) -> None:
        self._path = path
        whole = self._open().shape
        self._rows = np.arange(whole[0]) if rows is None else rows
        self.shape: tuple[int, ...] = (len(self._rows), *whole[1:])

    def part(self, start: int, stop: int) -> "FrameFile":
        """The frames from ``start`` up to ``stop``."""
        return FrameFile(self._path, self._rows[start:stop])

    def without(self, numbers: Sequence[int]) -> "FrameFile":
        """All frames but these."""
        return FrameFile(self._path, np.delete(self._rows, numbers)) if numbers else self

    def __getitem__(self, rows: int | np.ndarray) -> np.ndarray:
        """One frame ``(height, width, 3)``, or several ``(len(rows), height, width, 3)``, freshly owned."""
        return np.array(self._open()[self._rows[rows]])

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
) -> tuple[FrameFile, tuple[int, ...]]:
    """Decode, fit and keep frames.

    Args:
        paths: Image files.
        spec: The size wanted.
        cache: Folder for the file; one that holds these very frames already is used again.
        workers: Processes that decode.
        on_progress: Called with the number of frames done.

    Returns:
        ``(len(paths), height, width, 3)`` uint8, read from the file when they are asked for, and the numbers of those
        that could not be decoded, which are black.

    Raises:
        InvalidInputError: If a frame is not there.
        DiskFullError: If there is too little room for the file.
    """
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{_key(paths, spec)}.npy"
    left_out = path.with_suffix(".json")
    if not path.exists():
        with replacing(path, flush=False) as scratch:
            damaged = _decode_all(paths, spec, scratch, workers, on_progress)
            if damaged:
                write_atomically(left_out, json.dumps(damaged))
    on_progress(len(paths))
    return FrameFile(path), tuple(json.loads(left_out.read_text()) if left_out.exists() else ())


def find_damaged(
    paths: Sequence[Path], workers: int, on_progress: Callable[[int], object] = lambda count: None
) -> tuple[int, ...]:
    """The numbers of the files that cannot be decoded, for those who read frames one by one.

    Args:
        paths: Image files.
        workers: Processes that decode.
        on_progress: Called with the number of frames done.
    """
    with closing(_in_chunks(_damaged, paths, (), workers, on_progress)) as parts:
        return tuple(start + number for start, part in parts for number in part)


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
) -> list[int]:
    """Write the frames; returns the numbers of those that cannot be decoded."""
    _reserve(target, len(paths) * math.prod(spec.shape))
    found: list[int] = []
    with target.open("wb") as file, closing(_in_chunks(_decode, paths, (spec,), workers, on_progress)) as parts:
        header = {"descr": "|u1", "fortran_order": False, "shape": (len(paths), *spec.shape)}
        np.lib.format.write_array_header_1_0(file, header)
        for start, (part, damaged) in parts:
            file.write(part.data)
            found += [start + number for number in damaged]
    return found


def _in_chunks(
    work: Callable[..., T],
    paths: Sequence[Path],
    more: tuple[Any, ...],
    workers: int,
    on_progress: Callable[[int], object],
) -> Generator[tuple[int, T], None, None]:
    """What ``work`` gives for each chunk of the paths, in order, with the number of the chunk's first."""
    starts = range(0, len(paths), _CHUNK)
    ahead = iter(starts)
    try:
        with worker_pool(max(workers, 1)) as pool:

            def submit(count: int) -> list[Future[T]]:
                with sigint_held_back():
                    return [pool.submit(work, paths[start : start + _CHUNK], *more) for start in islice(ahead, count)]

            parts = deque(submit(_AHEAD * max(workers, 1)))
            for start in starts:
                part = parts.popleft().result()
                parts.extend(submit(1))
                yield start, part
                on_progress(min(start + _CHUNK, len(paths)))
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


def _decode(paths: Sequence[Path], spec: FrameSpec) -> tuple[np.ndarray, list[int]]:
    frames, damaged = np.zeros((len(paths), *spec.shape), np.uint8), []
    for number, path in enumerate(paths):
        if (frame := _load(path)) is None:
            damaged.append(number)
        else:
            frames[number] = fit_frame(frame, spec)
    return frames, damaged


def _damaged(paths: Sequence[Path]) -> list[int]:
    return [number for number, path in enumerate(paths) if _load(path) is None]


def _load(path: Path) -> Frame | None:
    try:
        return load_frame(path)
    except InvalidInputError:
        return None
