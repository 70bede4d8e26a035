"""Contact sheets: what stands where, and the file they are written to."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gameenv.arena.atlas.glimpse import Glimpse, glimpse, levels_in_turn
from gameenv.arena.atlas.map import draw_map
from gameenv.arena.atlas.marks import CARD
from gameenv.arena.atlas.sheet import MAX_MAP, draw_sheet, png_at
from gameenv.errors import InvalidInputError, UnknownNameError
from tests.gameenv.arena.conftest import MakeArena


@pytest.fixture
def shown(make_arena: MakeArena) -> list[Glimpse]:
    env = make_arena("all", "train")
    turns = levels_in_turn("all", 3)
    return [glimpse(env, *next(turns), expert=False) for _ in range(5)]


def count_in(picture: np.ndarray, part: np.ndarray) -> int:
    """How often ``part`` occurs in a picture, pixel by pixel."""
    (height, width), middle, found = part.shape[:2], len(part) // 2, 0
    needle = part[middle].tobytes()
    for y in range(len(picture) - height + 1):
        row = picture[y + middle].tobytes()
        at = row.find(needle)
        while at >= 0:
            x = at // 3
            found += at % 3 == 0 and np.array_equal(picture[y : y + height, x : x + width], part)
            at = row.find(needle, at + 1)
    return found


@pytest.mark.slow
def test_each_level_is_there_once_as_a_map_and_as_it_is_seen(shown: list[Glimpse]) -> None:
    sheet = np.asarray(draw_sheet(shown, "five"))
    for each in shown:
        assert count_in(sheet, each.first) == 1
        assert count_in(sheet, np.asarray(draw_map(each.level, state=each.state))) == 1


@pytest.mark.slow
def test_columns_are_as_told_and_otherwise_make_it_wide(shown: list[Glimpse]) -> None:
    one, all_, by_itself = (draw_sheet(shown, "five", columns) for columns in (1, 9, None))
    assert one.width < by_itself.width < all_.width
    assert one.height > by_itself.height > all_.height
    assert all_.width < 6 * one.width, "nine columns of five levels are five"


def test_the_expert_adds_what_it_saw_last_and_the_way_it_walked(make_arena: MakeArena) -> None:
    env = make_arena("all", "train")
    played = glimpse(env, "climb-stairs", 1, expert=True)
    assert played.played is not None
    assert played.played.outcome == "reached and declared"
    assert len(played.played.walked) == played.played.ticks + 1
    assert played.played.walked[0] == (played.level.start.x, played.level.start.y)
    assert not played.level.condition.holds(played.state)
    assert played.level.condition.holds(env.state)
    with_it, without = draw_sheet([played], "one"), draw_sheet([replace(played, played=None)], "one")
    assert count_in(np.asarray(with_it), played.played.last) == 1
    assert count_in(np.asarray(without), played.played.last) == 0


def test_captions_have_room_beside_small_views(make_arena: MakeArena) -> None:
    played = glimpse(make_arena("all", "train", frame_size=(64, 36)), "open-door", 1, expert=True)
    margin = np.asarray(draw_sheet([played], "one"))[-250:-40, -32:-20]
    assert (margin == CARD).all()


def test_a_large_level_makes_all_maps_smaller(shown: list[Glimpse]) -> None:
    level = shown[0].level
    plan = replace(level.plan, columns=level.plan.columns + 80)
    plan.cells = [[*row, *[-1] * 79, 0] for row in level.plan.cells]
    large = replace(shown[0], level=replace(level, plan=plan))
    assert draw_sheet([large, *shown[1:]], "five", 1).width < MAX_MAP + 400


def test_what_cannot_be_drawn_is_refused(shown: list[Glimpse]) -> None:
    with pytest.raises(InvalidInputError, match="at least one level"):
        draw_sheet([], "none")
    with pytest.raises(InvalidInputError, match="column"):
        draw_sheet(shown, "five", 0)
    with pytest.raises(InvalidInputError, match="pixels"):
        draw_sheet([replace(shown[0], first=np.zeros((10_000, 9_000, 3), np.uint8))], "one")


def test_families_take_turns() -> None:
    turns = levels_in_turn("all", 7)
    first = [next(turns) for _ in range(50)]
    assert [number for task, number in first if task == "open-door"][:3] == [7, 8, 9]
    assert len({task for task, _ in first[:4]}) == 4
    assert [next(turns) for turns in [levels_in_turn("open-door", 2)] for _ in range(2)] == [
        ("open-door", 2), ("open-door", 3),
    ]  # fmt: skip
    with pytest.raises(UnknownNameError):
        next(levels_in_turn("fly", 0))
    with pytest.raises(InvalidInputError):
        next(levels_in_turn("all", -1))


PICTURE = Image.new("RGB", (4, 4), "red")


def test_the_file_appears_when_it_is_complete_and_its_folder_is_made(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "sheet.png"
    with png_at(out) as file:
        assert not out.exists()
        PICTURE.save(file)
    assert [path.name for path in out.parent.iterdir()] == ["sheet.png"]
    assert Image.open(out).size == (4, 4)


def test_an_interrupted_sheet_leaves_the_old_one(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    out.write_bytes(b"old")
    with pytest.raises(KeyboardInterrupt), png_at(out):
        raise KeyboardInterrupt
    assert out.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    ("name", "says"), [("file/sheet.png", "cannot write"), ("sheet.jpg", "sheet.png"), ("folder.png", "is a folder")]
)
def test_a_place_that_cannot_be_written_to_is_refused_first(tmp_path: Path, name: str, says: str) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InvalidInputError, match=says), png_at(tmp_path / name):
        pytest.fail("it went on")
