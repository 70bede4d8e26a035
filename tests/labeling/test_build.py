"""Whole sessions to segments on disk."""

import errno
import json
import os
import shutil
import tempfile
from pathlib import Path

import pytest

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.errors import DiskFullError, InvalidInputError, SessionError
from gameenv.frames import load_frame
from labeling import load_samples
from labeling import segment_writer as writer
from labeling.build import label_session
from labeling.referee import Referee
from labeling.segment_folder import read_record
from policies.prompt import sample_messages
from recording.session import Session
from tests.labeling.labeled import LEVEL, WORDS, label, lines, tree
from tests.labeling.recordings import Ticks, record

SHM = Path("/dev/shm")


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
        "keep_every": 1,
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


def test_a_missing_frame_costs_its_sample_only_and_is_counted(session: Session, out: Path):
    session.frame_path(7).unlink()
    session.frame_path(8).write_bytes(b"")
    (first, *_) = label_session(session, out, Referee())
    assert first.record.dropped == {"missing_frame": 2}
    assert first.record.rows == (*range(7), *range(9, 40))
    assert len(lines(out / "s_seg0000")) == 38


def test_a_frame_that_is_cut_short_counts_as_a_missing_one(session: Session, out: Path):
    whole = session.frame_path(7).read_bytes()
    session.frame_path(7).write_bytes(whole[: len(whole) // 2])
    session.frame_path(8).write_bytes(whole[: len(whole) // 2] + bytes(len(whole) - len(whole) // 2))
    (first, *_) = label_session(session, out, Referee())
    assert first.record.dropped == {"missing_frame": 2}
    assert first.record.rows == (*range(7), *range(9, 40))
    assert not (out / "s_seg0000" / "frame_0007.jpg").exists()


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


@pytest.mark.skipif(not SHM.is_dir(), reason="needs a second file system")
def test_another_file_system_is_copied_to(session: Session):
    with tempfile.TemporaryDirectory(dir=SHM) as out:
        if os.stat(out).st_dev == os.stat(session.path).st_dev:
            pytest.skip("one file system")
        (first, *_) = label_session(session, Path(out), Referee())
        assert first.record.copied_bytes > 0
        assert load_samples(out)


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
    with pytest.raises(DiskFullError, match=r"is full; everything until now is saved\. Make room"):
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
