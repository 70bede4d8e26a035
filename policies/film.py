"""Episodes as pictures: frames with the pressed key drawn below them, film strips and videos.

Knows actions, frames and how to play a level again; nothing of policies, statistics or the report's page.
"""

import itertools
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gameenv import ARENA_ID
from gameenv.actions import NONE, Action, action_index, parse_action
from gameenv.errors import InvalidInputError, require
from gameenv.files import replacing
from gameenv.frames import DEFAULT_SIZE, Frame, check_frame

MIN_WIDTH = 400
"""Narrower frames are enlarged by a whole factor before keys are drawn, or nobody could read them."""

# x, y, width in key sizes; two rows, laid out as the hands find them.
_KEYBOARD: dict[Action, tuple[float, int, float]] = {
    "w": (1, 0, 1),
    "a": (0, 1, 1),
    "s": (1, 1, 1),
    "d": (2, 1, 1),
    "up": (4.6, 0, 1),
    "left": (3.6, 1, 1),
    "down": (4.6, 1, 1),
    "right": (5.6, 1, 1),
    "c": (7.2, 1, 1),
    "space": (8.3, 1, 3),
    "enter": (11.4, 1, 2.2),
}
_ARROWS = {"up": (0, -1), "down": (0, 1), "left": (-1, 0), "right": (1, 0)}

_PANEL, _CAP, _EDGE, _INK, _FAINT = (22, 24, 29), (38, 41, 48), (70, 75, 86), (236, 238, 242), (150, 156, 168)
_LIT, _LIT_INK = (240, 190, 60), (20, 16, 4)
_HOLDS, _HOLDS_INK = (0, 158, 115), (255, 255, 255)  # bluish green of Okabe and Ito: told from _LIT by every eye


@dataclass(frozen=True, slots=True)
class Caption:
    """What is written below a frame: the goal, the tick and whether the goal holds at this tick."""

    goal: str
    tick: int
    goal_holds: bool = False


def draw_keys(frame: Frame, action: Action | None, caption: Caption) -> Frame:
    """Put the goal, the tick and an on-screen keyboard below a frame; nothing of the frame is hidden.

    Args:
        frame: ``(height, width, 3)`` uint8 RGB. Narrower than ``MIN_WIDTH``, it is enlarged by a whole factor.
        action: The key that is pressed now; ``None`` or ``"none"`` lights no key.
        caption: What to write.

    Returns:
        A new ``(height + panel, width, 3)`` uint8 array; the panel's height depends on the width alone.

    Raises:
        InvalidInputError: If ``frame`` is not a frame.
        UnknownNameError: If ``action`` is not one of the twelve.
    """
    check_frame(frame)
    if action is not None:
        parse_action(action)
    factor = -(-MIN_WIDTH // frame.shape[1])
    if factor > 1:
        frame = frame.repeat(factor, 0).repeat(factor, 1)
    panel = _keyboard(frame.shape[1], action or NONE).copy()
    _write_caption(panel, caption)
    return np.concatenate([frame, np.asarray(panel)])


def _unit(width: int) -> int:
    """Side of a key in pixels for a frame of this width."""
    return max(12, round(width * 20 / 512))


def _font(size: float, text: str = "") -> Any:
    """Pillow's own font or, for letters that it does not have, the one that comes with matplotlib where that is."""
    if not text.isascii() and (matplotlib := find_spec("matplotlib")) is not None:
        assert matplotlib.origin is not None
        path = Path(matplotlib.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), round(size))
    return ImageFont.load_default(size)


@lru_cache(maxsize=64)
def _keyboard(width: int, action: Action) -> Image.Image:
    """The panel without its caption. Cached, as most ticks of a video share one of a dozen."""
    key, gap = _unit(width), max(1, _unit(width) // 10)
    top = round(key * 1.35)
    panel = Image.new("RGB", (width, top + 2 * (key + gap) + 2 * gap), _PANEL)
    draw = ImageDraw.Draw(panel)
    for word, (x, y, span) in _KEYBOARD.items():
        left, upper = round(key * (0.35 + x * 1.08)), top + y * (key + gap)
        box = (left, upper, left + round(key * span + key * 0.08 * (span - 1)), upper + key)
        _draw_key(draw, word, box, lit=word == action)
    return panel


def _draw_key(draw: ImageDraw.ImageDraw, word: Action, box: tuple[int, int, int, int], *, lit: bool) -> None:
    ink = _LIT_INK if lit else _FAINT
    draw.rounded_rectangle(box, radius=3, fill=_LIT if lit else _CAP, outline=_LIT if lit else _EDGE)
    middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
    if word in _ARROWS:
        draw.polygon(_arrow(middle, _ARROWS[word], (box[3] - box[1]) * 0.24), fill=ink)
    else:
        draw.text(middle, word, ink, font=_font((box[3] - box[1]) * 0.62), anchor="mm")


def _arrow(middle: tuple[float, float], way: tuple[int, int], size: float) -> list[tuple[float, float]]:
    """A triangle that points ``way``; Pillow's own font has no arrows."""
    (x, y), (dx, dy) = middle, way
    return [
        (x + dx * size, y + dy * size),
        (x - dx * size + dy * size, y - dy * size + dx * size),
        (x - dx * size - dy * size, y - dy * size - dx * size),
    ]


def _write_caption(panel: Image.Image, caption: Caption) -> None:
    draw, key = ImageDraw.Draw(panel), _unit(panel.width)
    font = _font(key * 0.72, caption.goal)
    line, edge = round(key * 0.72), round(key * 0.35)
    tick = f"tick {caption.tick}"
    right = panel.width - edge
    draw.text((right, line), tick, _FAINT, font=font, anchor="rm")
    goal = _shorten(draw, caption.goal, font, right - edge - round(draw.textlength("tick 00000", font=font)) - key)
    draw.text((edge, line), goal, _INK, font=font, anchor="lm")
    if caption.goal_holds:
        draw.rectangle((0, 0, panel.width, max(2, key // 8)), fill=_HOLDS)
        _draw_mark(draw, (right, panel.height - edge), key, font)


def _draw_mark(draw: ImageDraw.ImageDraw, corner: tuple[int, int], key: int, font: Any) -> None:
    """A green badge with a tick and words, so that neither colour nor shape alone carries the meaning."""
    label = "goal holds"
    right, bottom = corner
    left = right - round(draw.textlength(label, font=font) + key * 1.7)
    middle = bottom - round(key * 0.6)
    draw.rounded_rectangle((left, bottom - round(key * 1.2), right, bottom), radius=round(key * 0.3), fill=_HOLDS)
    x, arm = left + key * 0.4, key * 0.22
    check = [(x, middle), (x + arm, middle + arm), (x + arm * 3, middle - arm)]
    draw.line(check, fill=_HOLDS_INK, width=max(2, key // 8), joint="curve")
    draw.text((right - round(key * 0.35), middle), label, _HOLDS_INK, font=font, anchor="rm")


def _shorten(draw: ImageDraw.ImageDraw, text: str, font: Any, room: float) -> str:
    text = " ".join(text.split())  # Pillow anchors cannot place several lines
    while text and draw.textlength(text, font=font) > room:
        text = text[:-2].rstrip() + "…"
        if text == "…":
            break
    return text


def pick_evenly(total: int, count: int) -> list[int]:
    """Return at most ``count`` indices of ``range(total)``, evenly spaced, the first and the last among them."""
    return sorted({round(index) for index in np.linspace(0, total - 1, min(count, total))}) if total > 0 else []


def film_strip(
    frames: Sequence[Frame],
    actions: Sequence[Action | None],
    *,
    ticks: Sequence[int] | None = None,
    holds: Sequence[bool] = (),
    count: int = 8,
    columns: int = 4,
    tile_width: int = 240,
) -> Image.Image:
    """Lay evenly spaced frames out like a contact sheet, each with its tick and the key pressed there.

    Args:
        frames: ``(height, width, 3)`` uint8 RGB each, all of one size.
        actions: The key pressed at each frame; the last may be ``None`` (the episode is over).
        ticks: The tick of each frame; 0, 1, 2, ... unless told.
        holds: Whether the goal holds at each frame; those tiles get a green bar and the word "holds".
        count: Tiles at most; episodes with fewer frames show all.
        columns: Tiles in a row.
        tile_width: Pixels.

    Raises:
        InvalidInputError: If there are no frames, or not one action (and tick) a frame.
    """
    if not frames or len(actions) != len(frames) or (ticks is not None and len(ticks) != len(frames)):
        raise InvalidInputError(f"a film strip needs one action a frame, got {len(frames)} and {len(actions)}")
    chosen = pick_evenly(len(frames), count)
    height, width = check_frame(frames[0]).shape[:2]
    tile_height, bar, gap = max(1, round(height * tile_width / width)), max(18, tile_width // 6), 4
    rows = -(-len(chosen) // columns)
    across = min(columns, len(chosen))
    size = across * (tile_width + gap) - gap, rows * (tile_height + bar + gap) - gap
    strip = Image.new("RGB", size, _PANEL)
    for place, index in enumerate(chosen):
        tile = Image.new("RGB", (tile_width, tile_height + bar), _PANEL)
        tile.paste(Image.fromarray(frames[index]).resize((tile_width, tile_height), Image.Resampling.BICUBIC))
        held = bool(holds[index]) if index < len(holds) else False
        _label_tile(tile, bar, ticks[index] if ticks else index, actions[index], held)
        strip.paste(tile, (place % columns * (tile_width + gap), place // columns * (tile_height + bar + gap)))
    return strip


def _label_tile(tile: Image.Image, bar: int, tick: int, action: Action | None, holds: bool) -> None:
    draw, font = ImageDraw.Draw(tile), _font(bar * 0.62)
    top, middle = tile.height - bar, tile.height - bar // 2
    if holds:
        draw.rectangle((0, top, tile.width, tile.height), fill=_HOLDS)
    draw.text((6, middle), f"{tick} · holds" if holds else str(tick), _INK, font=font, anchor="lm")
    word = "end" if action is None else action
    left = tile.width - round(draw.textlength(word, font=font)) - 16
    pressed = word not in ("end", NONE)
    if pressed:
        draw.rounded_rectangle((left, top + 3, tile.width - 4, tile.height - 4), radius=3, fill=_LIT)
    draw.text((tile.width - 10, middle), word, _LIT_INK if pressed else _INK, font=font, anchor="rm")


def write_video(path: Path, frames: Iterable[Frame], fps: float) -> int:
    """Write frames as an H.264 MP4 (yuv420p, index in front) that browsers play.

    The file appears under its name only when complete. Odd sides grow by one repeated pixel.

    Args:
        path: The ``.mp4`` to write; its folder is made.
        frames: ``(height, width, 3)`` uint8 RGB each, all of one size.
        fps: Frames a second.

    Returns:
        The number of frames written.

    Raises:
        MissingExtraError: If PyAV is not installed.
        InvalidInputError: If there are no frames, their sizes differ, or ``fps`` is not above zero.
        DiskFullError: If there is no room.
    """
    av = require("av", "evaluate")
    if not fps > 0:
        raise InvalidInputError(f"fps must be above 0, got {fps}")
    frames = iter(frames)
    first = next(frames, None)
    if first is None:
        raise InvalidInputError(f"there are no frames to write to {path}")
    path.parent.mkdir(parents=True, exist_ok=True)
    written = 0
    with (
        replacing(path) as scratch,
        av.open(str(scratch), "w", format="mp4", options={"movflags": "+faststart"}) as container,
    ):
        stream = container.add_stream("libx264", rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width = (side + side % 2 for side in check_frame(first).shape[:2])
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "veryfast", "crf": "26", "g": "30"}
        for frame in itertools.chain([first], frames):
            if frame.shape != first.shape:
                raise InvalidInputError(f"frames of one video differ in size: {first.shape} and {frame.shape}")
            even = np.pad(frame, ((0, frame.shape[0] % 2), (0, frame.shape[1] % 2), (0, 0)), "edge")
            container.mux(stream.encode(av.VideoFrame.from_ndarray(even, format="rgb24")))
            written += 1
        container.mux(stream.encode(None))
    return written


def replay_in(
    env: gym.Env[Any, Any], seed: int, actions: Sequence[str]
) -> Iterator[tuple[Frame, dict[str, Any], Action | None]]:
    """Play an episode again in ``env``, which stays open.

    Yields:
        Each frame, its ``info`` and the action then played; last the frame after the last action, with ``None``.
        Stops where the env terminates or truncates, even if actions are left.

    Raises:
        UnknownNameError: If an action is not one of the twelve.
    """
    words: list[Action] = [parse_action(word) for word in actions]
    frame, info = env.reset(seed=seed)
    for word in words:
        yield frame, info, word
        frame, _, terminated, truncated, info = env.step(action_index(word))
        if terminated or truncated:
            break
    yield frame, info, None


def replay(
    task: str, split: str, seed: int, actions: Sequence[str], frame_size: tuple[int, int] = DEFAULT_SIZE
) -> Iterator[tuple[Frame, dict[str, Any], Action | None]]:
    """Play an arena episode again: a level is deterministic, so its actions are all there is to keep.

    Args:
        task: Arena task.
        split: ``train``, ``validation`` or ``test``.
        seed: The level's number.
        actions: The words that were played, tick by tick.
        frame_size: Width and height of the frames.

    Yields:
        As ``replay_in``.

    Raises:
        UnknownNameError: If the task, the split or an action does not exist.
    """
    with closing(gym.make(ARENA_ID, task=task, split=split, frame_size=frame_size, disable_env_checker=True)) as env:
        yield from replay_in(env, seed, actions)
