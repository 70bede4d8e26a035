"""What of a plan a map shows, and at which scale. Knows nothing of colours or of how it is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass

from gameenv.arena.world.geometry import CELL, PLAYER_START, VOID, FloorPlan, Point, Region, Thing

PX_PER_CELL = 14


@dataclass(frozen=True, slots=True)
class Scale:
    """How map units become pixels: the part of the plan that is drawn, in cells, and the size of a cell."""

    left: int
    bottom: int
    columns: int
    rows: int
    px_per_cell: int = PX_PER_CELL

    @classmethod
    def of(cls, plan: FloorPlan, px_per_cell: int = PX_PER_CELL) -> "Scale":
        """All that is not rock, and a cell of rock around it."""
        used = list(cells(plan))
        left, bottom = min(column for column, _, _ in used) - 1, min(row for _, row, _ in used) - 1
        right, top = max(column for column, _, _ in used) + 2, max(row for _, row, _ in used) + 2
        return cls(left, bottom, right - left, top - bottom, px_per_cell)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the map in pixels."""
        return self.columns * self.px_per_cell, self.rows * self.px_per_cell

    def at(self, x: float, y: float) -> Point:
        """The pixel of a point in map units; north is up."""
        unit = self.px_per_cell / CELL
        return (x - self.left * CELL) * unit, ((self.bottom + self.rows) * CELL - y) * unit

    def corner(self, column: int, row: int) -> Point:
        """The pixel of a cell's south-western corner."""
        return self.at(column * CELL, row * CELL)


def cells(plan: FloorPlan) -> Iterator[tuple[int, int, Region]]:
    """Column, row and region of every cell that is not rock."""
    for row, line in enumerate(plan.cells):
        for column, number in enumerate(line):
            if number != VOID:
                yield column, row, plan.regions[number]


def things_of(plan: FloorPlan) -> list[Thing]:
    """All that stands about; the start is no thing."""
    return [thing for thing in plan.things if thing.kind != PLAYER_START]


def floor_under(thing: Thing, plan: FloorPlan) -> int:
    """Height of the floor that a thing stands on."""
    region = plan.region_at(thing.x, thing.y)
    return 0 if region is None else region.floor


def opens(region: Region) -> bool:
    """Whether it is a door, opened by hand or by a switch."""
    return bool(region.door_speed or region.tag)
