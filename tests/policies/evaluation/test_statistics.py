"""The formulas against published numbers and against their own definitions."""

import math
from itertools import product

import pytest

from gameenv.errors import InvalidInputError
from policies.evaluation.statistics import Paired, holm, mcnemar, wilson


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),  # Newcombe 1998, Statistics in Medicine 17, table I, method 3
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_newcombes_published_intervals(k: int, n: int, low: float, high: float) -> None:
    share = wilson(k, n)
    assert (share.k, share.n, share.rate) == (k, n, k / n)
    assert share.low == pytest.approx(low, abs=5e-5)
    assert share.high == pytest.approx(high, abs=5e-5)


def test_wilson_of_everything_and_nothing_stays_inside_and_includes_the_rate() -> None:
    for n in (1, 7, 100):
        assert wilson(0, n).low == 0.0
        assert wilson(n, n).high == 1.0
    assert wilson(0, 0).rate is None
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)
    for k, n in ((-1, 3), (4, 3)):
        with pytest.raises(InvalidInputError):
            wilson(k, n)


def exact(b: int, c: int) -> float:
    """Two-sided exact McNemar from its definition: a binomial test of b against b + c tosses."""
    n = b + c
    return min(1.0, 2 * sum(math.comb(n, i) for i in range(min(b, c) + 1)) / 2**n)


def paired(both: int, a_only: int, b_only: int, neither: int) -> Paired:
    a = [True] * both + [True] * a_only + [False] * b_only + [False] * neither
    b = [True] * both + [False] * a_only + [True] * b_only + [False] * neither
    return mcnemar(a, b)


def test_mcnemar_counts_who_solved_what() -> None:
    result = paired(3, 5, 2, 7)
    assert (result.both, result.a_only, result.b_only, result.neither, result.n) == (3, 5, 2, 7, 17)


@pytest.mark.parametrize(("b", "c"), list(product((0, 1, 3, 10, 25), repeat=2)))
def test_mcnemar_is_the_exact_binomial_test_of_the_disagreements(b: int, c: int) -> None:
    p = paired(4, b, c, 6).p
    assert p == pytest.approx(exact(b, c) if b + c else 1.0)
    assert p == pytest.approx(paired(0, c, b, 90).p)  # symmetric; levels on which both agree change nothing


def test_mcnemar_of_a_textbook_table() -> None:
    assert paired(0, 1, 9, 0).p == pytest.approx(0.021484375)  # 2 * (C(10,0) + C(10,1)) / 1024
    assert paired(10, 0, 0, 10).p == 1.0
    with pytest.raises(InvalidInputError, match="same levels"):
        mcnemar([True], [])


def test_holm_by_hand() -> None:
    # Sorted 0.01 x 4, 0.02 x 3, 0.03 x 2, 0.04 x 1, then running maximum.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx((0.06, 0.04, 0.06, 0.06))
    assert holm([0.5, 0.9]) == pytest.approx((1.0, 1.0))
    assert holm([]) == ()
    assert holm([0.03]) == pytest.approx((0.03,))
