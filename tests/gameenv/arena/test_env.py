import warnings
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from gameenv.actions import action_index
from gameenv.arena.env import ArenaEnv
from gameenv.arena.player.expert import Expert
from gameenv.arena.tasks import ALL, TASKS
from gameenv.errors import InvalidInputError

MakeArena = Callable[..., ArenaEnv]
NONE, W, LEFT, ENTER = (action_index(word) for word in ("none", "w", "left", "enter"))
INFO = {
    "goal": str,
    "tick": int,
    "t_ns": int,
    "held": tuple,
    "late": bool,
    "focused": bool,
    "new_frame": bool,
    "key_events": tuple,
    "goal_reached": bool,
    "level": str,
    "split": str,
    "player": dict,
}


def play_to_the_goal(env: ArenaEnv, seed: int, options: dict[str, Any] | None = None) -> dict[str, Any]:
    """Let the expert play until it lets go, and the player come to rest without a ``none``; returns the last info."""
    _, info = env.reset(seed=seed, options=options)
    expert = Expert()
    expert.attach(env)
    expert.reset(info["goal"], seed=seed)
    while (word := expert.act()[0]) != "none" or not env.level.condition.holds(env.state):
        env.step(action_index(word))
    for _ in range(12):  # crouching moves neither the player nor where he looks
        info = env.step(action_index("c"))[4]
    assert info["goal_reached"]
    return info


def hold(env: ArenaEnv, word: str, ticks: int) -> dict[str, Any]:
    """Hold a key; returns the last info."""
    return [env.step(action_index(word))[4] for _ in range(ticks)][-1]


@pytest.mark.slow
@pytest.mark.parametrize("task", [ALL, "climb-stairs"])
def test_gymnasium_s_checker_has_nothing_to_say(task: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("gameenv/Arena-v0", task=task, frame_size=(128, 72), render_mode="rgb_array")
        check_env(env.unwrapped)
        env.close()


@pytest.mark.parametrize("task", TASKS)
def test_info_has_all_keys_of_the_right_types(make_arena: MakeArena, task: str) -> None:
    env = make_arena(task)
    infos = [env.reset(seed=3)[1], env.step(W)[4], env.step(LEFT)[4], env.step(NONE)[4]]
    for tick, info in enumerate(infos):
        assert {key: type(value) for key, value in info.items()} == INFO
        assert info["tick"] == tick
        assert info["t_ns"] == tick * 100_000_000
        assert (info["late"], info["focused"]) == (False, True)
        assert info["level"] == f"validation/{task}/3/g2"
        assert info["split"] == "validation"
        assert info["goal"] == env.level.goal
        assert list(info["player"]) == ["x", "y", "z", "angle", "pitch", "health"]
        assert all(isinstance(value, float) for value in info["player"].values())
    assert (infos[0]["held"], infos[0]["key_events"], infos[0]["new_frame"]) == ((), (), True)
    assert infos[0]["player"]["health"] == 100


def test_key_events_pair_presses_with_releases_at_the_last_grab(make_arena: MakeArena) -> None:
    env = make_arena()
    env.reset(seed=0)
    steps = [env.step(action)[4] for action in (W, W, LEFT, NONE, NONE, ENTER)]
    assert [info["held"] for info in steps] == [("w",), ("w",), ("left",), (), (), ("enter",)]
    period = 100_000_000
    assert [info["key_events"] for info in steps] == [
        ((0, "w", True),),
        (),
        ((2 * period, "w", False), (2 * period, "left", True)),
        ((3 * period, "left", False),),
        (),
        ((5 * period, "enter", True),),
    ]
    _, info = env.reset(seed=0)
    assert (info["held"], info["key_events"]) == ((), ())


def test_observations_are_the_space_s_and_belong_to_the_caller(make_arena: MakeArena) -> None:
    env = make_arena()
    frame, _ = env.reset(seed=0)
    kept = frame.copy()
    assert frame in env.observation_space
    assert (frame.dtype, frame.shape, frame.flags.owndata, frame.flags.writeable) == (
        np.uint8,
        (144, 256, 3),
        True,
        True,
    )
    for _ in range(12):
        following, *_ = env.step(LEFT)
        assert not np.shares_memory(frame, following)
    assert np.array_equal(frame, kept)
    assert len(np.unique(frame)) > 10  # it is a picture, if of a grey room


def test_new_frame_says_whether_the_picture_changed(make_arena: MakeArena) -> None:
    env = make_arena("open-door")  # few things that move by themselves
    seen = set()
    for seed in range(6):
        last, _ = env.reset(seed=seed)
        for word in ("none", "none", "none", "left", "left", "none", "none", "none"):
            frame, _, _, _, info = env.step(action_index(word))
            assert info["new_frame"] == (not np.array_equal(frame, last))
            seen.add(info["new_frame"])
            last = frame
    assert seen == {True, False}


def test_seven_none_with_the_goal_holding_end_the_episode_with_the_reward(make_arena: MakeArena) -> None:
    env = make_arena()
    play_to_the_goal(env, 0)
    outcomes = [env.step(NONE)[1:4] for _ in range(7)]
    assert outcomes == [(0.0, False, False)] * 6 + [(1.0, True, False)]
    with pytest.raises(InvalidInputError, match="call reset"):
        env.step(NONE)


def test_who_says_otherwise_when_it_is_done_may_wait_at_the_goal(make_arena: MakeArena) -> None:
    env = make_arena()
    play_to_the_goal(env, 0, {"ends_when_declared": False})
    outcomes = [env.step(NONE)[1:4] for _ in range(20)]
    assert outcomes == [(0.0, False, False)] * 20
    play_to_the_goal(env, 0)
    hold(env, "none", 7)
    with pytest.raises(InvalidInputError, match="call reset"):
        env.step(NONE)


def test_none_far_from_the_goal_ends_nothing(make_arena: MakeArena) -> None:
    env = make_arena()
    env.reset(seed=1)
    outcomes = [env.step(NONE)[1:4] for _ in range(30)]
    assert outcomes == [(0.0, False, False)] * 30


def test_none_before_the_goal_holds_do_not_count_against_later_ones(make_arena: MakeArena) -> None:
    env = make_arena()
    env.reset(seed=2)
    for _ in range(9):
        assert env.step(NONE)[1:4] == (0.0, False, False)
    expert = Expert()
    expert.attach(env)
    expert.reset(env.level.goal)
    reward = 0.0
    for _ in range(150):
        _, reward, terminated, _, _ = env.step(action_index(expert.act()[0]))
        if terminated:
            break
    assert reward == 1.0


def test_a_place_must_hold_but_an_event_latches(make_arena: MakeArena) -> None:
    env = make_arena("go-to-lantern")
    play_to_the_goal(env, 0)
    assert not hold(env, "s", 25)["goal_reached"]
    env = make_arena("open-door")
    play_to_the_goal(env, 0)
    assert hold(env, "s", 25)["goal_reached"]


def test_the_step_limit_truncates(make_arena: MakeArena) -> None:
    env = make_arena(max_steps=5)
    env.reset(seed=0)
    outcomes = [env.step(W)[1:4] for _ in range(5)]
    assert outcomes == [(0.0, False, False)] * 4 + [(0.0, False, True)]
    with pytest.raises(InvalidInputError, match="the episode is over"):
        env.step(W)
    env.reset(seed=0)
    assert env.step(W)[3] is False


def test_the_default_step_limit_is_a_few_times_what_the_expert_needs(make_arena: MakeArena) -> None:
    for task in TASKS:
        env = make_arena(task)
        for seed in range(3):
            play_to_the_goal(env, seed)
            assert env.episode is not None
            assert 1.2 * (env.tick + 7) < env.episode.judge.max_steps < 400


@pytest.mark.slow
def test_death_ends_the_episode_without_reward(make_arena: MakeArena) -> None:
    env = make_arena()
    frame, _ = env.reset(seed=0)
    env._engine._game.send_game_command("kill")  # pyright: ignore (nothing here kills)
    frame, reward, terminated, truncated, info = env.step(NONE)
    while not terminated:
        assert (reward, truncated) == (0.0, False)
        frame, reward, terminated, truncated, info = env.step(NONE)
    assert (reward, truncated) == (0.0, False)
    assert info["player"]["health"] == 0
    assert frame in env.observation_space
    _, info = env.reset(seed=0)
    assert info["player"]["health"] == 100
