"""The arena among Gymnasium's own parts and with a library that trains on it: what people put together."""

import itertools
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import av
import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import FrameStackObservation, RecordEpisodeStatistics, RecordVideo, TimeLimit

from gameenv import ARENA_ID
from gameenv.actions import action_index

NONE, W, LEFT = (action_index(word) for word in ("none", "w", "left"))
SMALL = {"task": "open-door", "frame_size": (64, 36), "disable_env_checker": True}
MODES = ["sync", "async"]
EPISODE = 3
"""Ticks until the short episodes of these tests are truncated."""


def make(**options: Any) -> gym.Env[Any, Any]:
    return gym.make(ARENA_ID, **{**SMALL, **options})


def make_vec(mode: str, count: int, autoreset: AutoresetMode = AutoresetMode.NEXT_STEP) -> VectorEnv[Any, Any, Any]:
    return gym.make_vec(
        ARENA_ID, count, vectorization_mode=mode, vector_kwargs={"autoreset_mode": autoreset},
        max_steps=EPISODE, **{key: value for key, value in SMALL.items() if key != "disable_env_checker"},
    )  # fmt: skip


@pytest.fixture(scope="module", params=MODES)
def vector(request: pytest.FixtureRequest) -> Iterator[VectorEnv[Any, Any, Any]]:
    """Three arenas at once."""
    with closing(make_vec(request.param, 3)) as env:
        yield env


def levels(env: VectorEnv[Any, Any, Any], resets: int, seed: int | None = None) -> list[str]:
    """The levels of so many resets of all copies, the first of them seeded."""
    found = []
    for turn in range(resets):
        _, infos = env.reset(seed=None if turn else seed)
        found.extend(infos["level"])
    return found


def number(level: str) -> int:
    return int(level.split("/")[2])


def test_copies_that_nobody_seeded_play_different_levels(vector: VectorEnv[Any, Any, Any]) -> None:
    found = levels(vector, 2)
    assert len(set(found)) == 6


def test_seeded_copies_play_their_numbers_and_then_disjoint_streams_again_and_again(
    vector: VectorEnv[Any, Any, Any],
) -> None:
    first = levels(vector, 3, seed=0)
    assert [number(level) for level in first[:3]] == [0, 1, 2]
    assert len(set(first)) == 9
    assert levels(vector, 3, seed=0) == first
    assert not {*levels(vector, 3, seed=3)} & {*first}


def test_what_is_drawn_is_no_level_that_a_seed_of_32_bits_names() -> None:
    with closing(make()) as env:
        env.reset(seed=0)
        drawn = [number(env.reset()[1]["level"]) for _ in range(20)]
    assert min(drawn) >= 2**32
    assert len(set(drawn)) == 20


def play_out(env: VectorEnv[Any, Any, Any]) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
    """Play both copies to the ends of their episodes; returns what the last step does."""
    for _ in range(EPISODE - 1):
        env.step(np.array([W, LEFT]))
    return env.step(np.array([W, LEFT]))


@pytest.mark.parametrize("mode", MODES)
def test_the_next_step_begins_the_next_episode(mode: str) -> None:
    with closing(make_vec(mode, 2)) as env:
        _, begun = env.reset(seed=5)
        _, _, terminations, truncations, infos = play_out(env)
        assert (terminations.any(), truncations.all()) == (False, True)
        assert [*infos["level"]] == [*begun["level"]]
        frames, rewards, terminations, truncations, infos = env.step(np.array([W, LEFT]))
        assert not np.concatenate([rewards, terminations, truncations]).any()
        assert [*infos["tick"]] == [0, 0]
        assert len({*infos["level"], *begun["level"]}) == 4
        assert frames.shape == (2, 36, 64, 3)


@pytest.mark.parametrize("mode", MODES)
def test_the_same_step_begins_the_next_episode(mode: str) -> None:
    with closing(make_vec(mode, 2, AutoresetMode.SAME_STEP)) as env:
        _, begun = env.reset(seed=5)
        frames, _, _, truncations, infos = play_out(env)
        assert truncations.all()
        assert [*infos["tick"]] == [0, 0]
        assert [*infos["final_info"]["tick"]] == [EPISODE, EPISODE]
        assert len({*infos["level"], *begun["level"]}) == 4
        assert all(last.shape == (36, 64, 3) for last in infos["final_obs"])
        assert not np.array_equal(frames[0], infos["final_obs"][0])


@pytest.mark.parametrize("mode", MODES)
def test_without_autoreset_those_that_are_named_begin_again(mode: str) -> None:
    with closing(make_vec(mode, 2, AutoresetMode.DISABLED)) as env:
        _, begun = env.reset(seed=5)
        *_, truncations, _ = play_out(env)
        assert truncations.all()
        _, infos = env.reset(options={"reset_mask": np.array([True, False])})
        assert infos["tick"][0] == 0
        assert infos["level"][0] not in begun["level"]
        _, again = env.reset(seed=5)
        assert [*again["level"]] == [*begun["level"]]


@pytest.mark.parametrize("fps", [5, 12.5])
def test_a_recorded_video_plays_at_the_environment_s_own_rate(tmp_path: Path, fps: float) -> None:
    with closing(RecordVideo(make(fps=fps, render_mode="rgb_array", frame_size=(128, 72)), str(tmp_path))) as env:
        assert env.metadata["render_fps"] == fps
        env.reset(seed=0)
        for _ in range(4):
            env.step(LEFT)
    (video,) = tmp_path.glob("*.mp4")
    with av.open(str(video)) as container:
        stream = container.streams.video[0]
        assert stream.average_rate == fps
        assert (stream.width, stream.height) == (128, 72)
        assert sum(1 for _ in container.decode(stream)) == 5


def test_two_environments_have_each_their_own_rate() -> None:
    with closing(make(fps=5)) as slow, closing(make(fps=20)) as fast:
        assert (slow.metadata["render_fps"], fast.metadata["render_fps"]) == (5, 20)
    assert type(slow.unwrapped).metadata["render_fps"] == 10


def test_a_time_limit_of_gymnasium_s_truncates() -> None:
    with closing(TimeLimit(make(), 4)) as env:
        env.reset(seed=0)
        assert [env.step(W)[3] for _ in range(4)] == [False, False, False, True]
        env.reset()
        assert not env.step(W)[3]


def test_frames_can_be_stacked() -> None:
    with closing(FrameStackObservation(make(), 3)) as env:
        stacked, _ = env.reset(seed=0)
        assert stacked.shape == (3, 36, 64, 3)
        assert stacked in env.observation_space
        later = [env.step(LEFT)[0] for _ in range(2)][-1]
        assert np.array_equal(later[0], stacked[-1])


def test_episodes_are_counted_with_their_return() -> None:
    with closing(RecordEpisodeStatistics(make(max_steps=EPISODE))) as env:
        env.reset(seed=0)
        *_, truncated, info = [env.step(NONE) for _ in range(EPISODE)][-1]
        assert truncated
        assert (info["episode"]["r"], info["episode"]["l"]) == (0.0, EPISODE)


def test_stable_baselines_trains_on_it_with_a_seed_of_32_bits() -> None:
    from stable_baselines3 import PPO  # noqa: PLC0415
    from stable_baselines3.common.vec_env import DummyVecEnv  # noqa: PLC0415

    played: list[str] = []

    class Noted(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
            frame, info = self.env.reset(**kwargs)
            played.append(info["level"])
            return frame, info

    copies = DummyVecEnv([lambda: Noted(make(max_steps=100))] * 2)
    with closing(copies):
        model = PPO("CnnPolicy", copies, n_steps=250, batch_size=250, n_epochs=1, seed=2**32 - 6, device="cpu")
        model.learn(2_000)
        frames: Any = copies.reset()
        action, _ = model.predict(frames)
    assert model.num_timesteps == 2_000
    assert all(0 <= each < 12 for each in action)
    assert [number(level) for level in played[:2]] == [2**32 - 6, 2**32 - 5]
    assert len(played) >= 20
    assert len(set(played)) == len(played)


def test_the_arena_plays_the_level_that_was_asked_for_after_one_that_was_drawn() -> None:
    with closing(make()) as env:
        first, _ = env.reset(seed=3)
        for _ in range(2):
            env.reset()
        again, _ = env.reset(seed=3)
        drawn = [env.reset()[1]["level"] for _ in range(2)]
        env.reset(seed=3)
        assert [env.reset()[1]["level"] for _ in range(2)] == drawn
    assert np.array_equal(first, again)
    assert not any(one == other for one, other in itertools.pairwise(drawn))
