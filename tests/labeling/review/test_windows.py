"""Two windows, two servers, a server that dies."""

import itertools
import json
import shutil
from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError, SessionError
from labeling.review.desk import ConflictError, Desk
from labeling.review.journal import JOURNAL_FILE
from labeling.segment_folder import read_record
from recording.session import Session
from tests.labeling.labeled import label, tree
from tests.labeling.review.conftest import OpenDesk
from tests.labeling.review.deciding import FIRST, SECOND, decide, settle, undo


def test_the_later_of_two_windows_is_told_and_changes_nothing(desk: Desk, labeled: Path) -> None:
    seen = desk.get(FIRST).version
    decide(desk, "edit", FIRST, goal="Find the light")
    with pytest.raises(ConflictError) as told:
        desk.decide("another window", "reject", {FIRST: seen}, {})
    assert [clip.label and clip.label.goal for clip in told.value.clips] == ["Find the light"]
    assert read_record(labeled / "s_seg0000").goal == "Find the light"


def test_a_clip_that_was_split_meanwhile_is_a_conflict_that_shows_its_parts(desk: Desk) -> None:
    seen = desk.get(FIRST).version
    decide(desk, "split", FIRST, row=20)
    with pytest.raises(ConflictError) as told:
        desk.decide("another window", "accept", {FIRST: seen}, {})
    assert [clip.key for clip in told.value.clips] == ["s:0:20", "s:20:40"]


def test_undo_never_takes_back_what_this_window_has_not_seen(desk: Desk) -> None:
    seen = desk.head
    decide(desk, "accept", FIRST)
    with pytest.raises(ConflictError, match="another window has decided since; undo would take back its 'accept'"):
        desk.undo("another window", seen)


def test_what_is_sent_twice_is_done_once(desk: Desk) -> None:
    first = desk.decide("sent twice", "split", {FIRST: 0}, {"row": 20})
    assert desk.decide("sent twice", "split", {FIRST: 0}, {"row": 20}) == first
    assert desk.head == 1
    settle(desk)


def test_a_second_server_and_the_labeler_are_kept_out(desk: Desk, open_desk: OpenDesk) -> None:
    with pytest.raises(SessionError, match=r"another gameenv-review or gameenv-label .* is writing"):
        open_desk()


@pytest.mark.parametrize(("kind", "undone"), list(itertools.product(["edit", "reject", "split"], [False, True])))
def test_a_decision_that_was_saved_and_not_written_is_written_at_the_next_start(
    labeled: Path, tmp_path: Path, open_desk: OpenDesk, kind: str, undone: bool
) -> None:
    desk = open_desk()
    shutil.copytree(labeled, tmp_path / "before")
    decide(desk, kind, FIRST, **{"edit": {"goal": "Find the light"}, "reject": {}, "split": {"row": 20}}[kind])
    if undone:
        shutil.rmtree(tmp_path / "before")
        shutil.copytree(labeled, tmp_path / "before")
        undo(desk)
    desk.close()
    written = tree(labeled)
    shutil.copy(labeled / JOURNAL_FILE, tmp_path / "before")  # a crash after saving: the segments are as before
    shutil.rmtree(labeled)
    shutil.move(tmp_path / "before", labeled)
    again = open_desk()
    settle(again)
    again.close()
    assert {name: content for name, content in tree(labeled).items() if name != ".lock"} == {
        name: content for name, content in written.items() if name != ".lock"
    }


def test_a_line_that_was_cut_short_is_dropped_and_a_damaged_one_is_named(
    desk: Desk, labeled: Path, open_desk: OpenDesk
) -> None:
    decide(desk, "accept", FIRST)
    decide(desk, "accept", SECOND)
    desk.close()
    journal = labeled / JOURNAL_FILE
    whole = journal.read_bytes()
    journal.write_bytes(whole + b'{"id": 3, "ki')
    again = open_desk()
    assert again.head == 2
    decide(again, "reject", FIRST)
    again.close()
    assert [json.loads(line)["id"] for line in journal.read_bytes().splitlines()] == [1, 2, 3]
    journal.write_bytes(whole[5:])
    with pytest.raises(InvalidInputError, match=r"review.jsonl, line 1 is damaged"):
        open_desk()


def test_a_recording_that_was_deleted_can_be_seen_and_not_changed(desk: Desk, labeled: Path, session: Session) -> None:
    shutil.rmtree(session.path)
    before = tree(labeled)
    with pytest.raises(InvalidInputError, match=r"the recording s is not in .* any more"):
        decide(desk, "accept", FIRST)
    assert tree(labeled) == before


def test_a_label_that_a_machine_gave_anew_stays_after_an_undo(
    desk: Desk, labeled: Path, session: Session, open_desk: OpenDesk
) -> None:
    decide(desk, "reject", FIRST)
    undo(desk)
    desk.close()
    label(session, labeled, tail="none")
    before = tree(labeled)
    again = open_desk()
    settle(again)
    assert tree(labeled) == before
