"""What a dataset can teach at all: how often each action comes, and what is too rare to be learned.

The troubleshooting list of ``docs/pipeline.md`` as checks before the training. Knows nothing of models.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np
from rich.table import Table

from gameenv.actions import ACTIONS, KEYS, NONE
from gameenv.console import Console
from labeling import Sample
from recording.goals import goal_words, is_goal
from training.data import previous_actions
from training.readout import warn

CAMERA = ("up", "down", "left", "right")
GUIDE = "docs/train.md"
_CAMERA_SHARE = 0.05
_LOPSIDED = 4
_IDLE_SHARE = 0.6
_TURN_SHARE = 0.03
_FEW_STRETCHES = 8
_FEW_SAMPLES = 100
_ONE_GOAL_SHARE = 0.8
_LISTED = 3


def describe(console: Console, samples: Sequence[Sample]) -> None:
    """Show what these samples can teach, and what they hardly can."""
    print_actions(console, samples)
    for gap in find_gaps(samples):
        warn(console, f"{gap} (see {GUIDE})")


def print_actions(console: Console, samples: Sequence[Sample]) -> None:
    """Show how often each action comes first, and how often it is new there."""
    counts = Counter(sample.chunk[0] for sample in samples)
    previous = previous_actions(samples)
    starts = Counter(
        sample.chunk[0]
        for sample, before in zip(samples, previous, strict=True)
        if before >= 0 and ACTIONS[before] != sample.chunk[0]
    )
    table = Table(title=f"{len(samples):,} training samples, first action", title_justify="left")
    table.add_column("action")
    table.add_column("share", justify="right")
    table.add_column("begins here", justify="right")
    for action in ACTIONS:
        if counts[action]:
            table.add_row(action, f"{counts[action] / len(samples):.1%}", f"{starts[action]:,}")
    console.print(table)


def find_gaps(samples: Sequence[Sample]) -> Iterator[str]:
    """What these samples can hardly teach, a sentence each; nothing where all is well."""
    yield from _action_gaps(samples)
    yield from _variety_gaps(samples)
    yield from _goal_gaps(samples)


def _action_gaps(samples: Sequence[Sample]) -> Iterator[str]:
    counts = Counter(sample.chunk[0] for sample in samples)
    missing = [key for key in KEYS if not counts[key]]
    if missing:
        yield f"never pressed in these samples: {' '.join(missing)}"
    camera = sum(counts[key] for key in CAMERA)
    if not camera:
        yield "no camera action (up down left right) at all: the policy cannot learn to look around"
        return
    if camera < _CAMERA_SHARE * len(samples):
        yield f"only {camera / len(samples):.1%} of the samples move the camera: the policy may hardly look around"
    for one, other in (("left", "right"), ("up", "down")):
        less, more = sorted((one, other), key=counts.__getitem__)
        if counts[more] >= _FEW_SAMPLES and counts[less] * _LOPSIDED < counts[more]:
            yield f"the camera goes {more} {counts[more]:,} times, {less} {counts[less]:,} times: it will lean {more}"


def _variety_gaps(samples: Sequence[Sample]) -> Iterator[str]:
    idle = sum(sample.chunk[0] == NONE for sample in samples) / len(samples)
    if idle > _IDLE_SHARE:
        yield f"nothing is done in {idle:.0%} of the samples: the policy may stand still; pause recording (P) meanwhile"
    previous = previous_actions(samples)
    known = previous >= 0
    first = np.array([ACTIONS.index(sample.chunk[0]) for sample in samples])
    if known.any() and (turns := float((first != previous)[known].mean())) < _TURN_SHARE:
        yield f"the action changes on {turns:.1%} of the frames: a policy that repeats its last one looks good here"
    stretches = len({(sample.level, sample.session_id, sample.take) for sample in samples})
    if stretches < _FEW_STRETCHES:
        yield f"only {stretches} levels or takes: the policy will know these places and get stuck in others"
    if not any(sample.completed and sample.chunk.done for sample in samples):
        yield "no sample says that a goal is reached (seven times none, where it was): the policy cannot learn to stop"
    if pauses := sum(sample.chunk.done and not sample.completed for sample in samples):
        yield f"{pauses} samples take a pause for a goal that is reached: run gameenv-label again, it leaves them out"


def _goal_gaps(samples: Sequence[Sample]) -> Iterator[str]:
    goals = Counter(sample.goal for sample in samples)
    long = [goal for goal in goals if not is_goal(goal)]
    if long:
        yield f"{len(long)} of {len(goals)} goals are not of 2 to 6 words, such as {long[0]!r}: keep them short"
    mute = [goal for goal in goals if not goal_words(goal)]
    if mute:
        yield f"{len(mute)} of {len(goals)} goals have no word in them, such as {mute[0]!r}: they teach nothing"
    most, count = goals.most_common(1)[0]
    if len(goals) == 1:
        yield f"every sample has the goal {most!r}: what a goal means cannot be learned"
    elif count > _ONE_GOAL_SHARE * len(samples):
        yield f"{count / len(samples):.0%} of the samples have the goal {most!r}: the others may be ignored"
    rare = [goal for goal, number in goals.items() if number < _FEW_SAMPLES]
    if rare and len(goals) > 1:
        names = ", ".join(repr(goal) for goal in rare[:_LISTED]) + (", ..." if len(rare) > _LISTED else "")
        yield f"{len(rare)} of {len(goals)} goals have fewer than {_FEW_SAMPLES} samples: {names}"
