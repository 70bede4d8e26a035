"""The engine's file of levels: two maps, rewritten in place while the engine runs.

The engine reads the directory of its file once, at the start, but a map's text every time the map is opened. So one
engine serves any number of levels: each is written over the map that was not opened last. Two maps, so that the
engine never finds the old text in its read buffer. Knows nothing of the engine's interface.
"""

from pathlib import Path

from gameenv.arena.world import decor
from gameenv.arena.world.pictures import picture_lumps
from gameenv.arena.world.wad import map_lumps, write_wad
from gameenv.errors import InvalidInputError

SLOT_BYTES = 32_768
"""Room for a level's text; levels take 4,000 to 10,000 and the rest is filled with spaces."""
SLOT_NAMES = ("MAP01", "MAP02")


class LevelSlots:
    """A WAD file whose maps can be rewritten.

    Args:
        path: Where to write it.
        textmap: What all maps hold at first; the engine does not start on an empty one.

    Raises:
        InvalidInputError: If the level's text is too long.
    """

    def __init__(self, path: Path, textmap: str) -> None:
        maps = [lump for name in SLOT_NAMES for lump in map_lumps(name, _padded(textmap))]
        lumps = [("DECORATE", decor.ACTORS.encode("ascii")), *picture_lumps(), *maps]
        offsets = write_wad(path, lumps)
        self._offsets = [offset for offset, (name, _) in zip(offsets, lumps, strict=True) if name == "TEXTMAP"]
        self._file = path.open("r+b", buffering=0)  # kept open: it stays valid if someone tidies the folder away
        self._last = len(SLOT_NAMES) - 1

    def write(self, textmap: str) -> str:
        """Write a level over the map that was not written last; returns the map's name.

        Raises:
            InvalidInputError: If the level's text is too long.
        """
        text = _padded(textmap)
        self._last = (self._last + 1) % len(SLOT_NAMES)
        self._file.seek(self._offsets[self._last])
        self._file.write(text)
        return SLOT_NAMES[self._last]

    def close(self) -> None:
        """Close the file. May be called twice."""
        self._file.close()


def _padded(textmap: str) -> bytes:
    text = textmap.encode("ascii")
    if len(text) > SLOT_BYTES:
        raise InvalidInputError(
            f"a level's text has at most {SLOT_BYTES} bytes, got {len(text)}; make the level smaller"
        )
    return text.ljust(SLOT_BYTES)
