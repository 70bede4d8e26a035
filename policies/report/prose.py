"""What the report says in words: the verdict, the reading of a paired test, what happened in an episode.

Knows numbers and English; nothing of files, charts or HTML.
"""

from collections import Counter
from collections.abc import Sequence
from math import sqrt
from typing import TypeAlias

from policies.evaluation.results import EpisodeRow
from policies.evaluation.statistics import p_text
from policies.evaluation.summary import Pair
from policies.report.charts import Share

Named: TypeAlias = tuple[str, Share]
"""A policy's display name and its success."""

SIGNIFICANT = 0.05
OUTCOMES = (
    "success",
    "reached, never declared",
    "never reached",
    "wrong declaration",
    "caught or died",
    "error",
)
"""How an episode can end, in the order the report shows."""

_BY_REASON = {
    "success": "success",
    "wrong-declaration": "wrong declaration",
    "lost": "caught or died",
    "undeclared": "reached, never declared",
    "error": "error",
}


def percent(share: Share | None) -> str:
    """A rate for a table: whole percents, one decimal where there are episodes enough to carry it."""
    return "\N{EN DASH}" if share is None else f"{share.rate:.{1 if share.n > 400 else 0}%}"


def interval(share: Share | None) -> str:
    """The 95% interval beside a rate."""
    if share is None:
        return ""
    places = 1 if share.n > 400 else 0
    return f"{100 * share.low:.{places}f}\N{EN DASH}\N{WORD JOINER}{100 * share.high:.{places}f}"


def paired_difference(first: Share, second: Share, both: int, neither: int) -> tuple[float, float, float]:
    """Difference between two rates over the same levels, with its 95% interval.

    Newcombe's hybrid score interval for paired proportions (Statistics in Medicine 17, 1998, 2635-2650, method 10),
    which is built from the two Wilson intervals.

    Args:
        first: Successes of one policy.
        second: Successes of the other, on the same ``n`` levels.
        both: Levels on which both succeeded.
        neither: Levels on which neither did.

    Returns:
        The difference and its lower and upper end, each -1 to 1.
    """
    only_first, only_second = first.k - both, second.k - both
    product = (both + only_first) * (only_second + neither) * (both + only_second) * (only_first + neither)
    cross = both * neither - only_first * only_second
    cross = max(0.0, cross - first.n / 2) if cross > 0 else cross
    phi = cross / sqrt(product) if product > 0 else 0.0
    down_1, up_1 = first.rate - first.low, first.high - first.rate
    down_2, up_2 = second.rate - second.low, second.high - second.rate
    difference = first.rate - second.rate
    low = difference - sqrt(max(0.0, down_1**2 - 2 * phi * down_1 * up_2 + up_2**2))
    high = difference + sqrt(max(0.0, up_1**2 - 2 * phi * up_1 * down_2 + down_2**2))
    return difference, max(-1.0, low), min(1.0, high)


def milliseconds(seconds: float | None) -> str:
    """Seconds as milliseconds, with as many digits as mean something."""
    if seconds is None:
        return "\N{EN DASH}"
    ms = 1e3 * seconds
    return f"{ms:.2f}" if ms < 1 else f"{ms:.1f}" if ms < 100 else f"{ms:,.0f}"


def _counted(name: str, share: Share) -> str:
    return f"{name} succeeds in {share.k} of {share.n} episodes ({percent(share)}, 95% interval {interval(share)}%)"


def headline(best: Named, control: Named | None, pair: Pair | None) -> str:
    """The verdict in five words; arguments as for ``verdict``."""
    if control is None or pair is None:
        return f"{best[0]} succeeds in {percent(best[1])}"
    if _beats(best[1], control[1], pair):
        return f"{best[0]} beats {control[0]}"
    return f"No policy is shown to beat {control[0]}"


def _beats(best: Share, control: Share, pair: Pair) -> bool:
    return pair.p_holm < SIGNIFICANT and best.rate > control.rate


def verdict(best: Named, control: Named | None, pair: Pair | None) -> str:
    """One sentence: the best policy against the control, with intervals.

    Args:
        best: The policy with the highest success, and its share.
        control: What it is measured against, or ``None`` when there is nothing else.
        pair: The paired test of the two, if there is one.
    """
    name, share = best
    if control is None:
        return f"{_counted(name, share)}; there is no other policy to compare it with."
    other, base = control
    shorter = f"{other}, the control, in {base.k} of {base.n} ({percent(base)}, {interval(base)}%)"
    if pair is None or share.n != base.n:
        return f"{_counted(name, share)}; {shorter}. The two were not tested against each other."
    difference, low, high = paired_difference(share, base, pair.both, pair.neither)
    points = f"{100 * difference:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f}) on the same levels"
    points = points.replace("-", "\N{MINUS SIGN}")
    said = f"{_counted(name, share)}; {shorter}: {points}, p {_relation(pair.p_holm)}."
    return said if _beats(share, base, pair) else f"No policy is shown to beat the control. {said}"


def _relation(p: float) -> str:
    return p_text(p) if p < 0.001 else f"= {p_text(p)}"


def pair_reading(pair: Pair) -> str:
    """A paired test in plain language."""
    decided = pair.a_only + pair.b_only
    if decided == 0:
        return "They succeed and fail on exactly the same levels."
    if pair.p_holm < SIGNIFICANT:
        winner, wins = (pair.a, pair.a_only) if pair.a_only > pair.b_only else (pair.b, pair.b_only)
        won = f"all {wins}" if wins == decided else str(wins)
        return f"{winner} is better: of the {decided} levels that only one of them solved, it solved {won}."
    return (
        f"No difference shown: of {decided} levels that only one solved, {pair.a} has {pair.a_only} and {pair.b} "
        f"{pair.b_only}."
    )


def outcome(episode: EpisodeRow) -> str:
    """Which of ``OUTCOMES`` an episode is."""
    known = _BY_REASON.get(episode.reason)
    return known or ("reached, never declared" if episode.reached else "never reached")


def story(episode: EpisodeRow) -> str:
    """What happened in an episode, in a sentence or two."""
    span = f"{episode.steps} ticks ({episode.steps / 10:.1f} s)"
    ended = outcome(episode)
    text = {
        "success": f"Declared the goal reached after {span}, and it was: for the first time at tick "
        f"{episode.reached_step}.",
        "wrong declaration": f"Declared the goal reached after {span}, and it was not.",
        "caught or died": f"Caught or died after {span}.",
        "error": f"Stopped by an error after {span}: {episode.error}",
        "reached, never declared": f"Was at the goal but never said so in {span}.",
        "never reached": f"Never reached the goal in {span}.",
    }[ended]
    if ended == "wrong declaration" and episode.reached:
        text += " It had held earlier, and was left again."
    if episode.invalid:
        text += f" {episode.invalid} {'reply' if episode.invalid == 1 else 'replies'} could not be read as a chunk."
    if played := Counter(episode.actions):
        keys = (f"{word}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}{count}" for word, count in played.most_common(5))
        text += f" Keys: {', '.join(keys)}."
    return text


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in short: 0, 1, 2, 3, 7 become "0 to 3, 7", with a dash for "to"."""
    known = set(numbers)
    starts = sorted(n for n in known if n - 1 not in known)
    ends = sorted(n for n in known if n + 1 not in known)
    return ", ".join(str(a) if a == b else f"{a}\N{EN DASH}{b}" for a, b in zip(starts, ends, strict=True))
