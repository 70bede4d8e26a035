"""Frames: the one resize that recording, training and playing share, and JPEG in and out.

A frame is ``(height, width, 3)`` uint8, RGB, 0 to 255. Knows nothing of where frames come from.
"""

import io
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from PIL import Image

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.shrinking import can_shrink, shrink
from gameenv.whole import whole

Frame: TypeAlias = np.ndarray
Fit = Literal["letterbox", "stretch"]
FITS: tuple[Fit, ...] = ("letterbox", "stretch")

DEFAULT_SIZE = (512, 288)
"""Width, height: 16:9 and a multiple of 32 both ways, so 144 visual tokens for Qwen3-VL and nothing to resample."""
JPEG_QUALITY = 95
JPEG_SUBSAMPLING = 0  # 4:4:4, so that thin coloured details survive
_JPEG_BEGINS, _JPEG_ENDS = b"\xff\xd8", b"\xff\xd9"


@dataclass(frozen=True, slots=True)
class FrameSpec:
    """The size every frame is brought to, and how another aspect ratio is fitted into it.

    Raises:
        InvalidInputError: If a side is not a whole number of at least 16.
        UnknownNameError: If there is no such fit.
    """

    width: int = DEFAULT_SIZE[0]
    height: int = DEFAULT_SIZE[1]
    fit: Fit = "letterbox"

    def __post_init__(self) -> None:
        width, height = whole(self.width), whole(self.height)
        if width is None or height is None:
            raise InvalidInputError(
                f"a frame's width and height are whole numbers, got {self.width!r}, {self.height!r}"
            )
        object.__setattr__(self, "width", width)  # NumPy's numbers would not go into JSON
        object.__setattr__(self, "height", height)
        if self.width < 16 or self.height < 16:
            raise InvalidInputError(f"frame size must be at least 16x16, got {self.width}x{self.height}")
        if self.fit not in FITS:
            raise UnknownNameError("fit", self.fit, FITS)

    @classmethod
    def of(cls, size: Sequence[int], fit: Fit = "letterbox") -> "FrameSpec":
        """The spec for a ``frame_size``: width, height.

        Raises:
            InvalidInputError, UnknownNameError: As the class, and if there are not two numbers.
        """
        if len(size) != 2:
            raise InvalidInputError(f"frame_size is (width, height), got {size!r}")
        return cls(*size, fit=fit)

    @property
    def size(self) -> tuple[int, int]:
        """Width, height."""
        return self.width, self.height

    @property
    def shape(self) -> tuple[int, int, int]:
        """The array shape: height, width, 3."""
        return self.height, self.width, 3


def check_frame(frame: object) -> Frame:
    """Return ``frame`` if it is one.

    Raises:
        InvalidInputError: If it is not an ``(height, width, 3)`` uint8 array, or is empty.
    """
    is_array = isinstance(frame, np.ndarray)
    if not is_array or frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        got = f"{frame.dtype} {frame.shape}" if is_array else type(frame).__name__
        raise InvalidInputError(f"a frame is a uint8 array of shape (height, width, 3), RGB; got {got}")
    return frame


def fit_frame(frame: Frame, spec: FrameSpec) -> Frame:
    """Bring a frame to ``spec``. This is the only resize in the project.

    Shrinking averages over area (``gameenv.shrinking``), so thin lines fade rather than flicker.

    Args:
        frame: ``(height, width, 3)`` uint8 RGB of any size.
        spec: The size and fit wanted.

    Returns:
        A contiguous array of ``spec.shape``; the same object when there is nothing to do.

    Raises:
        InvalidInputError: If ``frame`` is not a frame.
    """
    check_frame(frame)
    height, width = frame.shape[:2]
    if (width, height) == spec.size:
        return np.ascontiguousarray(frame)
    fitted, inside = _canvas(width, height, spec)
    size = inside.shape[1], inside.shape[0]
    if can_shrink((width, height), size):
        pixels = np.empty((height, width, 4), np.uint8)
        pixels[..., :3] = frame
        inside[...] = shrink(pixels, size)[..., :3]
    else:
        inside[...] = _resize(Image.fromarray(frame), size)
    return fitted


def fit_screen(pixels: np.ndarray, spec: FrameSpec) -> Frame:
    """What ``fit_frame`` does, for pixels as screens hold them, without bringing all of them into another order first.

    Args:
        pixels: ``(height, width, 4)`` uint8, contiguous: blue, green, red, and a byte that means nothing.
        spec: The size and fit wanted.

    Returns:
        A contiguous array of ``spec.shape``, freshly owned.
    """
    height, width = pixels.shape[:2]
    fitted, inside = _canvas(width, height, spec)
    size = inside.shape[1], inside.shape[0]
    if (width, height) == size or can_shrink((width, height), size):
        small = pixels if (width, height) == size else shrink(pixels, size)
        for place in range(3):  # one colour at a time: numpy is slow at turning pixels round
            inside[..., place] = small[..., 2 - place]
    else:
        inside[...] = _resize(Image.frombuffer("RGB", (width, height), pixels, "raw", "BGRX", 0, 1), size)
    return fitted


def _canvas(width: int, height: int, spec: FrameSpec) -> tuple[Frame, Frame]:
    """A frame to fill, and the part of it where a picture of this size goes; what lies around that is black."""
    inner = spec.size
    if spec.fit == "letterbox":
        scale = min(spec.width / width, spec.height / height)
        inner = max(1, round(width * scale)), max(1, round(height * scale))
    canvas = np.empty(spec.shape, np.uint8) if inner == spec.size else np.zeros(spec.shape, np.uint8)
    left, top = (spec.width - inner[0]) // 2, (spec.height - inner[1]) // 2
    return canvas, canvas[top : top + inner[1], left : left + inner[0]]


def _resize(picture: Image.Image, size: tuple[int, int]) -> np.ndarray:
    """For sizes that ``shrink`` does not take."""
    shrinks = size[0] <= picture.width and size[1] <= picture.height
    return np.asarray(picture.resize(size, Image.Resampling.BOX if shrinks else Image.Resampling.BILINEAR))


def encode_jpeg(frame: Frame) -> bytes:
    """Encode a frame as JPEG, quality 95, 4:4:4."""
    buffer = io.BytesIO()
    Image.fromarray(check_frame(frame)).save(buffer, "JPEG", quality=JPEG_QUALITY, subsampling=JPEG_SUBSAMPLING)
    return buffer.getvalue()


def load_frame(path: Path) -> Frame:
    """Read an image file as a frame.

    Raises:
        InvalidInputError: If the file is missing, is not a readable image, or is a JPEG without its end.
    """
    try:
        content = path.read_bytes()
        if content.startswith(_JPEG_BEGINS) and not _ends(content):  # zeros for an end would pass as grey
            raise InvalidInputError(f"cannot read the frame {path}: it is cut short")
        with Image.open(io.BytesIO(content)) as image:
            return np.array(image.convert("RGB"))
    except UNREADABLE as error:
        raise InvalidInputError(f"cannot read the frame {path}: {error}") from error


UNREADABLE = (OSError, ValueError, SyntaxError, Image.DecompressionBombError)
"""What Pillow raises at a file that is no image, or a damaged one."""


def is_whole(path: Path) -> bool:
    """Whether an image file is there and was written to its end. Reads four bytes of a JPEG (8 microseconds).

    A JPEG that passes may still be damaged inside; anything that is not a JPEG is decoded.
    """
    try:
        with path.open("rb") as file:
            if file.read(2) == _JPEG_BEGINS:
                file.seek(-2, os.SEEK_END)
                if file.read() == _JPEG_ENDS:
                    return True
        load_frame(path)
    except (OSError, InvalidInputError):
        return False
    return True


def _ends(jpeg: bytes) -> bool:
    """Whether it has its end; some writers pad it with zeros."""
    return jpeg.endswith(_JPEG_ENDS) or jpeg.rstrip(b"\0").endswith(_JPEG_ENDS)
