"""Labeling again: what stays, what is built anew, and what a person said."""

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling.build import label_session
from labeling.referee import Referee
from labeling.segment_folder import SegmentRecord, read_record, segment_folders, write_record
from recording.session import Session
from recording.session_writer import SessionWriter
from tests.labeling.labeled import WORDS, label, tree
from tests.labeling.recordings import Ticks, append, record


def test_a_second_run_keeps_everything(session: Session, out: Path):
    assert label(session, out) == ["built"] * 4
    inodes = {path: path.stat().st_ino for path in out.rglob("*")}
    assert label(session, out) == ["kept"] * 4
    assert {path: path.stat().st_ino for path in out.rglob("*")} == inodes


@pytest.mark.parametrize("settings", [{"tail": "none"}, {"chords": "priority"}, {"seconds": 2.0}, {"seconds": 8.0}])
def test_other_settings_rebuild_and_leave_nothing_of_the_old(
    session: Session, tmp_path: Path, out: Path, settings: dict[str, object]
):
    label(session, out)
    assert set(label(session, out, **settings)) == {"built"}
    label(session, tmp_path / "fresh", **settings)
    assert tree(out) == tree(tmp_path / "fresh")


def test_another_version_of_the_labeler_rebuilds(session: Session, out: Path):
    class Newer(Referee):
        version = "2"

    label(session, out)
    assert {outcome.what for outcome in label_session(session, out, Newer())} == {"built"}


@pytest.mark.parametrize("damage", ["samples", "record", "record-gone"])
def test_a_damaged_segment_is_rebuilt(session: Session, tmp_path: Path, out: Path, damage: str):
    label(session, tmp_path / "fresh")
    label(session, out)
    folder = out / "s_seg0001"
    if damage == "samples":
        os.truncate(folder / "samples.jsonl", 100)
    elif damage == "record":
        os.truncate(folder / "segment.json", 100)
    else:
        (folder / "segment.json").unlink()
    assert label(session, out) == ["kept", "built", "kept", "kept"]
    assert tree(out) == tree(tmp_path / "fresh")


def test_a_session_that_is_still_recorded_is_labeled_as_far_as_it_reads(tmp_path: Path, out: Path):
    raw = tmp_path / "raw"
    first = record(raw, "s", Ticks(WORDS[:50]))
    with SessionWriter(raw, first.info, resume=True, reserve_bytes=0) as recorder:
        append(recorder, Ticks(WORDS[50:55]))
        with (raw / "s" / "steps.jsonl").open("ab") as file:
            file.write(b'{"index": 55, "t_')
        assert label(Session(raw / "s"), out) == ["built", "built"]
        assert read_record(out / "s_seg0001").stop == 55
    with SessionWriter(raw, first.info, resume=True, reserve_bytes=0) as recorder:
        append(recorder, Ticks(WORDS[:35]))
    assert label(Session(raw / "s"), out) == ["kept", "built", "built"]
    assert read_record(out / "s_seg0001").dropped == {}


def test_rows_behind_a_clip_that_its_windows_need_rebuild_it(tmp_path: Path, out: Path):
    raw = tmp_path / "raw"
    session = record(raw, "s", Ticks(["w"] * 40))
    label(session, out)
    assert read_record(out / "s_seg0000").dropped == {"no_next": 6}
    with SessionWriter(raw, session.info, resume=True, reserve_bytes=0) as recorder:
        append(recorder, Ticks(["d"] * 40))
    label(Session(raw / "s"), out)
    assert read_record(out / "s_seg0000").dropped == {}


def test_a_folder_that_was_renamed_is_rebuilt(session: Session, out: Path):
    label(session, out)
    (out / "s_seg0003").rename(out / "s_seg0009")
    assert label(session, out) == ["kept", "kept", "kept", "built"]
    assert len(list(out.iterdir())) == 4


def test_clips_that_are_gone_from_the_recording_go(session: Session, tmp_path: Path, out: Path):
    label(session, out)
    shutil.rmtree(tmp_path / "raw")
    label(record(tmp_path / "raw", "s", Ticks(WORDS[:60])), out)
    assert sorted(path.name for path in out.iterdir()) == ["s_seg0000", "s_seg0001"]


def test_other_sessions_are_left_alone(session: Session, tmp_path: Path, out: Path):
    label(session, out)
    label(record(tmp_path / "raw", "s_seg0001", Ticks(WORDS[:60])), out)
    assert label(session, out) == ["kept"] * 4
    assert (out / "s_seg0001_seg0000" / "segment.json").is_file()


def by_hand(folder: Path, **changes: object) -> SegmentRecord:
    changed = replace(read_record(folder), labeler="human", **changes)  # pyright: ignore[reportArgumentType]
    write_record(folder, changed)
    return changed


def test_a_person_s_segment_is_never_touched(session: Session, out: Path):
    label(session, out)
    by_hand(out / "s_seg0001", goal="Find the light")
    before = tree(out / "s_seg0001")
    assert label(session, out, tail="none") == ["built", "human", "built", "built"]
    assert tree(out / "s_seg0001") == before


@pytest.mark.parametrize("seconds", [2.0, 8.0])
def test_other_clips_are_cut_around_a_person_s(session: Session, out: Path, seconds: float):
    label(session, out)
    by_hand(out / "s_seg0002", goal="Find the light")  # rows 60 to 99
    before = tree(out / "s_seg0002")
    label(session, out, seconds=seconds)
    assert label(session, out, seconds=seconds).count("human") == 1
    assert tree(out / "s_seg0002") == before
    records = [read_record(folder) for folder in segment_folders(out)]
    assert sorted(row for each in records for row in range(each.start, each.stop)) == list(range(len(session)))


def test_a_person_s_segment_of_rows_that_are_gone_is_refused_before_anything_changes(
    session: Session, tmp_path: Path, out: Path
):
    label(session, out)
    by_hand(out / "s_seg0003")
    before = tree(out)
    shutil.rmtree(tmp_path / "raw")
    with pytest.raises(InvalidInputError, match=r"s_seg0003 was labeled by a person: .* changed after"):
        label(record(tmp_path / "raw", "s", Ticks(WORDS[:60])), out)
    assert tree(out) == before


def test_spans_follow_a_neighbour_that_a_person_relabeled(session: Session, out: Path):
    label(session, out)
    by_hand(out / "s_seg0000", goal="Find the light")
    assert label(session, out) == ["human", "kept", "kept", "kept"]
    assert read_record(out / "s_seg0001").goal_span == "s_seg0001"


def test_a_frame_that_came_back_is_used(session: Session, out: Path):
    shutil.move(session.frame_path(7), session.path / "kept.jpg")
    label(session, out)
    shutil.move(session.path / "kept.jpg", session.frame_path(7))
    assert label(session, out) == ["built", "kept", "kept", "kept"]
