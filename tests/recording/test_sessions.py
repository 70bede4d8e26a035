"""``gameenv-sessions``: lists, checks and trims."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gameenv.errors import InvalidInputError, SessionError, UnknownNameError
from gameenv.frames import FrameSpec
from recording import Session
from recording.info import SessionInfo
from recording.rows import KeyEvent, SessionRow, frame_name
from recording.session_writer import SessionWriter
from recording.sessions import Check, List, Trim, run, trim_last_take

TICK_NS = 100_000_000


def jpeg(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((32, 32, 3), value, np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def make_session(
    root: Path, name: str, takes: tuple[int, ...] = (5, 4), *, camera: bool = True, black: int = 0
) -> Path:
    """Write a session with takes of so many ticks, the first few frames black."""
    info = SessionInfo(name, "probe", None, {}, "Probe", 10.0, FrameSpec(32, 32))
    with SessionWriter(root, info, reserve_bytes=0) as writer:
        tick = 0
        for number, length in enumerate(takes):
            for _ in range(length):
                t_ns = tick * TICK_NS
                events = (KeyEvent(t_ns + 1, "left" if camera else "w", tick % 2 == 0),)
                row = SessionRow(
                    tick, t_ns, frame_name(tick), (), events, t_ns + TICK_NS, "human", number, info={"tick": tick}
                )
                writer.append(jpeg(0 if tick < black else 120), row)
                tick += 1
    return root / name


def test_list_shows_every_session_unreadable_ones_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_session(tmp_path, "good")
    broken = make_session(tmp_path, "broken")
    (broken / "session.json").write_text("{")
    assert run(List(str(tmp_path))) == 0
    said = capsys.readouterr().out
    assert "good" in said
    assert "unreadable" in said


def test_check_finds_nothing_wrong_with_a_good_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_session(tmp_path, "good", (700,))
    assert run(Check(("good",), str(tmp_path))) == 0
    said = capsys.readouterr().out
    assert "nothing wrong" in said
    assert "never pressed: w" in said


@pytest.mark.parametrize("fault", ["black", "unreadable", "truncated", "zeros", "camera", "empty", "dropped", "frozen"])
def test_check_names_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str) -> None:
    takes = () if fault == "empty" else (700,)
    path = make_session(tmp_path, "s", takes, camera=fault != "camera", black=3 if fault == "black" else 0)
    steps = path / "steps.jsonl"
    if fault == "unreadable":
        (path / "frames" / "000002.jpg").write_bytes(b"no image")
    frame = path / "frames" / "000002.jpg"
    if fault in ("truncated", "zeros"):
        content = frame.read_bytes()
        frame.write_bytes(content[:-20] + (bytes(20) if fault == "zeros" else b""))
    if fault == "dropped":
        steps.write_text(steps.read_text().replace('"tick":699', '"tick":701'))
    if fault == "frozen":
        steps.write_text(steps.read_text().replace('"new_frame":true', '"new_frame":false'))
    assert run(Check((), str(tmp_path))) == 1
    words = {
        "black": "3 frames (0.4%) are black", "unreadable": "1 frames cannot be read, or are cut short",
        "truncated": "1 frames cannot be read", "zeros": "1 frames cannot be read", "camera": "no camera key",
        "empty": "it holds nothing", "dropped": "2 ticks were dropped", "frozen": "stood still for 70 s",
    }  # fmt: skip
    assert words[fault] in capsys.readouterr().out


def test_trim_deletes_the_last_take_only(tmp_path: Path) -> None:
    path = make_session(tmp_path, "s")
    assert run(Trim("s", last_take=True, yes=True, root=str(tmp_path))) == 0
    session = Session(path)
    assert (len(session), len(session.takes), session.closed) == (5, 1, True)
    assert session.info.totals is not None
    assert session.info.totals.ticks == 5
    assert len(list((path / "frames").iterdir())) == 5
    with SessionWriter(tmp_path, session.info, resume=True, reserve_bytes=0) as writer:
        assert writer.ticks == 5


def test_trim_asks_and_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = make_session(tmp_path, "s")
    monkeypatch.setattr("sys.stdin", io.StringIO("n\n"))
    run(Trim("s", last_take=True, root=str(tmp_path)))
    assert len(Session(path)) == 9
    with pytest.raises(InvalidInputError, match="--last-take"):
        run(Trim("s", root=str(tmp_path)))
    make_session(tmp_path, "session1")
    make_session(tmp_path, "empty", ())
    with pytest.raises(UnknownNameError, match="Did you mean 'session1'"):
        run(Trim("sesion1", last_take=True, yes=True, root=str(tmp_path)))
    with pytest.raises(SessionError, match="no take"):
        run(Trim("empty", last_take=True, yes=True, root=str(tmp_path)))
    info = Session(path).info
    with (
        SessionWriter(tmp_path, info, resume=True, reserve_bytes=0),
        pytest.raises(SessionError, match="another recorder"),
    ):
        trim_last_take(path)


def test_a_kill_in_the_middle_of_a_trim_leaves_a_readable_session(tmp_path: Path) -> None:
    path = make_session(tmp_path, "s", (300, 300))
    for delay_ms in range(0, 60, 6):
        code = (
            "from pathlib import Path; from recording.sessions import trim_last_take; "
            f"print(1, flush=True); trim_last_take(Path({str(path)!r}))"
        )
        trimmer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert trimmer.stdout is not None
        trimmer.stdout.readline()
        time.sleep(delay_ms / 1000)
        os.kill(trimmer.pid, signal.SIGKILL)
        trimmer.communicate()
        assert len(Session(path)) in (0, 300, 600)
        if len(Session(path)) < 600:
            break


def test_trim_with_nobody_to_ask_says_so_in_one_line(tmp_path: Path) -> None:
    path = make_session(tmp_path, "s")
    command = [sys.executable, "-m", "recording.sessions", "trim", "s", "--last-take", "--root", str(tmp_path)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "add --yes" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(Session(path)) == 9


def files_of(path: Path) -> dict[Path, bytes]:
    return {file: file.read_bytes() for file in path.rglob("*") if file.is_file() and file.name != ".lock"}


@pytest.mark.parametrize("command", [["list"], ["check", "s"], ["trim", "s", "--last-take", "--yes"]])
def test_a_session_with_another_vocabulary_is_one_clear_line_and_stays(tmp_path: Path, command: list[str]) -> None:
    path = make_session(tmp_path, "s")
    steps = path / "steps.jsonl"
    steps.write_text(steps.read_text().replace('"left"', '"jump"'))
    content = json.loads((path / "session.json").read_text())
    content["vocabulary"].append("jump")
    content |= {"closed": False, "totals": None}
    (path / "session.json").write_text(json.dumps(content))
    before = files_of(path)
    done = subprocess.run(
        [sys.executable, "-m", "recording.sessions", *command, "--root", str(tmp_path)],
        capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "400"},
    )  # fmt: skip
    assert "another vocabulary" in done.stdout + done.stderr
    assert "jump" in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert done.returncode == (0 if command == ["list"] else 1)
    assert files_of(path) == before
