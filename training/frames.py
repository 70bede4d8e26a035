"""Frames of a dataset, decoded and shrunk once, in a file that is read in place while training.

Uses the same resize as playing. Knows nothing of goals, actions or networks.
"""

import hashlib
import multiprocessing
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec, fit_frame, load_frame

_CHUNK = 512


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
    """
    cache.mkdir(parents=True, exist_ok=True)
    path = cache / f"{_key(paths, spec)}.npy"
    if not path.exists():
        scratch = path.with_suffix(f".{os.getpid()}.tmp")
        try:
            _decode_all(paths, spec, scratch, workers, on_progress)
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)
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
    frames = np.lib.format.open_memmap(target, mode="w+", dtype=np.uint8, shape=(len(paths), *spec.shape))
    parts = [paths[start : start + _CHUNK] for start in range(0, len(paths), _CHUNK)]
    done = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(max_workers=max(workers, 1), mp_context=context) as pool:
        for part in pool.map(_decode, parts, [spec] * len(parts)):
            frames[done : done + len(part)] = part
            done += len(part)
            on_progress(done)
    frames.flush()


def _decode(paths: Sequence[Path], spec: FrameSpec) -> np.ndarray:
    return np.stack([fit_frame(load_frame(path), spec) for path in paths])
