"""The words on a map: what things and pictures are called, how high floors lie, what the expert does where.

Each word goes where it hides least. Knows nothing of lines and colours of the map below it.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageDraw

from gameenv.arena.atlas import marks
from gameenv.arena.atlas.chart import Scale, floor_under, opens, things_of
from gameenv.arena.atlas.names import panel_picture, thing_name
from gameenv.arena.levels import Level
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Point, Region


def write_labels(picture: Image.Image, scale: Scale, level: Level, route: Sequence[Point]) -> None:
    """Name things, and say how high a floor lies; each where it hides least of what is there already."""
    draw, ground = ImageDraw.Draw(picture), floor_under(level.start, level.plan)
    size = min(max(scale.px_per_cell * 0.8, 11.0), 15.0)
    things = things_of(level.plan)
    marked = [(float(thing.x), float(thing.y)) for thing in (level.start, *things)]
    taken = [_box_around(scale.at(*place), (16, 16)) for place in (*marked, route[-1])]
    taken += [_box_around(scale.at(*place), (4, 4)) for place in _along(route)]
    for label in _labels(level, ground):
        x, y = scale.at(*label.at)
        extent = marks.font(size).getlength(label.text), size + 2
        middles = [(x + dx * (extent[0] / 2 + 9), y + dy * (extent[1] / 2 + 8)) for dx, dy in (*label.first, *_AROUND)]
        middle = min(middles, key=lambda place: _hidden(_box_around(place, extent), taken, picture.size))
        taken.append(_box_around(middle, extent))
        marks.write(draw, middle, label.text, size, colour=label.colour, anchor="mm")


@dataclass(frozen=True, slots=True)
class _Label:
    """A word at a point in map units, and where beside it on the picture it should rather be (right, down)."""

    at: Point
    text: str
    colour: marks.Colour
    first: tuple[tuple[int, int], ...] = ()


_AROUND = ((1, 0), (-1, 0), (0, -1), (0, 1))
_ON_IT = ((0, 0),)


def _labels(level: Level, ground: int) -> Iterator[_Label]:
    for thing in things_of(level.plan):
        yield _Label((thing.x, thing.y), thing_name(thing.kind), marks.INK)
    for panel in level.plan.panels:
        shown, (dx, dy) = panel_picture(panel.texture), panel.side
        if shown is not None:  # on the room's side of the wall
            yield _Label(panel.middle, shown.name, marks.SWITCH if panel.opens else marks.PICTURE, ((-dx, dy),))
    for leg in level.route:
        if not isinstance(leg, Walk):
            yield _Label(leg.begins.place, type(leg).__name__.lower(), marks.ROUTE)
        elif leg.dashing:
            yield _Label(leg.begins.place, "dash", marks.ROUTE)
    for region, x, y in _wide_regions(level.plan):
        if region.floor != ground and not opens(region):
            yield _Label((x, y), f"{region.floor - ground:+d}", marks.DROP, _ON_IT)


def _wide_regions(plan: FloorPlan) -> Iterator[tuple[Region, float, float]]:
    """Each region at least two cells wide both ways, and its middle in map units."""
    cells: dict[int, list[tuple[int, int]]] = {}
    for row, line in enumerate(plan.cells):
        for column, number in enumerate(line):
            if number != VOID:
                cells.setdefault(number, []).append((column, row))
    for number, own in cells.items():
        columns, rows = zip(*own, strict=True)
        if max(columns) > min(columns) and max(rows) > min(rows):
            x, y = ((min(axis) + max(axis) + 1) / 2 * CELL for axis in (columns, rows))
            yield plan.regions[number], x, y


_Box = tuple[float, float, float, float]


def _box_around(middle: Point, extent: Point) -> _Box:
    (x, y), (wide, high) = middle, extent
    return x - wide / 2, y - high / 2, x + wide / 2, y + high / 2


def _hidden(box: _Box, taken: Sequence[_Box], size: tuple[int, int]) -> float:
    """How much a label would hide, in square pixels; very much if it is not all on the map."""
    left, top, right, bottom = box
    outside = left < 2 or top < 2 or right > size[0] - 2 or bottom > size[1] - 2
    return 1e6 * outside + sum(_overlap(box, other) for other in taken)


def _overlap(one: _Box, other: _Box) -> float:
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(wide, 0.0) * max(high, 0.0)


def _along(route: Sequence[Point]) -> Iterator[Point]:
    """A point every half a cell of a way."""
    for (x0, y0), (x1, y1) in pairwise(route):
        count = int(math.dist((x0, y0), (x1, y1)) // (CELL / 2)) + 1
        for number in range(count):
            yield x0 + (x1 - x0) * number / count, y0 + (y1 - y0) * number / count
