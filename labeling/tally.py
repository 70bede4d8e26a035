"""What a labeling run did, added up and put into words.

Knows nothing of how segments are built.
"""

from collections import Counter
from collections.abc import Iterable

from rich.table import Table

from gameenv.actions import ACTIONS
from gameenv.console import Console
from labeling.build import LabeledSession
from labeling.checks import agreement, contradictions
from labeling.labeler import Reason, SetAside
from labeling.rounds import Asked

_TOP_GOALS = 10
_BAR = 40  # columns of the longest bar
_DROPPED = {
    "noise": "an exploring (noise) action among the seven",
    "no_next": "the take ends before the seven are complete",
    "missing_frame": "the frame is missing or cut short",
    "pause": "seven times none, and the goal was not reached: a pause is no declaration",
    "rejected": "a person rejected the clip, trimmed it off or deleted it",
    "thinned": "left out by --keep-every",
}
REASONS: dict[Reason, str] = {
    "unnamed": "nobody said what it is about: gameenv-sessions goal, or gameenv-label --goal or --goals",
    "unclear": "nobody could tell from the pictures what the player was after",
    "idle": "nothing was pressed",
    "low-confidence": "the labeler was too unsure",
    "invalid-reply": "the labeler's answer could not be used",
    "no-picture": "the frames are missing or cannot be read",
    "failed": "the labeler failed; the same command asks again",
}
"""Why a clip is set aside, in words."""


class Summary:
    """Adds up outcomes and prints them.

    Attributes:
        segments: Clips by what became of them: built, kept, human.
        samples: Samples in all of them.
        dropped: Rows without a sample, by reason.
        goals: Samples by goal.
        words: Rows by their own action word.
        set_aside: Clips without a goal, by reason.
        completed: Clips whose goal was reached by their end.
        extra_bytes: Disk used beyond the recordings.
        copied_bytes: How much of that is frames that could not be linked.
    """

    def __init__(self) -> None:
        self.segments: Counter[str] = Counter()
        self.samples = 0
        self.dropped: Counter[str] = Counter()
        self.goals: Counter[str] = Counter()
        self.words: Counter[str] = Counter()
        self.set_aside: Counter[Reason] = Counter()
        self._asked: list[Asked] = []
        self._contradictions = 0
        self.completed = 0
        self.extra_bytes = 0
        self.copied_bytes = 0

    def add(self, outcomes: Iterable[LabeledSession]) -> None:
        """Count what became of some clips."""
        for outcome in outcomes:
            record = outcome.record
            self.segments[outcome.what] += 1
            self.samples += len(record.rows)
            self.dropped.update(record.dropped)
            self.goals[record.goal] += len(record.rows)
            self.words.update(record.words)
            self.completed += record.completed
            self._contradictions += bool(contradictions([record]))
            self.extra_bytes += outcome.extra_bytes
            self.copied_bytes += record.copied_bytes

    def _show_checks(self, console: Console) -> None:
        if not self._asked:
            return
        found = agreement(self._asked)
        console.print(f"{found or '--passes 2 asks twice, and tells how often the answers agree'}")
        if self._contradictions:
            console.print(
                f"{self._contradictions} goals have a direction or a move in them that the keys speak against; "
                "--report lists them"
            )

    def add_set_aside(self, asides: Iterable[SetAside]) -> None:
        """Count the clips that got no goal."""
        self.set_aside.update(aside.reason for aside in asides)

    def add_asked(self, asked: Iterable[Asked]) -> None:
        """Take in what a labeler that had to be asked said."""
        self._asked += asked

    def show(self, console: Console) -> None:
        """Print it."""
        total = self.segments.total()
        parts = ", ".join(
            f"{self.segments[what]} {word}"
            for what, word in (
                ("built", "built now"),
                ("kept", "there already"),
                ("human", "labeled by a person, kept"),
            )
            if self.segments[what]
        )
        console.print(f"{total} segments ({parts}), {self.completed} of them end with their goal reached")
        if self.set_aside:
            console.print(f"{self.set_aside.total()} clips are set aside, and nothing is trained on them:")
        for reason, count in self.set_aside.most_common():
            console.print(f"  {count}: {REASONS[reason]}")
        self._show_checks(console)
        console.print(f"{self.samples} samples; {self.dropped.total()} rows have none" + (":" if self.dropped else ""))
        for reason, count in self.dropped.most_common():
            console.print(f"  {count}: {_DROPPED.get(reason, reason)}")
        goals = self.goals.most_common(_TOP_GOALS)
        console.print(_histogram("goal", "samples", goals))
        if len(self.goals) > len(goals):
            console.print(f"  and {len(self.goals) - len(goals)} more goals")
        console.print(_histogram("action", "rows", [(word, self.words[word]) for word in ACTIONS]))
        console.print(f"{_size(self.extra_bytes)} of disk beyond the recordings")
        if self.copied_bytes:
            console.print(
                f"  {_size(self.copied_bytes)} of that are copied frames: the recordings lie on a file system that "
                "cannot be linked to from here"
            )


def _histogram(name: str, unit: str, counts: list[tuple[str, int]]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(name)
    table.add_column(unit, justify="right")
    table.add_column("")
    most = max((count for _, count in counts), default=0)
    for label, count in counts:
        table.add_row(label, str(count), "#" * round(_BAR * count / most) if most else "")
    return table


def _size(count: int) -> str:
    return f"{count / 2**20:.1f} MiB"
