"""A hall with a room on each long side: in one the player starts, the other, lit green, is where to.

Laid out on squared paper with the start to the south, then turned any of the eight ways. Knows nothing of guards.
"""

from dataclasses import dataclass, replace
from random import Random

from gameenv.arena.world import decor
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Point, Region, Thing

_Cells = tuple[int, int, int, int]  # column, row, width, height

TINTS = {"green": 0x50FF50, "red": 0xFF5050, "blue": 0x6060FF}
_EDGE = 2
"""Cells of rock around it all."""


@dataclass(frozen=True, slots=True)
class Hall:
    """What came of it, in map units.

    Attributes:
        here, there: Rectangles ``(left, bottom, right, upper)`` of the room of the start and of the one to reach.
        way: Middle of the first's mouth, and the place in the hall before the other's.
        depths: Points into either room from its mouth, half a cell apart, nearest first.
        ends: The ends of the hall's long axis.
        lamp: A place by the back wall of the room to reach, beside the line of its mouth.
    """

    plan: FloorPlan
    here: tuple[float, float, float, float]
    there: tuple[float, float, float, float]
    way: tuple[Point, Point]
    depths: tuple[tuple[Point, ...], tuple[Point, ...]]
    ends: tuple[Point, Point]
    lamp: Point


@dataclass(frozen=True, slots=True)
class _Paper:
    """The plan as it is drawn upon: perhaps with its axes swapped, its columns or its rows mirrored."""

    plan: FloorPlan
    columns: int
    rows: int
    swap: bool
    flip_x: bool
    flip_y: bool

    @classmethod
    def roll(cls, rng: Random, columns: int, rows: int) -> "_Paper":
        swap, flip_x, flip_y = (rng.random() < 0.5 for _ in range(3))
        plan = FloorPlan(rows, columns) if swap else FloorPlan(columns, rows)
        return cls(plan, columns, rows, swap, flip_x, flip_y)

    def turned(self, cells: _Cells) -> _Cells:
        column, row, width, height = cells
        column = self.columns - column - width if self.flip_x else column
        row = self.rows - row - height if self.flip_y else row
        return (row, column, height, width) if self.swap else (column, row, width, height)

    def fill(self, cells: _Cells, region: int) -> None:
        self.plan.fill(*self.turned(cells), region)

    def is_rock(self, cells: _Cells) -> bool:
        """Whether nothing has been dug there; the edge of the paper does not count as rock."""
        column, row, width, height = cells
        inside = column >= 1 and row >= 1 and column + width < self.columns and row + height < self.rows
        left, bottom, across, up = self.turned(cells)
        spots = ((c, r) for c in range(left, left + across) for r in range(bottom, bottom + up))
        return inside and all(self.plan.at(*spot) == VOID for spot in spots)

    def point(self, x: float, y: float) -> Point:
        """A point drawn in cells, in map units."""
        x = self.columns - x if self.flip_x else x
        y = self.rows - y if self.flip_y else y
        return (y * CELL, x * CELL) if self.swap else (x * CELL, y * CELL)

    def bounds(self, cells: _Cells) -> tuple[float, float, float, float]:
        """Left, bottom, right and upper side of a rectangle, in map units."""
        column, row, width, height = self.turned(cells)
        return column * CELL, row * CELL, (column + width) * CELL, (row + height) * CELL


def roll_hall(rng: Random) -> Hall:
    """A hall, its two rooms, up to three niches and some pillars along its walls."""
    length, breadth = rng.randint(20, 28), rng.randint(5, 7)
    wide, deep = rng.randint(8, 12), rng.randint(9, 12)
    wide_there, deep_there = rng.randint(7, 10), rng.randint(7, 9)
    mouth, mouth_there = rng.choice((3, 3, 4)), rng.choice((3, 3, 4))
    west, south = _EDGE + 2, _EDGE + deep + 1
    north = south + breadth
    paper = _Paper.roll(rng, west + length + 2 + _EDGE, north + 1 + deep_there + _EDGE)
    hall = west, south, length, breadth
    at = west + rng.randint(length * 2 // 5, length * 3 // 5 - mouth + 1)
    at_there = at + rng.randint(-3, 3)
    here = at - rng.randint(1, wide - mouth - 1), _EDGE, wide, deep
    there = at_there - rng.randint(1, wide_there - mouth_there - 1), north + 1, wide_there, deep_there

    style = Region(
        floor=0,
        ceiling=rng.choice((128, 144, 160)),
        floor_flat=rng.choice(decor.FLOORS),
        ceiling_flat=rng.choice(decor.CEILINGS),
        wall=rng.choice(decor.WALLS),
        light=rng.choice((176, 192, 208, 224)),
    )
    own = paper.plan.add_region(_other(rng, style))
    paper.fill(hall, paper.plan.add_region(style))
    lit = paper.plan.add_region(replace(_other(rng, style), light=255, tint=TINTS["green"]))
    for cells, region in (
        (here, own),
        ((at, south - 1, mouth, 1), own),
        (there, lit),
        ((at_there, north, mouth_there, 1), lit),
    ):
        paper.fill(cells, region)
    _add_niches(rng, paper, hall, style)
    _add_pillars(rng, paper, hall)

    x, x_there, line = at + mouth / 2, at_there + mouth_there / 2, south + breadth / 2
    aside = 2 if x_there - there[0] < wide_there / 2 else -2
    return Hall(
        paper.plan,
        paper.bounds(here),
        paper.bounds(there),
        (paper.point(x, south - 0.5), paper.point(x_there, north - 1.75)),
        (
            tuple(paper.point(x, south - 2 - 0.5 * n) for n in range(2 * deep - 3)),
            tuple(paper.point(x_there, north + 2 + 0.5 * n) for n in range(2 * deep_there - 3)),
        ),
        (paper.point(west, line), paper.point(west + length, line)),
        paper.point(x_there + aside, paper.rows - _EDGE - 1),
    )


def _other(rng: Random, style: Region) -> Region:
    """A room's own floor and walls, under a ceiling that may leave a lintel over its mouth."""
    ceiling = rng.choice((96, 112, style.ceiling))
    return replace(style, ceiling=ceiling, floor_flat=rng.choice(decor.FLOORS), wall=rng.choice(decor.WALLS))


def _add_niches(rng: Random, paper: _Paper, hall: _Cells, style: Region) -> None:
    """Niches in the long walls, some lit in another colour with a torch to match: places to be led astray to."""
    west, south, length, breadth = hall
    colours = rng.sample(("red", "blue"), 2)
    for _ in range(rng.randint(1, 3)):
        width, deep = rng.randint(2, 4), rng.randint(2, 4)
        column, is_south = west + rng.randint(1, length - width - 1), rng.random() < 0.5
        row = south - deep if is_south else south + breadth
        if not paper.is_rock((column - 1, row - is_south, width + 2, deep + 1)):
            continue
        region = _other(rng, style)
        if colours and rng.random() < 0.7:
            colour = colours.pop()
            region = replace(region, light=255, tint=TINTS[colour])
            x, y = paper.point(column + width / 2, row + (1 if is_south else deep - 1))
            paper.plan.things.append(Thing(decor.TORCHES[colour].kind, round(x), round(y)))
        paper.fill((column, row, width, deep), paper.plan.add_region(region))


def _add_pillars(rng: Random, paper: _Paper, hall: _Cells) -> None:
    """Pillars along the walls of the hall, away from all mouths."""
    west, south, length, breadth = hall
    for _ in range(rng.randint(0, 4)):
        column = west + rng.randint(1, length - 2)
        row, behind = (south, south - 1) if rng.random() < 0.5 else (south + breadth - 1, south + breadth)
        if paper.is_rock((column - 2, behind, 5, 1)):
            paper.fill((column, row, 1, 1), VOID)
