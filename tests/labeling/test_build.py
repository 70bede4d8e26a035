"""Whole sessions to segments on disk."""

import errno
import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.errors import DiskFullError, InvalidInputError, SessionError
from gameenv.frames import load_frame
from labeling import writer
from labeling.build import label_session
from labeling.folder import SegmentRecord, read_record, write_record
from labeling.referee import Referee
from labeling.samples import SampleSettings
from policies.prompt import sample_messages
from recording.session import Session
from recording.writer import SessionWriter
from tests.labeling.recordings import Ticks, append, holds_from, record

WORDS = [ACTIONS[1 + index % 11] for index in range(60)]
LEVEL = "train/go-to-lantern/17/g1"


def label(session: Session, out: Path, **settings: object) -> list[str]:
    """Label and return what became of each clip."""
    outcomes = label_session(session, out, Referee(), SampleSettings(**settings))  # pyright: ignore[reportArgumentType]
    return [outcome.what for outcome in outcomes]


def lines(folder: Path) -> list[dict]:
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def tree(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return record(
        tmp_path / "raw",
        "s",
        Ticks(WORDS, take=0, reached=holds_from(58, 60), level=LEVEL, noise=[50]),
        Ticks(WORDS[:55], take=1, goal="Open the door", level="train/open-door/3/g1"),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


def test_every_sample_is_in_the_specification_s_format_beside_its_frame(session: Session, out: Path):
    label(session, out)
    folder = out / "s_seg0000"
    found = lines(folder)
    assert len(found) == 40
    for row, message in enumerate(found):
        chunk = message["messages"][1]["content"]
        assert message["messages"][0]["content"][0]["image"] == f"frame_{row:04d}.jpg"
        assert chunk == json.dumps({"actions": WORDS[row : row + 7]})
    assert json.dumps(found[3]) == json.dumps(
        sample_messages("frame_0003.jpg", "Go to the lantern", ActionChunk.of(WORDS[3:10]))
    )
    assert (load_frame(folder / "frame_0017.jpg") == load_frame(session.frame_path(17))).all()


def test_frames_are_the_recording_s_own_files(session: Session, out: Path):
    outcomes = label_session(session, out, Referee())
    assert os.path.samefile(out / "s_seg0001" / "frame_0001.jpg", session.frame_path(41))
    assert all(outcome.record.copied_bytes == 0 for outcome in outcomes)
    assert all(0 < outcome.extra_bytes < 40_000 for outcome in outcomes)


def test_the_record_says_what_the_segment_is(session: Session, out: Path):
    label(session, out)
    content = json.loads((out / "s_seg0001" / "segment.json").read_text())
    assert content.pop("fingerprint")
    assert content == {
        "format_version": 1,
        "session_id": "s",
        "number": 1,
        "take": 0,
        "start": 40,
        "stop": 60,
        "start_t_ns": 4_000_000_000,
        "end_t_ns": 6_000_000_000,
        "goal": "Go to the lantern",
        "labeler": "referee",
        "version": "1",
        "confidence": 1.0,
        "completed": True,
        "evidence": {"goal_reached_rows": [58, 59]},
        "goal_span": "s_seg0000",
        "level": LEVEL,
        "split": "train",
        "task": "go-to-lantern",
        "fps": 10.0,
        "frame_size": [32, 16],
        "fit": "letterbox",
        "vocabulary": list(ACTIONS),
        "chunk_length": 7,
        "chords": "error-diffusion",
        "tail": "next",
        "seconds": 4.0,
        "prompt_version": 1,
        "rows": [40, 41, 42, 43, *range(51, 60)],
        "dropped": {"noise": 7},
        "sources": {"expert": 19, "noise": 1},
        "words": {word: WORDS[40:60].count(word) for word in dict.fromkeys(WORDS[40:60])},
        "samples_bytes": (out / "s_seg0001" / "samples.jsonl").stat().st_size,
        "copied_bytes": 0,
    }
    assert (out / "s_seg0001" / "segment.json").stat().st_size < 4096


def test_only_frames_with_a_sample_are_in_the_folder(session: Session, out: Path):
    label(session, out)
    images = [message["messages"][0]["content"][0]["image"] for message in lines(out / "s_seg0001")]
    assert sorted(path.name for path in (out / "s_seg0001").glob("*.jpg")) == images
    assert images[:5] == ["frame_0000.jpg", "frame_0001.jpg", "frame_0002.jpg", "frame_0003.jpg", "frame_0011.jpg"]


def test_a_completed_clip_ends_with_the_declaration(session: Session, out: Path):
    label(session, out)
    assert lines(out / "s_seg0001")[-1]["messages"][1]["content"] == json.dumps({"actions": [WORDS[59], *["none"] * 6]})


def test_neighbouring_clips_with_one_goal_share_a_span(session: Session, out: Path):
    label(session, out)
    spans = [read_record(out / f"s_seg{number:04d}").goal_span for number in range(3)]
    assert spans == ["s_seg0000", "s_seg0000", "s_seg0002"]


def test_spans_do_not_cross_takes(tmp_path: Path, out: Path):
    session = record(tmp_path / "raw", "s", Ticks(["w"] * 20, take=0), Ticks(["w"] * 20, take=1))
    assert [outcome.record.goal_span for outcome in label_session(session, out, Referee())] == [
        "s_seg0000",
        "s_seg0001",
    ]


def test_a_clip_without_any_sample_is_still_a_segment(tmp_path: Path, out: Path):
    session = record(tmp_path / "raw", "s", Ticks(["w"] * 5))
    (outcome,) = label_session(session, out, Referee())
    assert (outcome.record.rows, outcome.record.dropped) == ((), {"no_next": 5})
    assert (out / "s_seg0000" / "samples.jsonl").read_bytes() == b""
    assert label(session, out) == ["kept"]


def test_labeling_twice_from_scratch_gives_the_same_bytes(session: Session, tmp_path: Path):
    label(session, tmp_path / "one")
    label(session, tmp_path / "two")
    assert tree(tmp_path / "one") == tree(tmp_path / "two")


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


def test_clips_that_are_gone_from_the_recording_go(session: Session, tmp_path: Path, out: Path):
    label(session, out)
    shutil.rmtree(tmp_path / "raw")
    label(record(tmp_path / "raw", "s", Ticks(WORDS)), out)
    assert sorted(path.name for path in out.iterdir()) == ["s_seg0000", "s_seg0001"]


def test_other_sessions_are_left_alone(session: Session, tmp_path: Path, out: Path):
    label(session, out)
    label(record(tmp_path / "raw", "s_seg0001", Ticks(WORDS)), out)
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


def test_a_cut_that_would_lose_a_person_s_label_is_refused_before_anything_changes(session: Session, out: Path):
    label(session, out)
    by_hand(out / "s_seg0003")
    before = tree(out)
    for seconds in (2.0, 8.0):
        with pytest.raises(InvalidInputError, match=r"s_seg0003 was labeled by a person .* --seconds 4\)"):
            label(session, out, seconds=seconds)
    assert tree(out) == before


def test_spans_follow_a_neighbour_that_a_person_relabeled(session: Session, out: Path):
    label(session, out)
    by_hand(out / "s_seg0000", goal="Find the light")
    assert label(session, out) == ["human", "kept", "kept", "kept"]
    assert read_record(out / "s_seg0001").goal_span == "s_seg0001"


def test_a_missing_frame_costs_its_sample_only_and_is_counted(session: Session, out: Path):
    session.frame_path(7).unlink()
    session.frame_path(8).write_bytes(b"")
    (first, *_) = label_session(session, out, Referee())
    assert first.record.dropped == {"missing_frame": 2}
    assert first.record.rows == (*range(7), *range(9, 40))
    assert len(lines(out / "s_seg0000")) == 38


def test_a_frame_that_came_back_is_used(session: Session, out: Path):
    shutil.move(session.frame_path(7), session.path / "kept.jpg")
    label(session, out)
    shutil.move(session.path / "kept.jpg", session.frame_path(7))
    assert label(session, out) == ["built", "kept", "kept", "kept"]


def no_links(*_: object, **__: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_where_links_cannot_be_frames_are_copied_and_counted(
    session: Session, out: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "link", no_links)
    (first, *_) = label_session(session, out, Referee())
    assert first.record.copied_bytes == sum(session.frame_path(row).stat().st_size for row in range(40))
    assert first.extra_bytes > first.record.copied_bytes
    assert not os.path.samefile(out / "s_seg0000" / "frame_0000.jpg", session.frame_path(0))
    assert (out / "s_seg0000" / "frame_0000.jpg").read_bytes() == session.frame_path(0).read_bytes()


def test_copying_stops_before_the_disk_is_full_and_goes_on_later(
    session: Session, out: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(os, "link", no_links)
    usage = shutil.disk_usage(session.path)
    frames = iter(range(1000))
    monkeypatch.setattr(
        writer.shutil, "disk_usage", lambda _: usage._replace(free=2**40 if next(frames) < 50 else 2**20)
    )
    with pytest.raises(DiskFullError, match=r"cannot be linked.* 1 MiB are free.*--out on the recording's file system"):
        label(session, out)
    assert [path.name for path in out.iterdir()] == ["s_seg0000"]
    monkeypatch.undo()
    assert label(session, out) == ["kept", "built", "built", "built"]


def test_a_full_disk_is_one_clear_error_and_leaves_no_half_segment(
    session: Session, out: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(writer, "write_record", full)
    with pytest.raises(DiskFullError, match=r"is full\. Make room"):
        label(session, out)
    assert list(out.iterdir()) == []


def test_an_interrupted_segment_leaves_nothing(session: Session, out: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(writer, "write_record", interrupt)
    with pytest.raises(KeyboardInterrupt):
        label(session, out)
    assert list(out.iterdir()) == []


def test_an_empty_session_is_refused(tmp_path: Path, out: Path):
    with pytest.raises(SessionError, match="session s is empty"):
        label(record(tmp_path / "raw", "s"), out)


def test_another_vocabulary_is_refused(tmp_path: Path, out: Path):
    session = record(tmp_path / "raw", "s", Ticks(["w"] * 40), vocabulary=("none", "w", "jump"))
    with pytest.raises(InvalidInputError, match="vocabulary none w jump"):
        label(session, out)


def test_a_session_the_labeler_cannot_label_is_refused_and_nothing_is_written(tmp_path: Path, out: Path):
    with pytest.raises(InvalidInputError, match="'referee' cannot label the session s: row 0 does not say"):
        label(record(tmp_path / "raw", "s", Ticks(["w"] * 40, reached=())), out)
    assert not out.exists()
