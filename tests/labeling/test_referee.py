from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.choice import choose_labeler
from labeling.labeler import Clip, Label
from labeling.referee import Referee
from labeling.segments import cut
from recording.session import Session
from tests.labeling.recordings import Ticks, holds_from, record


def labels(session: Session) -> list[Label]:
    return list(Referee().label([Clip(session, segment) for segment in cut(session)]))


def test_a_clip_is_completed_when_the_goal_holds_at_its_last_row(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 60, reached=holds_from(52, 60)))
    first, last = labels(session)
    assert (first.goal, first.labeler, first.confidence) == ("Go to the lantern", "referee", 1.0)
    assert (first.completed, first.evidence) == (False, {"goal_reached_rows": []})
    assert (last.completed, last.evidence) == (True, {"goal_reached_rows": [52, 59]})


def test_a_goal_that_held_and_was_left_again_is_not_completed(tmp_path: Path):
    reached = [20 <= tick < 30 for tick in range(40)]
    (label,) = labels(record(tmp_path, "s", Ticks(["w"] * 40, reached=reached)))
    assert not label.completed


def test_evidence_is_only_the_last_unbroken_stretch(tmp_path: Path):
    reached = [20 <= tick < 30 or tick >= 38 for tick in range(40)]
    (label,) = labels(record(tmp_path, "s", Ticks(["w"] * 40, reached=reached)))
    assert label.evidence == {"goal_reached_rows": [38, 39]}


def test_a_reward_counts_for_the_grab_after_the_last_row(tmp_path: Path):
    won = Ticks(["none"], info={"reward": 1.0, "ended": "terminated"})
    (label,) = labels(record(tmp_path, "s", Ticks(["w"] * 39), won))
    assert (label.completed, label.evidence) == (True, {"goal_reached_rows": [39, 39]})


def test_a_goal_of_the_arena_is_taken_as_it_is(tmp_path: Path):
    (label,) = labels(record(tmp_path, "s", Ticks(["w"] * 40, goal="walk over to the red torch!")))
    assert label.goal == "walk over to the red torch!"


def test_a_goal_too_long_is_refused_not_cut(tmp_path: Path):
    with pytest.raises(InvalidInputError, match="2 to 6 words"):
        labels(record(tmp_path, "s", Ticks(["w"] * 40, goal="walk over to the very red torch")))


def test_the_referee_objects_where_the_truth_is_missing(tmp_path: Path):
    assert Referee().objection(record(tmp_path, "a", Ticks(["w"] * 5))) is None
    no_goal = record(tmp_path, "b", Ticks(["w"] * 5), Ticks(["w"] * 5, goal=None))
    assert "row 5 has no known goal" in str(Referee().objection(no_goal))
    too_long = record(tmp_path / "d", "d", Ticks(["w"] * 5, goal="walk over to the very red torch"))
    assert "row 0: a goal is 2 to 6 words" in str(Referee().objection(too_long))
    no_truth = record(tmp_path, "c", Ticks(["w"] * 5, reached=()))
    assert "row 0 does not say" in str(Referee().objection(no_truth))


def test_auto_takes_the_referee_where_there_is_the_truth(tmp_path: Path):
    assert isinstance(choose_labeler("auto", record(tmp_path, "a", Ticks(["w"] * 5))), Referee)
    live = record(tmp_path, "b", Ticks(["w"] * 5, goal=None, reached=()))
    with pytest.raises(InvalidInputError, match=r"session b \(referee: row 0 has no known goal"):
        choose_labeler("auto", live)


def test_an_unknown_labeler_is_named_with_the_nearest():
    with pytest.raises(UnknownNameError, match="Did you mean 'referee'"):
        choose_labeler("refere", None)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(("goal", "confidence"), [("Run", 1.0), ("Go to the lantern", 1.5), ("", 0.5)])
def test_a_label_checks_itself(goal: str, confidence: float):
    with pytest.raises(InvalidInputError):
        Label(goal, "human", "1", confidence, False, {})
