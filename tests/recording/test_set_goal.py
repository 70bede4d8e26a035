"""``gameenv-sessions goal``: what a recording is about, said afterwards."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from recording import Session
from recording.edits import GoalEdit, read_edits
from recording.session_writer import SessionWriter
from recording.sessions import Trim, run, trim_last_take
from recording.set_goal import Goal, set_goal
from tests.recording.test_sessions import files_of, make_session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return make_session(tmp_path, "s", (5, 4, 6))


def goals_of(path: Path) -> list[tuple[str | None, bool]]:
    """The goal of each take, and whether it is reached at its end."""
    session = Session(path)
    for take in session.takes:
        rows = session[take.start : take.stop]
        assert len({row.goal for row in rows}) == 1
        assert not any(row.reached for row in rows[:-1])
    return [(session[take.start].goal, session[take.stop - 1].reached) for take in session.takes]


def test_takes_get_a_goal_and_the_recording_stays_as_it_was(path: Path) -> None:
    before = files_of(path)
    command = ["goal", "s", "--takes", "1-2", "Open the door", "--reached", "--root", str(path.parent)]
    done = subprocess.run(
        [sys.executable, "-m", "recording.sessions", *command], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines() == [
        "take 1, rows 5-8: no goal -> Open the door; reached",
        "take 2, rows 9-14: no goal -> Open the door; reached",
    ]
    assert goals_of(path) == [(None, False), ("Open the door", True), ("Open the door", True)]
    after = files_of(path)
    assert {name: after[name] for name in before} == before
    assert {name.name for name in after.keys() - before.keys()} == {"goals.json"}


def test_it_can_be_said_again_and_taken_back(path: Path) -> None:
    set_goal(Goal("s", "Open the door", reached=True), path)
    assert set_goal(Goal("s", "Climb the stairs", takes="0,2"), path) == [
        "take 0, rows 0-4: Open the door -> Climb the stairs",
        "take 2, rows 9-14: Open the door -> Climb the stairs",
    ]
    assert goals_of(path) == [("Climb the stairs", True), ("Open the door", True), ("Climb the stairs", True)]
    assert set_goal(Goal("s", takes="2", not_reached=True), path) == [
        "take 2, rows 9-14: Climb the stairs; not reached any more"
    ]
    assert set_goal(Goal("s", takes="2", not_reached=True), path) == ["nothing changed: it was so already"]
    for _ in range(3):
        set_goal(Goal("s", undo=True), path)
    assert goals_of(path) == [("Open the door", True)] * 3
    set_goal(Goal("s", undo=True), path)
    assert goals_of(path) == [(None, False)] * 3
    assert not (path / "goals.json").exists()
    with pytest.raises(InvalidInputError, match="nothing to undo"):
        set_goal(Goal("s", undo=True), path)


def test_rows_get_a_goal_and_the_mark_is_at_their_end(path: Path) -> None:
    set_goal(Goal("s", "Open the door", rows="2-6", reached=True), path)
    session = Session(path)
    assert [row.index for row in session if row.goal] == [2, 3, 4, 5, 6]
    assert [row.index for row in session if row.reached] == [4, 6], "and at the end of a take within"


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"goal": "Jump"}, "a goal is 2 to 6 words"),
        ({}, "say a goal, or whether it was reached"),
        ({"goal": "Open the door", "takes": "3"}, "there is no take 3; s has takes 0-2"),
        ({"goal": "Open the door", "takes": "1-x"}, "takes are numbers such as 3, 3-5 or 3-5,8; got '1-x'"),
        ({"goal": "Open the door", "takes": "2-1"}, "takes are numbers"),
        ({"goal": "Open the door", "rows": "3-15"}, "there is no row 15; s has rows 0-14"),
        ({"goal": "Open the door", "rows": "1", "takes": "1"}, "takes or rows, not both"),
        ({"reached": True, "not_reached": True}, "contradict"),
        ({"goal": "Open the door", "undo": True}, "goes with nothing else"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_changes_nothing(path: Path, said: dict, says: str) -> None:
    set_goal(Goal("s", "Climb the stairs"), path)
    before = files_of(path)
    with pytest.raises(InvalidInputError, match=says):
        run(Goal("s", **said, root=str(path.parent)))
    assert files_of(path) == before


def test_not_while_it_is_being_recorded(path: Path) -> None:
    with (
        SessionWriter(path.parent, Session(path).info, resume=True, reserve_bytes=0),
        pytest.raises(SessionError, match="another recorder"),
    ):
        set_goal(Goal("s", "Open the door"), path)


def test_a_trim_takes_what_was_said_of_the_take_with_it(path: Path) -> None:
    set_goal(Goal("s", "Open the door", rows="3-12"), path)
    set_goal(Goal("s", "Climb the stairs", takes="2"), path)
    run(Trim("s", last_take=True, yes=True, root=str(path.parent)))
    assert read_edits(path) == (GoalEdit("Open the door", None, ((3, 8),)),)
    trim_last_take(path)
    trim_last_take(path)
    assert read_edits(path) == ()


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"format_version": 2, "edits": []}', '{"format_version": 1, "edits": [{}]}', "\xff"]
)
def test_a_damaged_file_is_one_clear_line(path: Path, content: str) -> None:
    (path / "goals.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(GameEnvError, match=r"goals.json.*restore it from a copy, or delete it"):
        Session(path)


def test_a_kill_leaves_the_goals_of_before_or_those_that_were_said(path: Path) -> None:
    set_goal(Goal("s", "Open the door"), path)
    code = (
        "from pathlib import Path; from recording.set_goal import Goal, set_goal\nprint(1, flush=True)\n"
        f"while True: set_goal(Goal('s', 'Climb the stairs'), Path({str(path)!r}))"
    )
    for delay_ms in range(5, 50, 9):
        writer = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(delay_ms / 1000)
        os.kill(writer.pid, signal.SIGKILL)
        writer.communicate()
        assert goals_of(path)[0] in {("Open the door", False), ("Climb the stairs", False)}
        assert json.loads((path / "goals.json").read_text())["edits"]
