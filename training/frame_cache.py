"""Frames of a dataset, decoded and shrunk once, in a file that is read in place while training.

Uses the same resize as playing. Knows nothing of goals, actions or networks.
"""

import hashlib
import math
import shutil
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np

from gameenv.errors import DiskFullError, GameEnvError, InvalidInputError
from gameenv.files import replacing
from gameenv.frames import FrameSpec, fit_frame, load_frame
from gameenv.processes import sigint_held_back, worker_pool

_CHUNK = 512
_SPARE_BYTES = 64 << 20  # for the checkpoint, the model and the plots


def cached_frames(
    paths: Sequence[Path],
    spec: FrameSpec,
    cache: Path,
    workers: int,
    on_progress: Callable[[int], object] = lambda count: None,
) -> np.ndarray:
    """Decode, fit and keep frames.

    Args:
        paths: Image files.
        spec: The size wanted.
        cache: Folder for the file; one that holds these very frames already is used again.
        workers: Processes that decode.
        on_progress: Called with the number of frames done.

    Returns:
        ``(len(paths), height, width, 3)`` uint8, read-only, mapped from the file.

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
    return np.load(path, mmap_mode="r")


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
    frames = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(paths), *spec.shape))
    done = 0
    try:
        with worker_pool(max(workers, 1)) as pool:
            with sigint_held_back():
                starts = range(0, len(paths), _CHUNK)
                parts = deque(pool.submit(_decode, paths[start : start + _CHUNK], spec) for start in starts)
            while parts:
                part = parts.popleft().result()
                frames[done : done + len(part)] = part
                done += len(part)
                on_progress(done)
    except BrokenProcessPool as error:
        raise GameEnvError("a decoding process died, perhaps for want of memory; use fewer --workers") from error
    frames.flush()


def _reserve(target: Path, size: int) -> None:
    """Make sure of the room first: a mapped file that outgrows its disk ends the process without a word.

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
