"""When a policy says "the goal is reached": what it is taught, and from which probability on.

Seven ``none`` say so only where a clip ends with the goal reached; a player who waits presses ``none``, too. Knows
nothing of models.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from labeling import Sample
from policies.options import DEFAULT_DECLARE_AT

THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
BINS = 10


@dataclass(frozen=True, slots=True)
class Calibration:
    """How far the held-out probabilities can be trusted, and what follows.

    Attributes:
        threshold: A declaration is made from this probability on.
        said: Mean probability in each bin that holds any sample, 0 to 1.
        came: Share of that bin's samples that are declarations.
        counts: How many samples each of those bins holds.
        right: For each of ``THRESHOLDS``, the share of the held-out stretches whose first declaration would come when
            the goal is reached (and none where it never is); empty where no sample is a declaration.
    """

    threshold: float
    said: tuple[float, ...]
    came: tuple[float, ...]
    counts: tuple[int, ...]
    right: tuple[float, ...]


def find_declarations(samples: Sequence[Sample]) -> np.ndarray:
    """Which samples say "the goal is reached": ``(n,)`` bool.

    Those of seven ``none`` in a clip whose goal was reached, behind all that was done in it. Waiting on the way, before
    the last key of the clip or in a clip that reaches nothing, is not among them.
    """
    acted: dict[tuple[str, int], int] = {}
    for sample in samples:
        if not sample.chunk.done:
            clip = (sample.session_id, sample.segment)
            acted[clip] = max(sample.row, acted.get(clip, sample.row))
    return np.array(
        [
            sample.completed and sample.chunk.done and sample.row > acted.get((sample.session_id, sample.segment), -1)
            for sample in samples
        ],
        bool,
    )


def calibrate(probabilities: np.ndarray, declared: np.ndarray, samples: Sequence[Sample]) -> Calibration:
    """Compare held-out probabilities with the truth, and choose the threshold that serves play best.

    In play one wrong declaration ends an episode and a missed one is made a moment later, so what counts is the first
    sample of each stretch (neighbouring clips with one goal) that passes the threshold. Of equally good thresholds the
    one nearest to one half is taken.

    Args:
        probabilities: ``(n,)``, 0 to 1.
        declared: ``(n,)`` bool, as ``find_declarations``.
        samples: The samples they belong to.
    """
    bins = np.minimum((probabilities * BINS).astype(int), BINS - 1)
    filled = [np.flatnonzero(bins == number) for number in range(BINS) if (bins == number).any()]
    said = tuple(float(probabilities[rows].mean()) for rows in filled)
    came = tuple(float(declared[rows].mean()) for rows in filled)
    right: tuple[float, ...] = ()
    threshold = DEFAULT_DECLARE_AT
    if declared.any():
        stretches = _stretches(samples)
        right = tuple(
            float(np.mean([_is_right(probabilities[rows] >= least, declared[rows]) for rows in stretches]))
            for least in THRESHOLDS
        )
        best = [least for least, share in zip(THRESHOLDS, right, strict=True) if share == max(right)]
        threshold = min(best, key=lambda least: abs(least - DEFAULT_DECLARE_AT))
    return Calibration(threshold, said, came, tuple(map(len, filled)), right)


def _stretches(samples: Sequence[Sample]) -> list[np.ndarray]:
    """The places of each stretch's samples, in the order they were played."""
    places: dict[tuple[str, str], list[int]] = defaultdict(list)
    for place in sorted(range(len(samples)), key=lambda place: samples[place].row):
        places[samples[place].session_id, samples[place].goal_span].append(place)
    return [np.array(rows) for rows in places.values()]


def _is_right(says: np.ndarray, declared: np.ndarray) -> bool:
    """Whether the first declaration of a stretch is a right one, or rightly none is made."""
    return bool(declared[says.argmax()]) if says.any() else not declared.any()
