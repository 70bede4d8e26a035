"""The signs of a map: colours, and shapes drawn several times too large, so that bringing them down smooths them.

Knows nothing of levels; the map and its legend draw the same signs with it.
"""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from PIL import Image, ImageDraw, ImageFont

from gameenv.arena.world.geometry import Point

Colour = tuple[int, int, int]

FINE = 3
"""Pixels drawn for each pixel shown."""

PAGE, CARD, EDGE = (238, 237, 233), (252, 252, 250), (208, 206, 200)
INK, FAINT = (32, 34, 40), (112, 114, 120)
ROCK, WALL, STEP, DROP = (220, 219, 214), (48, 50, 58), (178, 168, 150), (116, 84, 52)
DOOR, HATCH = (139, 78, 30), (90, 92, 104)
PICTURE, SWITCH = (124, 60, 170), (205, 30, 40)
GOAL, ROUTE, WALKED, START = (0, 158, 115), (0, 100, 178), (196, 40, 130), (0, 100, 178)
FLOORS: tuple[tuple[float, Colour], ...] = (
    (-160.0, (110, 160, 205)),
    (-24.0, (214, 228, 238)),
    (0.0, (250, 246, 236)),
    (24.0, (247, 229, 196)),
    (128.0, (228, 163, 90)),
    (256.0, (176, 100, 40)),
)
"""Colours by height above the start's floor, map units; between them they are mixed."""
_THINGS: dict[str, Colour] = {
    "red": (213, 50, 40),
    "green": (40, 160, 70),
    "blue": (50, 110, 220),
    "lantern": (242, 190, 40),
    "guard": (20, 20, 24),
}
_OTHER_THING = (146, 146, 152)
_FACING = ("guard",)
"""Words of the names of things that look somewhere."""


def font(size: float) -> Any:
    """Pillow's own font at a size in pixels."""
    return ImageFont.load_default(size)


def floor_colour(height: float) -> Colour:
    """The colour of a floor so many map units above (or below) the start's."""
    if height <= FLOORS[0][0]:
        return FLOORS[0][1]
    for (low, one), (high, other) in pairwise(FLOORS):
        if height <= high:
            share = (height - low) / (high - low)
            return tuple(round(a + (b - a) * share) for a, b in zip(one, other, strict=True))  # type: ignore[return-value]
    return FLOORS[-1][1]


def thing_colour(name: str) -> Colour:
    """The colour of a thing: that of the first word of its name that has one, else grey."""
    return next((_THINGS[word] for word in name.split() if word in _THINGS), _OTHER_THING)


def hatch(size: tuple[int, int], gap: int = 8 * FINE, width: int = 2 * FINE - 2) -> Image.Image:
    """A mask of diagonal lines."""
    mask = Image.new("L", size)
    draw = ImageDraw.Draw(mask)
    for x in range(-size[1], size[0], gap):
        draw.line((x, size[1], x + size[1], 0), fill=255, width=width)
    return mask


def line(draw: ImageDraw.ImageDraw, start: Point, end: Point, colour: Colour, width: float) -> None:
    """A horizontal or vertical line with square ends, so that corners close."""
    half = width / 2
    left, right = sorted((start[0], end[0]))
    top, bottom = sorted((start[1], end[1]))
    draw.rectangle((left - half, top - half, right + half - 1, bottom + half - 1), fill=colour)


def path(draw: ImageDraw.ImageDraw, points: Sequence[Point], colour: Colour, width: int, dash: float = 0.0) -> None:
    """A way through points, with round joints; dashed in stretches of ``dash`` pixels if that is above 0."""
    stretches = _dashes(points, dash) if dash else [list(points)]
    for stretch in stretches:
        draw.line(stretch, fill=colour, width=width, joint="curve")
        for at in (stretch[0], stretch[-1]):
            disc(draw, at, (width - 1) / 2, colour)


def _dashes(points: Sequence[Point], dash: float) -> Iterator[list[Point]]:
    """Every other stretch of a way."""
    stretch, left, on = [points[0]], dash, True
    for start, end in pairwise(points):
        length, done = math.dist(start, end), 0.0
        while length - done > left:
            done += left
            share = done / length
            at = start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share
            if on:
                yield [*stretch, at]
            stretch, left, on = [at], dash, not on
        left -= length - done
        stretch.append(end)
    if on and len(stretch) > 1:
        yield stretch


def disc(draw: ImageDraw.ImageDraw, at: Point, radius: float, fill: Colour, edge: Colour | None = None) -> None:
    """A filled circle, with an edge of one shown pixel if one is given."""
    box = (at[0] - radius, at[1] - radius, at[0] + radius, at[1] + radius)
    draw.ellipse(box, fill=fill, outline=edge, width=FINE if edge else 0)


def thing(draw: ImageDraw.ImageDraw, at: Point, name: str, angle_deg: float) -> None:
    """Something that stands there; with a nose if it is one that looks somewhere."""
    if any(word in _FACING for word in name.split()):
        angle = math.radians(angle_deg)
        path(draw, [at, (at[0] + math.cos(angle) * 14 * FINE, at[1] - math.sin(angle) * 14 * FINE)], INK, 2 * FINE)
    disc(draw, at, 5.0 * FINE, thing_colour(name), INK)


def arrow(draw: ImageDraw.ImageDraw, at: Point, angle_deg: float, size: float, colour: Colour) -> None:
    """A navigator's arrow that points along an angle, counter-clockwise from east."""
    corners = []
    for turn, reach in ((0, 1.0), (142, 0.95), (180, 0.42), (218, 0.95)):
        angle = math.radians(angle_deg + turn)
        corners.append((at[0] + math.cos(angle) * size * reach, at[1] - math.sin(angle) * size * reach))
    draw.polygon(corners, fill=colour)
    draw.line([*corners, corners[0], corners[1]], fill=CARD, width=FINE, joint="curve")


def write(
    draw: ImageDraw.ImageDraw, at: Point, text: str, size: float, *, colour: Colour = INK, anchor: str = "lm"
) -> None:
    """Text with a bright rim, readable on anything."""
    draw.text(at, text, colour, font=font(size), anchor=anchor, stroke_width=2, stroke_fill=CARD)


def shorten(text: str, size: float, width: float) -> str:
    """The text, or as much of its beginning as fits a width, with dots after it."""
    if font(size).getlength(text) <= width:
        return text
    while text and font(size).getlength(f"{text}...") > width:
        text = text[:-1]
    return f"{text.rstrip()}..."
