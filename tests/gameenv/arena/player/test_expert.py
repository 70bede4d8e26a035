import re
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import groupby

import numpy as np
import pytest

from gameenv.actions import ACTIONS, NONE, Action, action_index
from gameenv.arena.conditions import Within
from gameenv.arena.env import ArenaEnv
from gameenv.arena.player.expert import Expert
from gameenv.arena.player.walker import Walker
from gameenv.arena.tasks import TASKS
from gameenv.arena.tics import tics_in
from gameenv.arena.world.nav import NavGrid
from gameenv.errors import InvalidInputError
from policies.base import MAX_PLAYED, Observation

MakeArena = Callable[..., ArenaEnv]
LEVELS = 12
"""Levels a task and noise; 200 each were played when it was written, and all were solved."""
FRAME = np.zeros((144, 256, 3), np.uint8)
LOOK = Observation(FRAME, "Go")


def begin(env: ArenaEnv, seed: int, noise: float = 0.0) -> Expert:
    _, info = env.reset(seed=seed)
    expert = Expert(noise)
    expert.attach(env)
    expert.reset(info["goal"], seed=seed)
    return expert


def play(env: ArenaEnv, seed: int, noise: float = 0.0) -> tuple[bool, list[tuple[Action, str]]]:
    """Whether the expert won a level tick by tick, and what it did."""
    expert = begin(env, seed, noise)
    acts: list[tuple[Action, str]] = []
    while True:
        acts.append(expert.act())
        _, reward, terminated, truncated, _ = env.step(action_index(acts[-1][0]))
        if terminated or truncated:
            return reward == 1.0, acts


def play_chunks(env: ArenaEnv, seed: int, execute: int) -> bool:
    """Whether it wins with chunks: its declaration, played whole, must hold."""
    expert = begin(env, seed)
    played: list[Action] = []
    while True:
        chunk = expert.predict(Observation(FRAME, "Go", played=tuple(played[-MAX_PLAYED:])))
        for word in chunk if chunk.done else chunk.actions[:execute]:
            played.append(word)
            _, reward, terminated, truncated, _ = env.step(action_index(word))
            if terminated or truncated:
                return reward == 1.0
        if chunk.done:
            return False


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.1])
@pytest.mark.parametrize("task", TASKS)
def test_it_solves_every_level(make_arena: MakeArena, task: str, noise: float) -> None:
    env = make_arena(task)
    played = [play(env, seed, noise) for seed in range(LEVELS)]
    assert [seed for seed, (won, _) in enumerate(played) if not won] == []
    assert {word for _, acts in played for word, _ in acts} <= set(ACTIONS)


@pytest.mark.parametrize("seed", [43, 127, 196])
def test_stairs_seen_from_the_side_are_walked_round(make_arena: MakeArena, seed: int) -> None:
    """Here the shortest way led over the flank of the first steps, where the player's box catches."""
    assert play(make_arena("climb-stairs"), seed)[0]


@pytest.mark.slow
@pytest.mark.parametrize("execute", [1, 3, 7])
@pytest.mark.parametrize("task", TASKS)
def test_chunks_win_however_many_actions_are_played(make_arena: MakeArena, task: str, execute: int) -> None:
    env = make_arena(task)
    assert [seed for seed in range(6) if not play_chunks(env, seed, execute)] == []


@pytest.mark.slow
@pytest.mark.parametrize("execute", [1, 7])
@pytest.mark.parametrize("task", ["go-to-lantern", "check-posters"])
def test_at_high_rates_it_does_not_declare_before_the_goal_has_held_long_enough(
    make_arena: MakeArena, task: str, execute: int
) -> None:
    """There the player still glides while it says that it is done."""
    env = make_arena(task, fps=35)
    assert [seed for seed in range(LEVELS) if not play_chunks(env, seed, execute)] == []


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.1, 0.3])
def test_about_the_share_of_noise_asked_for_is_marked(make_arena: MakeArena, noise: float) -> None:
    acts = [act for task in TASKS for seed in range(LEVELS) for act in play(make_arena(task), seed, noise)[1]]
    share = Counter(source for _, source in acts)["noise"] / len(acts)
    assert 0.6 * noise < share < 1.3 * noise


@pytest.mark.slow
def test_without_noise_nothing_is_marked_but_getting_free(make_arena: MakeArena) -> None:
    acts = [act for task in TASKS for seed in range(LEVELS) for act in play(make_arena(task), seed)[1]]
    assert sum(source == "noise" for _, source in acts) < 0.01 * len(acts)


def test_it_ends_with_seven_none_and_searches_by_turning_right(make_arena: MakeArena) -> None:
    env = make_arena()
    for seed in range(4):
        won, acts = play(env, seed)
        words = " ".join(word for word, _ in acts)
        assert won
        assert re.search(r"[^e]( none){7}$", words)


def test_one_whose_way_did_not_lead_to_the_goal_never_says_that_it_is_done(make_arena: MakeArena) -> None:
    env = make_arena("go-to-lantern")
    env.reset(seed=0)
    assert env.episode is not None
    env.episode = replace(env.episode, level=replace(env.level, condition=Within(-2, -2, -1, -1)))
    expert = Expert()
    expert.attach(env)
    expert.reset(env.level.goal)
    words: list[Action] = []
    over = False
    while not over:
        words.append(expert.act()[0])
        *_, over, _ = env.step(action_index(words[-1]))
    runs = [len(list(run)) for word, run in groupby(words) if word == NONE]
    assert max(runs) == 6
    assert len(runs) > 3


def test_the_seed_repeats_the_noise(make_arena: MakeArena) -> None:
    env = make_arena()
    assert play(env, 3, 0.3) == play(env, 3, 0.3)
    assert play(env, 3, 0.3)[1] != play(env, 4, 0.3)[1]


@pytest.mark.parametrize("task", TASKS)
def test_a_chunk_foresees_where_the_player_will_be(make_arena: MakeArena, task: str) -> None:
    """Played whole, a chunk is nearly what acting tick by tick would have done."""
    env = make_arena(task)
    for seed in range(4):
        chunk = begin(env, seed).predict(LOOK)
        expert = begin(env, seed)
        words = []
        for _ in range(7):
            words.append(expert.act()[0])
            env.step(action_index(words[-1]))
        assert sum(one == other for one, other in zip(chunk, words, strict=True)) >= 6


def has_room(env: ArenaEnv, reach: float = 128.0) -> bool:
    """Whether nothing stands in the way around the start."""
    nav, x, y = NavGrid(env.level.plan, env.level.plan.things[:-1]), env.state.x, env.state.y
    corners = [(x + dx, y + dy) for dx in (-reach, reach) for dy in (-reach, reach)]
    return all(nav.clear_line((x, y), corner) for corner in corners)


@pytest.mark.parametrize("word", ["w", "s", "a", "d", "left", "right", "up", "down", "c", "none", "enter"])
def test_the_walker_moves_as_the_engine_does(make_arena: MakeArena, word: Action) -> None:
    env = make_arena()
    for seed in range(99):
        env.reset(seed=seed)
        if has_room(env):
            break
    # From the first tic on, and after a turn.
    walker = Walker(env.state, 0, 0)
    for held in ("right", "right", word, word, word):
        walker = walker.hold(held, tics_in(env.tick, env.fps))
        env.step(action_index(held))
    assert walker.state.x == pytest.approx(env.state.x, abs=0.5)
    assert walker.state.y == pytest.approx(env.state.y, abs=0.5)
    assert walker.state.angle == pytest.approx(env.state.angle, abs=0.1)
    assert walker.state.vx == pytest.approx(env.state.vx, abs=0.1)
    assert walker.state.pitch == pytest.approx(env.state.pitch, abs=0.1)
    if word in {"c", "none"}:  # the eyes of a player who walks go up and down
        assert walker.state.eyes == pytest.approx(env.state.eyes, abs=2)


def test_noise_never_declares_in_predict(make_arena: MakeArena) -> None:
    env = make_arena()
    for seed in range(4):
        begin(env, seed)
        expert = Expert(0.5)
        expert.attach(env)
        expert.reset("Go to the lantern", seed=seed)
        for _ in range(40):
            assert not expert.predict(LOOK).done  # the player has not moved: the goal is far


def test_a_chunk_begins_with_what_is_committed(make_arena: MakeArena) -> None:
    expert = begin(make_arena(), 0)
    for count in range(7):
        promised = ACTIONS[1 : 1 + count]
        assert expert.predict(Observation(FRAME, "Go", promised)).actions[:count] == promised
    assert not expert.predict(Observation(FRAME, "Go", (NONE,) * 6)).done


def test_it_refuses_what_no_policy_can_use(make_arena: MakeArena) -> None:
    env = make_arena()
    expert = Expert()
    with pytest.raises(InvalidInputError, match="attach"):
        expert.reset("Go to the lantern")
    with pytest.raises(InvalidInputError, match="attach"):
        expert.act()
    env.reset(seed=0)
    expert.attach(env)
    with pytest.raises(InvalidInputError, match="reset"):
        expert.predict(LOOK)
    for goal in ("", "  ", None):
        with pytest.raises(InvalidInputError, match="short sentence"):
            expert.reset(goal)  # pyright: ignore[reportArgumentType]


def test_it_plays_the_arena_only() -> None:
    import gymnasium as gym  # noqa: PLC0415

    with pytest.raises(InvalidInputError, match="built-in arena only"):
        Expert().attach(gym.make("CartPole-v1"))


@pytest.mark.slow
@pytest.mark.parametrize("noise", [-0.1, 0.6])
def test_noise_out_of_range_is_refused(noise: float) -> None:
    with pytest.raises(InvalidInputError, match=r"from 0 to 0\.5"):
        Expert(noise)
