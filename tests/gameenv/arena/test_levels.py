import hashlib
import re
from dataclasses import replace

import pytest

from gameenv.arena.conditions import DoorOpened, Near, OnPlatform
from gameenv.arena.geometry import CELL
from gameenv.arena.levels import GENERATOR_VERSION, SPLITS, Level
from gameenv.arena.nav import NavGrid
from gameenv.arena.slots import SLOT_BYTES
from gameenv.arena.state import ArenaState
from gameenv.arena.steplimit import step_limit
from gameenv.arena.tasks import ALL, TASKS, level
from gameenv.errors import InvalidInputError, UnknownNameError

GOLDEN = {
    "train/go-to-lantern/0/g1": "478d9708dfda2aea0495c2ab2d5a565e2588122f78c53289dce15689d560f8a0",
    "validation/go-to-lantern/7/g1": "c0f8244d7172236d38014c1d7feee6f7d669aa6e6a44df846112917a45a62046",
    "test/go-to-lantern/12345/g1": "bbe74034ea97e112f716e474c871238544bc42c73e538e938f6698a7fefd67b0",
    "train/go-to-torch/0/g1": "fe6433b51d80995c9f5bfc9cb9b04b0bcc17e9576fcd78ad5f17bc2e2f00aca6",
    "validation/go-to-torch/7/g1": "02ebd044b24b6e7b79cf4e955d3d5da4bc9e2dd25f07a48a681fbf0a58ef3e0f",
    "test/go-to-torch/12345/g1": "05271320c3fda5ff4a284844a560ce799adfc179ae2ea4dc9894626a090eab28",
    "train/open-door/0/g1": "53bbc33e0badccd25dce647f7cd937489120b3349c9f122c5f89467fa0f7df67",
    "validation/open-door/7/g1": "021e873e8c4f6806072cbfc83c05e1b6f17aa481337188981156902b16030152",
    "test/open-door/12345/g1": "a42fd653dff240a6937ace2620a378245cd2d113e304bfdd796687571449fb90",
    "train/climb-stairs/0/g1": "4db38d28104bbbb7d3dc970446f9303c8e850d16b30ce787ca13747e97c5efc1",
    "validation/climb-stairs/7/g1": "3e2d43436420f800d10f930813c6374bc87a50a942d09bc4266cb16b4120a6c4",
    "test/climb-stairs/12345/g1": "0133ead869decab48aded2fcc0b89cf021528fab39264be4252ea6b71d745ce0",
}
"""SHA-256 of levels as they were first played. Recordings and tables name levels, so a level never changes: whatever
would change one of these needs a new ``GENERATOR_VERSION`` and golden values of its own."""


def start_state(level: Level) -> ArenaState:
    """The state in which a level starts, doors closed."""
    ceilings = tuple(float(region.ceiling) for region in level.plan.regions)
    return ArenaState(level.start.x, level.start.y, 0.0, level.start.angle, 0.0, 0.0, 0.0, 100.0, ceilings)


@pytest.mark.parametrize("name", GOLDEN)
def test_levels_stay_what_they_were(name: str) -> None:
    split, task, seed, version = name.split("/")
    assert version == f"g{GENERATOR_VERSION}"
    made = level(task, split, int(seed))
    assert made.id == name
    assert hashlib.sha256(made.textmap.encode()).hexdigest() == GOLDEN[name]


@pytest.mark.parametrize("task", [*TASKS, ALL])
def test_a_level_is_a_pure_function_of_what_names_it(task: str) -> None:
    first = [level(task, "train", seed) for seed in range(5)]
    again = [level(task, "train", seed) for seed in reversed(range(5))][::-1]
    assert first == again
    assert len({made.textmap for made in first}) == 5


@pytest.mark.parametrize("task", TASKS)
def test_no_two_splits_share_a_level(task: str) -> None:
    texts = [level(task, split, seed).textmap for split in SPLITS for seed in range(200)]
    assert len(set(texts)) == len(texts)


@pytest.mark.parametrize("task", TASKS)
def test_levels_are_fair(task: str) -> None:
    """No start satisfies its goal; every start is in the room; there is a way; the text fits; the limit is sane."""
    for seed in range(100):
        made = level(task, "validation", seed)
        region = made.plan.at(made.start.x // CELL, made.start.y // CELL)
        assert region == 0  # the room's own floor
        assert NavGrid(made.plan, ()).is_free(made.start.x, made.start.y)
        assert not made.condition.holds(start_state(made))
        assert made.route
        assert made.goal
        assert made.goal[0].isupper()
        assert len(made.textmap) < SLOT_BYTES
        assert 100 < step_limit(made) < 300
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
    state = ArenaState(100.0, 100.0, 0.0, 0.0, 0.0, 0.0, 0.0, 100.0, (128.0, 0.0))
    assert Near(100, 228, 128).holds(state)
    assert not Near(100, 229, 128).holds(state)
    stairs = OnPlatform(left=90, bottom=90, right=110, upper=110, z=64)
    assert not stairs.holds(state)
    assert stairs.holds(replace(state, z=64.0))
    assert not stairs.holds(replace(state, z=64.0, x=111.0))
    assert not DoorOpened(1).holds(state)
    assert DoorOpened(1).holds(replace(state, ceilings=(128.0, 56.0)))
    assert DoorOpened(1).latches
    assert not Near(0, 0, 1).latches
