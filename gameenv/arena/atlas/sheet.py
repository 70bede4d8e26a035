"""A contact sheet: levels side by side, each as a map and as the player sees it, with a legend; and its PNG file.

Knows nothing of how levels are opened or played.
"""

import contextlib
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from gameenv.arena.atlas import marks
from gameenv.arena.atlas.chart import PX_PER_CELL, Scale
from gameenv.arena.atlas.glimpse import Glimpse
from gameenv.arena.atlas.legend import draw_legend
from gameenv.arena.atlas.map import draw_map
from gameenv.errors import InvalidInputError
from gameenv.files import replacing
from gameenv.frames import Frame

MAX_MAP = 640
"""Pixels a map may be wide or high; where one would be larger, all maps of the sheet are drawn smaller."""
MAX_PIXELS = 89_000_000
"""Of a sheet: Pillow warns of larger pictures when it opens them."""
_MIN_PX_PER_CELL = 5
_USUAL_CELLS = 30
"""Side of a large room: at this size a map is as high as the views beside it."""
_PAD = 16
_GAP = 18
_TITLE, _SMALL = 21.0, 14.0
_HEAD = 62
_CAPTION = 24
_ASPECT = 1.6


def draw_sheet(glimpses: Sequence[Glimpse], title: str, columns: int | None = None) -> Image.Image:
    """Draw levels as a sheet.

    Args:
        glimpses: The levels.
        title: What stands on top.
        columns: Cells side by side; by default so many that the sheet is about as wide as a screen for its height.

    Raises:
        InvalidInputError: If there are no levels or no columns, or too many pixels.
    """
    if not glimpses:
        raise InvalidInputError("a contact sheet needs at least one level")
    if columns is not None and columns < 1:
        raise InvalidInputError(f"a contact sheet needs at least one column, got {columns}")
    stack = max(_stack_height(each) for each in glimpses)
    px_per_cell = _common_scale(glimpses, stack)
    sizes = [Scale.of(each.level.plan, px_per_cell).size for each in glimpses]
    room = max(width for width, _ in sizes), max(height for _, height in sizes)
    room = room[0], max(room[1], stack)
    wide = room[0] + max(_stack_width(each) for each in glimpses) + 3 * _PAD
    high = room[1] + _HEAD + _PAD
    if columns is None:
        columns = max(1, round((len(glimpses) * _ASPECT * high / wide) ** 0.5))
    columns = min(columns, len(glimpses))
    rows = -(-len(glimpses) // columns)
    width = columns * (wide + _GAP) + _GAP
    if width * rows * high > MAX_PIXELS:
        raise InvalidInputError(
            f"the sheet would have over {MAX_PIXELS:,} pixels; take fewer levels, or a smaller frame size"
        )
    legend = draw_legend(width - 2 * _GAP, px_per_cell, walked=any(each.played for each in glimpses))
    top = _GAP + 36 + legend.height + _GAP // 2
    sheet = Image.new("RGB", (width, top + rows * (high + _GAP)), marks.PAGE)
    heading = marks.shorten(title, 24, legend.width)
    ImageDraw.Draw(sheet).text((_GAP, _GAP + 12), heading, marks.INK, font=marks.font(24), anchor="lm")
    sheet.paste(legend, (_GAP, _GAP + 36))
    for number, each in enumerate(glimpses):
        card = _draw_card(each, px_per_cell, room, wide)
        sheet.paste(card, (_GAP + number % columns * (wide + _GAP), top + number // columns * (high + _GAP)))
    return sheet


def _common_scale(glimpses: Sequence[Glimpse], stack: int) -> int:
    """Pixels a cell at which every map has room, beside views of this height."""
    scales = [Scale.of(each.level.plan) for each in glimpses]
    largest = max(max(scale.columns, scale.rows) for scale in scales)
    return max(min(max(PX_PER_CELL, stack // _USUAL_CELLS), MAX_MAP // largest), _MIN_PX_PER_CELL)


def _views(shown: Glimpse) -> list[tuple[Frame, str]]:
    """What the player sees of a level, with captions."""
    views = [(shown.first, f"the start; {shown.max_steps / shown.fps:.1f} s to reach the goal")]
    if (played := shown.played) is not None:
        views.append((played.last, f"the expert: {played.outcome} after {played.ticks / shown.fps:.1f} s"))
    return views


def _stack_height(shown: Glimpse) -> int:
    """Height of a level's views with their captions."""
    return len(_views(shown)) * (shown.first.shape[0] + _CAPTION)


def _stack_width(shown: Glimpse) -> int:
    """Width of a level's views, or of the longest caption."""
    captions = (marks.font(_SMALL).getlength(caption) for _, caption in _views(shown))
    return max(shown.first.shape[1], *map(math.ceil, captions))


def _draw_card(shown: Glimpse, px_per_cell: int, room: tuple[int, int], width: int) -> Image.Image:
    """One level: its goal, its map in a room of the same size for all, and what the player sees beside it."""
    level, played = shown.level, shown.played
    view_height, height = shown.first.shape[0], room[1] + _HEAD + _PAD
    card = Image.new("RGB", (width, height), marks.CARD)
    draw = ImageDraw.Draw(card)
    draw.rounded_rectangle((0, 0, width - 1, height - 1), radius=6, fill=marks.CARD, outline=marks.EDGE)
    goal = marks.shorten(level.goal, _TITLE, width - 2 * _PAD)
    draw.text((_PAD, 22), goal, marks.INK, font=marks.font(_TITLE), anchor="lm")
    draw.text((_PAD, 45), level.id, marks.FAINT, font=marks.font(_SMALL), anchor="lm")
    walked = () if played is None else played.walked
    plan = draw_map(level, px_per_cell, state=shown.state, walked=walked)
    card.paste(plan, (_PAD + (room[0] - plan.width) // 2, _HEAD + (room[1] - plan.height) // 2))
    left, top = room[0] + 2 * _PAD, _HEAD + (room[1] - _stack_height(shown)) // 2
    for frame, caption in _views(shown):
        card.paste(Image.fromarray(frame), (left, top))
        below = top + view_height + _CAPTION // 2
        draw.text((left, below), caption, marks.FAINT, font=marks.font(_SMALL), anchor="lm")
        top += view_height + _CAPTION
    return card


@contextlib.contextmanager
def png_at(path: Path) -> Iterator[Path]:
    """Make sure that a PNG can be written to ``path`` before the work begins; gives the file to save it to.

    It appears under its name only if all goes well; otherwise nothing is left.

    Raises:
        InvalidInputError: If it cannot be written there.
        DiskFullError: If there is no room.
    """
    if path.suffix.lower() != ".png":
        raise InvalidInputError(
            f"a contact sheet is a .png file, got {str(path)!r}; call it {path.stem or 'arena'}.png"
        )
    if path.is_dir():
        raise InvalidInputError(f"{path} is a folder; name a .png file in it")
    with contextlib.ExitStack() as stack:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            scratch = stack.enter_context(replacing(path))
        except OSError as error:
            raise InvalidInputError(f"cannot write {path}: {error.strerror}. Name another file") from error
        yield scratch
