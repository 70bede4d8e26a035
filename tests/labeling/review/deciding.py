"""What the tests of the review share: decide as a window does, and wait for the disk."""

import itertools
import time
from typing import Any

from labeling.review.clip import ReviewClip
from labeling.review.desk import Change, Desk

_requests = itertools.count()
FIRST, SECOND, THIRD, FOURTH = "s:0:40", "s:40:60", "s:60:100", "s:100:115"


def decide(desk: Desk, kind: str, *keys: str, **how: Any) -> Change:
    """Decide on clips as they are now, and wait until the segments say so."""
    change = desk.decide(f"request-{next(_requests)}", kind, {key: desk.get(key).version for key in keys}, how)
    settle(desk)
    return change


def undo(desk: Desk) -> Change:
    change = desk.undo(f"request-{next(_requests)}", desk.head)
    settle(desk)
    return change


def settle(desk: Desk) -> None:
    for _ in range(2000):
        if not desk.pending:
            return
        time.sleep(0.005)
    raise AssertionError(f"not written: {desk.problems}")


def spans(clips: list[ReviewClip]) -> list[tuple[int, int, str]]:
    return [(clip.start, clip.stop, clip.state) for clip in clips]
