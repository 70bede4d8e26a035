"""What the arena is asked for: options, seeds, sizes and rates, good ones and bad ones."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from gameenv.actions import ACTIONS, action_index
from gameenv.arena.env import ArenaEnv
from gameenv.arena.tasks import ALL, TASKS, level
from gameenv.arena.tics import tics_in
from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.frames import FrameSpec

MakeArena = Callable[..., ArenaEnv]
W, LEFT = action_index("w"), action_index("left")


@pytest.mark.parametrize("action", [-1, 12, 1.0, "w", None, [1], True])
def test_bad_actions_are_refused_and_change_nothing(make_arena: MakeArena, action: object) -> None:
    env = make_arena()
    env.reset(seed=0)
    with pytest.raises(InvalidInputError, match="whole number from 0 to 11"):
        env.step(action)  # pyright: ignore[reportArgumentType]
    assert env.tick == 0
    assert env.step(np.int64(3))[4]["held"] == (ACTIONS[3],)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("seed", [-1, 1.5, "3", True, np.int64(-1), np.float64(3), np.True_])
def test_bad_seeds_are_refused(make_arena: MakeArena, seed: object) -> None:
    with pytest.raises(InvalidInputError, match="a seed is a whole number from 0"):
        make_arena().reset(seed=seed)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"task": "go-to-lanten"}, "Did you mean 'go-to-lantern'"),
        ({"split": "dev"}, "train, validation, test"),
        ({"frame_size": (8, 8)}, "at least 16x16"),
        ({"frame_size": (100.5, 100)}, "whole numbers"),
        ({"frame_size": (512, 288, 3)}, "width, height"),
        ({"fit": "crop"}, "letterbox, stretch"),
        ({"fps": 0}, "1 to 35"),
        ({"fps": 36}, "1 to 35"),
        ({"max_steps": 0}, "at least 1"),
        ({"max_steps": 2.5}, "at least 1"),
        ({"render_mode": "human"}, "rgb_array"),
    ],
)
def test_bad_options_are_refused_before_an_engine_starts(options: dict[str, Any], message: str) -> None:
    with pytest.raises((InvalidInputError, UnknownNameError), match=message):
        ArenaEnv(**options)


def test_nothing_can_be_asked_before_the_first_reset() -> None:
    env = ArenaEnv()
    for ask in (lambda: env.level, lambda: env.state, lambda: env.step(0)):
        with pytest.raises(InvalidInputError, match="reset"):
            ask()
    assert env.render() is None
    env.close()


@pytest.mark.parametrize("seed", [2**31 - 1, 2**31, 2**32 - 1, 2**63, 10**40])
def test_any_whole_number_from_0_names_a_level(make_arena: MakeArena, seed: int) -> None:
    env = make_arena()
    frame, info = env.reset(seed=seed)
    assert info["level"] == f"validation/go-to-lantern/{seed}/g2"
    again, _ = env.reset(seed=seed)
    assert np.array_equal(frame, again)


@pytest.mark.parametrize("kind", [np.int64, np.uint32, np.uint8, np.array])
def test_numpy_s_numbers_are_seeds_too(make_arena: MakeArena, kind: Callable[[int], int]) -> None:
    env = make_arena()
    env.reset(seed=kind(7))
    assert type(env.level.seed) is int
    assert env.level.id == "validation/go-to-lantern/7/g2"
    assert env.level == level("go-to-lantern", "validation", kind(7))


def test_numpy_s_numbers_are_a_frame_size_and_a_step_limit_too() -> None:
    env = ArenaEnv("open-door", frame_size=(np.int64(64), np.int32(36)), max_steps=np.int64(2))  # pyright: ignore
    assert env.frame_spec == FrameSpec(64, 36)
    assert type(env.frame_spec.width) is int
    env.reset(seed=0)
    assert [env.step(W)[3] for _ in range(2)] == [False, True]
    env.close()


def test_a_single_level_can_be_of_another_family(make_arena: MakeArena) -> None:
    env = make_arena()
    assert env.reset(seed=3, options={"task": "open-door"})[1]["level"] == "validation/open-door/3/g2"
    assert env.reset(seed=3)[1]["level"] == "validation/go-to-lantern/3/g2"
    with pytest.raises(UnknownNameError, match="Did you mean 'open-door'"):
        env.reset(options={"task": "open-dor"})
    with pytest.raises(InvalidInputError, match="call reset"):
        env.step(W)


def test_the_goal_can_be_put_in_other_words(make_arena: MakeArena) -> None:
    env = make_arena()
    _, info = env.reset(seed=0, options={"goal": "Walk over to the lamp"})
    assert info["goal"] == env.step(W)[4]["goal"] == "Walk over to the lamp"
    assert env.reset(seed=0)[1]["goal"] == env.level.goal


@pytest.mark.slow
def test_all_draws_every_task_and_its_levels_are_the_tasks_own(make_arena: MakeArena) -> None:
    env = make_arena(ALL)
    drawn = {}
    for seed in range(24):
        frame, info = env.reset(seed=seed)
        drawn.setdefault(env.level.task, (seed, frame, info))
    assert set(drawn) == set(TASKS)
    for task, (seed, frame, info) in drawn.items():
        own_frame, own_info = make_arena(task).reset(seed=seed)
        assert np.array_equal(frame, own_frame)
        assert info == own_info


def test_other_shapes_are_letterboxed_or_stretched(make_arena: MakeArena) -> None:
    boxed, _ = make_arena(frame_size=(192, 192)).reset(seed=0)
    assert boxed.shape == (192, 192, 3)
    assert not boxed[:42].any()
    assert not boxed[-42:].any()
    assert boxed[42:-42].mean() > 10
    stretched, _ = make_arena(frame_size=(192, 192), fit="stretch").reset(seed=0)
    assert stretched[:42].mean() > 10


@pytest.mark.parametrize(
    ("fps", "tics"), [(35, [1] * 7), (7, [5] * 7), (10, [3, 4, 3, 4, 3, 4, 3]), (20, [1, 2, 2, 2, 1, 2, 2])]
)
def test_the_engine_s_tics_are_shared_among_the_ticks(make_arena: MakeArena, fps: float, tics: list[int]) -> None:
    env = make_arena(fps=fps)
    env.reset(seed=0)
    assert [tics_in(tick, fps) for tick in range(7)] == tics
    assert sum(tics_in(tick, fps) for tick in range(round(fps) * 4)) == 140
    assert env.fps == fps
    assert env.step(W)[4]["t_ns"] == round(1e9 / fps)


def test_the_same_time_passes_at_any_rate(make_arena: MakeArena) -> None:
    places = []
    for fps in (5, 10, 35):
        env = make_arena(fps=fps)
        env.reset(seed=5)
        for _ in range(fps):
            env.step(W)
        places.append((env.state.x, env.state.y))
    assert places[0] == places[1] == places[2]


def test_render_gives_the_last_frame(make_arena: MakeArena) -> None:
    env = make_arena(render_mode="rgb_array")
    env.reset(seed=0)
    frame, *_ = env.step(LEFT)
    shown = env.render()
    assert shown is not None
    assert np.array_equal(shown, frame)
    assert not np.shares_memory(shown, frame)


@pytest.mark.slow
def test_closing_twice_is_fine_and_reset_opens_again() -> None:
    env = ArenaEnv("open-door", frame_size=(128, 72))
    first, _ = env.reset(seed=4)
    env.close()
    env.close()
    with pytest.raises(InvalidInputError, match="reset"):
        env.step(0)
    again, _ = env.reset(seed=4)
    assert np.array_equal(first, again)
    env.close()
