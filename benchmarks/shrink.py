"""How long a screen's pixels take to become a frame: our averaging beside Pillow's, in turn, in one process.

    MALLOC_MMAP_THRESHOLD_=67108864 MALLOC_TRIM_THRESHOLD_=268435456 python benchmarks/shrink.py

The two variables are those that the process which grabs is started with.
"""

import time
from collections.abc import Callable

import numpy as np
from PIL import Image

from gameenv.frames import Frame, FrameSpec, fit_screen

SCREENS = ((1280, 720), (1920, 1080), (2560, 1440))
TURNS = 60


def by_pillow(pixels: np.ndarray, spec: FrameSpec) -> Frame:
    """Screens of 16:9 only."""
    height, width = pixels.shape[:2]
    picture = Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", 0, 1)
    return np.array(picture.resize(spec.size, Image.Resampling.BOX))


def main() -> None:
    spec = FrameSpec()
    for width, height in SCREENS:
        pixels = np.random.default_rng(0).integers(0, 256, (height, width, 4), np.uint8)
        took: dict[Callable[[np.ndarray, FrameSpec], Frame], list[float]] = {fit_screen: [], by_pillow: []}
        for _ in range(TURNS):
            for way, times in took.items():
                began = time.perf_counter()
                way(pixels, spec)
                times.append((time.perf_counter() - began) * 1e3)
        ours, theirs = (sorted(times) for times in took.values())
        for name, at in (("fastest", 0), ("median", TURNS // 2)):
            print(
                f"{width}x{height}, {name}: ours {ours[at]:.2f} ms, Pillow {theirs[at]:.2f} ms, "
                f"ratio {theirs[at] / ours[at]:.1f}"
            )
        difference = np.abs(fit_screen(pixels, spec).astype(int) - by_pillow(pixels, spec))
        print(f"{width}x{height}, noise: at most {difference.max()} of 255 apart, on average {difference.mean():.2f}")


if __name__ == "__main__":
    main()
