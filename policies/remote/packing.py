"""Frames as few bytes, and back: JPEG of at most 60 kB, or PNG where every pixel counts.

A pure function of the frame, so that the same frame always arrives as the same picture. Knows nothing of messages.
"""

import io

import numpy as np
from PIL import Image

from gameenv.errors import InvalidInputError
from gameenv.frames import JPEG_QUALITY, JPEG_SUBSAMPLING, Frame, FrameSpec, check_frame, fit_frame

MAX_FRAME_BYTES = 60_000
"""The longest JPEG of a frame."""
MAX_PIXELS = 1 << 24
"""The largest picture that is unpacked: 4096x4096. A small file may claim any size."""
_QUALITIES = (JPEG_QUALITY, 90, 80, 60, 40, 20, 10)
"""Tried in turn; the first is that of recordings."""
_SMALLEST = 16


def pack_jpeg(frame: Frame, max_bytes: int = MAX_FRAME_BYTES) -> bytes:
    """The frame as a JPEG file of at most ``max_bytes``, as good as fits.

    Where even the lowest quality is too long, the frame is halved; policies take frames of any size.

    Raises:
        InvalidInputError: If it is no frame.
    """
    check_frame(frame)
    for quality in _QUALITIES:
        data = _jpeg(frame, quality)
        if len(data) <= max_bytes:
            return data
    height, width = frame.shape[:2]
    if min(height, width) < 2 * _SMALLEST:
        return _jpeg(frame, _QUALITIES[-1])
    return pack_jpeg(fit_frame(frame, FrameSpec(width // 2, height // 2, "stretch")), max_bytes)


def _jpeg(frame: Frame, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(frame).save(buffer, "JPEG", quality=quality, subsampling=JPEG_SUBSAMPLING)
    return buffer.getvalue()


def pack_png(frame: Frame) -> bytes:
    """The frame as a PNG file, every pixel as it was: about twice the bytes, and four times the time, of a JPEG.

    Raises:
        InvalidInputError: If it is no frame.
    """
    buffer = io.BytesIO()
    Image.fromarray(check_frame(frame)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def unpack(data: bytes) -> Frame:
    """The frame that a JPEG or PNG file holds: ``(height, width, 3)`` uint8 RGB, freshly owned.

    Raises:
        InvalidInputError: If it is neither, is cut short, or is larger than ``MAX_PIXELS``.
    """
    try:
        with Image.open(io.BytesIO(data), formats=("JPEG", "PNG")) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise InvalidInputError(
                    f"a frame has at most {MAX_PIXELS} pixels, got {picture.width}x{picture.height}"
                )
            return np.array(picture.convert("RGB"))
    except InvalidInputError:
        raise
    except Exception as error:  # Pillow's readers raise many kinds on a damaged file
        raise InvalidInputError(f"a frame of {len(data)} bytes is no JPEG or PNG: {error}") from error
