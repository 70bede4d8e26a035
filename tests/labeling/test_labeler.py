"""What every labeler promises, run on each of them."""

from pathlib import Path

import pytest

from labeling.choice import LABELERS, choose_labeler
from labeling.goals import check_goal
from labeling.labeler import Labeler
from labeling.segments import cut
from recording.session import Session
from tests.labeling.recordings import Ticks, holds_from, record


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return record(tmp_path, "s", Ticks(["w"] * 90, reached=holds_from(80, 90)), Ticks(["d"] * 20, take=1))


@pytest.fixture(params=LABELERS)
def labeler(request: pytest.FixtureRequest, session: Session) -> Labeler:
    return choose_labeler(request.param, session)


def test_it_has_the_shape_and_a_name_and_a_version(labeler: Labeler):
    assert isinstance(labeler, Labeler)
    assert labeler.name in LABELERS
    assert labeler.version


def test_every_clip_gets_a_valid_label_that_is_signed(labeler: Labeler, session: Session):
    assert labeler.objection(session) is None
    for segment in cut(session):
        label = labeler.label(session, segment)
        assert check_goal(label.goal) == label.goal
        assert (label.labeler, label.version) == (labeler.name, labeler.version)
        assert 0 <= label.confidence <= 1


def test_the_same_clip_gets_the_same_label(labeler: Labeler, session: Session):
    segment = cut(session)[0]
    assert labeler.label(session, segment) == labeler.label(session, segment)
