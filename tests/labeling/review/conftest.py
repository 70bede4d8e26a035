import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from labeling.review.desk import Desk
from recording.session import Session
from tests.labeling.labeled import label


@pytest.fixture
def labeled(session: Session, out: Path) -> Path:
    """The folder of four labeled clips: rows 0-39 and 40-59 of take 0, 60-99 and 100-114 of take 1."""
    label(session, out)
    return out


OpenDesk = Callable[[], Desk]


@pytest.fixture
def open_desk(session: Session, out: Path) -> Iterator[OpenDesk]:
    """Open the desk of the recordings and segments; closed at the end."""
    with contextlib.ExitStack() as opened:
        yield lambda: opened.enter_context(Desk(session.path.parent, out))


@pytest.fixture
def desk(labeled: Path, open_desk: OpenDesk) -> Desk:
    return open_desk()
