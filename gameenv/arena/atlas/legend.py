"""What the signs of a map mean: one strip for a whole sheet. Knows nothing of levels."""

from collections.abc import Callable

from PIL import Image, ImageDraw

from gameenv.arena.atlas import marks
from gameenv.arena.atlas.map import CLIMB, SHADE, STANDING
from gameenv.arena.atlas.marks import FINE
from gameenv.arena.world.geometry import CELL

_SIZE = 14.0
_LINE = 30
_GAP = 26
_SCALE_UNITS = 128
_HEIGHTS = (-128, -64, 0, 16, 64, 128, 256)

Sign = Callable[[ImageDraw.ImageDraw, int, int], None]


def draw_legend(width: int, px_per_cell: int, *, walked: bool) -> Image.Image:
    """Draw the legend as wide as a sheet, in as many lines as it takes.

    Args:
        width: In pixels.
        px_per_cell: The maps' scale.
        walked: Whether walked ways are drawn on the maps.
    """
    ramp = 34 * len(_HEIGHTS)
    scale = _SCALE_UNITS * px_per_cell // CELL
    items: list[tuple[int, Sign, str]] = [
        (26, _start, "start"),
        (34, _route, "the expert's way"),
        *([(34, _walked, "as it was walked")] if walked else []),
        (26, _goal, "where the goal holds"),
        (20, _thing, "thing"),
        (26, _picture, "picture"),
        (26, _switch, "switch"),
        (26, _door, "door"),
        (26, _wall, "wall"),
        (26, _drop, f"too high to climb (over {CLIMB})"),
        (26, _step, "step"),
        (26, _low, f"lower than a player ({STANDING})"),
        (ramp, _ramp, "floor height"),
        (scale, _scale, f"{_SCALE_UNITS} map units, north is up"),
    ]
    places, x, y = [], 0, 0
    for sign_width, _, text in items:
        length = sign_width + 8 + round(marks.font(_SIZE).getlength(text))
        if x and x + length > width:
            x, y = 0, y + _LINE
        places.append((x, y))
        x += length + _GAP
    fine = Image.new("RGB", (width * FINE, (y + _LINE) * FINE), marks.PAGE)
    draw = ImageDraw.Draw(fine)
    for (left, top), (sign_width, sign, _) in zip(places, items, strict=True):
        swatch = Image.new("RGB", (sign_width * FINE, _LINE * FINE), marks.PAGE)
        sign(ImageDraw.Draw(swatch), *swatch.size)
        fine.paste(swatch, (left * FINE, top * FINE))
    strip = fine.resize((width, y + _LINE), Image.Resampling.LANCZOS)
    draw = ImageDraw.Draw(strip)
    for (left, top), (sign_width, _, text) in zip(places, items, strict=True):
        draw.text((left + sign_width + 8, top + _LINE / 2), text, marks.INK, font=marks.font(_SIZE), anchor="lm")
    return strip


def _patch(draw: ImageDraw.ImageDraw, width: int, height: int, fill: marks.Colour) -> None:
    draw.rectangle((0, height * 0.2, width - 1, height * 0.8), fill=fill)


def _start(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.arrow(draw, (width / 2, height / 2), 20.0, 12.0 * FINE, marks.START)


def _route(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.path(draw, [(3, height / 2), (width - 6 * FINE, height / 2)], marks.ROUTE, 2 * FINE, dash=6.0 * FINE)
    marks.disc(draw, (width - 5 * FINE, height / 2), 3.5 * FINE, marks.ROUTE, marks.CARD)


def _walked(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.path(draw, [(6, height / 2), (width - 6, height / 2)], marks.WALKED, 2 * FINE)


def _goal(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    floor = marks.floor_colour(0.0)
    mixed = tuple(round(a + (b - a) * SHADE / 255) for a, b in zip(floor, marks.GOAL, strict=True))
    _patch(draw, width, height, mixed)  # type: ignore[arg-type]


def _thing(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.thing(draw, (width / 2, height / 2), "lantern", 0.0)


def _picture(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.line(draw, (6, height / 2), (width - 6, height / 2), marks.PICTURE, 4 * FINE)


def _switch(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.line(draw, (6, height / 2), (width - 6, height / 2), marks.SWITCH, 4 * FINE)


def _door(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    _patch(draw, width, height, marks.DOOR)


def _wall(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    _border(draw, width, height, marks.WALL, thick=2.4, beyond=marks.ROCK)


def _drop(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    _border(draw, width, height, marks.DROP, thick=1.6, beyond=marks.floor_colour(64.0))


def _step(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    _border(draw, width, height, marks.STEP, thick=0.7, beyond=marks.floor_colour(16.0))


def _border(
    draw: ImageDraw.ImageDraw, width: int, height: int, colour: marks.Colour, *, thick: float, beyond: marks.Colour
) -> None:
    _patch(draw, width, height, marks.floor_colour(0.0))
    draw.rectangle((width / 2, height * 0.2, width - 1, height * 0.8), fill=beyond)
    marks.line(draw, (width / 2, height * 0.2), (width / 2, height * 0.8), colour, thick * FINE)


def _low(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    _patch(draw, width, height, marks.floor_colour(0.0))
    top = round(height * 0.2)
    draw.bitmap((0, top), marks.hatch((width, round(height * 0.8) - top)), fill=marks.HATCH)


def _ramp(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    part = width / len(_HEIGHTS)
    for number, rise in enumerate(_HEIGHTS):
        box = (part * number, height * 0.2, part * (number + 1) - 1, height * 0.8)
        draw.rectangle(box, fill=marks.floor_colour(rise))
        middle = (part * (number + 0.5), height / 2)
        draw.text(middle, f"{rise:+d}" if rise else "0", marks.INK, font=marks.font(11 * FINE), anchor="mm")


def _scale(draw: ImageDraw.ImageDraw, width: int, height: int) -> None:
    marks.line(draw, (3, height / 2), (width - 3, height / 2), marks.INK, 2 * FINE)
    for x in (3, width - 3):
        marks.line(draw, (x, height * 0.35), (x, height * 0.65), marks.INK, 2 * FINE)
