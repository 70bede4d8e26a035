"""What a person decides, as the samples have it that are trained on."""

from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling import load_samples
from labeling.review.desk import Desk
from labeling.segment_folder import read_record, segment_folders
from recording.session import Session
from tests.labeling.labeled import label, lines, tree
from tests.labeling.review.conftest import OpenDesk
from tests.labeling.review.deciding import FIRST, FOURTH, SECOND, THIRD, decide, settle, spans, undo


def test_an_accepted_label_is_a_person_s_and_its_samples_stay(desk: Desk, labeled: Path) -> None:
    before = lines(labeled / "s_seg0000")
    decide(desk, "accept", FIRST)
    record = read_record(labeled / "s_seg0000")
    assert (record.labeler, record.confidence, record.goal) == ("human", 1.0, "Go to the lantern")
    assert record.evidence["review"]["proposal"]["labeler"] == "referee"
    assert lines(labeled / "s_seg0000") == before


def test_an_edited_goal_is_in_every_sample_and_spelt_as_goals_are(desk: Desk, labeled: Path) -> None:
    decide(desk, "edit", FIRST, SECOND, goal=' "find the old light." ')
    goals = {sample.row: sample.goal for sample in load_samples(labeled)}
    assert {goals[row] for row in goals if row < 60} == {"Find the old light"}
    assert {goals[row] for row in goals if row >= 60} == {"Open the door"}
    assert read_record(labeled / "s_seg0001").goal_span == "s_seg0000"


def test_a_goal_of_too_many_words_is_refused_and_nothing_changes(desk: Desk, labeled: Path) -> None:
    before = tree(labeled)
    with pytest.raises(InvalidInputError, match="a goal is 2 to 6 words"):
        decide(desk, "edit", FIRST, goal="go there and then come back here again")
    assert tree(labeled) == before


def test_completed_changes_what_follows_the_clip(desk: Desk, labeled: Path) -> None:
    last = load_samples(labeled)[-1]
    assert last.row == 108
    decide(desk, "complete", FOURTH, completed=True)
    samples = {sample.row: sample for sample in load_samples(labeled)}
    assert samples[114].chunk.actions[1:] == ("none",) * 6
    assert samples[114].completed
    assert read_record(labeled / "s_seg0003").evidence["review"]["state"] == "changed"


def test_a_rejected_clip_is_never_trained_on_and_counted(desk: Desk, labeled: Path, session: Session) -> None:
    decide(desk, "reject", SECOND)
    assert not [sample for sample in load_samples(labeled) if 40 <= sample.row < 60]
    assert read_record(labeled / "s_seg0001").dropped == {"rejected": 20}
    assert not list((labeled / "s_seg0001").glob("*.jpg"))
    assert desk.progress()["rejected"] == 1
    assert label(session, labeled) == ["kept", "human", "kept", "kept"]


def test_split_and_joined_clips_are_segments_like_others(desk: Desk, labeled: Path, session: Session) -> None:
    whole = {sample.row: sample.chunk for sample in load_samples(labeled)}
    decide(desk, "split", FIRST, row=15)
    assert {sample.row: sample.chunk for sample in load_samples(labeled)} == whole
    assert [(r.number, r.start, r.stop) for r in map(read_record, segment_folders(labeled))] == [
        (0, 0, 15), (1, 40, 60), (2, 60, 100), (3, 100, 115), (4, 15, 40),
    ]  # fmt: skip
    decide(desk, "join", "s:15:40", SECOND)
    record = read_record(labeled / "s_seg0004")
    assert (record.start, record.stop, record.completed) == (15, 60, True)
    assert {sample.row: sample.chunk for sample in load_samples(labeled)} == whole
    assert label(session, labeled) == ["human", "human", "kept", "kept"]
    with pytest.raises(InvalidInputError, match="follow each other in one take"):
        decide(desk, "join", "s:15:60", THIRD)
    with pytest.raises(InvalidInputError, match="7 ticks or more, and this would leave one of 3"):
        decide(desk, "split", THIRD, row=63)


def test_what_is_trimmed_off_is_rejected_and_not_named_again(desk: Desk, labeled: Path, session: Session) -> None:
    decide(desk, "trim", FIRST, start=5, stop=30)
    assert spans(desk.clips())[:3] == [(0, 5, "rejected"), (5, 30, "changed"), (30, 40, "rejected")]
    assert [sample.row for sample in load_samples(labeled) if sample.row < 40] == list(range(5, 30))
    label(session, labeled)
    assert [sample.row for sample in load_samples(labeled) if sample.row < 40] == list(range(5, 30))


def test_a_goal_is_renamed_wherever_it_is_and_that_is_no_review(desk: Desk, labeled: Path) -> None:
    decide(desk, "accept", THIRD)
    change = decide(desk, "rename", old="Open the door", goal="Push the door open")
    assert {clip.key for clip in change.added} == {THIRD, FOURTH}
    assert {sample.goal for sample in load_samples(labeled)} == {"Go to the lantern", "Push the door open"}
    assert [clip.state for clip in desk.clips()] == ["proposed", "proposed", "accepted", "changed"]
    assert desk.progress()["reviewed"] == 1


@pytest.mark.parametrize(
    ("kind", "keys", "how"),
    [
        ("accept", (FIRST, FOURTH), {}),
        ("edit", (FIRST,), {"goal": "Find the light"}),
        ("rename", (), {"old": "Go to the lantern", "goal": "Find the light"}),
        ("reject", (SECOND,), {}),
        ("delete", (FIRST, SECOND), {}),
        ("complete", (SECOND,), {"completed": False}),
        ("split", (THIRD,), {"row": 80}),
        ("join", (THIRD, FOURTH), {}),
        ("trim", (THIRD,), {"start": 70}),
    ],
)
def test_undo_brings_back_every_byte(
    desk: Desk, labeled: Path, kind: str, keys: tuple[str, ...], how: dict[str, object]
) -> None:
    before = {name: content for name, content in tree(labeled).items() if name != "review.jsonl"}
    decide(desk, kind, *keys, **how)
    changed = {name: content for name, content in tree(labeled).items() if name != "review.jsonl"}
    assert changed != before
    undo(desk)
    assert {name: content for name, content in tree(labeled).items() if name != "review.jsonl"} == before
    with pytest.raises(InvalidInputError, match="nothing to undo"):
        undo(desk)


def test_undo_goes_on_after_a_restart(desk: Desk, labeled: Path, open_desk: OpenDesk) -> None:
    decide(desk, "edit", FIRST, goal="Find the light")
    decide(desk, "reject", FIRST)
    desk.close()
    again = open_desk()
    assert undo(again).what == "undo reject"
    assert read_record(labeled / "s_seg0000").goal == "Find the light"
    undo(again)
    assert read_record(labeled / "s_seg0000").labeler == "referee"


def test_clips_are_named_from_nothing(session: Session, out: Path, open_desk: OpenDesk) -> None:
    desk = open_desk()
    assert [clip.state for clip in desk.clips()] == ["unlabeled"] * 4
    with pytest.raises(InvalidInputError, match="nobody has named"):
        decide(desk, "accept", FIRST)
    decide(desk, "edit", FIRST, goal="Go to the lantern")
    decide(desk, "split", THIRD, row=80)
    decide(desk, "reject", FOURTH)
    assert {sample.goal for sample in load_samples(out)} == {"Go to the lantern"}
    assert spans(desk.clips())[2:] == [(60, 80, "unlabeled"), (80, 100, "unlabeled"), (100, 115, "rejected")]
    desk.close()
    assert spans(open_desk().clips()) == spans(desk.clips())
    assert label(session, out).count("human") == 2


def test_a_broken_segment_is_named_and_can_be_labeled(labeled: Path, open_desk: OpenDesk) -> None:
    (labeled / "s_seg0002" / "segment.json").write_text("{")
    text = (labeled / "s_seg0001" / "segment.json").read_text().replace('"completed": true', '"completed": "yes"')
    (labeled / "s_seg0001" / "segment.json").write_text(text)
    desk = open_desk()
    assert len(desk.problems) == 2
    assert [clip.state for clip in desk.clips()] == ["proposed", "unlabeled", "unlabeled", "proposed"]
    decide(desk, "edit", THIRD, goal="Open the door")
    settle(desk)
    assert read_record(labeled / "s_seg0002").labeler == "human"
