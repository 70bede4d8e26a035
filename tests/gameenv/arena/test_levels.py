import re
from dataclasses import replace

import pytest

from gameenv.arena.conditions import DoorOpened, Near, OnPlatform
from gameenv.arena.engine.slots import SLOT_BYTES
from gameenv.arena.levels import SPLITS, Level
from gameenv.arena.state import ArenaState
from gameenv.arena.steplimit import step_limit
from gameenv.arena.tasks import ALL, TASKS, level
from gameenv.arena.world.nav import NavGrid
from gameenv.errors import InvalidInputError, UnknownNameError
from tests.gameenv.arena.ground import can_stand


def start_state(level: Level) -> ArenaState:
    """The state in which a level starts, doors closed."""
    ceilings = tuple(float(region.ceiling) for region in level.plan.regions)
    return ArenaState(level.start.x, level.start.y, 0.0, level.start.angle, 0.0, 0.0, 0.0, 100.0, ceilings=ceilings)


@pytest.mark.parametrize("task", [*TASKS, ALL])
def test_a_level_is_a_pure_function_of_what_names_it(task: str) -> None:
    first = [level(task, "train", seed) for seed in range(5)]
    again = [level(task, "train", seed) for seed in reversed(range(5))][::-1]
    assert first == again
    assert len({made.textmap for made in first}) == 5


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_no_two_splits_share_a_level(task: str) -> None:
    texts = [level(task, split, seed).textmap for split in SPLITS for seed in range(200)]
    assert len(set(texts)) == len(texts)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_levels_are_fair(task: str) -> None:
    """No start satisfies its goal; every start is in the room; there is a way; the text fits; the limit is sane."""
    for seed in range(100):
        made = level(task, "validation", seed)
        assert can_stand(NavGrid(made.plan, ()), made.start.x, made.start.y)
        assert not made.condition.holds(start_state(made))
        assert made.route
        assert made.goal
        assert made.goal[0].isupper()
        assert len(made.textmap) < SLOT_BYTES
        assert 100 < step_limit(made) < 400
        assert step_limit(made, fps=20) == pytest.approx(2 * step_limit(made), abs=1)
        assert sum(thing.kind == 1 for thing in made.plan.things) == 1


def test_the_goal_text_matters() -> None:
    """A torch of another colour than the goal's stands in every torch level, other lights in every lantern level."""
    torches, lights = {"red": 46, "green": 45, "blue": 44}, {46, 45, 44, 85, 35, 70}
    colours = set()
    for seed in range(50):
        made = level("go-to-torch", "train", seed)
        found = re.search(r"the (red|green|blue) torch", made.goal)
        assert found
        colours.add(found[1])
        kinds = [thing.kind for thing in made.plan.things]
        assert kinds.count(torches[found[1]]) == 1
        assert {torches[other] for other in torches if other != found[1]} & set(kinds)
        lantern = level("go-to-lantern", "train", seed)
        assert lights & {thing.kind for thing in lantern.plan.things}
    assert colours == set(torches)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_family_has_several_phrasings(task: str) -> None:
    goals = {level(task, "train", seed).goal for seed in range(60)}
    assert len(goals) >= 4
    assert all(2 <= len(goal.split()) <= 6 for goal in goals)


def test_starts_face_all_ways() -> None:
    angles = [level("open-door", "train", seed).start.angle for seed in range(60)]
    assert all(any(low <= angle < low + 90 for angle in angles) for low in range(0, 360, 90))


def test_names_that_do_not_exist_are_refused() -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'climb-stairs'"):
        level("climb-stair", "train", 0)
    with pytest.raises(UnknownNameError, match="train, validation, test"):
        level("climb-stairs", "valid", 0)
    for seed in (-1, 1.0, "1", True):
        with pytest.raises(InvalidInputError, match="whole number from 0"):
            level("climb-stairs", "train", seed)  # pyright: ignore[reportArgumentType]


def test_conditions_judge_by_the_state() -> None:
    state = ArenaState(100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 100.0, ceilings=(128.0, 0.0))
    assert Near(100, 228, 128).holds(state)
    assert not Near(100, 229, 128).holds(state)
    stairs = OnPlatform(left=90, bottom=90, right=110, upper=110, z=64)
    assert not stairs.holds(state)
    assert stairs.holds(replace(state, z=64.0))
    assert not stairs.holds(replace(state, z=64.0, x=111.0))
    assert not DoorOpened(1).holds(state)
    assert DoorOpened(1).holds(replace(state, ceilings=(128.0, 56.0)))
