"""Frames that two ends share."""

import os
from pathlib import Path

import numpy as np
import pytest

from gameenv.errors import DisplayError
from gameenv.live.ring import SLOTS, FrameRing

SHAPE = (16, 32, 3)


def frame(value: int) -> np.ndarray:
    return np.full(SHAPE, value, np.uint8)


def test_what_one_end_puts_the_other_takes_more_often_than_there_are_slots() -> None:
    reader = FrameRing(SHAPE)
    writer = FrameRing(SHAPE, reader.name)
    for number in range(3 * SLOTS):
        writer.put(number, frame(number % 256))
        assert (reader.take(number) == number % 256).all()
        assert writer.read == number + 1
    writer.blank(7)
    assert not reader.take(7).any()


def test_a_frame_taken_is_owned() -> None:
    reader = FrameRing(SHAPE)
    writer = FrameRing(SHAPE, reader.name)
    writer.put(0, frame(1))
    taken = reader.take(0)
    writer.put(SLOTS, frame(2))
    assert (taken == 1).all()


@pytest.mark.skipif(os.name == "nt", reason="Windows frees it by itself")
def test_nothing_is_left_behind() -> None:
    reader = FrameRing(SHAPE)
    writer = FrameRing(SHAPE, reader.name)
    reader.forget_name()
    reader.forget_name()
    assert not Path(reader.name).exists()
    writer.put(0, frame(3))
    assert (reader.take(0) == 3).all()


@pytest.mark.skipif(not hasattr(os, "statvfs") or not Path("/dev/shm").is_dir(), reason="asks for more than there is")
def test_too_little_shared_memory_is_refused_at_once_with_the_size_to_set() -> None:
    """A file with holes would be made, and end the process at the first grab that finds no room."""
    room = os.statvfs("/dev/shm")
    side = int((room.f_blocks * room.f_frsize / (3 * SLOTS)) ** 0.5) + 1000
    needed_mb = -(-(64 + 3 * SLOTS * side * side) // 1_000_000)
    before = set(os.listdir("/dev/shm"))
    with pytest.raises(DisplayError, match=rf"/dev/shm has no room for {needed_mb} MB.*--shm-size={2 * needed_mb}m"):
        FrameRing((side, side, 3))
    assert not {name for name in set(os.listdir("/dev/shm")) - before if name.startswith("gameenv-ring-")}
