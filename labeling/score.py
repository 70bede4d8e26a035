"""Scores a labeler on recordings of the built-in game, where the referee knows the truth.

Knows nothing of how the labeler decides; writes no segments.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.table import Table

from gameenv.console import Console
from gameenv.files import write_atomically
from labeling.book import LABELS_DIR
from labeling.checks import agreement
from labeling.labeler import Clip, Label
from labeling.rounds import Asked
from labeling.wording import fold_goal
from policies.evaluation.statistics import Proportion, wilson
from recording.goals import goal_words

BINS = 5
"""Of the confidence, from 0 to 1."""


@dataclass(frozen=True, slots=True)
class Judged:
    """A clip: the truth, and what a labeler said.

    Attributes:
        family: The arena's task of the clip.
        truth: The referee's label.
        asked: What the labeler said.
    """

    family: str
    truth: Label
    asked: Asked


@dataclass(frozen=True, slots=True)
class Bin:
    """Answers whose confidence lies from ``low`` to ``high``: how many, how sure on average, and how many are right."""

    low: float
    high: float
    confidence: float | None
    right: Proportion


@dataclass(frozen=True, slots=True)
class Score:
    """How right a labeler is.

    Attributes:
        labeler, version: Who.
        clips: Clips with a truth.
        answered: Those that got a goal.
        exact: Of those, goals with the truth's own words (articles and case aside).
        family: Of those, goals that are nearer to the true task's goals than to any other's.
        completed: Of those, whether the goal was reached was said rightly.
        families: ``family`` for each task.
        set_aside: Why the others got no goal.
        calibration: Of ``family``, by confidence.
        calibration_error: Mean distance of confidence and share of right ones, weighted by bin; None without answers.
        two_passes: How often a second pass said the same; None if there was none.
    """

    labeler: str
    version: str
    clips: int
    answered: Proportion
    exact: Proportion
    family: Proportion
    completed: Proportion
    families: dict[str, Proportion]
    set_aside: dict[str, int]
    calibration: tuple[Bin, ...]
    calibration_error: float | None
    two_passes: Proportion | None


def task_of(clip: Clip) -> str:
    """The arena's task that a clip was recorded in; ``?`` where the recording does not say."""
    info = clip.rows[0].info
    level = info.get("level")
    parts = level.split("/") if isinstance(level, str) else []
    return info.get("task") or (parts[1] if len(parts) > 2 else "?")


class Families:
    """Tells by its words which task a goal belongs to, having seen the true goals of each.

    A word counts the more, the fewer tasks have it.
    """

    def __init__(self, judged: Iterable[Judged]) -> None:
        tasks: defaultdict[str, set[str]] = defaultdict(set)
        for each in judged:
            for word in goal_words(each.truth.goal):
                tasks[word].add(each.family)
        self._tasks = tasks

    def of(self, goal: str) -> str | None:
        """The task, None where two fit equally well or none does."""
        votes: Counter[str] = Counter()
        scores: dict[str, float] = {}
        for word in sorted(set(goal_words(goal))):
            for task in self._tasks.get(word, ()):
                votes[task] += 1
                scores[task] = scores.get(task, 0.0) + 1 / len(self._tasks[word]) ** 2
        best = sorted(scores, key=lambda task: (-scores[task], -votes[task], task))[:2]
        if not best or (len(best) == 2 and (scores[best[0]], votes[best[0]]) == (scores[best[1]], votes[best[1]])):
            return None
        return best[0]


def judge(judged: Sequence[Judged], labeler: str, version: str) -> Score:
    """Score a labeler by what it said of clips whose truth is known.

    Raises:
        MissingExtraError: If scipy is not installed.
    """
    families = Families(judged)
    right: list[tuple[Judged, Label, bool]] = []
    for each in judged:
        answer = each.asked.answer
        if isinstance(answer, Label):
            right.append((each, answer, families.of(answer.goal) == each.family))
    exact = sum(fold_goal(said.goal) == fold_goal(each.truth.goal) for each, said, _ in right)
    completed = sum(said.completed == each.truth.completed for each, said, _ in right)
    by_family: defaultdict[str, list[bool]] = defaultdict(list)
    for each, _, is_right in right:
        by_family[each.family].append(is_right)
    bins = _calibrate([(said.confidence, is_right) for _, said, is_right in right])
    twice = agreement(each.asked for each in judged)
    return Score(
        labeler=labeler,
        version=version,
        clips=len(judged),
        answered=wilson(len(right), len(judged)),
        exact=wilson(exact, len(right)),
        family=wilson(sum(is_right for *_, is_right in right), len(right)),
        completed=wilson(completed, len(right)),
        families={family: wilson(sum(each), len(each)) for family, each in sorted(by_family.items())},
        set_aside=dict(
            Counter(each.asked.answer.reason for each in judged if not isinstance(each.asked.answer, Label))
        ),
        calibration=bins,
        calibration_error=_error(bins),
        two_passes=wilson(twice.same, twice.asked) if twice else None,
    )


def score_file(root: Path, labeler: str) -> Path:
    """Where a labeler's score is written."""
    return root / LABELS_DIR / f"score-{labeler}.json"


def save(score: Score, path: Path) -> None:
    """Write the score as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    content: dict[str, Any] = asdict(score)
    write_atomically(path, json.dumps(content, indent=2) + "\n")


def show(score: Score, console: Console) -> None:
    """Print it."""
    console.print(f"{score.labeler} {score.version}, {score.clips} clips with a truth")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "of", "share", "95% interval"):
        table.add_column(name, justify="right" if name else "left")
    rows = {
        "got a goal": score.answered,
        "goal, word for word": score.exact,
        "goal, by task": score.family,
        **{f"  {family}": each for family, each in score.families.items()},
        "reached or not": score.completed,
    }
    if score.two_passes:
        rows["two passes agree"] = score.two_passes
    for name, each in rows.items():
        share = "-" if each.rate is None else f"{each.rate:.1%}"
        table.add_row(name, f"{each.k}/{each.n}", share, f"{each.low:.1%} to {each.high:.1%}")
    for each in score.calibration:
        if each.confidence is not None:
            name = f"right by task at confidence {each.low:.1f} to {each.high:.1f}"
            table.add_row(
                name, f"{each.right.k}/{each.right.n}", f"{each.right.rate:.1%}", f"said {each.confidence:.0%}"
            )
    console.print(table)
    if score.calibration_error is not None:
        console.print(f"calibration error {score.calibration_error:.2f} (0 is best)")
    for reason, count in sorted(score.set_aside.items()):
        console.print(f"{count} set aside: {reason}")


def _calibrate(answers: Sequence[tuple[float, bool]]) -> tuple[Bin, ...]:
    bins = []
    for number in range(BINS):
        inside = [(sure, right) for sure, right in answers if min(int(sure * BINS), BINS - 1) == number]
        confidence = sum(sure for sure, _ in inside) / len(inside) if inside else None
        bins.append(
            Bin(number / BINS, (number + 1) / BINS, confidence, wilson(sum(right for _, right in inside), len(inside)))
        )
    return tuple(bins)


def _error(bins: Sequence[Bin]) -> float | None:
    total = sum(each.right.n for each in bins)
    if not total:
        return None
    apart = (
        each.right.n * abs(each.confidence - each.right.rate)
        for each in bins
        if each.confidence is not None and each.right.rate is not None
    )
    return sum(apart) / total
