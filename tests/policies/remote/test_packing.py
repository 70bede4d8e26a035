"""Frames as few bytes: never more than allowed, always the same, and exact where that is asked for."""

import io

import numpy as np
import pytest
from PIL import Image

from gameenv.errors import InvalidInputError
from policies.conformance import example_frames
from policies.remote.packing import MAX_FRAME_BYTES, pack_jpeg, pack_png, unpack


@pytest.mark.parametrize("number", range(3))
def test_a_frame_takes_at_most_60_kb_and_always_the_same(number: int) -> None:
    frame = example_frames()[number]
    data = pack_jpeg(frame)
    assert len(data) <= MAX_FRAME_BYTES == 60_000
    assert pack_jpeg(frame.copy()) == data
    assert unpack(data).shape == frame.shape


def test_quality_falls_only_as_far_as_it_must() -> None:
    gradient, noise = example_frames()[1:]
    assert len(pack_jpeg(gradient)) == len(pack_jpeg(gradient, 10**9)), "quality 95, as recorded"
    assert np.abs(unpack(pack_jpeg(gradient)).astype(int) - gradient).max() <= 8
    assert len(pack_jpeg(noise)) > len(pack_jpeg(noise, 30_000)) > 10_000


def test_a_frame_that_no_quality_makes_short_enough_is_halved() -> None:
    noise = np.random.default_rng(0).integers(0, 256, (1080, 1920, 3), np.uint8)
    data = pack_jpeg(noise)
    assert len(data) <= MAX_FRAME_BYTES
    height, width = unpack(data).shape[:2]
    assert (width, height) in ((960, 540), (480, 270))


def test_a_lossless_frame_is_the_frame() -> None:
    for frame in example_frames():
        assert np.array_equal(unpack(pack_png(frame)), frame)


@pytest.mark.parametrize("data", [b"", b"GIF89a", b"\xff\xd8\xff\xe0", pack_jpeg(example_frames()[2])[:9000]])
def test_what_is_no_frame_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(InvalidInputError, match="no JPEG or PNG"):
        unpack(data)


def test_a_small_file_that_claims_to_be_huge_is_not_unpacked() -> None:
    buffer = io.BytesIO()
    Image.new("RGB", (9_000, 9_000)).save(buffer, "PNG")
    assert buffer.tell() < 1_000_000
    with pytest.raises(InvalidInputError, match="at most 16777216 pixels, got 9000x9000"):
        unpack(buffer.getvalue())
