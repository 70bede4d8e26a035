"""A level from above: floors by height, walls, doors, low ceilings, things by name, the start, the way, the goal.

Everything is read off the plan, so new kinds of rooms and things need nothing here. Knows nothing of engines or files.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gameenv.arena import marks
from gameenv.arena.geometry import CELL, PLAYER_START, VOID, Panel, Plan, Region, Thing
from gameenv.arena.legs.leg import route_nav
from gameenv.arena.legs.walk import Walk
from gameenv.arena.levels import Level
from gameenv.arena.marks import FINE, Point
from gameenv.arena.names import panel_picture, thing_name
from gameenv.arena.nav import NavGrid
from gameenv.arena.state import ArenaState

PX_PER_CELL = 14
STANDING = 56
"""Headroom a player needs to stand upright, map units."""
CLIMB = 24
"""Highest step that walking climbs, map units."""
_PROBES = 6
"""Places along a cell's side at which the goal is asked for."""
SHADE = 80
"""How much of the goal's colour covers the floor, of 255."""


@dataclass(frozen=True, slots=True)
class Scale:
    """How map units become pixels: the part of the plan that is drawn, in cells, and the size of a cell."""

    left: int
    bottom: int
    columns: int
    rows: int
    px_per_cell: int = PX_PER_CELL

    @classmethod
    def of(cls, plan: Plan, px_per_cell: int = PX_PER_CELL) -> "Scale":
        """All that is not rock, and a cell of rock around it."""
        used = list(_cells(plan))
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


def draw_map(
    level: Level,
    px_per_cell: int = PX_PER_CELL,
    *,
    state: ArenaState | None = None,
    walked: Sequence[Point] = (),
) -> Image.Image:
    """Draw a level from above, north up.

    Args:
        level: What to draw.
        px_per_cell: Pixels a cell of 32 map units.
        state: The engine's state at the start; with it, where the goal holds is drawn.
        walked: Points in map units that somebody went through, drawn as a line.
    """
    plan, scale = level.plan, Scale.of(level.plan, px_per_cell)
    fine = replace(scale, px_per_cell=px_per_cell * FINE)
    picture = Image.new("RGB", fine.size, marks.ROCK)
    draw = ImageDraw.Draw(picture)
    ground = _floor_under(level.start, plan)
    for column, row, region in _cells(plan):
        colour = marks.DOOR if _opens(region) else marks.floor_colour(region.floor - ground)
        draw.rectangle(_box(fine, column, row), fill=colour)
    if state is not None:
        _shade_goal(picture, fine, level, state)
    _hatch_low(picture, fine, plan)
    _draw_borders(draw, fine, plan)
    for panel in plan.panels:
        _draw_panel(draw, fine, panel)
    route = way(level)
    marks.path(draw, [fine.at(*point) for point in route], marks.ROUTE, 2 * FINE, dash=6.0 * FINE)
    marks.disc(draw, fine.at(*route[-1]), 3.5 * FINE, marks.ROUTE, marks.CARD)
    if len(walked) > 1:
        marks.path(draw, [fine.at(*point) for point in walked], marks.WALKED, 2 * FINE)
    for thing in _things(level):
        marks.thing(draw, fine.at(thing.x, thing.y), thing_name(thing.kind), thing.angle)
    marks.arrow(draw, fine.at(level.start.x, level.start.y), level.start.angle, 12.0 * FINE, marks.START)
    picture = picture.resize(scale.size, Image.Resampling.LANCZOS)
    _write_labels(picture, scale, level, route)
    return picture


def way(level: Level) -> list[Point]:
    """The way from the start along the route, in map units; straight where there is none on foot."""
    nav = route_nav(level.plan, level.route)
    points: list[Point] = [(level.start.x, level.start.y)]
    for leg in level.route:
        here, there, within = points[-1], (leg.begins.x, leg.begins.y), leg.begins.within
        steps = []
        if not nav.clear_line(here, there, within):
            steps = nav.descend(nav.distances_to(*there, within), *here, steps=10_000, careful=True)
        points += [*_straightened(nav, [here, *steps])[1:], there]
        if leg.ends != there:
            points.append(leg.ends)
    return points


def _straightened(nav: NavGrid, steps: Sequence[Point]) -> list[Point]:
    """The way without the points that can be left out."""
    kept = [steps[0]]
    for point, following in pairwise(steps):
        if not nav.clear_line(kept[-1], following):
            kept.append(point)
    return [*kept, steps[-1]]


def _cells(plan: Plan) -> Iterator[tuple[int, int, Region]]:
    """Column, row and region of every cell that is not rock."""
    for row, line in enumerate(plan.cells):
        for column, number in enumerate(line):
            if number != VOID:
                yield column, row, plan.regions[number]


def _things(level: Level) -> list[Thing]:
    return [thing for thing in level.plan.things if thing.kind != PLAYER_START]


def _along(route: Sequence[Point]) -> Iterator[Point]:
    """A point every half a cell of a way."""
    for (x0, y0), (x1, y1) in pairwise(route):
        count = int(math.dist((x0, y0), (x1, y1)) // (CELL / 2)) + 1
        for number in range(count):
            yield x0 + (x1 - x0) * number / count, y0 + (y1 - y0) * number / count


def _floor_under(thing: Thing, plan: Plan) -> int:
    region = plan.region_at(thing.x, thing.y)
    return 0 if region is None else region.floor


def _box(scale: Scale, column: int, row: int) -> tuple[float, float, float, float]:
    (left, bottom), (right, top) = scale.corner(column, row), scale.corner(column + 1, row + 1)
    return left, top, right - 1, bottom - 1


def _opens(region: Region) -> bool:
    """Whether it is a door, opened by hand or by a switch."""
    return bool(region.door_speed or region.tag)


def _shade_goal(picture: Image.Image, scale: Scale, level: Level, state: ArenaState) -> None:
    """Colour where a player who stands there, and looks at the right thing, has reached the goal.

    An event, such as a door that was opened, has no such place.
    """
    holds = Image.new("L", (scale.columns * _PROBES, scale.rows * _PROBES))
    floor = Image.new("L", picture.size)
    draw = ImageDraw.Draw(floor)
    for column, row, region in _cells(level.plan):
        draw.rectangle(_box(scale, column, row), fill=SHADE)
        for place in range(_PROBES**2):
            east, north = place % _PROBES, place // _PROBES
            x, y = ((cell + (part + 0.5) / _PROBES) * CELL for cell, part in ((column, east), (row, north)))
            here = replace(state, x=x, y=y, z=float(region.floor))
            if any(level.condition.holds(looking) for looking in _gazes(here, level.plan)):
                pixel = (column - scale.left) * _PROBES + east, (scale.bottom + scale.rows - row) * _PROBES - 1 - north
                holds.putpixel(pixel, 255)
    smooth = holds.filter(ImageFilter.GaussianBlur(1.5)).resize(picture.size, Image.Resampling.BICUBIC)
    inside = smooth.point([255 if value > 110 else 0 for value in range(256)])
    picture.paste(marks.GOAL, mask=ImageChops.darker(inside, floor))


def _gazes(here: ArenaState, plan: Plan) -> Iterator[ArenaState]:
    """The player as he stands, and looking at each picture on the walls."""
    yield here
    for panel in plan.panels:
        shown, (x, y) = panel_picture(panel.texture), panel.middle
        if shown is not None:
            away = math.dist((here.x, here.y), (x, y))
            angle = math.degrees(math.atan2(y - here.y, x - here.x)) % 360
            bottom = plan.regions[plan.at(*panel.cells[0])].floor
            yield replace(
                here, angle=angle, pitch=-math.degrees(math.atan2(bottom + shown.z - here.z - here.eyes, away))
            )


def _draw_panel(draw: ImageDraw.ImageDraw, scale: Scale, panel: Panel) -> None:
    """A picture or a switch: a strip on the room's side of its wall."""
    (x, y), (dx, dy) = panel.middle, panel.side
    half = len(panel.cells) * CELL / 2
    ends = [(x + abs(dy) * half * sign - dx * 4, y + abs(dx) * half * sign - dy * 4) for sign in (-1, 1)]
    marks.line(draw, scale.at(*ends[0]), scale.at(*ends[1]), marks.SWITCH if panel.opens else marks.PICTURE, 4 * FINE)


def _hatch_low(picture: Image.Image, scale: Scale, plan: Plan) -> None:
    """Hatch what is too low to stand in."""
    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    for column, row, region in _cells(plan):
        if not _opens(region) and region.ceiling - region.floor < STANDING:
            draw.rectangle(_box(scale, column, row), fill=255)
    if mask.getbbox():
        picture.paste(marks.HATCH, mask=Image.composite(marks.hatch(mask.size), Image.new("L", mask.size), mask))


def _draw_borders(draw: ImageDraw.ImageDraw, scale: Scale, plan: Plan) -> None:
    """Steps thin, drops and ledges stronger, walls last and strongest."""
    lines = []
    for column in range(plan.columns + 1):
        for row in range(plan.rows + 1):
            here = plan.at(column, row)
            for other, end in (
                (plan.at(column - 1, row), (column, row + 1)),
                (plan.at(column, row - 1), (column + 1, row)),
            ):
                if here != other:
                    lines.append((*_border(plan, here, other), scale.corner(column, row), scale.corner(*end)))
    for width, colour, start, end in sorted(lines):
        marks.line(draw, start, end, colour, width)


def _border(plan: Plan, one: int, other: int) -> tuple[float, marks.Colour]:
    """Width and colour of the line between two regions."""
    if VOID in (one, other):
        return 2.4 * FINE, marks.WALL
    if abs(plan.regions[one].floor - plan.regions[other].floor) > CLIMB:
        return 1.6 * FINE, marks.DROP
    return 0.7 * FINE, marks.STEP


def _write_labels(picture: Image.Image, scale: Scale, level: Level, route: Sequence[Point]) -> None:
    """Name things, and say how high a floor lies; each where it hides least of what is there already."""
    draw, ground = ImageDraw.Draw(picture), _floor_under(level.start, level.plan)
    size = min(max(scale.px_per_cell * 0.8, 11.0), 15.0)
    things = _things(level)
    marked = [(float(thing.x), float(thing.y)) for thing in (level.start, *things)]
    taken = [_box_around(scale.at(*place), (16, 16)) for place in (*marked, route[-1])]
    taken += [_box_around(scale.at(*place), (4, 4)) for place in _along(route)]
    labels = [(scale.at(thing.x, thing.y), thing_name(thing.kind), marks.INK, False) for thing in things]
    for panel in level.plan.panels:
        shown = panel_picture(panel.texture)
        if shown is not None:
            labels.append((scale.at(*panel.middle), shown.name, marks.SWITCH if panel.opens else marks.PICTURE, False))
    labels += [
        (scale.at(leg.begins.x, leg.begins.y), type(leg).__name__.lower(), marks.ROUTE, False)
        for leg in level.route
        if not isinstance(leg, Walk)
    ]
    labels += [
        (scale.at(x, y), f"{region.floor - ground:+d}", marks.DROP, True)
        for region, x, y in _wide_regions(level.plan)
        if region.floor != ground and not _opens(region)
    ]
    for at, text, colour, inside in labels:
        extent = marks.font(size).getlength(text), size + 2
        places = [(at, _box_around(at, extent))] if inside else []
        for dx, dy in ((1, 0), (-1, 0), (0, -1), (0, 1)):
            middle = at[0] + dx * (extent[0] / 2 + 9), at[1] + dy * (extent[1] / 2 + 8)
            places.append((middle, _box_around(middle, extent)))
        middle, box = min(places, key=lambda place: _hidden(place[1], taken, picture.size))
        taken.append(box)
        marks.write(draw, middle, text, size, colour=colour, anchor="mm")


def _wide_regions(plan: Plan) -> Iterator[tuple[Region, float, float]]:
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
