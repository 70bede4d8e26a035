"""Clips that get no goal: counted, shown, and nothing of them left to train on."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling import load_samples
from labeling.build import label_session
from labeling.labeler import Clip, Label, SetAside
from labeling.segment_folder import read_record
from labeling.segments import Segment
from recording.session import Session


class Says:
    """Answers each clip by its number."""

    name, version = "says", "1"

    def __init__(self, answers: Mapping[int, str | None]) -> None:
        self.answers = answers
        self.asked: list[int] = []

    def objection(self, session: Session) -> str | None:
        return None

    def label(self, clips: Sequence[Clip]) -> Iterator[Label | SetAside]:
        for clip in clips:
            self.asked.append(clip.segment.number)
            goal = self.answers[clip.segment.number]
            if goal is None:
                yield SetAside("unclear", self.name, self.version, "a dark corridor")
            else:
                yield Label(goal, self.name, self.version, 0.5, False, {})


GOAL = "Go to the lantern"


def test_a_clip_set_aside_has_no_segment_and_its_neighbours_are_not_joined_over_it(session: Session, out: Path) -> None:
    aside: list[tuple[Segment, SetAside]] = []
    labeler = Says({0: GOAL, 1: None, 2: GOAL, 3: GOAL})
    outcomes = label_session(session, out, labeler, on_set_aside=lambda *seen: aside.append(seen))
    assert [(outcome.record.number, outcome.record.goal_span) for outcome in outcomes] == [
        (0, "s_seg0000"),
        (2, "s_seg0002"),
        (3, "s_seg0002"),
    ]
    assert [(segment.number, each.detail) for segment, each in aside] == [(1, "a dark corridor")]
    assert {sample.segment for sample in load_samples(out)} == {0, 2, 3}


def test_a_segment_goes_when_its_clip_is_set_aside_later(session: Session, out: Path) -> None:
    label_session(session, out, Says(dict.fromkeys(range(4), GOAL)))
    outcomes = label_session(session, out, Says({0: GOAL, 1: GOAL, 2: None, 3: GOAL}))
    assert [outcome.what for outcome in outcomes] == ["kept"] * 3
    assert not (out / "s_seg0002").exists()


def test_another_wording_of_the_same_labeler_builds_that_segment_anew(session: Session, out: Path) -> None:
    label_session(session, out, Says(dict.fromkeys(range(4), GOAL)))
    outcomes = label_session(session, out, Says({0: GOAL, 1: "Find the light", 2: GOAL, 3: GOAL}))
    assert [outcome.what for outcome in outcomes] == ["kept", "built", "kept", "kept"]
    assert read_record(out / "s_seg0001").goal == "Find the light"


def test_a_labeler_that_stops_answering_is_named(session: Session, out: Path) -> None:
    class Tired(Says):
        def label(self, clips: Sequence[Clip]) -> Iterator[Label | SetAside]:
            return super().label(clips[:2])

    with pytest.raises(InvalidInputError, match=r"'says' must answer each clip .* clip 2 of s it gave no answer more"):
        label_session(session, out, Tired(dict.fromkeys(range(4), GOAL)))


def test_a_person_s_clips_are_not_asked_about(session: Session, out: Path) -> None:
    class Human(Says):
        name = "human"

    label_session(session, out, Human(dict.fromkeys(range(4), GOAL)))
    labeler = Says({})
    assert {outcome.what for outcome in label_session(session, out, labeler)} == {"human"}
    assert labeler.asked == []
