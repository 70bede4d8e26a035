"""Rooms: random size, shape, textures, light and clutter, with a door or stairs where a task wants them.

A task asks for features and places props; the room keeps what is placed apart. Knows nothing of goals.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from random import Random

from gameenv.arena.world import decor
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Panel, Point, Region, Thing
from gameenv.arena.world.pictures import PANEL_WIDTH, Picture, panel_texture

MARGIN = 8
"""Cells of rock kept around a room, where a door's chamber is dug."""
STEP_HEIGHT = 16
CHAMBER = 4
"""Depth of the chamber behind a door, in cells."""
Cell = tuple[int, int]
SIDES = ((0, -1), (0, 1), (-1, 0), (1, 0))  # outward: south, north, west, east


class NoPlaceError(Exception):
    """The dice left no place for something; the generator throws them again."""


@dataclass(frozen=True, slots=True)
class Door:
    """A closed door: its sector, the middle of its leaf, and the outward direction through it."""

    sector: int
    x: int
    y: int
    normal: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Stairs:
    """A flight up to a platform: the middle of the platform and its rectangle and height."""

    x: int
    y: int
    top: int
    left: int
    bottom: int
    right: int
    upper: int
    foot: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Ledge:
    """A block against a wall: the middle of its front edge, the direction onto it, half the edge's length, where to
    come to rest, its height, and its rectangle (left, bottom, right, upper)."""

    edge: Point
    inward: tuple[int, int]
    half_width: float
    rest: tuple[int, int]
    top: int
    rect: tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a room's wall: which way it lies, and cells by how deep in the room they are; 0 and less is rock."""

    side: tuple[int, int]
    lines: dict[int, tuple[Cell, ...]]


def middle_of(cells: Sequence[Cell]) -> tuple[int, int]:
    """The middle of some cells, map units."""
    x, y = (round((sum(axis) / len(cells) + 0.5) * CELL) for axis in zip(*cells, strict=True))
    return x, y


def rect_of(cells: Sequence[Cell]) -> tuple[int, int, int, int]:
    """Left, bottom, right and upper border of some cells, map units."""
    columns, rows = zip(*cells, strict=True)
    return min(columns) * CELL, min(rows) * CELL, (max(columns) + 1) * CELL, (max(rows) + 1) * CELL


@dataclass(slots=True)
class Room:
    """A room under construction. Rectangle ``column, row, width, height`` in cells."""

    plan: FloorPlan
    base: int
    column: int
    row: int
    width: int
    height: int
    keep_clear: list[tuple[float, float, float]] = field(default_factory=list)

    @property
    def style(self) -> Region:
        """The region of its open floor."""
        return self.plan.regions[self.base]

    @property
    def bounds(self) -> tuple[int, int, int, int]:
        """Left, bottom, right and upper border in map units, cut corners not counted."""
        right, upper = self.column + self.width, self.row + self.height
        return self.column * CELL, self.row * CELL, right * CELL, upper * CELL

    @classmethod
    def roll(cls, rng: Random, size: tuple[int, int] = (14, 24)) -> "Room":
        """A bare room: one rectangle with up to three corners cut away."""
        width, height = rng.randint(*size), rng.randint(*size)
        return cls.lay(rng, FloorPlan(width + 2 * MARGIN, height + 2 * MARGIN), (MARGIN, MARGIN, width, height))

    @classmethod
    def lay(cls, rng: Random, plan: FloorPlan, rect: tuple[int, int, int, int]) -> "Room":
        """A bare room in a rectangle of cells (column, row, width, height) of a plan that may have others."""
        column, row, width, height = rect
        style = Region(
            floor=0,
            ceiling=rng.choice((128, 144, 160, 192)),
            floor_flat=rng.choice(decor.FLOORS),
            ceiling_flat=rng.choice(decor.CEILINGS),
            wall=rng.choice(decor.WALLS),
            light=rng.choice((176, 192, 208, 224, 240, 255)),
        )
        room = cls(plan, plan.add_region(style), column, row, width, height)
        plan.fill(column, row, width, height, room.base)
        for east, north in rng.sample([(0, 0), (0, 1), (1, 0), (1, 1)], rng.choice((0, 0, 1, 1, 2, 3))):
            w, h = rng.randint(2, width // 3), rng.randint(2, height // 3)
            plan.fill(column + east * (width - w), row + north * (height - h), w, h, VOID)
        return room

    def _stretches(self, rng: Random, wide: int, deep: int, out: int = 1) -> Iterator[Stretch]:
        """Stretches of wall with free floor before them and rock behind, in random order."""
        for dx, dy in rng.sample(SIDES, 4):
            along, across = (self.width, self.height) if dy else (self.height, self.width)
            if across < deep or along < wide + 3:
                continue
            for offset in rng.sample(range(1, along - wide), along - wide - 1):
                column = self.column + (self.width if dx > 0 else -1) if dx else self.column + offset
                row = self.row + (self.height if dy > 0 else -1) if dy else self.row + offset
                lines = {
                    d: tuple((column + i * abs(dy) - dx * d, row + i * abs(dx) - dy * d) for i in range(wide))
                    for d in range(1 - out, deep + 1)
                }
                rock = [cell for d, line in lines.items() if d <= 0 for cell in line]
                floor = [cell for d, line in lines.items() if d > 0 for cell in line]
                if all(self.plan.at(*cell) == VOID for cell in rock) and self._is_bare(floor):
                    yield Stretch((dx, dy), lines)

    def add_door(self, rng: Random) -> Door:
        """Dig a chamber behind one wall and close it with a door four cells (128 units) wide."""
        for stretch in self._stretches(rng, 4, 4, out=CHAMBER + 2):
            leaf = replace(self.style, ceiling=0, wall=rng.choice(decor.DOORS), door_speed=32)
            flat, wall = rng.choice(decor.FLOORS), rng.choice(decor.WALLS)
            sector = self._fill(stretch.lines[0], leaf)
            chamber = [cell for depth in range(1, CHAMBER + 1) for cell in stretch.lines[-depth]]
            self._fill(chamber, replace(self.style, ceiling=120, floor_flat=flat, wall=wall))
            (x, y), (dx, dy) = middle_of(stretch.lines[0]), stretch.side
            self.keep_clear.append((x - dx * 96, y - dy * 96, 128))
            return Door(sector, x, y, (dx, dy))
        raise NoPlaceError("door")

    def add_niche(self, rng: Random, tag: int) -> int:
        """A closed niche two cells wide that only a switch opens; returns its sector."""
        for stretch in self._stretches(rng, 2, 2, out=2):
            shut = replace(self.style, ceiling=0, wall=rng.choice(decor.DOORS), tag=tag)
            self.keep_clear.append((*middle_of(stretch.lines[0]), 96))
            return self._fill(stretch.lines[0], shut)
        raise NoPlaceError("niche")

    def hang(self, rng: Random, picture: Picture, opens: int = 0, deep: int = 4) -> Panel:
        """Hang a picture with ``deep`` cells of free floor before it; with ``opens``, a switch for that tag."""
        self._raise_ceiling(picture.z + picture.side // 2 + 16)
        for stretch in self._stretches(rng, PANEL_WIDTH // CELL, deep):
            panel = Panel(stretch.lines[1], stretch.side, panel_texture(self.style.wall, picture), opens)
            self.plan.panels.append(panel)
            (x, y), (dx, dy), reach = panel.middle, stretch.side, deep * CELL // 2
            self.keep_clear.append((x - dx * reach, y - dy * reach, reach + 16))
            return panel
        raise NoPlaceError(picture.name)

    def add_ledge(self, rng: Random) -> Ledge:
        """A block against a wall, too high to walk up (24 units) and low enough to jump on to (56)."""
        deep, wide, top = rng.randint(4, 5), rng.randint(4, 7), rng.choice((36, 40, 44, 48))
        for stretch in self._stretches(rng, wide, deep + 7):
            flat, riser = rng.choice(decor.FLOORS), rng.choice(decor.RISERS)
            cells = [cell for d in range(1, deep + 1) for cell in stretch.lines[d]]
            self._raise_ceiling(top + 104)
            self._fill(cells, replace(self.style, floor=top, floor_flat=flat, riser=riser))
            (ex, ey), (dx, dy) = middle_of(stretch.lines[deep]), stretch.side
            edge = ex - dx * CELL / 2, ey - dy * CELL / 2
            rest = middle_of(cells)
            self.keep_clear += [(*rest, 64), (edge[0] - dx * 128, edge[1] - dy * 128, 128)]
            return Ledge(edge, (dx, dy), wide * CELL / 2, rest, top, rect_of(cells))
        raise NoPlaceError("ledge")

    def add_stairs(self, rng: Random) -> Stairs:
        """A flight of four to six steps of 16 units from the floor up to a platform against a wall."""
        steps, deep, wide = rng.randint(4, 6), rng.randint(3, 4), rng.randint(4, 6)
        for stretch in self._stretches(rng, wide, deep + steps + 6):
            return self._raise_stairs(rng, [stretch.lines[d] for d in range(1, deep + steps + 4)], deep, steps)
        raise NoPlaceError("stairs")

    def _fill(self, cells: Sequence[Cell], region: Region) -> int:
        """Give cells to a new region; returns its number."""
        number = self.plan.add_region(region)
        for column, row in cells:
            self.plan.fill(column, row, 1, 1, number)
        return number

    def _is_bare(self, cells: Sequence[Cell]) -> bool:
        """Whether cells are the room's own floor and outside what must be kept clear."""
        return all(
            self.plan.at(c, r) == self.base and self._apart((c + 0.5) * CELL, (r + 0.5) * CELL, 0) for c, r in cells
        )

    def _raise_stairs(self, rng: Random, lines: list[tuple[Cell, ...]], deep: int, steps: int) -> Stairs:
        top = (steps + 1) * STEP_HEIGHT
        flat, riser = rng.choice(decor.FLOORS), rng.choice(decor.RISERS)
        self._raise_ceiling(top + 88)
        platform = [cell for line in lines[:deep] for cell in line]
        for level in range(1, steps + 2):  # lowest first; the platform is the highest
            cells = platform if level == steps + 1 else lines[deep + steps - level]
            self._fill(cells, replace(self.style, floor=level * STEP_HEIGHT, floor_flat=flat, riser=riser))
        (x, y), foot = middle_of(platform), middle_of(lines[deep + steps + 1])
        self.keep_clear += [(*foot, 112), (x, y, 64)]
        return Stairs(x, y, top, *rect_of(platform), foot)

    def _raise_ceiling(self, height: int) -> None:
        if self.style.ceiling < height:
            self.plan.regions[self.base] = replace(self.style, ceiling=height)

    def add_blocks(self, rng: Random, count: int) -> None:
        """Pillars of rock and stacks of crates: they hide things and stand in the way."""
        for _ in range(count):
            size = rng.randint(1, 2)
            column = rng.randrange(self.column + 2, self.column + self.width - 2 - size)
            row = rng.randrange(self.row + 2, self.row + self.height - 2 - size)
            x, y = (column + size / 2) * CELL, (row + size / 2) * CELL
            around = [(c, r) for c in range(column - 2, column + size + 2) for r in range(row - 2, row + size + 2)]
            if any(self.plan.at(c, r) != self.base for c, r in around):
                continue
            if not self._apart(x, y, 32 + size * CELL / 2):
                continue
            region = VOID
            if rng.random() < 0.5:
                side, top = rng.choice(decor.CRATES)
                crate = replace(self.style, floor=rng.choice((48, 64)), floor_flat=top, riser=side)
                region = self.plan.add_region(crate)
            self.plan.fill(column, row, size, size, region)

    def add_thing(self, rng: Random, kind: int, apart: float, wall: int = 2) -> Thing:
        """Stand a thing on the open floor, ``apart`` map units from all that was placed before it."""
        for _ in range(200):
            x = rng.randint((self.column + wall) * CELL, (self.column + self.width - wall) * CELL)
            y = rng.randint((self.row + wall) * CELL, (self.row + self.height - wall) * CELL)
            if self._apart(x, y, apart) and self.open_floor(x, y, 48):
                thing = Thing(kind, x, y)
                self.plan.things.append(thing)
                self.keep_clear.append((x, y, 0))
                return thing
        raise NoPlaceError(f"thing {kind}")

    def find_spot(self, rng: Random, far_from: Point, distance: float) -> tuple[int, int]:
        """An open spot at least ``distance`` from a point, from which that point is in plain sight."""
        for _ in range(300):
            x = rng.randint((self.column + 1) * CELL, (self.column + self.width - 1) * CELL)
            y = rng.randint((self.row + 1) * CELL, (self.row + self.height - 1) * CELL)
            far = math.dist((x, y), far_from) >= distance
            if (
                far
                and self._apart(x, y, 64, zones=False)
                and self.open_floor(x, y, 32)
                and self.in_sight((x, y), far_from)
            ):
                return x, y
        raise NoPlaceError("start")

    def _apart(self, x: float, y: float, distance: float, *, zones: bool = True) -> bool:
        for a, b, radius in self.keep_clear:  # noqa: SIM110 (a plain loop is twice as fast, and this is the hot one)
            if math.dist((x, y), (a, b)) < distance + (radius if zones else 0):
                return False
        return True

    def open_floor(self, x: float, y: float, clearance: float) -> bool:
        """Whether the room's own floor is all there is within ``clearance`` of a point."""
        columns, rows = ([int((at + off) // CELL) for off in (-clearance, 0.0, clearance)] for at in (x, y))
        return all(self.plan.at(column, row) == self.base for column in columns for row in rows)

    def in_sight(self, here: Point, there: Point) -> bool:
        """Whether no wall, block or thing stands between two points (eyes at 41 units above the floor)."""
        length = math.dist(here, there)
        for i in range(1, int(length // 16)):
            t = i * 16 / length
            x, y = here[0] + (there[0] - here[0]) * t, here[1] + (there[1] - here[1]) * t
            region = self.plan.region_at(x, y)
            if (region is None or region.floor >= 40) and math.dist((x, y), there) > 160:
                return False
            if any(math.dist((x, y), (o.x, o.y)) < 28 and math.dist((o.x, o.y), there) > 32 for o in self.plan.things):
                return False
        return True
