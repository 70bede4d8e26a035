"""Which keys a player held over a clip, put into a line.

Knows nothing of pictures or models.
"""

from dataclasses import dataclass
from itertools import groupby

from gameenv.actions import ACTIONS, NONE
from gameenv.clock import NS_PER_S
from labeling.labeler import Clip
from recording.rows import SessionRow

MEANINGS = (
    "w s a d move forward, back, left, right; the arrows up down left right turn the view; c crouches, space jumps, "
    "enter uses what is in front"
)
_MOST = 14
"""Stretches that a line names; the shortest of more are left out."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Keys held together, ``()`` for none, and for how long."""

    keys: tuple[str, ...]
    seconds: float


def stretches(clip: Clip) -> list[Stretch]:
    """What was held over a clip, in order, tick by tick."""
    found = []
    for keys, rows in groupby(clip.rows, key=_down):
        own = list(rows)
        found.append(Stretch(keys, (own[-1].end_t_ns - own[0].t_ns) / NS_PER_S))
    return found


def is_idle(clip: Clip) -> bool:
    """Whether no key was down at any time."""
    return not any(_down(row) for row in clip.rows)


def describe(clip: Clip) -> str:
    """The keys as a line: ``w 1.2 s, w+right 0.4 s, nothing 0.3 s``."""
    found = stretches(clip)
    if len(found) > _MOST:
        least = sorted(each.seconds for each in found)[len(found) - _MOST]
        found = [each for each in found if each.seconds >= least][:_MOST]
    return ", ".join(f"{'+'.join(each.keys) or 'nothing'} {each.seconds:.1f} s" for each in found)


def _down(row: SessionRow) -> tuple[str, ...]:
    """The keys that were down during a row, in the vocabulary's order."""
    keys = {*row.held, *(event.word for event in row.events if event.down)} - {NONE}
    released = {event.word for event in row.events if not event.down and event.t_ns <= row.t_ns}
    return tuple(word for word in ACTIONS if word in keys - released)
