"""One suite for every labeler of the project, and proof that the suite finds what is wrong."""

from pathlib import Path
from typing import Any

import pytest

from gameenv.errors import InvalidInputError
from gameenv.judging import find_problem
from labeling.choice import LABELERS, choose_labeler
from labeling.conformance import CHECKS, Subject, check_labeler
from labeling.labeler import Label
from labeling.segments import Segment, cut
from recording.session import Session
from tests.labeling.recordings import Ticks, holds_from, record


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return record(tmp_path, "s", Ticks(["w"] * 90, reached=holds_from(80, 90)), Ticks(["d"] * 20, take=1))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", LABELERS)
def test_every_labeler_conforms(name: str, check: str, session: Session) -> None:
    labeler = choose_labeler(name, session)
    assert labeler.name == name
    assert find_problem(CHECKS[check], Subject(labeler, session, tuple(cut(session)))) is None


class Good:
    """Conforms."""

    name, version = "good", "1"

    def objection(self, session: Session) -> str | None:
        return None

    def label(self, session: Session, segment: Segment) -> Any:
        return Label("Go to the lantern", self.name, self.version, 1.0, False, {})


class Nameless(Good):
    name = ""


class Choosy(Good):
    def objection(self, session: Session) -> str | None:
        return "it is not mine"


class Tongueless(Good):
    def label(self, session: Session, segment: Segment) -> Any:
        return "Go to the lantern"


class GivesUpLate(Good):
    def label(self, session: Session, segment: Segment) -> Any:
        if segment.number == 2:
            raise ValueError("enough")
        return super().label(session, segment)


class SignsForAnother(Good):
    def label(self, session: Session, segment: Segment) -> Any:
        return Label("Go to the lantern", "human", "1", 1.0, False, {})


class Wavers(Good):
    asked = 0

    def label(self, session: Session, segment: Segment) -> Any:
        self.asked += 1
        return Label(f"Go to lantern {self.asked}", self.name, self.version, 1.0, False, {})


def test_a_good_labeler_passes(session: Session) -> None:
    check_labeler(Good(), session)


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Nameless, "has a name and a version"),
        (Choosy, "takes a session that it can label"),
        (Tongueless, "labels every clip"),
        (GivesUpLate, "labels every clip"),
        (SignsForAnother, "signs its labels"),
        (Wavers, "says the same of the same clip"),
    ],
)
def test_what_is_wrong_is_named(wrong: type[Good], check: str, session: Session) -> None:
    with pytest.raises(InvalidInputError, match="does not conform") as caught:
        check_labeler(wrong(), session)
    assert f"\n  - {check}: " in str(caught.value)


def test_what_is_no_labeler_and_a_recording_that_is_too_short_are_said_at_once(
    session: Session, tmp_path: Path
) -> None:
    thing: Any = object()
    with pytest.raises(InvalidInputError, match="is not a labeler"):
        check_labeler(thing, session)
    cls: Any = Good
    with pytest.raises(InvalidInputError, match="not a class"):
        check_labeler(cls, session)
    with pytest.raises(InvalidInputError, match="two clips or more"):
        check_labeler(Good(), record(tmp_path, "short", Ticks(["w"] * 9)))
