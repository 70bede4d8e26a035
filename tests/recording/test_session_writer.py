import errno
import os
import subprocess
import sys
import threading

import pytest

from gameenv.errors import DiskFullError, InvalidInputError, SessionError
from gameenv.frames import FrameSpec
from recording import Session
from recording.rows import SessionRow, frame_name
from recording.session_writer import SessionWriter

JPEG = b"\xff\xd8" + os.urandom(2000)


def add(writer, count=1, take=0):
    for _ in range(count):
        index = writer.ticks
        begin, end = index * 10**8, (index + 1) * 10**8
        row = SessionRow(index, begin, frame_name(index), (), (), end, "human", take, info={"tick": index})
        writer.append(JPEG, row)


def test_session_json_is_there_from_the_start_and_closed_at_the_end(make_info, tmp_path):
    with SessionWriter(tmp_path, make_info()) as writer:
        add(writer, 3)
        assert not Session(tmp_path / "one").closed
        assert len(Session(tmp_path / "one")) == 3, "every tick is readable at once"
    assert Session(tmp_path / "one").closed
    writer.close()
    with pytest.raises(SessionError, match="is closed"):
        add(writer)


def test_a_row_that_is_not_the_next_one_is_refused(make_info, make_row, tmp_path):
    with SessionWriter(tmp_path, make_info()) as writer:
        add(writer)
        with pytest.raises(InvalidInputError, match="the next row is 1, got row 7"):
            writer.append(JPEG, make_row(7))
    assert len(Session(tmp_path / "one")) == 1


def test_an_existing_session_is_not_overwritten(make_info, tmp_path):
    SessionWriter(tmp_path, make_info()).close()
    with pytest.raises(SessionError, match="exists already"):
        SessionWriter(tmp_path, make_info())
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "cat.jpg").write_bytes(b"")
    with pytest.raises(SessionError, match=r"not a session .*cat\.jpg"):
        SessionWriter(tmp_path, make_info("photos"))


def test_a_name_that_leaves_the_root_is_refused(make_info, tmp_path):
    for name in ("", "a/b", "..", "a\\b", ".hidden"):
        with pytest.raises(SessionError, match="plain folder name"):
            SessionWriter(tmp_path, make_info(name))


def test_a_second_recorder_is_refused(make_info, tmp_path):
    with SessionWriter(tmp_path, make_info()) as writer:
        add(writer)
        with pytest.raises(SessionError, match=f"another recorder .process {os.getpid()}"):
            SessionWriter(tmp_path, make_info(), resume=True)
        code = f"import pathlib, recording.lock as lock; lock.lock_session(pathlib.Path({str(writer.path)!r}))"
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
        assert b"another recorder" in other.stderr
        add(writer)
    assert len(Session(tmp_path / "one")) == 2


def test_resuming_goes_on_after_the_last_whole_tick(make_info, tmp_path):
    with SessionWriter(tmp_path, make_info()) as writer:
        add(writer, 3, take=0)
        add(writer, 2, take=1)
    path = writer.path
    with (path / "steps.jsonl").open("ab") as file:
        file.write(b'{"index": 5, "t_')
    for orphan in ("000005.jpg", "000006.jpg", ".writing"):
        (path / "frames" / orphan).write_bytes(b"old")
    with SessionWriter(tmp_path, make_info(), resume=True) as writer:
        assert (writer.ticks, writer.takes) == (5, 2)
        assert writer.last_row is not None
        assert writer.last_row.index == 4
        assert not (path / "frames" / "000006.jpg").exists()
        assert not Session(path).closed
        add(writer, 1, take=2)
    session = Session(path)
    assert [row.take for row in session] == [0, 0, 0, 1, 1, 2]
    assert [anchor.row for anchor in session.info.anchors] == [0, 5]
    assert session.closed


def test_resuming_what_is_not_there_makes_it(make_info, tmp_path):
    (tmp_path / "one").mkdir()  # a recorder killed right after its first step
    with SessionWriter(tmp_path, make_info(), resume=True) as writer:
        assert (writer.ticks, writer.last_row) == (0, None)


def test_resuming_with_other_settings_names_them(make_info, tmp_path):
    SessionWriter(tmp_path, make_info(settings={"noise": 0.1, "seed": 0})).close()
    with pytest.raises(SessionError, match=r"noise 0\.1, not 0\.2") as caught:
        SessionWriter(tmp_path, make_info(settings={"noise": 0.2, "seed": 0}), resume=True)
    assert "seed" not in str(caught.value)
    with pytest.raises(SessionError, match=r"fps 10\.0, not 5\.0.*frame 48x32 letterbox, not 64x32 stretch"):
        SessionWriter(tmp_path, make_info(fps=5.0, frame=FrameSpec(64, 32, "stretch")), resume=True)
    with SessionWriter(tmp_path, make_info(settings={"noise": 0.1, "seed": 0}), resume=True):
        pass


def test_a_full_disk_keeps_everything_until_then(make_info, small_disk):
    writer = SessionWriter(small_disk, make_info(), reserve_bytes=0)
    with pytest.raises(DiskFullError, match="everything until now is saved"):
        add(writer, 10_000)
    session = Session(writer.path)
    assert len(session) == writer.ticks > 50
    assert session.closed
    assert session.info.totals is not None
    assert session.info.totals.ticks == len(session)
    assert session.frame_path(-1).read_bytes() == JPEG
    assert not (writer.path / "frames" / ".writing").exists()
    assert sorted(path.name for path in writer.path.iterdir()) == [".lock", "frames", "session.json", "steps.jsonl"]


def test_the_reserve_is_left_free(make_info, small_disk):
    writer = SessionWriter(small_disk, make_info(), reserve_bytes=500_000)
    with pytest.raises(DiskFullError, match="kept in reserve"):
        add(writer, 10_000)
    assert Session(writer.path).closed
    with pytest.raises(DiskFullError, match="kept in reserve"):
        SessionWriter(small_disk, make_info("two"), reserve_bytes=500_000)


@pytest.mark.parametrize("after", [0, 1, 2, 3])
def test_a_write_that_fails_half_way_leaves_no_half_row(make_info, tmp_path, monkeypatch, after):
    writer = SessionWriter(tmp_path, make_info(), reserve_bytes=0)
    add(writer, 4)
    real, calls = os.write, iter(range(100))

    def write(fd, content):
        call = next(calls)
        if call < after:
            return real(fd, content[: len(content) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("recording.session_writer.os.write", write)
    with pytest.raises(DiskFullError, match="is full"):
        add(writer)
    monkeypatch.undo()
    session = Session(writer.path)
    assert len(session) == 4
    assert session.closed
    assert not (writer.path / "frames" / "000004.jpg").exists()
    with SessionWriter(tmp_path, make_info(), resume=True, reserve_bytes=0) as writer:
        add(writer)
    assert len(Session(writer.path)) == 5


def test_another_failure_of_the_disk_is_no_full_disk(make_info, tmp_path, monkeypatch):
    writer = SessionWriter(tmp_path, make_info(), reserve_bytes=0)
    add(writer)

    def write(fd, content):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("recording.session_writer.os.write", write)
    with pytest.raises(SessionError, match="Input/output error"):
        add(writer)
    monkeypatch.undo()
    assert len(Session(writer.path)) == 1


def test_many_recorders_at_once_do_not_meet(make_info, tmp_path):
    def record(name):
        with SessionWriter(tmp_path, make_info(name), reserve_bytes=0) as writer:
            add(writer, 50)

    threads = [threading.Thread(target=record, args=(f"s{i}",)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [len(Session(tmp_path / f"s{i}")) for i in range(4)] == [50] * 4
