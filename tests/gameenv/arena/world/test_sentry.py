"""The guard catches whom it sees and nobody else, and walks its beat as foreseen."""

import math
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gameenv.actions import action_index
from gameenv.arena.conditions import Within
from gameenv.arena.engine.engine import Engine
from gameenv.arena.env import ArenaEnv
from gameenv.arena.judge import Judge
from gameenv.arena.levels import Level
from gameenv.arena.player.expert import Expert
from gameenv.arena.player.legs.leg import end_of
from gameenv.arena.player.legs.lurk import Lurk
from gameenv.arena.tasks import level, slip_past_guard
from gameenv.arena.world import sentry
from gameenv.arena.world.geometry import PLAYER_START, VOID, FloorPlan, Region, Thing, textmap
from gameenv.arena.world.sentry import Beat, Pose
from gameenv.arena.world.sight import Sight

MakeArena = Callable[..., ArenaEnv]
ROOT = Path(__file__).resolve().parents[3]
TASK = slip_past_guard.NAME
MIDDLE = 640


def yard() -> FloorPlan:
    """One room of 36 by 36 cells."""
    plan = FloorPlan(40, 40)
    region = plan.add_region(Region(0, 144, "FLOOR4_8", "CEIL3_5", "BROWN1"))
    plan.fill(2, 2, 36, 36, region)
    return plan


def guarded(plan: FloorPlan, guard: Thing, x: float, y: float) -> Level:
    """A level with the guard and the player in it, and with nothing to do."""
    plan.things[:] = [guard, Thing(PLAYER_START, round(x), round(y))]
    nowhere = Within(0, 0, 0, 0)
    return Level(
        TASK, "train", 0, plan, plan.things[1], "Hide", nowhere, (), False, 0.0, frozenset({"actors"}), textmap(plan)
    )


def standing(angle: int = 0) -> Thing:
    """A guard who only stands there."""
    return Thing(sentry.KIND, MIDDLE, MIDDLE, angle, args=(0, 0, 30_000, 5))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    calm = guarded(yard(), standing(), 200, MIDDLE)
    engine = Engine(calm, (256, 144))
    engine.open(calm)
    yield engine
    engine.close()


def is_caught(engine: Engine, plan: FloorPlan, x: float, y: float, angle: int = 0) -> bool:
    engine.open(guarded(plan, standing(angle), x, y))
    engine.advance("none", 2)
    return engine.state.health <= 0


def around(distance: float, degrees: float) -> tuple[float, float]:
    return (
        MIDDLE + distance * math.cos(math.radians(degrees)),
        MIDDLE + distance * math.sin(math.radians(degrees)),
    )


def test_who_is_caught_before_the_first_frame_sees_one_of_the_level_and_is_dead() -> None:
    made = guarded(yard(), standing(), *around(200, 0))
    engine = Engine(made, (256, 144))
    engine.open(made)
    assert engine.state.health == 0
    assert (engine.state.x, engine.state.y) == around(200, 0)
    assert engine.frame.shape == (144, 256, 3)
    engine.advance("none", 3)
    assert engine.state.health == 0
    engine.open(guarded(yard(), standing(), 200, MIDDLE))
    assert engine.state.health == 100
    engine.close()


@pytest.mark.parametrize("distance", [80, 250, 500])
@pytest.mark.parametrize("angle", [0, 90, 180, 270])
def test_it_sees_before_it_and_not_beside_or_behind(engine: Engine, distance: float, angle: int) -> None:
    plan = yard()
    assert all(is_caught(engine, plan, *around(distance, angle + off), angle) for off in (0, 30, -30, 56, -56))
    assert not any(is_caught(engine, plan, *around(distance, angle + off), angle) for off in (64, -64, 90, -90, 180))


def test_it_notices_who_touches_it_from_behind(engine: Engine) -> None:
    assert is_caught(engine, yard(), *around(sentry.TOUCH - 8, 180))
    assert not is_caught(engine, yard(), *around(sentry.TOUCH + 8, 180))


def test_walls_pillars_and_high_blocks_hide(engine: Engine) -> None:
    at = around(200, 0)
    pillar, wall, block, curb = yard(), yard(), yard(), yard()
    pillar.fill(22, 19, 1, 2, VOID)
    wall.fill(22, 2, 1, 36, VOID)
    block.fill(22, 19, 1, 2, block.add_region(replace(block.regions[0], floor=64)))
    curb.fill(22, 19, 1, 2, curb.add_region(replace(curb.regions[0], floor=24)))
    assert is_caught(engine, yard(), *at)
    assert is_caught(engine, curb, *at)
    assert not any(is_caught(engine, plan, *at) for plan in (pillar, wall, block))


def test_what_can_be_seen_is_what_the_engine_says(engine: Engine) -> None:
    plan = yard()
    plan.fill(23, 18, 2, 1, VOID)
    plan.fill(22, 23, 1, 4, VOID)
    sight, pose = Sight(plan), Pose(MIDDLE, MIDDLE, 30)
    dice = np.random.default_rng(0)
    points = [around(*at) for at in zip(dice.uniform(80, 500, 60), dice.uniform(0, 360, 60), strict=True)]
    exactly, with_room = sight.seen([pose], points)[0], sight.seen([pose], points, spread=8, wider_deg=2)[0]
    told = np.array([is_caught(engine, plan, x, y, 30) for x, y in points])
    assert 10 < told.sum() < 50
    assert (told != exactly).mean() < 0.04  # lines that graze a corner
    assert not (told & ~with_room).any()


@pytest.mark.parametrize("heading", [0, 90, 180, 270])
def test_it_walks_its_beat_as_foreseen(engine: Engine, heading: int) -> None:
    beat = Beat(MIDDLE, MIDDLE, heading, strides=4, pause=20, turn=-1 if heading < 180 else 1)
    plan = yard()
    plan.fill(4, 4, 2, 34, VOID)  # the player is walled in
    engine.open(guarded(plan, beat.thing(1, back=False), 100, MIDDLE))
    phase = None
    for _ in range(beat.period * 2 // 3):
        (actor,) = engine.state.actors
        pose = Pose(actor.x, actor.y, actor.angle)
        phase = beat.phase(pose)
        if phase is not None:
            foreseen = beat.pose(phase)
            assert math.dist((pose.x, pose.y), (foreseen.x, foreseen.y)) < 1
        engine.advance("none", 3)
        if phase is None:
            continue
        (then,) = engine.state.actors
        foreseen = beat.pose(phase + 3)
        assert math.dist((then.x, then.y), (foreseen.x, foreseen.y)) < 3
        assert abs((then.angle - foreseen.angle + 180) % 360 - 180) < 11


def test_a_guard_that_stands_or_turns_does_not_say_for_how_long() -> None:
    beat = Beat(0, 0, 0, strides=10, pause=28, turn=1)
    assert beat.phase(beat.pose(100)) == pytest.approx(100)
    assert beat.phase(beat.pose(300)) == pytest.approx(300)
    walk = 10 * sentry.STRIDE_TICS
    assert beat.phase(beat.pose(walk + 4)) is None
    assert beat.phase(beat.pose(walk + 28 + 9)) is None
    assert beat.pose(beat.period / 2).angle == pytest.approx(180)
    assert beat.pose(beat.period) == beat.pose(0)


def test_no_guard_sees_the_start_or_the_hiding_place() -> None:
    for seed in range(40):
        made = level(TASK, "validation", seed)
        (lurk,) = (leg for leg in made.route if isinstance(leg, Lurk))
        poses = [*lurk.beat.poses(4)]
        spots = [(float(made.start.x), float(made.start.y)), lurk.begins.place]
        assert not Sight(made.plan).seen(poses, spots, spread=8, wider_deg=2).any()


def test_who_stays_at_the_start_is_never_caught(make_arena: MakeArena) -> None:
    env = make_arena(TASK)
    for seed in range(4):
        env.reset(seed=seed)
        for _ in range(170):  # a whole beat is some 160 ticks
            _, _, terminated, _, info = env.step(action_index("none"))
            assert not terminated
            assert info["player"]["health"] == 100


def rush(env: ArenaEnv, seed: int) -> tuple[float, dict[str, object]]:
    """Play like the expert, but without waiting for the guard to pass."""
    env.reset(seed=seed)
    made = env.level
    assert env.episode is not None
    level = replace(made, route=tuple(leg for leg in made.route if not isinstance(leg, Lurk)))
    env.episode = replace(env.episode, level=level)
    expert = Expert()
    expert.attach(env)
    expert.reset(made.goal)
    while True:
        _, reward, terminated, truncated, info = env.step(action_index(expert.act()[0]))
        if terminated or truncated:
            return reward, {**info, "terminated": terminated}


def test_who_does_not_wait_is_mostly_caught_and_that_is_the_end(make_arena: MakeArena) -> None:
    env = make_arena(TASK)
    ends = [rush(env, seed) for seed in range(12)]
    caught = [(reward, info) for reward, info in ends if env_health(info) <= 0]
    assert len(caught) >= 6
    assert all(reward == 0 and info["terminated"] and not info["goal_reached"] for reward, info in caught)


def env_health(info: dict[str, object]) -> float:
    player = info["player"]
    assert isinstance(player, dict)
    return float(player["health"])


def test_being_killed_at_the_goal_is_no_success(make_arena: MakeArena) -> None:
    env = make_arena(TASK)
    env.reset(seed=0)
    x, y = end_of(env.level.route[-1])
    there = replace(env.state, x=x, y=y)
    dead = replace(there, health=0.0)
    assert env.level.condition.holds(there)
    judge = Judge(env.level, 10)
    for tick in range(1, 7):
        judge.look(there, tick)
        assert judge.after("none", tick, there) == (0.0, False, False)
    assert not judge.look(dead, 7)["goal_reached"]
    assert judge.after("none", 7, dead) == (0.0, True, False)


def test_the_expert_waits_without_declaring(make_arena: MakeArena) -> None:
    env = make_arena(TASK)
    _, info = env.reset(seed=1)
    expert = Expert()
    expert.attach(env)
    expert.reset(info["goal"])
    words: list[str] = []
    while True:
        words.append(expert.act()[0])
        _, reward, terminated, truncated, _ = env.step(action_index(words[-1]))
        if terminated or truncated:
            break
    assert reward == 1.0
    told = " ".join(words)
    assert "none none none" in told[: -len(" none") * 8]
    assert told.index("none " * 6 + "none") == len(told) - len("none " * 6 + "none")


STEPS = """
import hashlib, random
from gameenv.arena.env import ArenaEnv
env = ArenaEnv("slip-past-guard", "train", frame_size=(128, 72))
dice, digest, steps, seed, over = random.Random(5), hashlib.sha256(), 0, 0, True
while steps < 300:
    if over:
        frame, info = env.reset(seed=seed)
        seed += 1
    frame, reward, terminated, truncated, info = env.step(dice.choice((0, 1, 1, 1, 3, 7, 8)))
    digest.update(frame.tobytes() + repr((reward, terminated, truncated, info, env.state)).encode())
    steps, over = steps + 1, terminated or truncated
print(digest.hexdigest())
env.close()
"""


@pytest.mark.slow
def test_two_processes_see_the_same_guard() -> None:
    runs = [subprocess.Popen([sys.executable, "-c", STEPS], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in "ab"]
    one, other = (run.communicate(timeout=120)[0].strip() for run in runs)
    assert one == other
    assert len(one) == 64
