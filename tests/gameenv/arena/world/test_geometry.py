import re
from collections.abc import Callable, Iterator

import pytest

from gameenv.arena.env import ArenaEnv
from gameenv.arena.tasks import TASKS, level
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Region, Thing, textmap

MakeArena = Callable[..., ArenaEnv]


def blocks(text: str, kind: str) -> list[dict[str, str]]:
    """The blocks of one kind of a UDMF text, in order."""
    return [dict(re.findall(r"(\w+)=([^;]*);", body)) for body in re.findall(rf"^{kind}{{(.*)}}$", text, re.MULTILINE)]


def region(floor: int = 0, ceiling: int = 128, door_speed: int = 0) -> Region:
    return Region(floor, ceiling, "FLAT1", "FLAT1", "BRICK1", door_speed=door_speed)


def two_rooms() -> FloorPlan:
    plan = FloorPlan(8, 6)
    first, second = plan.add_region(region()), plan.add_region(region(floor=16))
    plan.fill(1, 1, 3, 4, first)
    plan.fill(4, 1, 3, 2, second)
    return plan


def borders(plan: FloorPlan) -> Iterator[tuple[int, int]]:
    """The pair of regions at every unit border of the grid at which they differ."""
    for row in range(plan.rows + 1):
        for column in range(plan.columns + 1):
            here = plan.at(column, row)
            for other in (plan.at(column - 1, row), plan.at(column, row - 1)):
                if here != other:
                    yield here, other


def check(plan: FloorPlan, text: str) -> None:
    """Every reference of a text is to something that exists, and its lines are the plan's borders."""
    vertices, lines = blocks(text, "vertex"), blocks(text, "linedef")
    sides, sectors = blocks(text, "sidedef"), blocks(text, "sector")
    assert text.startswith('namespace="ZDoom";')
    assert len(sectors) == len(plan.regions)
    assert all(0 <= int(side["sector"]) < len(sectors) for side in sides)
    used, length = [], 0
    for line in lines:
        start, end = vertices[int(line["v1"])], vertices[int(line["v2"])]
        across, along = float(end["x"]) - float(start["x"]), float(end["y"]) - float(start["y"])
        assert (across == 0) != (along == 0)
        length += abs(across) + abs(along)
        used.append(int(line["sidefront"]))
        assert ("sideback" in line) == (line.get("twosided") == "true") == (line.get("blocking") != "true")
        if "sideback" in line:
            used.append(int(line["sideback"]))
        # The front lies to the right of the way from start to end.
        middle = (float(start["x"]) + float(end["x"])) / 2, (float(start["y"]) + float(end["y"])) / 2
        size = abs(across) + abs(along)
        right = middle[0] + along / size * CELL / 2, middle[1] - across / size * CELL / 2
        assert plan.at(int(right[0] // CELL), int(right[1] // CELL)) == int(sides[int(line["sidefront"])]["sector"])
    assert sorted(used) == list(range(len(sides)))  # no side belongs to two lines, none is left over
    assert length == CELL * len(list(borders(plan)))


def test_a_plan_becomes_lines_round_its_regions() -> None:
    plan = two_rooms()
    plan.things.append(Thing(1, 64, 64, 90))
    text = textmap(plan)
    check(plan, text)
    assert len(blocks(text, "linedef")) == 8
    assert sum("sideback" in line for line in blocks(text, "linedef")) == 1
    (thing,) = blocks(text, "thing")
    assert (thing["type"], thing["x"], thing["angle"]) == ("1", "64.0", "90")


def test_a_door_is_used_from_the_room_s_side() -> None:
    plan = two_rooms()
    plan.fill(4, 1, 3, 2, plan.add_region(region(ceiling=0, door_speed=32)))
    text = textmap(plan)
    check(plan, text)
    (line,) = (line for line in blocks(text, "linedef") if "sideback" in line)
    sides = blocks(text, "sidedef")
    assert (sides[int(line["sidefront"])]["sector"], sides[int(line["sideback"])]["sector"]) == ("0", "2")
    assert (line["special"], line["arg1"], line["playeruse"]) == ("11", "32", "true")


def test_outside_the_grid_is_void() -> None:
    plan = two_rooms()
    assert plan.at(-1, 0) == plan.at(8, 0) == plan.at(0, 6) == plan.at(0, 0) == VOID
    assert plan.region_at(0, 0) is None
    assert plan.region_at(2 * CELL, 2 * CELL) is plan.regions[0]


@pytest.mark.parametrize("task", TASKS)
def test_generated_levels_are_sound(task: str) -> None:
    for seed in range(40):
        made = level(task, "train", seed)
        check(made.plan, made.textmap)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_the_engine_opens_them_where_the_plan_says(make_arena: MakeArena, task: str) -> None:
    env = make_arena(task, "train")
    for seed in range(40):
        frame, info = env.reset(seed=seed)
        start = env.level.start
        assert (info["player"]["x"], info["player"]["y"], info["player"]["z"]) == (start.x, start.y, 0.0)
        assert info["player"]["angle"] == pytest.approx(start.angle, abs=0.1)
        assert frame.std() > 2  # a room, not one colour
        if "sectors" in env.level.watches:
            assert env.state.ceilings == tuple(float(region.ceiling) for region in env.level.plan.regions)
