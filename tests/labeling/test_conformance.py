"""One suite for every labeler of the project, and proof that the suite finds what is wrong."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gameenv.errors import InvalidInputError
from gameenv.judging import find_problem
from labeling.choice import CARRIED, choose_labeler
from labeling.conformance import CHECKS, Subject, check_labeler
from labeling.labeler import Clip, Label, SetAside
from labeling.segments import cut
from recording.session import Session
from tests.labeling.recordings import Ticks, holds_from, record


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return record(tmp_path, "s", Ticks(["w"] * 90, reached=holds_from(80, 90)), Ticks(["d"] * 20, take=1))


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", CARRIED)
def test_every_labeler_that_reads_the_recording_conforms(name: str, check: str, session: Session) -> None:
    labeler = choose_labeler(name, session)
    assert labeler.name == name
    clips = tuple(Clip(session, segment) for segment in cut(session))
    assert find_problem(CHECKS[check], Subject(labeler, session, clips)) is None


class Good:
    """Conforms."""

    name, version = "good", "1"

    def objection(self, session: Session) -> str | None:
        return None

    def label(self, clips: Sequence[Clip]) -> Iterable[Any]:
        return [self.say(clip) for clip in clips]

    def say(self, clip: Clip) -> Any:
        return Label("Go to the lantern", self.name, self.version, 1.0, False, {})


class Nameless(Good):
    name = ""


class Choosy(Good):
    def objection(self, session: Session) -> str | None:
        return "it is not mine"


class Tongueless(Good):
    def say(self, clip: Clip) -> Any:
        return "Go to the lantern"


class GivesUpLate(Good):
    def say(self, clip: Clip) -> Any:
        if clip.segment.number == 2:
            raise ValueError("enough")
        return super().say(clip)


class LeavesOut(Good):
    def label(self, clips: Sequence[Clip]) -> Iterable[Any]:
        return list(super().label(clips))[1:]


class Shrugs(Good):
    def say(self, clip: Clip) -> Any:
        return SetAside("unclear", self.name, self.version)


class NeedsClips(Good):
    def label(self, clips: Sequence[Clip]) -> Iterable[Any]:
        return [self.say(clips[0]), *super().label(clips[1:])]


class SignsForAnother(Good):
    def say(self, clip: Clip) -> Any:
        return Label("Go to the lantern", "human", "1", 1.0, False, {})


class SetsAsideForAnother(Good):
    def say(self, clip: Clip) -> Any:
        return super().say(clip) if clip.segment.number else SetAside("idle", "someone", self.version)


class LooksAround(Good):
    def label(self, clips: Sequence[Clip]) -> Iterable[Any]:
        goal = f"Go to lantern {len(clips)}"
        return [Label(goal, self.name, self.version, 1.0, False, {}) for _ in clips]


def test_a_good_labeler_passes(session: Session) -> None:
    check_labeler(Good(), session)


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Nameless, "has a name and a version"),
        (Choosy, "takes a session that it can label"),
        (Tongueless, "answers every clip"),
        (GivesUpLate, "answers every clip"),
        (LeavesOut, "answers every clip"),
        (Shrugs, "answers every clip"),
        (NeedsClips, "answers nothing for no clips"),
        (SignsForAnother, "signs its answers"),
        (SetsAsideForAnother, "signs its answers"),
        (LooksAround, "says the same of a clip alone and among others"),
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
