import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from gameenv.errors import DiskFullError, InvalidInputError
from gameenv.frames import FrameSpec, encode_jpeg, fit_frame, load_frame
from training.frame_cache import cached_frames, find_damaged

SPEC = FrameSpec(32, 18)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    rng = np.random.default_rng(0)
    made = [tmp_path / f"{number}.jpg" for number in range(5)]
    for path in made:
        path.write_bytes(encode_jpeg(rng.integers(0, 256, (72, 128, 3), np.uint8)))
    return made


def test_frames_are_those_a_policy_would_see(paths: list[Path], tmp_path: Path):
    frames, _ = cached_frames(paths, SPEC, tmp_path / "cache", workers=2)
    assert frames.shape == (5, 18, 32, 3)
    for number, path in enumerate(paths):
        np.testing.assert_array_equal(frames[number], fit_frame(load_frame(path), SPEC))


def test_frames_are_read_one_by_one_in_any_order_and_in_parts(paths: list[Path], tmp_path: Path):
    frames, _ = cached_frames(paths, SPEC, tmp_path / "cache", workers=1)
    part = pickle.loads(pickle.dumps(frames.part(1, 4)))  # as a process that makes batches gets it
    assert (len(part), part.shape) == (3, (3, 18, 32, 3))
    np.testing.assert_array_equal(part[2], frames[3])
    np.testing.assert_array_equal(part[np.array([2, 0])], frames[np.array([3, 1])])
    with pytest.raises(IndexError):
        part[3]


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads a process's peak memory from /proc")
def test_memory_does_not_grow_with_the_frames(paths: list[Path], tmp_path: Path):
    many, spec = paths * 1200, FrameSpec(128, 72)  # 166 MB of pixels
    code = (
        "import sys, pickle, numpy as np\n"
        "from training.frame_cache import FrameFile\n"
        "def peak():\n"
        "    status = open('/proc/self/status').read()\n"
        "    return int(status.partition('VmHWM:')[2].split()[0]) << 10\n"
        "frames, before = FrameFile(sys.argv[1]), peak()\n"
        "for start in range(0, len(frames), 100):\n"
        "    frames[np.arange(start, start + 100)].sum()\n"
        "print(peak() - before)\n"
    )
    cached_frames(many, spec, tmp_path / "cache", workers=1)
    (file,) = (tmp_path / "cache").glob("*.npy")
    done = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True, check=True)
    assert file.stat().st_size > 160e6
    assert int(done.stdout) < 40e6


def test_a_cache_is_used_again_and_made_anew_when_a_frame_changes(paths: list[Path], tmp_path: Path):
    cache = tmp_path / "cache"
    cached_frames(paths, SPEC, cache, workers=1)
    (first,) = cache.glob("*.npy")
    cached_frames(paths, SPEC, cache, workers=1)
    assert list(cache.glob("*")) == [first]
    paths[2].write_bytes(encode_jpeg(np.zeros((72, 128, 3), np.uint8)))
    assert cached_frames(paths, SPEC, cache, workers=1)[0][2].max() == 0
    assert len(list(cache.glob("*.npy"))) == 2


def damage(path: Path) -> None:
    """Spoil the inside of an image whose end is there."""
    content = path.read_bytes()
    path.write_bytes(content[:20] + bytes(200) + content[220:])


def test_damaged_frames_are_named_and_left_out_from_the_cache_too(paths: list[Path], tmp_path: Path):
    damage(paths[3])
    paths[1].write_bytes(paths[1].read_bytes()[:300])
    for _ in range(2):
        frames, damaged = cached_frames(paths, SPEC, tmp_path / "cache", workers=2)
        assert damaged == (1, 3)
        assert len(frames) == 5
        assert frames[3].max() == 0
        readable = frames.without(damaged)
        assert readable.shape == (3, 18, 32, 3)
        for place, number in enumerate((0, 2, 4)):
            np.testing.assert_array_equal(readable[place], fit_frame(load_frame(paths[number]), SPEC))
        np.testing.assert_array_equal(readable.part(1, 3)[np.array([1, 0])], frames[np.array([4, 2])])
    assert find_damaged(paths, workers=2) == (1, 3)
    assert find_damaged(paths * 200, workers=2) == tuple(n for n in range(1000) if n % 5 in (1, 3))


def test_a_frame_that_is_not_there_is_named_and_leaves_nothing_behind(paths: list[Path], tmp_path: Path):
    paths[3].unlink()
    with pytest.raises(InvalidInputError, match=r"cannot read the frame .*3\.jpg"):
        cached_frames(paths, SPEC, tmp_path / "cache", workers=1)
    assert list((tmp_path / "cache").iterdir()) == []


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
