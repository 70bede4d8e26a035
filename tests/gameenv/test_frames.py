import gymnasium as gym
import numpy as np
import pytest
from PIL import Image

import gameenv  # noqa: F401 (registers the arena)
from gameenv.actions import action_index
from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.frames import DEFAULT_SIZE, FrameSpec, check_frame, encode_jpeg, fit_frame, is_whole, load_frame

JPEG_BOUND = 1.0
"""Mean absolute difference, in grey levels of 255, that writing a frame to disk may make to what a model sees."""


def make(height: int, width: int, value: int = 200) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_a_frame_that_fits_already_is_passed_on_as_it_is() -> None:
    frame = make(288, 512)
    assert fit_frame(frame, FrameSpec()) is frame


def test_letterbox_keeps_the_picture_s_shape_and_fills_with_black() -> None:
    wide = fit_frame(make(100, 400), FrameSpec(200, 200))
    assert wide.shape == (200, 200, 3)
    assert (wide[75:125] == 200).all()
    assert not wide[:75].any()
    assert not wide[125:].any()
    tall = fit_frame(make(400, 100), FrameSpec(200, 200))
    assert (tall[:, 75:125] == 200).all()
    assert not tall[:, :75].any()
    assert not tall[:, 125:].any()


def test_stretch_fills_the_frame() -> None:
    assert (fit_frame(make(100, 400), FrameSpec(200, 200, "stretch")) == 200).all()


def test_shrinking_averages_so_that_thin_lines_fade_and_do_not_vanish() -> None:
    frame = make(288, 512, 0)
    frame[:, 101] = 240
    small = fit_frame(frame, FrameSpec(128, 72))
    assert small[:, 25].mean() == pytest.approx(60, abs=1)
    assert not small[:, :25].any()
    assert not small[:, 26:].any()


def test_growing_works_too() -> None:
    assert fit_frame(make(72, 128), FrameSpec()).shape == (288, 512, 3)


def test_a_frame_is_never_written_into() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (90, 160, 3), np.uint8)
    before = frame.copy()
    for spec in (FrameSpec(64, 64), FrameSpec(64, 64, "stretch"), FrameSpec(320, 180)):
        fit_frame(frame, spec)
    assert np.array_equal(frame, before)


@pytest.mark.parametrize(
    "bad", [None, [[1]], make(9, 9).astype(float), make(9, 9)[..., 0], np.zeros((9, 9, 4), np.uint8), make(9, 9)[:0]]
)
def test_what_is_no_frame_is_refused_and_named(bad: object) -> None:
    with pytest.raises(InvalidInputError, match=r"uint8 array of shape \(height, width, 3\)"):
        check_frame(bad)


def test_a_spec_checks_itself() -> None:
    assert FrameSpec().size == DEFAULT_SIZE
    assert FrameSpec(64, 48).shape == (48, 64, 3)
    with pytest.raises(InvalidInputError, match="at least 16x16, got 8x64"):
        FrameSpec(8, 64)
    with pytest.raises(UnknownNameError, match="Did you mean 'letterbox'"):
        FrameSpec(64, 64, "leterbox")  # pyright: ignore[reportArgumentType]


def test_jpeg_is_quality_95_without_subsampled_colour(tmp_path) -> None:
    path = tmp_path / "frame.jpg"
    frame = make(64, 96, 0)
    frame[:, 48:] = (255, 0, 0)
    path.write_bytes(encode_jpeg(frame))
    back = load_frame(path)
    assert (back.shape, back.dtype) == ((64, 96, 3), np.uint8)
    assert np.abs(back.astype(int) - frame).mean() < 2  # the sharp red edge stays
    with Image.open(path) as image:
        assert all(sampling == (1, 1) for *_, sampling in _components(image))


def _components(image: Image.Image) -> list[tuple[int, tuple[int, int]]]:
    return [(component[0], (component[1], component[2])) for component in image.layer]  # pyright: ignore


@pytest.mark.parametrize("content", [None, b"", b"not a picture"])
def test_an_unreadable_picture_is_named(tmp_path, content: bytes | None) -> None:
    path = tmp_path / "broken.jpg"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InvalidInputError, match=r"broken\.jpg"):
        load_frame(path)


def broken_jpegs() -> dict[str, bytes]:
    """A picture's file, broken in the ways disks and power cuts break them."""
    whole = encode_jpeg(make(64, 96, 0))
    half = len(whole) // 2
    return {
        "empty": b"",
        "cut short": whole[:half],
        "without its last byte": whole[:-1],
        "its rest is zeros": whole[:half] + bytes(len(whole) - half),
        "all zeros": bytes(len(whole)),
        "its head is spoilt": bytes(20) + whole[20:],
        "a monstrous size": whole.replace(b"\x00\x40\x00\x60\x03", b"\xff\xff\xff\xff\x03"),
    }


@pytest.mark.parametrize("how", broken_jpegs())
def test_a_broken_picture_is_refused_however_it_is_broken(tmp_path, how: str) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(broken_jpegs()[how])
    with pytest.raises(InvalidInputError, match=r"cannot read the frame .*broken\.jpg"):
        load_frame(path)
    assert is_whole(path) == (how == "a monstrous size"), "four bytes do not tell that its size is wrong"


def test_a_whole_picture_is_one_with_its_end_padded_or_not_a_jpeg_at_all(tmp_path) -> None:
    path = tmp_path / "frame.jpg"
    whole = encode_jpeg(make(64, 96, 0))
    for content in (whole, whole + bytes(300)):
        path.write_bytes(content)
        assert is_whole(path)
        assert load_frame(path).shape == (64, 96, 3)
    Image.fromarray(make(64, 96, 0)).save(path, "PNG")
    assert is_whole(path)
    path.write_bytes(path.read_bytes()[:-300])
    assert not is_whole(path)
    path.unlink()
    assert not is_whole(path)


@pytest.mark.slow
def test_a_model_sees_nearly_the_same_when_playing_and_when_trained_on_the_recording(tmp_path) -> None:
    """The one chain: window -> frame size -> (JPEG on disk, when recorded) -> model size."""
    model = FrameSpec(128, 72)
    path = tmp_path / "frame.jpg"
    differences, moved = [], []
    env = gym.make("gameenv/Arena-v0", task="all", split="train")
    for seed in range(6):
        frame, _ = env.reset(seed=seed)
        for word in ("none", *("right", "w") * 10):
            before = frame
            frame, *_ = env.step(action_index(word))
            path.write_bytes(encode_jpeg(frame))
            playing, trained = fit_frame(frame, model), fit_frame(load_frame(path), model)
            differences.append(np.abs(playing.astype(int) - trained).mean())
            moved.append(np.abs(playing.astype(int) - fit_frame(before, model)).mean())
    env.close()
    assert max(differences) < JPEG_BOUND
    assert np.mean(differences) < np.mean(moved) / 10  # what JPEG changes is small beside what a tick does
    print(f"JPEG: mean {np.mean(differences):.3f}, most {max(differences):.3f}; a tick: mean {np.mean(moved):.1f}")
