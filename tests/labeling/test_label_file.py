"""A table of goals, as a spreadsheet saves it."""

from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling.label_file import read_label_file
from recording.edits import GoalEdit
from tests.recording.test_sessions import make_session


@pytest.fixture
def sessions(tmp_path: Path) -> dict[str, Path]:
    return {name: make_session(tmp_path / "raw", name, (5, 4, 6)) for name in ("monday", "tuesday")}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_takes_rows_and_whole_sessions(tmp_path: Path, sessions: dict[str, Path], separator: str) -> None:
    lines = [
        "Session,TAKE,rows,goal,reached",
        "monday,0-1,,Open the door,yes",
        "",
        "monday,,3-6, Climb the stairs ,no",
        'tuesday,,,"Go there at once",',
        "tuesday,2,,,TRUE",
    ]
    path = tmp_path / "goals.csv"
    path.write_bytes(("\ufeff" + "\r\n".join(line.replace(",", separator) for line in lines)).encode())
    assert read_label_file(path, sessions) == {
        "monday": (GoalEdit("Open the door", True, ((0, 4), (5, 8))), GoalEdit("Climb the stairs", False, ((3, 6),))),
        "tuesday": (GoalEdit("Go there at once", None, ((0, 14),)), GoalEdit(None, True, ((9, 14),))),
    }


def test_columns_that_are_not_needed_need_not_be_there(tmp_path: Path, sessions: dict[str, Path]) -> None:
    path = tmp_path / "goals.csv"
    path.write_text("goal,session\nИди к фонарю,monday\n", encoding="utf-8")
    assert read_label_file(path, sessions) == {"monday": (GoalEdit("Иди к фонарю", None, ((0, 14),)),)}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "goals.csv is empty; its first line names the columns: session, take, rows, goal, reached"),
        ("session,gaol\nmonday,Open the door\n", "line 1: expected the names of columns.*got session, gaol"),
        ("take,goal\n1,Open the door\n", "line 1: expected the names of columns, session and goal"),
        ("monday,1,Open the door\n", "line 1: expected the names of columns"),
        ("session,goal\nmondy,Open the door\n", "line 2: unknown session 'mondy'. Did you mean 'monday'"),
        ("session,goal\n\nmonday,Open the door\nmonday,Jump\n", "line 4: a goal is 2 to 6 words"),
        ("session,take,goal\nmonday,3,Open the door\n", "line 2: there is no take 3; monday has takes 0-2"),
        ("session,rows,goal\nmonday,9-20,Open the door\n", "line 2: there is no row 20; monday has rows 0-14"),
        ("session,take,rows,goal\nmonday,1,1-2,Open the door\n", "line 2: say takes or rows, not both"),
        ("session,goal,reached\nmonday,Open the door,perhaps\n", "line 2: reached is yes, no or empty, got 'perhaps'"),
        ("session,goal,reached\nmonday,,\n", "line 2: say a goal, or whether it was reached"),
        ("session,goal\nmonday,Open, the door\n", "line 2: it has more fields.*put a goal with commas in quotes"),
        (
            "session,goal\nx,Open the door\ny,Open the door\n",
            r"line 2: unknown session 'x'.*\(1 more lines are wrong\)",
        ),
        ('session,goal\nmonday,"Open the door\n', "line 2: unexpected end of data"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(
    tmp_path: Path, sessions: dict[str, Path], content: str, says: str
) -> None:
    path = tmp_path / "goals.csv"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=says):
        read_label_file(path, sessions)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="cannot read the label file"):
        read_label_file(tmp_path / "nowhere.csv", {})
    (tmp_path / "picture.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidInputError, match="cannot read the label file"):
        read_label_file(tmp_path / "picture.csv", {})
