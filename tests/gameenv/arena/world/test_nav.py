import math
from itertools import pairwise

import numpy as np
import pytest

from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Region, Thing
from gameenv.arena.world.nav import SPACING, NavGrid
from tests.gameenv.arena.ground import can_stand

MARGIN = 4


def room(columns: int = 16, rows: int = 12) -> FloorPlan:
    plan = FloorPlan(columns + 2 * MARGIN, rows + 2 * MARGIN)
    plan.fill(MARGIN, MARGIN, columns, rows, plan.add_region(region()))
    return plan


def region(floor: int = 0, ceiling: int = 192) -> Region:
    return Region(floor, ceiling, "FLAT1", "FLAT1", "BRICK1")


def at(column: float, row: float) -> tuple[float, float]:
    """A point in map units from cells of the room."""
    return (MARGIN + column) * CELL, (MARGIN + row) * CELL


def walled_room() -> FloorPlan:
    """A wall from the south up to two cells below the north wall."""
    plan = room()
    plan.fill(MARGIN + 8, MARGIN, 1, 10, VOID)
    return plan


def stairs_room(steps: int = 4) -> FloorPlan:
    """A flight going up to the west wall in the middle of the room, four cells wide."""
    plan = room()
    for step in range(steps):
        plan.fill(MARGIN, MARGIN + 4, 6 - step, 4, plan.add_region(region(floor=16 * (step + 1))))
    return plan


def test_one_cannot_stand_in_walls_or_too_near_them() -> None:
    nav = NavGrid(room(), ())
    assert can_stand(nav, *at(8, 6))
    assert not can_stand(nav, *at(-1, 6))
    assert not can_stand(nav, at(0, 6)[0] + 8, at(0, 6)[1])
    assert can_stand(nav, at(0, 6)[0] + 24, at(0, 6)[1])


def test_one_cannot_stand_where_the_ceiling_is_low_or_a_door_is_closed() -> None:
    plan = room()
    plan.fill(MARGIN + 6, MARGIN + 4, 4, 4, plan.add_region(region(ceiling=40)))
    assert not can_stand(NavGrid(plan, ()), *at(8, 6))


def test_a_straight_line_is_clear_unless_something_is_in_the_way() -> None:
    here, there = at(2, 6), at(14, 6)
    assert NavGrid(room(), ()).clear_line(here, there)
    assert not NavGrid(walled_room(), ()).clear_line(here, there)
    pillar = Thing(30, int(at(8, 6)[0]), int(at(8, 6)[1]))
    assert not NavGrid(room(), [pillar]).clear_line(here, there)
    assert NavGrid(room(), [pillar]).clear_line(here, at(2, 10))


def test_distances_go_round_walls() -> None:
    here, there = at(4, 2), at(12, 2)
    free = NavGrid(room(), ())
    straight = free.distances_to(*there, within=16)[free.node(*here)]
    assert straight == pytest.approx(math.dist(here, there), abs=2 * SPACING)
    walled = NavGrid(walled_room(), ())
    around = walled.distances_to(*there, within=16)[walled.node(*here)]
    assert around > 1.5 * straight
    assert walled.has_way(here, there, 16)


def test_without_a_way_the_distance_is_infinite() -> None:
    plan = room()
    plan.fill(MARGIN + 8, MARGIN, 1, 12, VOID)
    nav = NavGrid(plan, ())
    field = nav.distances_to(*at(12, 6), within=16)
    assert np.isinf(field[nav.node(*at(4, 6))])
    assert not nav.has_way(at(4, 6), at(12, 6), 16)
    assert nav.has_way(at(14, 2), at(12, 6), 16)


def test_stopping_early_gives_the_same_distance() -> None:
    nav = NavGrid(walled_room(), ())
    whole, early = (nav.distances_to(*at(12, 2), within=16, until=until) for until in (None, at(6, 8)))
    node = nav.node(*at(6, 8))
    assert early[node] == whole[node]
    assert np.isinf(early).sum() > np.isinf(whole).sum()


def test_the_way_leads_down_the_distance_and_arrives() -> None:
    nav = NavGrid(walled_room(), ())
    field = nav.distances_to(*at(12, 2), within=16)
    way = nav.descend(field, *at(4, 2), steps=200)
    lengths = [field[nav.node(*point)] for point in way]
    assert lengths == sorted(lengths, reverse=True)
    assert math.dist(way[-1], at(12, 2)) < 32
    assert all(can_stand(nav, *point) for point in way)


def test_stairs_are_climbed_from_their_foot_and_not_over_the_flank() -> None:
    nav = NavGrid(stairs_room(), ())
    top = at(1.5, 6)
    assert nav.floor_at(*top) == 64
    assert nav.clear_line(at(12, 6), top)
    beside = at(3, 1.5)
    assert not nav.clear_line(beside, top)
    field = nav.distances_to(*top, within=16)
    assert field[nav.node(*beside)] > 2 * math.dist(beside, top)
    way = nav.descend(field, *beside, steps=200, careful=True)
    heights = [nav.floor_at(*point) for point in way]
    assert heights[-1] == 64
    assert max(abs(a - b) for a, b in pairwise(heights)) <= 24
    first_step = next(point for point, height in zip(way, heights, strict=True) if height)
    assert at(0, 4.5)[1] < first_step[1] < at(0, 7.5)[1]  # well between the flanks


def test_whoever_was_pushed_against_a_flank_is_led_away_on_the_same_floor() -> None:
    nav = NavGrid(stairs_room(), ())
    field = nav.distances_to(*at(1.5, 6), within=16)
    x, y = at(4.5, 4)
    pushed = x, y - 16  # the player's box touches the flank of the second step
    assert not can_stand(nav, *pushed)
    way = nav.descend(field, *pushed, steps=3, careful=True)
    assert way
    assert all(nav.floor_at(*point) == 0 for point in way)
