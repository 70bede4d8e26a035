"""The map of a level shows what is there, where it is."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
import pytest

from gameenv.arena import tasks
from gameenv.arena.atlas import marks
from gameenv.arena.atlas.chart import Scale
from gameenv.arena.atlas.map import draw_map, way
from gameenv.arena.atlas.names import panel_picture, thing_name
from gameenv.arena.conditions import Near
from gameenv.arena.levels import Level
from gameenv.arena.player.legs.leg import Stop, end_of
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.state import ArenaState
from gameenv.arena.world.decor import LANTERN
from gameenv.arena.world.geometry import CELL, PLAYER_START, FloorPlan, Panel, Region, Thing
from gameenv.arena.world.pictures import BUTTON, HIGH_POSTERS, panel_texture

STATE = ArenaState(x=0, y=0, z=0, angle=0, pitch=0, vx=0, vy=0, health=100, ceilings=())
FLOOR = Region(0, 128, "FLAT1", "FLAT1", "BRICK1")
LOW, HIGH, DOOR, SUNK = 1, 2, 3, 4


def hall() -> Level:
    """A bare hall of 20 by 10 cells: a low passage, a platform, a door and a pit, and the lantern."""
    plan = FloorPlan(24, 14)
    plan.add_region(FLOOR)
    plan.add_region(replace(FLOOR, ceiling=40))
    plan.add_region(replace(FLOOR, floor=96, ceiling=224))
    plan.add_region(replace(FLOOR, ceiling=0, door_speed=32))
    plan.add_region(replace(FLOOR, floor=-64))
    plan.fill(2, 2, 20, 10, 0)
    plan.fill(2, 8, 4, 4, LOW)
    plan.fill(8, 8, 4, 4, HIGH)
    plan.fill(14, 11, 4, 1, DOOR)
    plan.fill(19, 8, 3, 4, SUNK)
    plan.things.append(Thing(LANTERN.kind, 12 * CELL, 5 * CELL))
    level = tasks.level("go-to-lantern", "train", 0)
    start = Thing(PLAYER_START, 4 * CELL, 4 * CELL, 90)
    condition = Near(12 * CELL, 5 * CELL, 96.0)
    leg = Walk(Stop((12 * CELL, 5 * CELL), 56.0))
    return replace(level, plan=plan, start=start, condition=condition, route=(leg,))


class Drawn:
    """A map, and its colours by cell."""

    def __init__(self, level: Level, **options: object) -> None:
        self.pixels = np.asarray(draw_map(level, **options)).astype(int)  # type: ignore[arg-type]
        self.scale = Scale.of(level.plan)

    def colour(self, column: float, row: float) -> tuple[int, ...]:
        x, y = self.scale.at(column * CELL, row * CELL)
        return tuple(self.pixels[int(y), int(x)])


def near(one: tuple[int, ...], other: tuple[int, ...], tolerance: int = 12) -> bool:
    return all(abs(a - b) <= tolerance for a, b in zip(one, other, strict=True))


def test_it_is_as_large_as_the_level_and_north_is_up() -> None:
    drawn = Drawn(hall())
    assert drawn.pixels.shape == (12 * 14, 22 * 14, 3), "a cell of rock around 20 by 10 cells"
    assert near(drawn.colour(15.5, 11.5), marks.DOOR)
    assert drawn.scale.at(0, 11.5 * CELL)[1] < drawn.scale.at(0, 2.5 * CELL)[1]


def test_floors_are_coloured_by_their_height_and_rock_is_grey() -> None:
    drawn = Drawn(hall())
    assert near(drawn.colour(18.2, 3.4), marks.floor_colour(0))
    assert near(drawn.colour(8.5, 8.5), marks.floor_colour(96))
    assert near(drawn.colour(20.5, 8.5), marks.floor_colour(-64))
    assert near(drawn.colour(1.5, 5.5), marks.ROCK)
    assert len({marks.floor_colour(height) for height in range(-160, 260, 8)}) > 50


def test_heights_count_from_the_start() -> None:
    level = hall()
    plan = level.plan
    plan.regions = [replace(region, floor=region.floor + 200, ceiling=region.ceiling + 200) for region in plan.regions]
    assert near(Drawn(level).colour(18.2, 3.4), marks.floor_colour(0))


def test_only_what_is_too_low_to_stand_in_is_hatched() -> None:
    drawn = Drawn(hall())

    def dark(column: int, row: int) -> float:
        (left, bottom), (right, top) = drawn.scale.corner(column, row), drawn.scale.corner(column + 1, row + 1)
        part = drawn.pixels[int(top) + 2 : int(bottom) - 2, int(left) + 2 : int(right) - 2]
        return float((part.sum(axis=-1) < 500).mean())

    assert dark(3, 9) > 0.1
    assert dark(16, 6) == 0
    assert dark(20, 8) == 0


def test_walls_are_darker_than_drops_and_drops_than_steps() -> None:
    level = hall()
    level.plan.add_region(replace(FLOOR, floor=16))
    level.plan.fill(15, 3, 3, 3, 5)
    drawn = Drawn(level)

    def border(column: float, row: float) -> int:
        """The darkest pixel across a border that runs north."""
        return min(sum(drawn.colour(column + off, row)) for off in np.linspace(-0.2, 0.2, 9))

    wall, drop, step, floor = border(2, 6.5), border(8, 9.5), border(15, 4.5), border(18.6, 6.5)
    assert wall < drop < step < floor


def test_the_start_is_an_arrow_that_points_where_the_player_looks() -> None:
    drawn = Drawn(hall())
    assert near(drawn.colour(4, 4.4), marks.START)
    assert not near(drawn.colour(4, 3.6), marks.START), "it looks north"


def test_where_the_goal_holds_is_shaded_if_the_state_is_known() -> None:
    plain, shaded = Drawn(hall()), Drawn(hall(), state=STATE)
    inside, outside = (12.5, 2.9), (12.5, 8.9)
    assert plain.colour(*inside) != shaded.colour(*inside)
    assert plain.colour(*outside) == shaded.colour(*outside)
    assert shaded.colour(*inside)[1] > shaded.colour(*inside)[0] + 30, "green"


def test_a_walked_way_is_drawn() -> None:
    points = [(6.0 * CELL, 3.0 * CELL), (18.0 * CELL, 3.0 * CELL)]
    assert near(Drawn(hall(), walked=points).colour(9.03, 3.03), marks.WALKED, 80)
    assert not near(Drawn(hall()).colour(9.03, 3.03), marks.WALKED, 80)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_every_family_draws_and_every_thing_has_a_name(task: str) -> None:
    for seed in range(5):
        level = tasks.level(task, "train", seed)
        assert draw_map(level).size == Scale.of(level.plan).size
        names = [thing_name(thing.kind) for thing in level.plan.things if thing.kind != PLAYER_START]
        assert not [name for name in names if name.startswith("thing ")], (
            "give it a name in gameenv/arena/world/decor.py"
        )
        assert all(panel_picture(panel.texture) for panel in level.plan.panels)


def test_things_and_pictures_have_the_names_of_their_definitions() -> None:
    assert thing_name(LANTERN.kind) == "lantern"
    assert thing_name(32123) == "thing 32123"
    assert panel_picture(panel_texture("WOOD5", BUTTON)) is BUTTON
    assert panel_picture(panel_texture("BRICK4", HIGH_POSTERS["moon"])) is HIGH_POSTERS["moon"]
    assert panel_picture("BRICK4") is None


def test_a_switch_is_red_on_its_wall_and_what_it_opens_is_a_door() -> None:
    level = hall()
    level.plan.add_region(replace(FLOOR, ceiling=0, tag=1))
    level.plan.fill(22, 4, 1, 2, 5)
    level.plan.panels.append(Panel(((2, 4), (2, 5)), (-1, 0), panel_texture("BRICK4", BUTTON), opens=1))
    drawn = Drawn(level)
    assert near(drawn.colour(2.12, 5), marks.SWITCH, 40)
    assert near(drawn.colour(22.5, 5.5), marks.DOOR)


@dataclass(frozen=True)
class LooksAt:
    """Looks north-west, and up."""

    latches: bool = False
    for_s: float = 0.0

    def holds(self, state: ArenaState) -> bool:
        return 100 < state.angle < 170 and state.pitch < -5


def test_where_a_look_counts_is_shaded_too() -> None:
    level = replace(hall(), condition=LooksAt())
    level.plan.panels.append(Panel(((6, 11), (7, 11)), (0, 1), panel_texture("BRICK4", HIGH_POSTERS["moon"])))
    shaded = Drawn(level, state=STATE)
    assert shaded.colour(13.5, 8.5)[1] > shaded.colour(13.5, 8.5)[0] + 30, "east of the poster one looks north-west"
    assert near(shaded.colour(3.5, 6.5), marks.floor_colour(0)), "west of it one does not"


@pytest.mark.parametrize("task", ["go-to-torch", "open-door", "climb-stairs"])
def test_the_way_leads_from_the_start_around_all_walls(task: str) -> None:
    bends = 0
    for seed in range(20):
        level = tasks.level(task, "train", seed)
        points = way(level)
        assert points[0] == (level.start.x, level.start.y)
        assert points[-1] == end_of(level.route[-1])
        bends += len(points) > 2
        for (x0, y0), (x1, y1) in pairwise(points):
            for share in np.linspace(0, 1, 30):
                assert level.plan.region_at(x0 + (x1 - x0) * share, y0 + (y1 - y0) * share) is not None
    assert bends, "some of the ways are not straight"
