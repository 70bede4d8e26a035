"""Pits: a part of a room that lies far below the rest, without a way up. Knows nothing of goals."""

from dataclasses import dataclass, replace
from random import Random

from gameenv.arena.world import decor
from gameenv.arena.world.geometry import CELL, Point
from gameenv.arena.world.rooms import SIDES, NoPlaceError, Room

_STRIP = 3
"""Cells of open floor before the edge that one looks over."""


@dataclass(frozen=True, slots=True)
class Pit:
    """A sunken rectangle.

    Attributes:
        depth: How far below the room's floor it lies, map units.
        edge: The middle of the edge to look over, map units.
        inward: From that edge into the pit: (dx, dy), one of them 0.
        wide, deep: Its size along that edge and away from it, map units.
    """

    depth: int
    edge: Point
    inward: tuple[int, int]
    wide: int
    deep: int

    def point(self, beyond: float, aside: float) -> Point:
        """The point so far beyond the edge (before it where negative) and so far to the side of its middle."""
        dx, dy = self.inward
        return self.edge[0] + dx * beyond + dy * aside, self.edge[1] + dy * beyond + dx * aside


def dig_pit(rng: Random, room: Room) -> Pit:
    """Sink seven to ten by seven to nine cells of the floor by 96 to 128 units.

    Raises:
        NoPlaceError: If there is no such rectangle of open floor with a strip of it before the edge.
    """
    wide, deep, depth = rng.randint(7, 10), rng.randint(7, 9), rng.choice((96, 112, 128))
    for dx, dy in rng.sample(SIDES, 4):
        width, height = (wide, deep) if dy else (deep, wide)
        for column, row in _shuffled(rng, room, width, height):
            strip = column - dx * _STRIP, row - dy * _STRIP
            if _is_floor(room, column, row, width, height) and _is_floor(room, *strip, width, height):
                _sink(rng, room, (column, row, width, height), depth)
                edge = (column + (1 - dx) * width / 2) * CELL, (row + (1 - dy) * height / 2) * CELL
                return Pit(depth, edge, (dx, dy), wide * CELL, deep * CELL)
    raise NoPlaceError("pit")


def _shuffled(rng: Random, room: Room, width: int, height: int) -> list[tuple[int, int]]:
    """Where in the room a rectangle of so many cells can begin, in random order."""
    columns = range(room.column, room.column + room.width - width + 1)
    rows = range(room.row, room.row + room.height - height + 1)
    return rng.sample(places := [(column, row) for column in columns for row in rows], len(places))


def _is_floor(room: Room, column: int, row: int, width: int, height: int) -> bool:
    cells = ((column + i, row + j) for i in range(width) for j in range(height))
    return all(room.plan.at(*cell) == room.base for cell in cells)


def _sink(rng: Random, room: Room, rect: tuple[int, int, int, int], depth: int) -> None:
    """Lower a rectangle of cells; its walls are the risers of the floor around it."""
    style = room.plan.regions[room.base]
    sunken = replace(style, floor=-depth, floor_flat=rng.choice(decor.FLOORS), light=rng.choice((192, 224)))
    room.plan.regions[room.base] = replace(style, riser=rng.choice(decor.WALLS))
    room.plan.fill(*rect, room.plan.add_region(sunken))
