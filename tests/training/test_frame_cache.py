import shutil
from pathlib import Path

import numpy as np
import pytest

from gameenv.errors import DiskFullError, InvalidInputError
from gameenv.frames import FrameSpec, encode_jpeg, fit_frame, load_frame
from training.frame_cache import cached_frames

SPEC = FrameSpec(32, 18)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    made = [tmp_path / f"{number}.jpg" for number in range(5)]
    for path in made:
        path.write_bytes(encode_jpeg(rng.integers(0, 256, (72, 128, 3), np.uint8)))
    return made


def test_frames_are_those_a_policy_would_see(paths: list[Path], tmp_path: Path):
    frames = cached_frames(paths, SPEC, tmp_path / "cache", workers=2)
    assert frames.shape == (5, 18, 32, 3)
    for path, frame in zip(paths, frames, strict=True):
        np.testing.assert_array_equal(frame, fit_frame(load_frame(path), SPEC))


def test_a_cache_is_used_again_and_made_anew_when_a_frame_changes(paths: list[Path], tmp_path: Path):
    cache = tmp_path / "cache"
    cached_frames(paths, SPEC, cache, workers=1)
    (first,) = cache.glob("*.npy")
    cached_frames(paths, SPEC, cache, workers=1)
    assert list(cache.glob("*")) == [first]
    paths[2].write_bytes(encode_jpeg(np.zeros((72, 128, 3), np.uint8)))
    assert cached_frames(paths, SPEC, cache, workers=1)[2].max() == 0
    assert len(list(cache.glob("*.npy"))) == 2


def test_missing_and_damaged_frames_are_named_and_leave_nothing_behind(paths: list[Path], tmp_path: Path):
    paths[3].write_bytes(paths[3].read_bytes()[:200])
    with pytest.raises(InvalidInputError, match=r"cannot read the frame .*3\.jpg"):
        cached_frames(paths, SPEC, tmp_path / "cache", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []
    paths[3].unlink()
    with pytest.raises(InvalidInputError, match=r"cannot read the frame .*3\.jpg"):
        cached_frames(paths, SPEC, tmp_path / "cache", workers=1)


def test_too_little_room_is_said_before_anything_is_written(
    paths: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    with pytest.raises(DiskFullError, match="another disk"):
        cached_frames(paths, SPEC, tmp_path / "cache", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []


def test_what_a_killed_run_left_is_cleared(paths: list[Path], tmp_path: Path):
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / ".partial-0123456789abcdef.npy").write_bytes(b"x")
    cached_frames(paths, SPEC, cache, workers=1)
    assert list(cache.glob(".*")) == []
