"""A level from above: floors by height, walls, doors, low ceilings, things by name, the start, the way, the goal.

Everything is read off the plan, so new kinds of rooms and things need nothing here. Knows nothing of engines or files.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from gameenv.arena.atlas import marks
from gameenv.arena.atlas.chart import PX_PER_CELL, Scale, cells, floor_under, opens, things_of
from gameenv.arena.atlas.labels import write_labels
from gameenv.arena.atlas.marks import FINE
from gameenv.arena.atlas.names import panel_picture, thing_name
from gameenv.arena.levels import Level
from gameenv.arena.player.legs.leg import end_of, route_nav
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Panel, Point
from gameenv.arena.world.nav import NavGrid

STANDING = 56
"""Headroom a player needs to stand upright, map units."""
CLIMB = 24
"""Highest step that walking climbs, map units."""
_PROBES = 4
"""Places along a cell's side at which the goal is asked for."""
_MIDDLE = 40
"""Height at which one looks at a thing, map units above its floor."""
SHADE = 80
"""How much of the goal's colour covers the floor, of 255."""


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
    ground = floor_under(level.start, plan)
    for column, row, region in cells(plan):
        colour = marks.DOOR if opens(region) else marks.floor_colour(region.floor - ground)
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
    for thing in things_of(plan):
        marks.thing(draw, fine.at(thing.x, thing.y), thing_name(thing.kind), thing.angle)
    marks.arrow(draw, fine.at(level.start.x, level.start.y), level.start.angle, 12.0 * FINE, marks.START)
    picture = picture.resize(scale.size, Image.Resampling.LANCZOS)
    write_labels(picture, scale, level, route)
    return picture


def way(level: Level) -> list[Point]:
    """The way from the start along the route, in map units; straight where there is none on foot."""
    nav = route_nav(level.plan, level.route)
    points: list[Point] = [(level.start.x, level.start.y)]
    for leg in level.route:
        here, there, within = points[-1], leg.begins.place, leg.begins.within
        steps = []
        if not nav.clear_line(here, there, within):
            steps = nav.descend(nav.distances_to(*there, within), *here, steps=10_000, careful=True)
        points += [*_straightened(nav, [here, *steps])[1:], there]
        if end_of(leg) != there:
            points.append(end_of(leg))
    return points


def _straightened(nav: NavGrid, steps: Sequence[Point]) -> list[Point]:
    """The way without the points that can be left out."""
    kept = [steps[0]]
    for point, following in pairwise(steps):
        if not nav.clear_line(kept[-1], following):
            kept.append(point)
    return [*kept, steps[-1]]


def _box(scale: Scale, column: int, row: int) -> tuple[float, float, float, float]:
    (left, bottom), (right, top) = scale.corner(column, row), scale.corner(column + 1, row + 1)
    return left, top, right - 1, bottom - 1


def _shade_goal(picture: Image.Image, scale: Scale, level: Level, state: ArenaState) -> None:
    """Colour where a player who stands there, and looks at the right thing or picture, has reached the goal.

    An event, such as a door that was opened, has no such place.
    """
    holds = Image.new("L", (scale.columns * _PROBES, scale.rows * _PROBES))
    floor = Image.new("L", picture.size)
    draw, sights = ImageDraw.Draw(floor), [*_sights(level.plan)]
    for column, row, region in cells(level.plan):
        draw.rectangle(_box(scale, column, row), fill=SHADE)
        for place in range(_PROBES**2):
            east, north = place % _PROBES, place // _PROBES
            x, y = ((cell + (part + 0.5) / _PROBES) * CELL for cell, part in ((column, east), (row, north)))
            here = replace(state, x=x, y=y, z=float(region.floor))
            if any(level.condition.holds(looking) for looking in _gazes(here, sights)):
                pixel = (column - scale.left) * _PROBES + east, (scale.bottom + scale.rows - row) * _PROBES - 1 - north
                holds.putpixel(pixel, 255)
    smooth = holds.filter(ImageFilter.GaussianBlur(1.5)).resize(picture.size, Image.Resampling.BICUBIC)
    inside = smooth.point([255 if value > 110 else 0 for value in range(256)])
    picture.paste(marks.GOAL, mask=ImageChops.darker(inside, floor))


def _sights(plan: FloorPlan) -> Iterator[tuple[float, float, float]]:
    """The middle of each thing and of each picture on the walls: what a goal may want to be looked at."""
    for thing in things_of(plan):
        yield thing.x, thing.y, floor_under(thing, plan) + _MIDDLE
    for panel in plan.panels:
        if shown := panel_picture(panel.texture):
            yield *panel.middle, plan.regions[plan.at(*panel.cells[0])].floor + shown.z


def _gazes(here: ArenaState, sights: Sequence[tuple[float, float, float]]) -> Iterator[ArenaState]:
    """The player as he stands, and looking at each of the sights."""
    yield here
    for x, y, z in sights:
        angle = math.degrees(math.atan2(y - here.y, x - here.x)) % 360
        above = math.atan2(z - here.z - here.eyes, math.dist((here.x, here.y), (x, y)))
        yield replace(here, angle=angle, pitch=-math.degrees(above))


def _draw_panel(draw: ImageDraw.ImageDraw, scale: Scale, panel: Panel) -> None:
    """A picture or a switch: a strip on the room's side of its wall."""
    (x, y), (dx, dy) = panel.middle, panel.side
    half = len(panel.cells) * CELL / 2
    ends = [(x + abs(dy) * half * sign - dx * 4, y + abs(dx) * half * sign - dy * 4) for sign in (-1, 1)]
    marks.line(draw, scale.at(*ends[0]), scale.at(*ends[1]), marks.SWITCH if panel.opens else marks.PICTURE, 4 * FINE)


def _hatch_low(picture: Image.Image, scale: Scale, plan: FloorPlan) -> None:
    """Hatch what is too low to stand in."""
    mask = Image.new("L", picture.size)
    draw = ImageDraw.Draw(mask)
    for column, row, region in cells(plan):
        if not opens(region) and region.ceiling - region.floor < STANDING:
            draw.rectangle(_box(scale, column, row), fill=255)
    if mask.getbbox():
        picture.paste(marks.HATCH, mask=Image.composite(marks.hatch(mask.size), Image.new("L", mask.size), mask))


def _draw_borders(draw: ImageDraw.ImageDraw, scale: Scale, plan: FloorPlan) -> None:
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


def _border(plan: FloorPlan, one: int, other: int) -> tuple[float, marks.Colour]:
    """Width and colour of the line between two regions."""
    if VOID in (one, other):
        return 2.4 * FINE, marks.WALL
    if abs(plan.regions[one].floor - plan.regions[other].floor) > CLIMB:
        return 1.6 * FINE, marks.DROP
    return 0.7 * FINE, marks.STEP
