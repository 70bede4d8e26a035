import struct
from pathlib import Path

import pytest

from gameenv.arena.engine.slots import SLOT_BYTES, SLOT_NAMES, LevelSlots
from gameenv.arena.world.wad import map_lumps, write_wad
from gameenv.errors import InvalidInputError


def read_wad(path: Path) -> list[tuple[str, bytes]]:
    """The lumps of a WAD, read the way the engine does: header, directory, data."""
    content = path.read_bytes()
    magic, count, directory = struct.unpack_from("<4sii", content)
    assert magic == b"PWAD"
    assert len(content) == directory + 16 * count
    entries = [struct.unpack_from("<ii8s", content, directory + 16 * i) for i in range(count)]
    return [(name.rstrip(b"\0").decode(), content[at : at + size]) for at, size, name in entries]


def test_lumps_come_back_in_order(tmp_path: Path) -> None:
    path = tmp_path / "x.wad"
    lumps = [("DECORATE", b"actors"), *map_lumps("MAP01", b"one"), *map_lumps("MAP02", b""), ("EIGHTLET", b"\0\1")]
    offsets = write_wad(path, lumps)
    assert read_wad(path) == lumps
    content = path.read_bytes()
    assert [content[at : at + len(data)] for at, (_, data) in zip(offsets, lumps, strict=True)] == [d for _, d in lumps]


@pytest.mark.parametrize("name", ["", "NINE_CHAR", "ÄÖ"])
def test_names_the_format_cannot_hold_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInputError, match="1 to 8 ASCII"):
        write_wad(tmp_path / "x.wad", [(name, b"")])
    assert not (tmp_path / "x.wad").exists()


def test_levels_are_rewritten_in_turn_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "levels.wad"
    slots = LevelSlots(path, "first")
    before = read_wad(path)
    assert [data.rstrip() for name, data in before if name == "TEXTMAP"] == [b"first", b"first"]
    for number in range(5):
        name = slots.write(f"level {number}" * (5 - number))
        assert name == SLOT_NAMES[number % 2]
        lumps = read_wad(path)
        assert [lump for lump in lumps if lump[0] != "TEXTMAP"] == [lump for lump in before if lump[0] != "TEXTMAP"]
        at = [lump[0] for lump in lumps].index(name) + 1
        assert lumps[at] == ("TEXTMAP", (f"level {number}" * (5 - number)).encode().ljust(SLOT_BYTES))
    slots.close()
    slots.close()


def test_a_level_that_is_too_long_is_refused_and_leaves_the_file_alone(tmp_path: Path) -> None:
    path = tmp_path / "levels.wad"
    slots = LevelSlots(path, "first")
    before = path.read_bytes()
    with pytest.raises(InvalidInputError, match=f"at most {SLOT_BYTES} bytes, got {SLOT_BYTES + 1}"):
        slots.write("x" * (SLOT_BYTES + 1))
    assert path.read_bytes() == before
    slots.close()
