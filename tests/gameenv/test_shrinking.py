"""The fast way to shrink a picture: the blocks that Pillow averages over, rounded once."""

import numpy as np
import pytest
from PIL import Image

from gameenv.frames import FrameSpec, fit_frame, fit_screen
from gameenv.shrinking import can_shrink, shrink

SIZES = [
    ((1280, 720), (512, 288)), ((1920, 1080), (512, 288)), ((2560, 1440), (512, 288)), ((3840, 2160), (512, 288)),
    ((1600, 900), (512, 288)), ((640, 360), (512, 288)), ((1024, 768), (384, 288)), ((800, 600), (384, 288)),
    ((512, 288), (128, 72)), ((512, 288), (64, 36)), ((512, 400), (512, 200)), ((333, 90), (111, 30)),
]  # fmt: skip
ODD = [((1366, 768), (512, 288)), ((1283, 721), (512, 288)), ((4000, 4000), (100, 100)), ((72, 128), (144, 64))]
MOST, MEAN = 1, 0.4
"""Grey levels of 255 by which a value may differ from Pillow's, at most and on average over noise."""


def noise(width: int, height: int) -> np.ndarray:
    return np.random.default_rng(width).integers(0, 256, (height, width, 3), np.uint8)


def on_screen(frame: np.ndarray) -> np.ndarray:
    pixels = np.full((*frame.shape[:2], 4), 255, np.uint8)
    pixels[..., :3] = frame[..., ::-1]
    return pixels


def by_pillow(frame: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    return np.array(Image.fromarray(frame).resize(size, Image.Resampling.BOX))


@pytest.mark.parametrize(("size", "smaller"), SIZES)
def test_pixels_are_those_of_pillow_but_for_rounding(size: tuple[int, int], smaller: tuple[int, int]) -> None:
    assert can_shrink(size, smaller)
    frame = noise(*size)
    difference = np.abs(fit_frame(frame, FrameSpec(*smaller, fit="stretch")).astype(int) - by_pillow(frame, smaller))
    assert difference.max() <= MOST
    assert difference.mean() <= MEAN
    assert abs(fit_frame(frame, FrameSpec(*smaller, fit="stretch")).mean() - frame.mean()) < 0.5


def test_a_block_is_its_mean_rounded_once() -> None:
    frame = noise(64, 48)
    exact = frame.reshape(16, 3, 16, 4, 3).mean(axis=(1, 3))
    assert np.abs(fit_frame(frame, FrameSpec(16, 16, "stretch")) - exact).max() <= 0.5 + 1e-4


@pytest.mark.parametrize("value", [0, 1, 127, 254, 255])
def test_one_colour_stays_that_colour(value: int) -> None:
    for size, smaller in SIZES:
        pixels = np.full((size[1], size[0], 4), value, np.uint8)
        assert (shrink(pixels, smaller) == value).all()


@pytest.mark.parametrize(("size", "smaller"), [*SIZES, *ODD, ((512, 288), (512, 288))])
@pytest.mark.parametrize("fit", ["letterbox", "stretch"])
def test_a_screen_is_fitted_as_its_picture_is(size: tuple[int, int], smaller: tuple[int, int], fit: str) -> None:
    frame, spec = noise(*size), FrameSpec(*smaller, fit=fit)  # pyright: ignore[reportArgumentType]
    pixels = on_screen(frame)
    before = pixels.copy()
    np.testing.assert_array_equal(fit_screen(pixels, spec), fit_frame(frame, spec))
    np.testing.assert_array_equal(pixels, before)


@pytest.mark.parametrize(("size", "smaller"), ODD)
def test_sizes_with_little_in_common_are_left_to_pillow(size: tuple[int, int], smaller: tuple[int, int]) -> None:
    assert not can_shrink(size, smaller)
    assert fit_frame(noise(*size), FrameSpec(*smaller, fit="stretch")).shape == (smaller[1], smaller[0], 3)
