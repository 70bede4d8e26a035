"""What the report says in words: the verdict, the reading of a paired test, what happened in an episode.

Knows numbers and English; nothing of files, charts or HTML.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from math import sqrt
from typing import Any

from policies.report.charts import Share

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


def p_value(p: object) -> str:
    """A p-value as one writes it: never 0, never more digits than mean something."""
    if not isinstance(p, int | float):
        return "\N{EN DASH}"
    return "< 0.001" if p < 0.001 else f"{min(1.0, p):.3f}"


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


def milliseconds(value: object) -> str:
    """Milliseconds with as many digits as mean something."""
    if not isinstance(value, int | float):
        return "\N{EN DASH}"
    return f"{value:.2f}" if value < 1 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def _counted(name: str, share: Share) -> str:
    return f"{name} succeeds in {share.k} of {share.n} episodes ({percent(share)}, 95% interval {interval(share)}%)"


def headline(best: tuple[str, Share] | None, control: tuple[str, Share] | None, pair: Mapping[str, Any] | None) -> str:
    """The verdict in five words; arguments as for ``verdict``."""
    if best is None:
        return "Nothing was evaluated"
    if control is not None and _beats(best[1], control[1], pair):
        return f"{best[0]} beats {control[0]}"
    if control is not None and _p(pair) is not None:
        return f"No policy is shown to beat {control[0]}"
    return f"{best[0]} succeeds in {percent(best[1])}"


def _p(pair: Mapping[str, Any] | None) -> float | None:
    p = pair.get("p_holm", pair.get("p")) if pair else None
    return float(p) if isinstance(p, int | float) else None


def _beats(best: Share, control: Share, pair: Mapping[str, Any] | None) -> bool:
    p = _p(pair)
    return p is not None and p < SIGNIFICANT and best.rate > control.rate


def verdict(best: tuple[str, Share] | None, control: tuple[str, Share] | None, pair: Mapping[str, Any] | None) -> str:
    """One sentence: the best policy against the control, with intervals.

    Args:
        best: The policy with the highest success and its share, or ``None`` when nothing was measured.
        control: What it is measured against, or ``None`` when there is nothing else.
        pair: The paired test of the two, if there is one.
    """
    if best is None:
        return "No episode was evaluated, so there is nothing to conclude."
    name, share = best
    if control is None:
        return f"{_counted(name, share)}; there is no other policy to compare it with."
    other, base = control
    shorter = f"{other}, the control, in {base.k} of {base.n} ({percent(base)}, {interval(base)}%)"
    p = _p(pair)
    if pair is None or p is None or share.n != base.n:
        return f"{_counted(name, share)}; {shorter}. The two were not tested against each other."
    difference, low, high = paired_difference(share, base, int(pair.get("both", 0)), int(pair.get("neither", 0)))
    points = f"{100 * difference:+.0f} points ({100 * low:+.0f} to {100 * high:+.0f}) on the same levels"
    points = points.replace("-", "\N{MINUS SIGN}")
    if _beats(share, base, pair):
        return f"{_counted(name, share)}; {shorter}: {points}, p {_relation(p)}."
    return f"No policy is shown to beat the control. {_counted(name, share)}; {shorter}: {points}, p {_relation(p)}."


def _relation(p: float) -> str:
    return p_value(p) if p < 0.001 else f"= {p_value(p)}"


def pair_reading(pair: Mapping[str, Any]) -> str:
    """A paired test in plain language."""
    first, second = str(pair.get("a")), str(pair.get("b"))
    a_only, b_only = int(pair.get("a_only", 0)), int(pair.get("b_only", 0))
    decided = a_only + b_only
    if decided == 0:
        return "They succeed and fail on exactly the same levels."
    p = _p(pair)
    if p is not None and p < SIGNIFICANT:
        winner, wins = (first, a_only) if a_only > b_only else (second, b_only)
        won = f"all {wins}" if wins == decided else str(wins)
        return f"{winner} is better: of the {decided} levels that only one of them solved, it solved {won}."
    return f"No difference shown: of {decided} levels that only one solved, {first} has {a_only} and {second} {b_only}."


def outcome(episode: Mapping[str, Any]) -> str:
    """Which of ``OUTCOMES`` an episode is, by the ``reason`` of ``run_episode`` where there is one."""
    if episode.get("error"):
        return "error"
    if episode.get("success"):
        return "success"
    known = _BY_REASON.get(str(episode.get("reason")))
    if known:
        return known
    if episode.get("declared") and not episode.get("reason"):
        return "wrong declaration"
    return "reached, never declared" if episode.get("reached") else "never reached"


def story(episode: Mapping[str, Any]) -> str:
    """What happened in an episode, in a sentence or two."""
    steps = int(episode.get("steps") or 0)
    span = f"{steps} ticks ({steps / 10:.1f} s)"
    first = episode.get("reached_step")
    text = {
        "success": f"Declared the goal reached after {span}, and it was"
        + (f": for the first time at tick {first}." if isinstance(first, int) else "."),
        "wrong declaration": f"Declared the goal reached after {span}, and it was not.",
        "caught or died": f"Caught or died after {span}.",
        "error": f"Stopped by an error after {span}: {episode.get('error')}",
        "reached, never declared": f"Was at the goal but never said so in {span}.",
        "never reached": f"Never reached the goal in {span}.",
    }[outcome(episode)]
    if outcome(episode) == "wrong declaration" and episode.get("reached"):
        text += " It had held earlier, and was left again."
    invalid = int(episode.get("invalid") or 0)
    if invalid:
        text += f" {invalid} {'reply' if invalid == 1 else 'replies'} could not be read as a chunk."
    played = Counter(str(word) for word in episode.get("actions") or ())
    if played:
        text += (
            " Keys: "
            + ", ".join(
                f"{word}\N{NO-BREAK SPACE}\N{MULTIPLICATION SIGN}{count}" for word, count in played.most_common(5)
            )
            + "."
        )
    return text


def ranges(numbers: Sequence[int]) -> str:
    """Whole numbers in short: 0, 1, 2, 3, 7 become "0 to 3, 7", with a dash for "to"."""
    known = set(numbers)
    starts = sorted(n for n in known if n - 1 not in known)
    ends = sorted(n for n in known if n + 1 not in known)
    return ", ".join(str(a) if a == b else f"{a}\N{EN DASH}{b}" for a, b in zip(starts, ends, strict=True))
