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

    Shrinking averages over area (Pillow's reducing filters), so thin lines fade rather than flicker.

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
    return fit_picture(Image.fromarray(frame), spec)


def fit_picture(picture: Image.Image, spec: FrameSpec) -> Frame:
    """What ``fit_frame`` does, for an RGB picture of any size that is not an array yet."""
    inner = spec.size
    if spec.fit == "letterbox":
        scale = min(spec.width / picture.width, spec.height / picture.height)
        inner = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
    if inner == picture.size == spec.size:
        return np.array(picture)
    resized = picture.resize(inner, Image.Resampling.BOX if _shrinks(picture, inner) else _GROW)
    if inner == spec.size:
        return np.array(resized)
    canvas = np.zeros(spec.shape, np.uint8)
    left, top = (spec.width - inner[0]) // 2, (spec.height - inner[1]) // 2
    canvas[top : top + inner[1], left : left + inner[0]] = np.asarray(resized)
    return canvas


_GROW = Image.Resampling.BILINEAR


def _shrinks(image: Image.Image, size: tuple[int, int]) -> bool:
    return size[0] <= image.width and size[1] <= image.height


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
