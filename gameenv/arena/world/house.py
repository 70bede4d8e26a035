"""Two rooms and a passage between them: an opening, a door, or a vent to crawl through. Knows nothing of goals."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Literal

from gameenv.arena.world import decor
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Point, Region
from gameenv.arena.world.rooms import MARGIN, NoPlaceError, Room

Kind = Literal["opening", "door", "vent"]
VENT_HEIGHT = 40
"""Too low to stand in (56), high enough for a crouching player (28)."""
_WIDTH: dict[Kind, int] = {"opening": 4, "door": 4, "vent": 2}
_THICKNESS: dict[Kind, tuple[int, int]] = {"opening": (1, 2), "door": (1, 1), "vent": (3, 6)}
_CLEAR = 112
"""Map units around a passage's mouth where nothing stands."""


@dataclass(frozen=True, slots=True)
class Passage:
    """The way from one room into the other.

    Attributes:
        sector: Its region's number.
        mouth: The middle of its near end, in the plane of the wall, map units.
        exit: The middle of its far end.
        direction: The way through: (dx, dy), one of them 0.
    """

    sector: int
    mouth: Point
    exit: Point
    direction: tuple[int, int]

    def before(self, distance: float) -> Point:
        """The point so many units before the mouth."""
        return self.mouth[0] - self.direction[0] * distance, self.mouth[1] - self.direction[1] * distance

    def beyond(self, distance: float) -> Point:
        """The point so many units behind the exit."""
        return self.exit[0] + self.direction[0] * distance, self.exit[1] + self.direction[1] * distance


@dataclass(frozen=True, slots=True)
class House:
    """Two rooms on one plan."""

    near: Room
    far: Room
    passage: Passage

    @property
    def plan(self) -> FloorPlan:
        """The plan that both rooms are on."""
        return self.near.plan

    def has_another_way(self) -> bool:
        """Whether there is another way than the passage, a door's chamber say, into the far room's rectangle."""
        near, far, plan = self.near, self.far, self.plan
        seen = {(c, r) for c, r in _cells(near) if plan.at(c, r) == near.base}
        edge = list(seen)
        while edge:
            column, row = edge.pop()
            for cell in ((column + 1, row), (column - 1, row), (column, row + 1), (column, row - 1)):
                if cell not in seen and plan.at(*cell) not in (VOID, self.passage.sector):
                    seen.add(cell)
                    edge.append(cell)
        return any(cell in seen for cell in _cells(far))


def build_house(rng: Random, kind: Kind, size: tuple[int, int] = (11, 17)) -> House:
    """Two bare rooms side by side, either of them the near one, whose walls share a passage.

    Raises:
        NoPlaceError: If the dice left no wall for it.
    """
    thick, width = rng.randint(*_THICKNESS[kind]), _WIDTH[kind]
    eastward = rng.random() < 0.5  # the one room lies east of the other, else north
    shifts = rng.choice(((0, rng.randint(0, 3)), (rng.randint(0, 3), 0)))
    lengths, breadths = [rng.randint(*size) for _ in shifts], [rng.randint(*size) for _ in shifts]
    wall = MARGIN + lengths[0]
    # Along the line through both rooms, and across it.
    rects = [
        (start, MARGIN + shift, length, breadth)
        for start, shift, length, breadth in zip((MARGIN, wall + thick), shifts, lengths, breadths, strict=True)
    ]
    along = wall + thick + lengths[1] + MARGIN
    across = max(shift + breadth for shift, breadth in zip(shifts, breadths, strict=True)) + 2 * MARGIN
    plan = FloorPlan(along, across) if eastward else FloorPlan(across, along)
    rooms = [Room.lay(rng, plan, rect if eastward else _swapped(rect)) for rect in rects]
    first = MARGIN + max(shifts) + 1
    last = min(row + breadth for _, row, _, breadth in rects) - 1 - width
    if first > last:
        raise NoPlaceError(kind)
    rect = (wall, rng.randint(first, last), thick, width)
    _check_open(plan, rooms, rect, eastward=eastward)
    sector = plan.add_region(_region(rng, kind, rooms[0].style))
    plan.fill(*(rect if eastward else _swapped(rect)), sector)
    middle = (rect[1] + width / 2) * CELL
    ends = [(at * CELL, middle) if eastward else (middle, at * CELL) for at in (float(wall), float(wall + thick))]
    step = 1
    if rng.random() < 0.5:
        rooms, ends, step = rooms[::-1], ends[::-1], -1
    passage = Passage(sector, ends[0], ends[1], (step, 0) if eastward else (0, step))
    for room, (x, y) in zip(rooms, (passage.before(48), passage.beyond(48)), strict=True):
        room.keep_clear.append((x, y, _CLEAR))
    return House(rooms[0], rooms[1], passage)


def _cells(room: Room) -> Iterator[tuple[int, int]]:
    """Every cell of a room's rectangle."""
    return itertools.product(range(room.column, room.column + room.width), range(room.row, room.row + room.height))


_Rect = tuple[int, int, int, int]


def _swapped(rect: _Rect) -> _Rect:
    along, across, length, breadth = rect
    return across, along, breadth, length


def _check_open(plan: FloorPlan, rooms: list[Room], passage: _Rect, *, eastward: bool) -> None:
    """Whether there is floor at both ends of a passage.

    Raises:
        NoPlaceError: If a corner was cut away there.
    """
    along, across, length, breadth = passage
    for room, line in zip(rooms, (along - 1, along + length), strict=True):
        for at in range(across, across + breadth):
            if plan.at(*((line, at) if eastward else (at, line))) != room.base:
                raise NoPlaceError("passage")


def _region(rng: Random, kind: Kind, style: Region) -> Region:
    if kind == "opening":
        return replace(style, ceiling=112)
    if kind == "door":
        return replace(style, ceiling=0, wall=rng.choice(decor.DOORS), door_speed=64)
    return replace(style, ceiling=VENT_HEIGHT, floor_flat=rng.choice(decor.FLOORS), light=max(style.light - 64, 112))
