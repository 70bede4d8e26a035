"""WAD archives: the engine's container of named lumps. Knows nothing of what the lumps mean.

Format: a 12-byte header (``PWAD``, lump count, directory offset), the lumps, then 16 bytes a directory entry.
"""

import struct
from collections.abc import Iterable
from pathlib import Path

from gameenv.errors import InvalidInputError

Lump = tuple[str, bytes]


def write_wad(path: Path, lumps: Iterable[Lump]) -> None:
    """Write a PWAD with these lumps in order.

    Raises:
        InvalidInputError: If a lump name is not 1 to 8 ASCII characters.
    """
    body, directory = bytearray(), bytearray()
    count = 0
    for name, data in lumps:
        if not (name.isascii() and 1 <= len(name) <= 8):
            raise InvalidInputError(f"a lump name is 1 to 8 ASCII characters, got {name!r}")
        directory += struct.pack("<ii8s", 12 + len(body), len(data), name.encode())
        body += data
        count += 1
    path.write_bytes(struct.pack("<4sii", b"PWAD", count, 12 + len(body)) + body + directory)


def map_lumps(name: str, textmap: str) -> list[Lump]:
    """The three lumps of one UDMF map; the engine builds its own nodes."""
    return [(name, b""), ("TEXTMAP", textmap.encode("ascii")), ("ENDMAP", b"")]
