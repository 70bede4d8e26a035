import json
import time

import numpy as np
import pytest

from gameenv.errors import SessionError
from recording import RecordingWrapper, Session, SessionRow, find_sessions
from recording.rows import encode_row


@pytest.fixture
def recorded(make_env, tmp_path):
    """A closed session of 12 rows in two takes."""
    env = RecordingWrapper(make_env(), tmp_path, "one", "small")
    for ticks in (5, 7):
        env.reset(seed=1)
        for _ in range(ticks):
            env.step(1)
    env.close()
    return env.path


def test_rows_by_index_slice_and_iteration(recorded):
    session = Session(recorded)
    assert len(session) == 12
    assert session.closed
    assert [row.index for row in session] == list(range(12))
    assert session[-1].index == 11
    assert [row.index for row in session[2:5]] == [2, 3, 4]
    assert all(isinstance(row, SessionRow) for row in session[:3])
    with pytest.raises(IndexError):
        session[12]


def test_takes_are_the_unbroken_stretches(recorded):
    takes = Session(recorded).takes
    assert [(take.number, take.start, take.stop, len(take)) for take in takes] == [(0, 0, 5, 5), (1, 5, 12, 7)]


def test_frames_are_what_the_environment_showed(recorded):
    session = Session(recorded)
    assert session.frame(3).shape == (32, 48, 3)
    assert np.abs(session.frame(3).astype(int) - 3).max() <= 1
    assert session.frame_path(3) == recorded / "frames" / "000003.jpg"


def test_info_says_how_it_was_recorded(recorded):
    info = Session(recorded).info
    assert (info.session_id, info.game, info.fps, info.frame_size, info.fit) == (
        "one",
        "small",
        10.0,
        (48, 32),
        "letterbox",
    )
    assert info.chunk_length == 7
    assert info.vocabulary[0] == "none"
    assert info.totals is not None
    assert (info.totals.ticks, info.totals.takes, info.totals.seconds) == (12, 2, 1.2)
    assert info.totals.actions["w"] == 12
    on_disk = json.loads((recorded / "session.json").read_text())
    assert on_disk["closed"] is True
    assert on_disk["frame"] == {"width": 48, "height": 32, "fit": "letterbox"}
    assert on_disk["anchors"][0].keys() == {"row", "wall_ns", "monotonic_ns"}


def test_a_last_line_cut_short_is_dropped(recorded):
    steps = recorded / "steps.jsonl"
    whole = steps.read_bytes()
    last = whole.rstrip(b"\n").rfind(b"\n") + 1
    for cut in (last + 1, last + 30, len(whole) - 1):
        steps.write_bytes(whole[:cut])
        assert len(Session(recorded)) == 11


def test_a_last_line_of_zeros_is_dropped(recorded):
    with (recorded / "steps.jsonl").open("ab") as file:
        file.write(b"\0" * 200 + b"\n")
    assert len(Session(recorded)) == 12


def test_last_rows_without_a_frame_are_dropped(recorded):
    (recorded / "frames/000011.jpg").unlink()
    (recorded / "frames/000010.jpg").write_bytes(b"")
    session = Session(recorded)
    assert len(session) == 10
    assert session.takes[-1].stop == 10


def test_a_frame_without_a_row_is_ignored(recorded):
    (recorded / "frames/000012.jpg").write_bytes((recorded / "frames/000011.jpg").read_bytes())
    (recorded / "frames/.writing").write_bytes(b"half")
    assert len(Session(recorded)) == 12


def test_a_missing_frame_in_the_middle_is_named_when_asked_for(recorded):
    (recorded / "frames/000003.jpg").unlink()
    session = Session(recorded)
    assert len(session) == 12
    with pytest.raises(SessionError, match=r"row 3 .*000003\.jpg"):
        session.frame(3)


@pytest.mark.parametrize("line", ["{broken", "", "1,2", '{"index": 4}', "[]", "\0\0\0"])
def test_damage_in_the_middle_names_file_and_line(recorded, line):
    steps = recorded / "steps.jsonl"
    lines = steps.read_text().splitlines()
    lines[4] = line
    steps.write_text("\n".join(lines) + "\n")
    with pytest.raises(SessionError, match=r"steps\.jsonl, line 5"):
        Session(recorded)


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("held", ["jump"], "the key 'jump' is not in the session's vocabulary"),
        ("events", [[0, "jump", True]], "the key 'jump'"),
        ("t_ns", "now", "wrong kind"),
        ("info", None, "wrong kind"),
    ],
)
def test_a_value_that_no_recorder_writes_names_file_and_line(recorded, field, value, said):
    steps = recorded / "steps.jsonl"
    lines = steps.read_text().splitlines()
    lines[4] = json.dumps({**json.loads(lines[4]), field: value})
    steps.write_text("\n".join(lines) + "\n")
    with pytest.raises(SessionError, match=rf"steps\.jsonl, line 5: .*{said}"):
        Session(recorded)


def test_a_missing_line_is_named(recorded):
    steps = recorded / "steps.jsonl"
    lines = steps.read_text().splitlines()
    del lines[4]
    steps.write_text("\n".join(lines) + "\n")
    with pytest.raises(SessionError, match=r"line 5: expected row 4, found row 5"):
        Session(recorded)


def test_what_is_no_session_says_so(tmp_path):
    for path in (tmp_path, tmp_path / "missing"):
        with pytest.raises(SessionError, match="not a recorded session"):
            Session(path)
    (tmp_path / "session.json").write_text('{"format_version": 1, "sess')
    with pytest.raises(SessionError, match="truncated or not JSON"):
        Session(tmp_path)
    (tmp_path / "session.json").write_text('{"format_version": 99}')
    with pytest.raises(SessionError, match="format version 99"):
        Session(tmp_path)
    (tmp_path / "session.json").write_text('{"format_version": 1}')
    with pytest.raises(SessionError, match="lacks a field"):
        Session(tmp_path)


def test_a_session_without_rows_reads_as_empty(make_env, tmp_path):
    RecordingWrapper(make_env(), tmp_path, "empty", "small").close()
    session = Session(tmp_path / "empty")
    assert len(session) == 0
    assert session.takes == ()


def test_lost_files_are_named(recorded):
    (recorded / "frames").rename(recorded / "elsewhere")
    with pytest.raises(SessionError, match="no folder frames"):
        Session(recorded)
    (recorded / "steps.jsonl").unlink()
    with pytest.raises(SessionError, match=r"steps\.jsonl is missing"):
        Session(recorded)


def test_sessions_are_found_oldest_first(make_env, tmp_path):
    for name in ("zebra", "ape", "mole"):
        RecordingWrapper(make_env(), tmp_path, name, "small").close()
    (tmp_path / "notes").mkdir()
    (tmp_path / "file").write_text("")
    assert [path.name for path in find_sessions(tmp_path)] == ["zebra", "ape", "mole"]
    with pytest.raises(SessionError, match="no folder"):
        find_sessions(tmp_path / "missing")


def test_an_hour_is_read_in_well_under_a_second_and_a_half(recorded, make_row):
    info = {"tick": 1, "goal_reached": False, "level": "train/go-to-lantern/0/g1", "split": "train"}
    info["player"] = {"x": 703.12, "y": 692.5, "z": 0.0, "angle": 116.2, "pitch": 0.0, "health": 100.0}
    rows = [make_row(i, ("w",), ((0.5, "a", True),), i // 60, goal="Go", info=info) for i in range(36_000)]
    (recorded / "steps.jsonl").write_bytes(b"".join(encode_row(row) for row in rows))
    (recorded / "frames/035999.jpg").write_bytes(b"x")
    start = time.process_time()
    assert len(Session(recorded)) == 36_000
    assert time.process_time() - start < 1.5
