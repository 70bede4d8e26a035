"""Goals of looking: at posters on walls, high and low, and at a lantern down in a pit."""

import math
import random
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from gameenv.actions import action_index
from gameenv.arena.aim import pitch_to
from gameenv.arena.conditions import Looks, LooksAtOne
from gameenv.arena.env import ArenaEnv
from gameenv.arena.judge import Judge
from gameenv.arena.levels import Level
from gameenv.arena.player.expert import Expert
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.look import Look
from gameenv.arena.player.walker import MAX_DOWN_DEG, MAX_UP_DEG
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState
from gameenv.arena.tasks import level
from gameenv.arena.world.geometry import Panel
from gameenv.arena.world.nav import NavGrid
from gameenv.arena.world.pictures import HIGH_POSTERS, POSTERS
from tests.gameenv.arena.ground import can_stand

MakeArena = Callable[..., ArenaEnv]
AT = 0.0, 0.0, 41.0
FRONT = Looks(*AT, 40, 160, side=(0, 1))
NAMED = "(moon|ship|tree|heart|sun)"
HIGH_WORDS = r"\b(up|high|above)\b"
CODES = {picture.code: (picture, False) for picture in POSTERS.values()}
CODES |= {picture.code: (picture, True) for picture in HIGH_POSTERS.values()}
"""The end of a texture's name to its picture, and whether it hangs high."""


def standing(x: float, y: float, angle: float = 90.0, pitch: float = 0.0, z: float = 0.0) -> ArenaState:
    """A player at rest, facing north."""
    return ArenaState(x, y, z, angle, pitch, 0.0, 0.0, 100.0)


def facing(at: tuple[float, float, float], x: float, y: float, pitch: float | None = None) -> ArenaState:
    """A player at rest who looks at a point, as far as the engine lets him; or turned to it, at a given pitch."""
    state = standing(x, y, math.degrees(math.atan2(at[1] - y, at[0] - x)) % 360)
    return replace(state, pitch=min(max(pitch_to(state, at), -MAX_UP_DEG), MAX_DOWN_DEG) if pitch is None else pitch)


def levels(goal: str, task: str = "check-posters", seeds: int = 80) -> Iterator[Level]:
    """Levels whose goal matches."""
    drawn = (level(task, "validation", seed) for seed in range(seeds))
    return (made for made in drawn if re.search(goal, made.goal))


def before(panel: Panel, distance: float) -> tuple[float, float]:
    """The point so far squarely before a picture."""
    (x, y), (dx, dy) = panel.middle, panel.side
    return x - dx * distance, y - dy * distance


def views(panel: Panel) -> Iterator[ArenaState]:
    """Players before a picture, turned to it, looking up and down."""
    for distance in range(24, 300, 8):
        for pitch in range(-32, 56, 4):
            yield facing((*panel.middle, 0.0), *before(panel, distance), pitch)


def wanted(made: Level) -> tuple[Looks, ...]:
    """The looks that count."""
    assert isinstance(made.condition, LooksAtOne)
    return made.condition.looks


@pytest.mark.parametrize(
    ("state", "holds"),
    [
        (standing(0, -100), True),
        (standing(0, -40), True),
        (standing(0, -39), False),  # too near
        (standing(0, -160), True),
        (standing(0, -161), False),  # too far
        (standing(0, -100, angle=101), True),
        (standing(0, -100, angle=103), False),
        (standing(0, -100, angle=79), True),
        (standing(0, -100, angle=270), False),
        (standing(0, -100, pitch=11), True),
        (standing(0, -100, pitch=13), False),
        (standing(0, -100, pitch=-13), False),
        (facing(AT, 70, -70), True),
        (facing(AT, 80, -60), False),  # along the wall
        (facing(AT, 0, 100), False),  # from behind it
    ],
)
def test_a_look_needs_the_place_and_both_angles(state: ArenaState, holds: bool) -> None:
    assert FRONT.holds(state) == holds
    assert LooksAtOne((Looks(900, 900, 0, 0, 1), FRONT)).holds(state) == holds


def test_a_look_from_a_height_is_lost_below() -> None:
    below = Looks(0, 0, -60, 0, 200, lowest=-1)
    assert below.holds(facing((0, 0, -60), 100, 0))
    assert below.holds(facing((0, 0, -60), 0, 100))  # from any side
    assert not below.holds(facing((0, 0, -60), 100, 0, pitch=0))
    assert not below.holds(replace(facing((0, 0, -60), 100, 0), z=-2.0))


def test_a_look_must_last_half_a_second() -> None:
    made = next(levels("poster$"))
    look = wanted(made)[0]
    x, y = look.x - look.side[0] * 120, look.y - look.side[1] * 120
    there = facing((look.x, look.y, look.z), x, y)
    away = replace(there, angle=(there.angle + 30) % 360)
    judge = Judge(made, fps=10)
    seen = [there] * 4 + [away] + [there] * 7 + [away]
    reached = [judge.look(state, tick)["goal_reached"] for tick, state in enumerate(seen)]
    assert reached == [False] * 10 + [True] * 2 + [False]


@pytest.mark.slow
def test_only_the_poster_that_the_goal_names_counts() -> None:
    others = 0
    for made in levels(NAMED):
        (look,) = wanted(made)
        names = [CODES[panel.texture[-2:]][0].name for panel in made.plan.panels]
        assert len(set(names)) == len(names) >= 2
        for panel, name in zip(made.plan.panels, names, strict=True):
            picture, high = CODES[panel.texture[-2:]]
            is_it = panel.middle == (look.x, look.y)
            assert (name in made.goal) == is_it
            assert any(look.holds(state) for state in views(panel)) == is_it
            if is_it:
                assert look.z == picture.z
                assert high == bool(re.search(HIGH_WORDS, made.goal))
            others += not is_it
    assert others > 50


def test_any_poster_counts_where_the_goal_names_none() -> None:
    found = list(levels("posters| a poster"))
    assert len(found) > 10
    for made in found:
        for panel in made.plan.panels:
            assert any(made.condition.holds(state) for state in views(panel))


def test_high_posters_hang_over_the_heads_and_need_up() -> None:
    found = list(levels(HIGH_WORDS))
    assert len(found) > 10
    for made in found:
        (look,) = wanted(made)
        assert made.plan.regions[0].ceiling >= look.z + 24
        for aside in (-60, 0, 60):
            for distance in range(108, 212, 8):
                x = look.x - look.side[0] * distance + look.side[1] * aside
                y = look.y - look.side[1] * distance + look.side[0] * aside
                assert look.holds(facing((look.x, look.y, look.z), x, y))  # 32 degrees up are enough
                assert not look.holds(facing((look.x, look.y, look.z), x, y, pitch=0))


def test_posters_at_eye_height_are_seen_straight_ahead() -> None:
    for made in levels(f"(Check|Find|Go see) the {NAMED} poster$"):
        (look,) = wanted(made)
        x, y = look.x - look.side[0] * 90, look.y - look.side[1] * 90
        assert look.holds(facing((look.x, look.y, look.z), x, y, pitch=0))
        assert not look.holds(facing((look.x, look.y, look.z), x, y, pitch=-20))


def test_the_lantern_below_needs_down_and_the_terrace() -> None:
    found = list(levels("below|down", "go-to-lantern", 200))
    assert 20 <= len(found) <= 65
    for made in found:
        look = made.condition
        assert isinstance(look, Looks)
        (leg,) = made.route
        there = facing((look.x, look.y, look.z), *leg.begins.place)
        assert look.holds(there)
        assert not look.holds(replace(there, pitch=0.0))
        pit = made.plan.region_at(look.x, look.y)
        assert pit is not None
        assert pit.floor <= -96
        assert not any(look.holds(replace(there, z=float(pit.floor), pitch=float(pitch))) for pitch in range(-32, 56))
        nav = NavGrid(made.plan, ())
        assert can_stand(nav, look.x, look.y)
        assert not nav.has_way((made.start.x, made.start.y), (look.x, look.y), 16)  # nor a way back up


def test_the_edge_does_not_hide_the_lantern_below() -> None:
    """From the farthest place that counts, the line from the eyes to the lantern's upper half passes over the edge."""
    for made in levels("below|down", "go-to-lantern", 200):
        look = made.condition
        assert isinstance(look, Looks)
        (leg,) = made.route
        away = math.dist(leg.begins.place, (look.x, look.y))
        ux, uy = (leg.begins.place[0] - look.x) / away, (leg.begins.place[1] - look.y) / away
        for along in range(int(away)):
            floor = made.plan.region_at(look.x + ux * along, look.y + uy * along)
            assert floor is not None
            assert floor.floor <= look.z + 20 + (41.0 - look.z - 20) * along / look.farthest + 1


def next_word(leg: Look, state: ArenaState) -> tuple[str, ...]:
    """What a leg does now, in an empty plan's way."""
    made = next(levels("poster"))
    return leg.next(Way(NavGrid(made.plan, ()), random.Random(0)), state).words


def test_a_looker_corrects_its_place_then_its_view() -> None:
    leg = Look(Stop((600, 500), 60), at=(600.0, 590.0, 41.0), side=(0, 1), nearest=70)
    assert next_word(leg, standing(600, 530)) == ("s",)
    assert next_word(leg, standing(560, 500)) == ("d",)
    assert next_word(leg, standing(640, 500)) == ("a",)
    assert next_word(leg, standing(600, 500, angle=120)) == ("right",)
    assert next_word(leg, standing(600, 500, angle=78)) == ("left",)
    assert next_word(leg, standing(600, 500, pitch=20)) == ("up",)
    assert next_word(replace(leg, at=(600.0, 590.0, -30.0)), standing(600, 500)) == ("down",)
    assert next_word(leg, standing(600, 500)) == ()


@pytest.mark.parametrize(
    ("task", "goal", "key"), [("check-posters", HIGH_WORDS, "up"), ("go-to-lantern", "below|down", "down")]
)
def test_without_tilting_the_view_nobody_gets_there(make_arena: MakeArena, task: str, goal: str, key: str) -> None:
    env = make_arena(task)
    for made in list(levels(goal, task))[:4]:
        for allowed in (True, False):
            _, info = env.reset(seed=made.seed)
            expert = Expert()
            expert.attach(env)
            expert.reset(info["goal"], seed=0)
            over, reached = False, False
            while not over:
                word = expert.act()[0]
                word = "enter" if word == key and not allowed else word
                _, _, terminated, truncated, info = env.step(action_index(word))
                over, reached = terminated or truncated, reached or info["goal_reached"]
            assert reached == allowed
