"""What a person says: clips end where it ends, "reached" is believed, and it wins over every labeler."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from labeling import load_samples
from labeling.build import label_session
from labeling.choice import choose_labeler
from labeling.labeler import Clip, Label
from labeling.recorded import Recorded
from labeling.segment_folder import read_record, segment_folders
from labeling.segments import cut
from recording.edits import EVERY_ROW, GoalEdit
from recording.rows import MARK, REACHED
from recording.session import Session
from tests.labeling.recordings import Ticks, record


class Machine:
    """Says the same of everything, and remembers what it was asked."""

    name = "machine"
    version = "1"

    def __init__(self) -> None:
        self.asked: list[int] = []

    def objection(self, session: Session) -> str | None:
        return None if all(row.goal is None for row in session) else "it was asked about what a person said"

    def label(self, clips: Sequence[Clip]) -> Iterator[Label]:
        for clip in clips:
            self.asked.append(clip.segment.start)
            yield Label("Wander about here", self.name, self.version, 0.5, completed=False, evidence={})


@pytest.fixture
def live(tmp_path: Path) -> Session:
    """Two takes of a live game, of which nobody said anything; the first ends standing still."""
    still = ["w"] * 90 + ["none"] * 10
    return record(
        tmp_path / "raw",
        "live",
        Ticks(still, take=0, goal=None, reached=(), source="human"),
        Ticks(["d"] * 60, take=1, goal=None, reached=(), source="human"),
    )


def clips(session: Session) -> list[tuple[int, int, str | None]]:
    return [(each.start, each.stop, each.known_goal) for each in cut(session)]


def test_clips_end_where_a_goal_ends_and_where_it_is_reached(live: Session) -> None:
    session = live.with_edits(
        [GoalEdit("Open the door", True, ((0, 49),)), GoalEdit("Open the door", None, ((50, 99),))]
    )
    assert [row.index for row in session if row.reached] == [49]
    assert clips(session) == [
        (0, 40, "Open the door"),
        (40, 50, "Open the door"),
        (50, 90, "Open the door"),
        (90, 100, "Open the door"),
        (100, 140, None),
        (140, 160, None),
    ]


def test_only_where_it_was_reached_are_seven_none_a_target(live: Session, tmp_path: Path) -> None:
    for reached, declarations, dropped in ((None, 0, 4), (True, 10, 0)):
        out = tmp_path / f"out-{reached}"
        session = live.with_edits([GoalEdit("Open the door", reached, ((0, 99),))])
        outcomes = label_session(session, out, choose_labeler("auto", session))
        assert [each.record.completed for each in outcomes] == [False, False, bool(reached)]
        samples = load_samples(out)
        assert sum(sample.chunk.done for sample in samples) == declarations
        assert sum(each.record.dropped.get("pause", 0) for each in outcomes) == dropped
        assert {sample.goal for sample in samples} == {"Open the door"}


def test_what_is_done_for_the_next_goal_is_no_target_for_this_one(live: Session, tmp_path: Path) -> None:
    session = live.with_edits(
        [GoalEdit("Open the door", None, ((100, 129),)), GoalEdit("Climb the stairs", None, ((130, 159),))]
    )
    label_session(session, tmp_path / "out", Recorded())
    rows = {goal: [s.row for s in load_samples(tmp_path / "out") if s.goal == goal] for goal in ("Open the door",)}
    assert rows == {"Open the door": list(range(100, 124))}


def test_a_person_wins_over_a_machine_and_it_is_not_even_asked(live: Session, tmp_path: Path) -> None:
    session = live.with_edits([GoalEdit("Open the door", True, ((0, 99),))])
    machine = Machine()
    outcomes = label_session(session, tmp_path, machine)
    assert machine.asked == [100, 140]
    assert [(each.record.goal, each.record.labeler) for each in outcomes] == [
        *[("Open the door", "recorded")] * 3,
        *[("Wander about here", "machine")] * 2,
    ]
    again = label_session(session, tmp_path, machine)
    assert {each.what for each in again} == {"kept"}
    changed = label_session(live.with_edits([GoalEdit("Open the gate", True, ((0, 99),))]), tmp_path, machine)
    assert [each.what for each in changed] == ["built"] * 3 + ["kept"] * 2
    assert {read_record(folder).goal for folder in segment_folders(tmp_path)} == {"Open the gate", "Wander about here"}


def test_a_machine_names_the_goal_and_the_person_says_that_it_is_reached(live: Session, tmp_path: Path) -> None:
    session = live.with_edits([GoalEdit(None, True, ((0, 159),))])
    outcomes = label_session(session, tmp_path, Machine())
    assert [each.record.completed for each in outcomes] == [False, False, True, False, True]


def test_a_person_wins_over_the_referee_too(tmp_path: Path) -> None:
    arena = record(tmp_path / "raw", "arena", Ticks(["w"] * 40, take=0), Ticks(["w"] * 40, take=1))
    session = arena.with_edits([GoalEdit("Find the way out", True, ((0, 39),))])
    labeler = choose_labeler("auto", session)
    assert labeler.name == "referee", "of the rest it knows the truth"
    outcomes = label_session(session, tmp_path / "out", labeler)
    assert [(each.record.goal, each.record.labeler, each.record.completed) for each in outcomes] == [
        ("Find the way out", "recorded", True),
        ("Go to the lantern", "referee", False),
    ]


def test_only_what_has_no_goal_gets_one_if_that_is_meant(tmp_path: Path) -> None:
    session = record(
        tmp_path / "raw",
        "live",
        Ticks(["w"] * 40, take=0, goal="Open the door", reached=(), info={MARK: REACHED}),
        Ticks(["w"] * 40, take=1, goal=None, reached=()),
    ).with_edits([GoalEdit("Climb the stairs", None, (EVERY_ROW,), only_missing=True)])
    assert [session[take.start].goal for take in session.takes] == ["Open the door", "Climb the stairs"]
