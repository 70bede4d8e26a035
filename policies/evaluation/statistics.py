"""The three formulas an evaluation rests on: Wilson and McNemar by scipy's binomial test, Holm.

Knows numbers only. scipy loads at the first call.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameenv.errors import InvalidInputError, require

CONFIDENCE = 0.95


@dataclass(frozen=True, slots=True)
class Proportion:
    """``k`` of ``n`` and the Wilson score interval; without episodes nothing is known: 0 to 1, and no rate."""

    k: int
    n: int
    rate: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Paired:
    """Two policies on the same levels: who succeeded where, and the exact McNemar p-value of it."""

    both: int
    a_only: int
    b_only: int
    neither: int
    p: float

    @property
    def n(self) -> int:
        """Levels that both played."""
        return self.both + self.a_only + self.b_only + self.neither


def binomial_test() -> Any:
    """``scipy.stats.binomtest``; asked for before hours are spent on episodes, too.

    Raises:
        MissingExtraError: If scipy is not installed.
    """
    return require("scipy.stats", "evaluate").binomtest


def wilson(k: int, n: int) -> Proportion:
    """The 95% Wilson score interval of ``k`` successes in ``n`` (Wilson 1927).

    Raises:
        InvalidInputError: If ``k`` is not in 0 to ``n``.
    """
    if not 0 <= k <= n:
        raise InvalidInputError(f"successes must be 0 to {n}, got {k}")
    if n == 0:
        return Proportion(0, 0, None, 0.0, 1.0)
    low, high = binomial_test()(k, n).proportion_ci(CONFIDENCE, method="wilson")
    # The formula's ends are exact where all or none succeeded; rounding would leave them a hair inside.
    return Proportion(k, n, k / n, 0.0 if k == 0 else float(low), 1.0 if k == n else float(high))


def mcnemar(a: Sequence[bool], b: Sequence[bool]) -> Paired:
    """The exact McNemar test, two-sided: is one of two policies better on the levels that only one of them solved?

    Args:
        a: Success of one policy on each level.
        b: Success of the other on the same levels, in the same order.

    Raises:
        InvalidInputError: If the two are not of one length.
    """
    if len(a) != len(b):
        raise InvalidInputError(f"a paired test needs the same levels for both, got {len(a)} and {len(b)}")
    pairs = list(zip(map(bool, a), map(bool, b), strict=True))
    both, neither = pairs.count((True, True)), pairs.count((False, False))
    a_only, b_only = pairs.count((True, False)), pairs.count((False, True))
    p = float(binomial_test()(a_only, a_only + b_only).pvalue) if a_only + b_only else 1.0
    return Paired(both, a_only, b_only, neither, p)


def p_text(p: float) -> str:
    """A p-value as one writes it: never 0, never more digits than mean something."""
    return "< 0.001" if p < 0.001 else f"{min(1.0, p):.3f}"


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Holm's step-down correction (1979) of one family of tests, in the order given."""
    corrected = [0.0] * len(p_values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, p_values[place] * (len(p_values) - rank)))
        corrected[place] = highest
    return tuple(corrected)
