"""A list of goals, gone through over and over."""

from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from recording.agenda import Agenda, read_goals


def test_behind_the_last_goal_comes_the_first() -> None:
    agenda = Agenda(["Open the door", "Climb the stairs"])
    assert (agenda.current, str(agenda)) == ("Open the door", "Open the door (1 of 2)")
    assert agenda.advance()
    assert (agenda.current, str(agenda)) == ("Climb the stairs", "Climb the stairs (2 of 2)")
    assert not agenda.advance()
    assert agenda.current == "Open the door"


def test_one_goal_and_none() -> None:
    one = Agenda(["Open the door"])
    assert not one.advance()
    assert (one.current, str(one)) == ("Open the door", "Open the door")
    nobody = Agenda()
    assert not nobody.advance()
    assert nobody.current is None


def test_a_file_has_a_goal_on_each_line(tmp_path: Path) -> None:
    path = tmp_path / "goals.txt"
    path.write_bytes("\ufeffOpen the door\r\n\r\n  Иди к фонарю \n".encode())
    assert read_goals(path) == ("Open the door", "Иди к фонарю")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"Open the door\n\nJump\n", r"goals.txt, line 3: a goal is 2 to 6 words"),
        (b"\n \n", "holds no goal"),
        (b"\xff\xfe", "cannot read the goals"),
    ],
)
def test_a_file_that_is_none_is_refused_with_its_line(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "goals.txt").write_bytes(content)
    with pytest.raises(InvalidInputError, match=says):
        read_goals(tmp_path / "goals.txt")
