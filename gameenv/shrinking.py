"""Shrinks pictures by averaging over blocks of pixels, two colours in one addition.

Which pixels a block has is Pillow's rule (``Image.Resampling.BOX``), and so are the results, but for rounding: Pillow
rounds after the rows and again after the columns, here once, so that a value may differ by 1. Knows nothing of frames.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

_LANES = np.uint32(0x00FF00FF)  # first and third byte of a pixel, each with room for sums
_BYTE = np.uint32(8)
_MOST_SUMMED = 257  # pixels: 257 x 255 is the most that 16 bits hold
_MOST_KINDS = 64  # of blocks, by place in the pattern: beyond, single operations are too short to be fast
_CHUNK_BYTES = 1 << 20  # of the source at a time, so that what comes between stays in the cache


@dataclass(frozen=True, slots=True)
class _Pattern:
    """How ``source`` pixels of a line become ``target`` ones, ``repeats`` times: where each begins, how many it has."""

    repeats: int
    source: int
    target: int
    begins: tuple[int, ...]
    counts: tuple[int, ...]


def can_shrink(size: tuple[int, int], smaller: tuple[int, int]) -> bool:
    """Whether ``shrink`` does it fast: nothing grows, and the two sizes (width, height) have enough in common."""
    if smaller[0] > size[0] or smaller[1] > size[1]:
        return False
    columns, rows = (_pattern(*lengths) for lengths in zip(size, smaller, strict=True))
    few = rows.target + columns.target <= _MOST_KINDS
    return few and max(rows.counts) * max(columns.counts) <= _MOST_SUMMED


def shrink(pixels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Average over blocks.

    Args:
        pixels: ``(h, w, 4)`` uint8, contiguous.
        size: Width and height wanted, which ``can_shrink`` allows.

    Returns:
        ``(height, width, 4)`` uint8.
    """
    width, height = size
    rows, columns = _pattern(pixels.shape[0], height), _pattern(pixels.shape[1], width)
    weights = _weights(rows, columns)
    source = pixels.view(np.uint32).reshape(rows.repeats, rows.source, pixels.shape[1])
    target = np.empty((rows.repeats, rows.target, width, 4), np.uint8)
    step = max(1, _CHUNK_BYTES // (source[0].size * 4))
    for start in range(0, rows.repeats, step):
        part = source[start : start + step]
        for place, lanes in ((0, part & _LANES), (1, part >> _BYTE & _LANES)):
            sums = _sum_columns(_sum_rows(lanes, rows), columns).view(np.uint16)
            mean = sums.reshape(len(part), rows.target, width * 2) * weights
            mean += np.float32(0.5)
            colours = mean.astype(np.uint8).reshape(len(part), rows.target, width, 2)
            target[start : start + step, :, :, place::2] = colours
    return target.reshape(height, width, 4)


def _sum_rows(lanes: np.ndarray, rows: _Pattern) -> np.ndarray:
    sums = np.empty((len(lanes), rows.target, lanes.shape[2]), np.uint32)
    for place, (begin, count) in enumerate(zip(rows.begins, rows.counts, strict=True)):
        _add_up([lanes[:, begin + number] for number in range(count)], sums[:, place])
    return sums


def _sum_columns(lanes: np.ndarray, columns: _Pattern) -> np.ndarray:
    lanes = lanes.reshape(-1, columns.repeats, columns.source)
    sums = np.empty((len(lanes), columns.repeats, columns.target), np.uint32)
    for place, (begin, count) in enumerate(zip(columns.begins, columns.counts, strict=True)):
        _add_up([lanes[:, :, begin + number] for number in range(count)], sums[:, :, place])
    return sums


def _add_up(parts: list[np.ndarray], into: np.ndarray) -> None:
    if len(parts) == 1:
        into[...] = parts[0]
        return
    np.add(parts[0], parts[1], out=into)
    for part in parts[2:]:
        into += part


@lru_cache(maxsize=32)
def _pattern(source: int, target: int) -> _Pattern:
    repeats = math.gcd(source, target)
    scale = source / target
    spans = []
    for place in range(target // repeats):
        middle = (place + 0.5) * scale
        begin = max(0, int(middle - scale / 2 + 0.5))
        spans.append((begin, min(source, int(middle + scale / 2 + 0.5)) - begin))
    begins, counts = zip(*spans, strict=True)
    return _Pattern(repeats, source // repeats, target // repeats, begins, counts)


@lru_cache(maxsize=32)
def _weights(rows: _Pattern, columns: _Pattern) -> np.ndarray:
    """One over the pixels of each block: ``(rows of the pattern, width, 1)``."""
    counts = np.outer(rows.counts, np.tile(columns.counts, columns.repeats))
    return (1 / counts).astype(np.float32).repeat(2, axis=1)
