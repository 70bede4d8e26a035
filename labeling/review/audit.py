"""How right are the labels? Some clips are drawn by chance, a person says right or wrong of each.

The verdicts are in the journal, so an audit goes on after a crash. Knows nothing of files.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gameenv.errors import InvalidInputError
from labeling.review.clip import REJECTED, ReviewClip
from labeling.review.journal import Entry
from policies.evaluation.statistics import Proportion, wilson

DRAWN = 50


@dataclass(slots=True)
class Audit:
    """One draw and what was said of it.

    Attributes:
        id: The journal entry of the draw.
        seed: What it was drawn with.
        of: How many clips it was drawn from.
        labeler: Whose labels they are, None for all.
        drawn: Key and goal of each clip; the verdict is on that goal, whatever it becomes later.
        verdicts: By key, whether the goal is right.
    """

    id: int
    seed: int
    of: int
    labeler: str | None
    drawn: tuple[tuple[str, str], ...]
    verdicts: dict[str, bool] = field(default_factory=dict)

    def result(self) -> Proportion:
        """Share of right labels with its 95% Wilson interval.

        Raises:
            MissingExtraError: If scipy is not installed.
        """
        return wilson(sum(self.verdicts.values()), len(self.verdicts))


def draw(clips: Sequence[ReviewClip], seed: int, labeler: str | None, count: int = DRAWN) -> dict[str, Any]:
    """Draw clips that carry a goal, each as likely as any other; what the journal keeps of it.

    Args:
        clips: All there are, in order.
        seed: The same seed draws the same of the same clips.
        labeler: Only labels that this labeler gave, as they are now; None for all.
        count: How many, or all if there are fewer.

    Raises:
        InvalidInputError: If there is nothing to draw from.
    """
    population = [
        clip for clip in clips if clip.label and clip.state not in REJECTED and labeler in (None, clip.label.labeler)
    ]
    if not population:
        whose = "" if labeler is None else f" of the labeler {labeler!r:.40}"
        raise InvalidInputError(f"there are no labels{whose} to audit. Label first, or set the filter to all labelers.")
    chosen = random.Random(seed).sample(population, min(count, len(population)))
    drawn = [(clip.key, clip.label.goal) for clip in chosen if clip.label]
    return {"seed": seed, "of": len(population), "labeler": labeler, "drawn": drawn}


def read_audits(entries: Sequence[Entry]) -> dict[int, Audit]:
    """The audits of a journal, by the number of their draw."""
    audits: dict[int, Audit] = {}
    for entry in entries:
        add_to(audits, entry)
    return audits


def add_to(audits: dict[int, Audit], entry: Entry) -> None:
    """Add what a new entry says.

    Raises:
        InvalidInputError: If it is about no audit or clip that is known.
    """
    said = entry.audit
    if entry.kind == "draw" and said is not None:
        drawn = tuple((str(key), str(goal)) for key, goal in said["drawn"])
        audits[entry.id] = Audit(entry.id, said["seed"], said["of"], said["labeler"], drawn)
    elif entry.kind == "verdict" and said is not None:
        check_verdict(audits, said)
        audits[said["audit"]].verdicts[said["clip"]] = said["right"]


def check_verdict(audits: dict[int, Audit], said: Mapping[str, Any]) -> None:
    """Check that a verdict is about a clip that was drawn.

    Raises:
        InvalidInputError: If not.
    """
    number = said.get("audit")
    audit = audits.get(number) if isinstance(number, int) else None
    if audit is None or said.get("clip") not in dict(audit.drawn) or not isinstance(said.get("right"), bool):
        raise InvalidInputError("a verdict is right or wrong, on a clip of an audit that was drawn before")
