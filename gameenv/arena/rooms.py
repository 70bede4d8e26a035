"""Rooms: random size, shape, textures, light and clutter, with a door or stairs where a task wants them.

A task asks for features and places props; the room keeps what is placed apart. Knows nothing of goals.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from random import Random

from gameenv.arena import decor
from gameenv.arena.geometry import CELL, VOID, Panel, Plan, Region, Thing
from gameenv.arena.pictures import PANEL_WIDTH, Picture, panel_texture

MARGIN = 8
"""Cells of rock kept around a room, where a door's chamber is dug."""
STEP_HEIGHT = 16
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


@dataclass(slots=True)
class Room:
    """A room under construction. Rectangle ``column, row, width, height`` in cells."""

    plan: Plan
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
        return cls.lay(rng, Plan(width + 2 * MARGIN, height + 2 * MARGIN), (MARGIN, MARGIN, width, height))

    @classmethod
    def lay(cls, rng: Random, plan: Plan, rect: tuple[int, int, int, int]) -> "Room":
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

    def add_door(self, rng: Random) -> Door:
        """Dig a chamber behind one wall and close it with a door four cells (128 units) wide."""
        for dx, dy in rng.sample(SIDES, 4):
            along = self.width if dy else self.height
            for offset in rng.sample(range(2, along - 5), along - 7):
                column, row = self._wall_cell(dx, dy, offset)
                span = [(column + i * abs(dy), row + i * abs(dx)) for i in range(4)]
                front = [(c - dx * depth, r - dy * depth) for c, r in span for depth in range(1, 5)]
                if self._is_bare(front):
                    return self._dig_door(rng, span, dx, dy)
        raise NoPlaceError("door")

    def add_niche(self, rng: Random, tag: int) -> int:
        """A closed niche two cells wide that only a switch opens; returns its sector."""
        for dx, dy in rng.sample(SIDES, 4):
            along = self.width if dy else self.height
            for offset in rng.sample(range(2, along - 3), along - 5):
                column, row = self._wall_cell(dx, dy, offset)
                span = [(column + i * abs(dy), row + i * abs(dx)) for i in range(2)]
                front = [(c - dx * depth, r - dy * depth) for c, r in span for depth in range(1, 3)]
                if all(self.plan.at(c, r) == VOID for c, r in span) and self._is_bare(front):
                    shut = replace(self.style, ceiling=0, wall=rng.choice(decor.DOORS), tag=tag)
                    sector = self.plan.add_region(shut)
                    for c, r in span:
                        self.plan.fill(c, r, 1, 1, sector)
                    self.keep_clear.append(((span[0][0] + 0.5) * CELL, (span[0][1] + 0.5) * CELL, 96))
                    return sector
        raise NoPlaceError("niche")

    def _wall_cell(self, dx: int, dy: int, offset: int) -> tuple[int, int]:
        """The rock cell just outside the wall on a side, ``offset`` cells along it."""
        column = self.column + (self.width if dx > 0 else -1) if dx else self.column + offset
        row = self.row + (self.height if dy > 0 else -1) if dy else self.row + offset
        return column, row

    def _dig_door(self, rng: Random, span: Sequence[tuple[int, int]], dx: int, dy: int) -> Door:
        style = self.style
        leaf = replace(style, ceiling=0, wall=rng.choice(decor.DOORS), door_speed=32)
        chamber = replace(style, ceiling=120, floor_flat=rng.choice(decor.FLOORS), wall=rng.choice(decor.WALLS))
        sector, beyond = self.plan.add_region(leaf), self.plan.add_region(chamber)
        for c, r in span:
            self.plan.fill(c, r, 1, 1, sector)
            for depth in range(1, 5):
                self.plan.fill(c + dx * depth, r + dy * depth, 1, 1, beyond)
        xs, ys = [c for c, _ in span], [r for _, r in span]
        x, y = (min(xs) + max(xs) + 1) * CELL // 2, (min(ys) + max(ys) + 1) * CELL // 2
        self.keep_clear.append((x - dx * 96, y - dy * 96, 128))
        return Door(sector, x, y, (dx, dy))

    def _is_bare(self, cells: Sequence[tuple[int, int]]) -> bool:
        """Whether cells are the room's own floor and outside what must be kept clear."""
        return all(
            self.plan.at(c, r) == self.base and self._apart((c + 0.5) * CELL, (r + 0.5) * CELL, 0) for c, r in cells
        )

    def hang(self, rng: Random, picture: Picture, opens: int = 0, deep: int = 4) -> Panel:
        """Hang a picture with ``deep`` cells of free floor before it; with ``opens``, a switch for that tag."""
        self._raise_ceiling(picture.z + picture.side // 2 + 16)
        for dx, dy in rng.sample(SIDES, 4):
            along = self.width if dy else self.height
            for offset in rng.sample(range(2, along - 3), along - 5):
                column, row = self._wall_cell(dx, dy, offset)
                span = [(column + i * abs(dy), row + i * abs(dx)) for i in range(PANEL_WIDTH // CELL)]
                front = [(c - dx * depth, r - dy * depth) for c, r in span for depth in range(1, deep + 1)]
                if all(self.plan.at(c, r) == VOID for c, r in span) and self._is_bare(front):
                    cells = tuple((c - dx, r - dy) for c, r in span)
                    panel = Panel(cells, (dx, dy), panel_texture(self.style.wall, picture), opens)
                    self.plan.panels.append(panel)
                    x, y = panel.middle
                    reach = deep * CELL // 2
                    self.keep_clear.append((x - dx * reach, y - dy * reach, reach + 16))
                    return panel
        raise NoPlaceError(picture.name)

    def add_stairs(self, rng: Random) -> Stairs:
        """A flight of four to six steps of 16 units from the floor up to a platform against a wall."""
        for dx, dy in rng.sample(SIDES, 4):
            steps, deep, wide = rng.randint(4, 6), rng.randint(3, 4), rng.randint(4, 6)
            along, across = (self.width, self.height) if dy else (self.height, self.width)
            if across < steps + deep + 6 or along < wide + 2:
                continue
            for offset in rng.sample(range(1, along - wide), along - wide - 1):
                column, row = self._wall_cell(dx, dy, offset)
                cells = [
                    [(column + i * abs(dy) - dx * d, row + i * abs(dx) - dy * d) for i in range(wide)]
                    for d in range(1, deep + steps + 4)
                ]
                if self._is_bare([cell for line in cells for cell in line]):
                    return self._raise_stairs(rng, cells, deep, steps)
        raise NoPlaceError("stairs")

    def _raise_stairs(self, rng: Random, cells: list[list[tuple[int, int]]], deep: int, steps: int) -> Stairs:
        top = (steps + 1) * STEP_HEIGHT
        flat, riser = rng.choice(decor.FLOORS), rng.choice(decor.RISERS)
        self._raise_ceiling(top + 88)
        for level in range(1, steps + 2):  # lowest first; the platform is the highest
            number = self.plan.add_region(replace(self.style, floor=level * STEP_HEIGHT, floor_flat=flat, riser=riser))
            lines = cells[:deep] if level == steps + 1 else [cells[deep + steps - level]]
            for line in lines:
                for c, r in line:
                    self.plan.fill(c, r, 1, 1, number)
        platform = [cell for line in cells[:deep] for cell in line]
        left, right = min(c for c, _ in platform) * CELL, (max(c for c, _ in platform) + 1) * CELL
        bottom, upper = min(r for _, r in platform) * CELL, (max(r for _, r in platform) + 1) * CELL
        approach = cells[deep + steps + 1]
        foot = tuple(round((sum(axis) / len(approach) + 0.5) * CELL) for axis in zip(*approach, strict=True))
        x, y = (left + right) // 2, (bottom + upper) // 2
        self.keep_clear += [(foot[0], foot[1], 112), (x, y, 64)]
        return Stairs(x, y, top, left, bottom, right, upper, (foot[0], foot[1]))

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

    def find_spot(self, rng: Random, far_from: tuple[float, float], distance: float) -> tuple[int, int]:
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

    def in_sight(self, here: tuple[float, float], there: tuple[float, float]) -> bool:
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
