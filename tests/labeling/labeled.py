"""What the tests of labeling share: label a session, and look at what is on disk."""

import json
from pathlib import Path
from typing import Any

from gameenv.actions import ACTIONS
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from recording.session import Session

WORDS = [ACTIONS[1 + index % 11] for index in range(200)]
"""Every key in turn, so that a window tells where it is from."""
LEVEL = "train/go-to-lantern/17/g1"


def label(session: Session, out: Path, **settings: Any) -> list[str]:
    """Label and return what became of each clip."""
    return [outcome.what for outcome in label_session(session, out, Referee(), SampleSettings(**settings))]


def lines(folder: Path) -> list[dict[str, Any]]:
    """The samples of a segment, as they are on disk."""
    return [json.loads(line) for line in (folder / "samples.jsonl").read_text().splitlines()]


def tree(root: Path) -> dict[str, bytes]:
    """Every file below a folder."""
    return {str(path.relative_to(root)): path.read_bytes() for path in sorted(root.rglob("*")) if path.is_file()}
