"""WAD archives: the engine's container of named lumps. Knows nothing of what the lumps mean.

Format: a 12-byte header (``PWAD``, lump count, directory offset), the lumps, then 16 bytes a directory entry.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

from gameenv.errors import InvalidInputError

Lump = tuple[str, bytes]
HEADER_BYTES = 12


def write_wad(path: Path, lumps: Iterable[Lump]) -> list[int]:
    """Write a PWAD with these lumps in order.

    Returns:
        The byte offset of each lump's data in the file.

    Raises:
        InvalidInputError: If a lump name is not 1 to 8 ASCII characters.
    """
    body, directory = bytearray(), bytearray()
    offsets: list[int] = []
    for name, data in lumps:
        if not (name.isascii() and 1 <= len(name) <= 8):
            raise InvalidInputError(f"a lump name is 1 to 8 ASCII characters, got {name!r}")
        offsets.append(HEADER_BYTES + len(body))
        directory += struct.pack("<ii8s", offsets[-1], len(data), name.encode())
        body += data
    path.write_bytes(struct.pack("<4sii", b"PWAD", len(offsets), HEADER_BYTES + len(body)) + body + directory)
    return offsets


def map_lumps(name: str, textmap: bytes) -> list[Lump]:
    """The three lumps of one UDMF map; the engine builds its own nodes."""
    return [(name, b""), ("TEXTMAP", textmap), ("ENDMAP", b"")]
