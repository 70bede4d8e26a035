"""What a model is shown of a clip: frames picked over its length, as JPEG files.

Knows nothing of what is asked about them.
"""

import io
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from gameenv.errors import InvalidInputError
from labeling.labeler import Clip
from labeling.naming.options import Look

SIX = 6
_SHEET_COLUMNS = 3
_CELL_WIDTH = 384
"""Pixels of a sheet's frames; wider ones are shrunk to it."""
_QUALITY = 90


@dataclass(frozen=True, slots=True)
class Pictures:
    """The pictures of a clip.

    Attributes:
        jpegs: JPEG files, in order of time.
        captions: A text for each, or none.
        told: What they are, in words.
    """

    jpegs: tuple[bytes, ...]
    captions: tuple[str, ...]
    told: str


def show(clip: Clip, look: Look) -> Pictures:
    """Return what is shown of a clip. A frame that is missing or damaged is replaced by the nearest one.

    Raises:
        InvalidInputError: If none of its frames can be read.
    """
    if look == "three":
        frames = _frames(clip, 3)
        told = "Three pictures from a video game that a person plays: before, in the middle of, and after"
        return Pictures(tuple(jpeg for _, jpeg in frames), (), told)
    frames = _frames(clip, SIX)
    if look == "sheet":
        told = "A sheet of six pictures, numbered in order of time, from a video game that a person plays, over"
        return Pictures((_sheet([jpeg for _, jpeg in frames]),), (), told)
    first = clip.rows[0].t_ns
    captions = tuple(
        f"Picture {number}, at {(clip.session[row].t_ns - first) / 1e9:.1f} s:"
        for number, (row, _) in enumerate(frames, start=1)
    )
    told = "Six pictures in order of time from a video game that a person plays, over"
    return Pictures(tuple(jpeg for _, jpeg in frames), captions, told)


def halve(jpeg: bytes) -> bytes:
    """The picture at half its width and height."""
    with Image.open(io.BytesIO(jpeg)) as picture:
        return _encode(picture.convert("RGB").resize((max(1, picture.width // 2), max(1, picture.height // 2))))


def _frames(clip: Clip, count: int) -> list[tuple[int, bytes]]:
    """Rows and JPEG files of ``count`` frames, evenly over the clip, its first and last among them."""
    start, length = clip.segment.start, len(clip.segment)
    wanted = [start + round(index * (length - 1) / (count - 1)) for index in range(count)]
    return [_nearest(clip, row) for row in wanted]


def _nearest(clip: Clip, row: int) -> tuple[int, bytes]:
    for at in sorted(range(clip.segment.start, clip.segment.stop), key=lambda each: (abs(each - row), each)):
        jpeg = _read(clip.session.frame_path(at))
        if jpeg is not None:
            return at, jpeg
    raise InvalidInputError(f"{clip.name} has no frame that can be read")


def _read(path: Path) -> bytes | None:
    """The file, if it is a whole picture."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    whole = content.startswith(b"\xff\xd8") and content.rstrip(b"\0").endswith(b"\xff\xd9")
    return content if whole else None


def _sheet(jpegs: list[bytes]) -> bytes:
    pictures = [Image.open(io.BytesIO(each)).convert("RGB") for each in jpegs]
    width, height = pictures[0].size
    if width > _CELL_WIDTH:
        width, height = _CELL_WIDTH, round(height * _CELL_WIDTH / width)
    rows = -(-len(pictures) // _SHEET_COLUMNS)
    sheet = Image.new("RGB", (width * _SHEET_COLUMNS, height * rows))
    draw = ImageDraw.Draw(sheet)
    for number, picture in enumerate(pictures):
        corner = (number % _SHEET_COLUMNS * width, number // _SHEET_COLUMNS * height)
        sheet.paste(picture.resize((width, height)), corner)
        draw.rectangle((*corner, corner[0] + 14, corner[1] + 14), fill="black")
        draw.text((corner[0] + 4, corner[1] + 1), str(number + 1), fill="white")
    return _encode(sheet)


def _encode(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()
