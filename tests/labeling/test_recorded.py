"""The goal given at recording as a label."""

from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling.choice import choose_labeler
from labeling.labeler import Clip, Label
from labeling.recorded import Recorded
from labeling.segments import cut
from recording.session import Session
from tests.recording.test_sessions import make_session


def with_goal(root: Path, goal: str | None) -> Session:
    path = make_session(root, "s", (60,))
    if goal is not None:
        steps = path / "steps.jsonl"
        steps.write_text(steps.read_text().replace('"goal":null', f'"goal":"{goal}"'))
    return Session(path)


def test_a_person_who_said_the_goal_needs_no_referee(tmp_path: Path) -> None:
    session = with_goal(tmp_path, "Climb the stairs")
    labeler = choose_labeler("auto", session)
    assert isinstance(labeler, Recorded)
    labels = list(labeler.label([Clip(session, segment) for segment in cut(session)]))
    assert {(label.goal, label.labeler, label.completed) for label in labels if isinstance(label, Label)} == {
        ("Climb the stairs", "recorded", False)
    }


def test_without_a_goal_the_error_says_how_to_record_one(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match=r"referee: row 0 .*recorded: it was recorded without --goal.*--goal"):
        choose_labeler("auto", with_goal(tmp_path, None))


def test_a_goal_that_is_none_is_refused(tmp_path: Path) -> None:
    assert "words" in str(Recorded().objection(with_goal(tmp_path, "Go")))
