from pathlib import Path

import pytest

from recording.session import Session
from tests.labeling.labeled import LEVEL, WORDS
from tests.labeling.recordings import Ticks, holds_from, record


@pytest.fixture
def session(tmp_path: Path) -> Session:
    """Two takes of two clips each; the goal is reached at the end of the first."""
    return record(
        tmp_path / "raw",
        "s",
        Ticks(WORDS[:60], take=0, reached=holds_from(58, 60), level=LEVEL, noise=[50]),
        Ticks(WORDS[:55], take=1, goal="Open the door", level="train/open-door/3/g1"),
    )


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the segments go."""
    return tmp_path / "out"
