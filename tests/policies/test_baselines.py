"""Players that learn nothing: dice that repeat under a seed, and recordings played back tick by tick."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import InvalidReply, SessionError
from policies.base import Observation
from policies.baselines import NonePolicy, RandomPolicy, ReplayPolicy
from policies.load import load_policy
from policies.rollout import run_episode
from tests.policies.recordings import record_walks

FRAME = np.zeros((144, 256, 3), np.uint8)
LOOK = Observation(FRAME, "Go")


@pytest.fixture(scope="module")
def arena() -> Iterator[gym.Env[Any, Any]]:
    env = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="train", frame_size=(256, 144))
    yield env
    env.close()


def test_none_declares_at_once() -> None:
    policy = NonePolicy()
    policy.reset("Go")
    assert policy.predict(LOOK).done
    assert policy.predict(Observation(FRAME, "Go", ("w",))).actions == ("w", *["none"] * 6)


def test_random_throws_all_twelve_alike() -> None:
    policy = RandomPolicy()
    policy.reset("Go", seed=1)
    thrown = Counter(word for _ in range(2000) for word in policy.predict(LOOK))
    assert set(thrown) == set(ACTIONS)
    expected = 2000 * CHUNK_LENGTH / len(ACTIONS)
    chi_square = sum((count - expected) ** 2 / expected for count in thrown.values())
    assert chi_square < 31.3  # the 0.1% point for 11 degrees of freedom


def test_random_repeats_under_a_seed_and_differs_without() -> None:
    policy, runs = RandomPolicy(), []
    for seed in (1, 1, 2, None, None):
        policy.reset("Go", seed=seed)
        runs.append([policy.predict(LOOK).actions for _ in range(5)])
    assert runs[0] == runs[1]
    assert len({str(run) for run in runs}) == 4


WALKS = [["w"] * 10 + ["left"] * 5, ["right"] * 9, ["s"] * 3 + ["none"] * 14 + ["d"] * 2]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_walks(tmp_path_factory.mktemp("sessions"), WALKS)


@pytest.mark.parametrize("execute", [1, 3, 7])
@pytest.mark.parametrize("seed", [1, 0])
def test_replay_plays_the_take_of_the_open_level_word_by_word(
    arena: gym.Env[Any, Any], session: Path, seed: int, execute: int
) -> None:
    result = run_episode(arena, ReplayPolicy(session), seed=seed, execute=execute)
    words = WALKS[seed]
    assert list(result.actions[: len(words)]) == words
    assert set(result.actions[len(words) :]) == {"none"}
    assert result.declared


def test_replay_plays_a_pause_without_declaring(arena: gym.Env[Any, Any], session: Path) -> None:
    result = run_episode(arena, ReplayPolicy(session), seed=2, execute=1)
    assert list(result.actions[:19]) == WALKS[2]
    assert result.invalid == 8  # the ticks from which seven none follow
    assert result.declared


def test_replay_without_a_matching_take_goes_through_them_in_order(session: Path) -> None:
    policy = ReplayPolicy(session)
    firsts = []
    for _ in range(4):
        policy.reset("Go")
        firsts.append(policy.predict(LOOK)[0])
    assert firsts == ["w", "right", "s", "w"]


def test_replay_without_an_environment_takes_chunks_as_played_whole(session: Path) -> None:
    policy = ReplayPolicy(session)
    policy.reset("Go")
    assert policy.predict(LOOK).actions == ("w",) * 7
    assert policy.predict(Observation(FRAME, "Go", ("w", "w"))).actions == (
        "w",
        "w",
        "w",
        "left",
        "left",
        "left",
        "left",
    )
    assert policy.predict(LOOK).actions == ("left", *["none"] * 6)
    assert policy.predict(LOOK).done


def test_a_pause_is_no_reply_where_nobody_is_attached(session: Path) -> None:
    policy = ReplayPolicy(session)
    for _ in range(3):
        policy.reset("Go")
    policy.predict(LOOK)
    with pytest.raises(InvalidReply, match="pauses here"):
        policy.predict(LOOK)


def test_a_pause_passes_a_tick_at_a_time_where_nobody_is_attached(session: Path) -> None:
    policy = ReplayPolicy(session)
    for _ in range(3):
        policy.reset("Go")
    policy.predict(LOOK)
    for _ in range(3):  # 14 none, 4 of them in the first chunk; seven of none follow from the next 3 + 1 on
        with pytest.raises(InvalidReply):
            policy.predict(LOOK)
    with pytest.raises(InvalidReply):
        policy.predict(LOOK)
    assert policy.predict(LOOK).actions == (*["none"] * 6, "d")


def test_what_the_expert_recorded_wins_again(arena: gym.Env[Any, Any], tmp_path: Path) -> None:
    won = run_episode(arena, load_policy("expert"), seed=0, execute=1)
    assert won.success
    replay = load_policy(f"replay:{record_walks(tmp_path, [won.actions])}")
    again = run_episode(arena, replay, seed=0)
    assert again.success
    assert again.reached_step == won.reached_step


def test_a_folder_that_is_no_session_says_so(tmp_path: Path) -> None:
    with pytest.raises(SessionError):
        load_policy(f"replay:{tmp_path}")
