from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gameenv.actions import ACTIONS, Action
from gameenv.errors import DiskFullError, InvalidInputError, UnknownNameError
from policies.film import Caption, draw_keys, film_strip, pick_evenly, replay, write_video

av = pytest.importorskip("av")


def grey(width: int = 512, height: int = 288, level: int = 90) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


def decode(path: Path) -> list[np.ndarray]:
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.video[0].codec_context.pix_fmt == "yuv420p"
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def test_keys_are_drawn_below_the_frame_and_hide_nothing_of_it():
    frame = np.random.default_rng(0).integers(0, 255, (288, 512, 3), np.uint8)
    drawn = draw_keys(frame, "w", Caption("Go to the lantern", 3, goal_holds=True))
    assert drawn.shape[1:] == (512, 3)
    assert np.array_equal(drawn[:288], frame)


def test_every_action_lights_a_place_of_its_own_and_none_lights_nothing():
    dark = draw_keys(grey(), None, Caption("", 0))
    assert np.array_equal(draw_keys(grey(), "none", Caption("", 0)), dark)
    seen = {draw_keys(grey(), action, Caption("", 0)).tobytes() for action in ACTIONS}
    assert len(seen) == len(ACTIONS)


def test_the_panel_says_when_the_goal_holds():
    frames = [draw_keys(grey(), "w", Caption("Climb the stairs", 5, holds)) for holds in (False, True)]
    assert not np.array_equal(frames[0], frames[1])
    assert frames[0].shape == frames[1].shape


def test_small_frames_are_enlarged_until_the_keys_can_be_read():
    drawn = draw_keys(grey(64, 36), "left", Caption("Open the door", 0))
    assert drawn.shape[1] == 448


@pytest.mark.parametrize("goal", ["", "two\nlines", "word " * 200, "目標 ∞ 🙂", "<script>"])
def test_any_goal_can_be_written(goal: str):
    assert draw_keys(grey(), "c", Caption(goal, 123456, goal_holds=True)).shape[1] == 512


def test_an_unknown_action_is_refused_by_name():
    with pytest.raises(UnknownNameError, match="jump"):
        draw_keys(grey(), "jump", Caption("Go", 0))  # pyright: ignore[reportArgumentType]


def test_evenly_picked_frames_have_the_first_and_the_last():
    assert pick_evenly(100, 8)[0] == 0
    assert pick_evenly(100, 8)[-1] == 99
    assert len(pick_evenly(100, 8)) == 8
    assert pick_evenly(3, 8) == [0, 1, 2]
    assert pick_evenly(0, 8) == []


def test_a_film_strip_shows_short_episodes_whole_and_long_ones_evenly():
    actions: list[Action | None] = ["w", "w", "w", "w", None]
    turns: list[Action] = ["left"]
    short = film_strip([grey()] * 5, actions, holds=[False] * 4 + [True], columns=4, tile_width=120)
    assert short.width == 4 * 124 - 4
    long = film_strip([grey()] * 50, turns * 50, columns=4, tile_width=120)
    assert isinstance(long, Image.Image)
    assert long.size == short.size


def test_a_film_strip_without_frames_or_with_too_few_actions_is_refused():
    with pytest.raises(InvalidInputError, match="one action a frame"):
        film_strip([], [])
    with pytest.raises(InvalidInputError, match="one action a frame"):
        film_strip([grey()] * 2, ["w"])


def test_a_video_has_every_frame_in_order(tmp_path: Path):
    levels = [20, 90, 160, 230]
    assert write_video(tmp_path / "new" / "a.mp4", (grey(level=level) for level in levels), 10) == 4
    frames = decode(tmp_path / "new" / "a.mp4")
    assert [round(float(frame.mean()) / 10) for frame in frames] == [2, 9, 16, 23]
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["a.mp4"]


def test_odd_sizes_become_even(tmp_path: Path):
    write_video(tmp_path / "a.mp4", [grey(65, 37)] * 3, 10)
    assert decode(tmp_path / "a.mp4")[0].shape == (38, 66, 3)


def test_a_video_that_fails_leaves_the_old_one_and_no_scraps(tmp_path: Path):
    path = tmp_path / "a.mp4"
    write_video(path, [grey()] * 2, 10)
    before = path.read_bytes()

    def broken():
        yield grey()
        raise RuntimeError("the game is gone")

    with pytest.raises(RuntimeError, match="gone"):
        write_video(path, broken(), 10)
    with pytest.raises(InvalidInputError, match="differ in size"):
        write_video(path, [grey(), grey(64, 64)], 10)
    with pytest.raises(InvalidInputError, match="no frames"):
        write_video(path, [], 10)
    with pytest.raises(InvalidInputError, match="above 0"):
        write_video(path, [grey()], 0)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_replay_gives_the_same_frames_again_and_one_more_than_actions():
    pytest.importorskip("vizdoom")
    actions = ["w", "w", "right", "space", "none"]
    first, again = (list(replay("go-to-lantern", "test", 5, actions, (128, 72))) for _ in range(2))
    assert [action for _, _, action in first] == [*actions, None]
    assert [info["tick"] for _, info, _ in first] == [0, 1, 2, 3, 4, 5]
    assert first[0][1]["split"] == "test"
    for (one, _, _), (other, _, _) in zip(first, again, strict=True):
        assert np.array_equal(one, other)


def test_a_replay_stops_where_the_episode_ends():
    pytest.importorskip("vizdoom")
    frames = sum(1 for _ in replay("go-to-lantern", "test", 0, ["w"] * 3000, (64, 48)))
    assert 1 < frames < 3000


def test_a_replay_of_something_unknown_is_refused_by_name():
    pytest.importorskip("vizdoom")
    with pytest.raises(UnknownNameError, match="Did you mean 'go-to-lantern'"):
        list(replay("go-to-lantrn", "test", 0, ["w"]))
    with pytest.raises(UnknownNameError, match="action 'jump'"):
        list(replay("go-to-lantern", "test", 0, ["jump"], (64, 48)))


def test_a_film_that_does_not_fit_on_the_disk_leaves_the_old_one(small_disk: Path):
    out = small_disk / "film.mp4"
    write_video(out, [grey()], 10)
    old = out.read_bytes()
    noise = np.random.default_rng(0)
    with pytest.raises(DiskFullError, match=r"disk of .*film\.mp4 is full"):
        write_video(out, (noise.integers(0, 255, (288, 512, 3), np.uint8) for _ in range(60)), 10)
    assert out.read_bytes() == old
    assert [path.name for path in small_disk.iterdir()] == ["film.mp4"]
