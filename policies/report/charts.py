"""The report's charts as inline SVG that follows the page: its font, its light and dark colours.

Draws with matplotlib ``Figure`` objects only: no pyplot, no backend. Knows rates and curves; nothing of files.
"""

import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from gameenv.errors import require
from policies.evaluation.statistics import Proportion

WIDE, NARROW = 9.6, 4.4
"""Inches: one drawing for wide pages, one for phones; the style sheet shows the one that fits."""

SERIES = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f6000", "#8c8c8c")
"""Okabe and Ito's colours (distinct for colour-blind eyes); the style sheet lightens them in the dark."""
_MARKERS = "osD^vPX*"
_HATCHES = ("", "///", "...", "\\\\\\", "xxx", "ooo")
_OUTCOME_COLOURS = (SERIES[2], SERIES[4], SERIES[1], SERIES[3], SERIES[7], SERIES[0])
"""Success first, in green; hatching tells them apart in print and for colour-blind eyes."""
_INK, _GRID, _PAPER = "#010203", "#040506", "#070809"  # stand-ins, replaced by the page's own variables


def marker_of(number: int) -> str:
    """A policy's marker. With its colour, ``SERIES[number % 8]``, no two of 64 policies look alike."""
    return _MARKERS[(number + number // len(SERIES)) % len(_MARKERS)]


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many, with its 95% interval; rates are 0 to 1."""

    k: int
    n: int
    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, counted: Proportion) -> "Share | None":
        """What was counted, None where nothing was."""
        if counted.rate is None:
            return None
        return cls(counted.k, counted.n, counted.rate, counted.low, counted.high)


@dataclass(frozen=True, slots=True)
class Chart:
    """A chart drawn for wide and for narrow pages, with the words for those who cannot see it."""

    name: str
    alt: str
    wide: str
    narrow: str


def _chart(name: str, alt: str, draw: Callable[[float], Any]) -> Chart:
    return Chart(name, alt, _to_svg(draw(WIDE), f"{name}-w"), _to_svg(draw(NARROW), f"{name}-n"))


def _figure(width: float, height: float) -> Any:
    return require("matplotlib.figure", "evaluate").Figure(figsize=(width, height), dpi=72, layout="constrained")


def _to_svg(figure: Any, prefix: str) -> str:
    """Save as SVG text for a page: colours become CSS variables, ids unique on the page, text stays text."""
    matplotlib = require("matplotlib", "evaluate")
    buffer = io.StringIO()
    fixed = {"svg.fonttype": "none", "svg.hashsalt": prefix, "hatch.linewidth": 0.6}
    with matplotlib.rc_context(fixed):  # given back on leaving: nothing of the caller's settings changes
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    svg = buffer.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", svg, count=1)
    svg = re.sub(r'<svg ([^>]*?)height="[^"]*"', r'<svg aria-hidden="true" \1', svg, count=1)
    return re.sub(r"<[^>]*>", lambda tag: _restyle(tag[0], prefix), svg)  # what stands between tags is people's


def _restyle(tag: str, prefix: str) -> str:
    tag = re.sub(r'\bid="([^"]+)"', rf'id="{prefix}-\1"', tag)
    tag = re.sub(r'(url\(|xlink:href=")#', rf"\1#{prefix}-", tag)
    tag = re.sub(r"font: (\d+(?:\.\d+)?)px [^;\"]*", r"font-size: \1px", tag)
    tag = tag.replace(_INK, "var(--ink)").replace(_GRID, "var(--line)").replace(_PAPER, "var(--paper)")
    for index, colour in enumerate(SERIES):
        tag = tag.replace(colour, f"var(--s{index})")
    return tag


def _dress(axes: Any, *, grid: str) -> None:
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(_GRID)
    axes.tick_params(colors=_INK, length=0, labelsize=12, pad=9)
    axes.grid(axis=grid, color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)


def _percent_axis(axes: Any, which: Literal["x", "y"]) -> None:
    """Make an axis go from 0 to 100%."""
    ticks = (0, 0.25, 0.5, 0.75, 1)
    axes.set(**{f"{which}lim": (0, 1), f"{which}ticks": ticks, f"{which}ticklabels": [f"{tick:.0%}" for tick in ticks]})


def _plain(name: str) -> str:
    """A name that matplotlib shows as it is: no formulas between dollars, no hiding after an underscore."""
    return ("\u200b" if name.startswith("_") else "") + name.replace("$", r"\$")


def _legend(figure: Any, axes: Any, columns: int) -> None:
    handles, labels = axes.get_legend_handles_labels()
    # matplotlib fills column by column; this way the rows read in order.
    order = [index for column in range(columns) for index in range(column, len(labels), columns)]
    figure.legend(
        [handles[index] for index in order], [labels[index] for index in order], loc="outside upper left",
        ncols=columns, frameon=False, fontsize=12, labelcolor=_INK, handletextpad=0.4, columnspacing=1.4,
        borderaxespad=0.1,
    )  # fmt: skip


def _columns(names: Sequence[str], width: float) -> int:
    """Legend entries that fit in a line, by a guess of 0.1 inch a letter."""
    longest = max((len(name) for name in names), default=1)
    return max(1, min(len(names), int(width / (0.1 * longest + 0.65))))


def rates_by_task(
    policies: Sequence[str],
    tasks: Sequence[str],
    success: Mapping[tuple[str, str], Share],
    reached: Mapping[tuple[str, str], Share],
    alt: str,
) -> Chart:
    """Draw a dot with its interval for each policy and task: declared rightly, and reached at all beside it.

    Args:
        policies: Their order gives colour and marker.
        tasks: One row each, from the top.
        success: Keyed by (policy, task); a missing one is left out.
        reached: Likewise.
        alt: The chart in words.
    """

    def draw(width: float) -> Any:
        wide = width > NARROW
        row = max(0.62, 0.17 * len(policies) + 0.25)
        panel = row * len(tasks) + 0.75
        legend = 0.25 * -(-len(policies) // _columns(policies, width))
        figure = _figure(width, (panel if wide else 2 * panel) + legend + 0.1)
        figure.get_layout_engine().set(wspace=0.07, hspace=0.04)
        panels = figure.subplots(1, 2, sharey=True) if wide else figure.subplots(2, 1)
        for axes, title, shares in zip(panels, ("Success", "Reached at all"), (success, reached), strict=True):
            _dots(axes, policies, tasks, shares, row)
            axes.set_title(title, color=_INK, fontsize=13, loc="left", pad=6)
        _legend(figure, panels[0], _columns(policies, width))
        return figure

    return _chart("rates", alt, draw)


def _dots(
    axes: Any, policies: Sequence[str], tasks: Sequence[str], shares: Mapping[tuple[str, str], Share], row: float
) -> None:
    """One panel of dots; the policies of a task stand below one another, so that no interval hides another."""
    _dress(axes, grid="x")
    step = min(0.8 / max(1, len(policies)), 0.19 / row)
    for number, policy in enumerate(policies):
        offset = (number - (len(policies) - 1) / 2) * step
        points = [
            (place + offset, shares[policy, task]) for place, task in enumerate(tasks) if (policy, task) in shares
        ]
        if not points:
            continue
        rates = [share.rate for _, share in points]
        spread = _spread([share for _, share in points])
        axes.errorbar(
            rates, [y for y, _ in points], xerr=spread, fmt=marker_of(number), label=_plain(policy),
            clip_on=False, color=SERIES[number % len(SERIES)], markersize=6.5, elinewidth=1.8, zorder=3,
        )  # fmt: skip
    for place in range(1, len(tasks)):
        axes.axhline(place - 0.5, color=_GRID, linewidth=0.8)
    axes.set_ylim(len(tasks) - 0.5, -0.5)
    axes.set_yticks(range(len(tasks)), [_plain(task) for task in tasks])
    _percent_axis(axes, "x")


def _spread(shares: Sequence[Share]) -> list[list[float]]:
    """Distances from each rate down and up to its interval; rounding may put a bound past the rate by a hair."""
    return [[max(0.0, s.rate - s.low) for s in shares], [max(0.0, s.high - s.rate) for s in shares]]


def rates_by_execute(
    policies: Sequence[str], executes: Sequence[int], success: Mapping[tuple[str, int], Share], alt: str
) -> Chart:
    """Draw each policy's success, all tasks together, against how many of the seven it plays before looking again."""

    def draw(width: float) -> Any:
        columns = _columns(policies, width)
        figure = _figure(width, 3.0 + 0.25 * -(-len(policies) // columns))
        axes = figure.subplots()
        _dress(axes, grid="y")
        for number, policy in enumerate(policies):
            shift = (number - (len(policies) - 1) / 2) * 0.05
            points = [(place, success[policy, n]) for place, n in enumerate(executes) if (policy, n) in success]
            if not points:
                continue
            axes.errorbar(
                [place + shift for place, _ in points], [share.rate for _, share in points],
                yerr=_spread([share for _, share in points]), label=_plain(policy),
                fmt=marker_of(number) + "-", color=SERIES[number % len(SERIES)], markersize=6.5,
                linewidth=1.4, elinewidth=1.8, clip_on=False,
            )  # fmt: skip
        axes.set_xticks(range(len(executes)), [str(n) for n in executes])
        axes.set_xlim(-0.4, len(executes) - 0.6)
        axes.set_xlabel("actions played before looking again", color=_INK, fontsize=12)
        _percent_axis(axes, "y")
        _legend(figure, axes, columns)
        return figure

    return _chart("execute", alt, draw)


def success_by_time(
    policies: Sequence[str], ends: Mapping[str, Sequence[int]], totals: Mapping[str, int], alt: str
) -> Chart:
    """Draw the share of all episodes that had succeeded by each tick.

    The curve ends at the success rate, so a policy that only solves the short levels does not look fast.

    Args:
        policies: Their order gives the colour.
        ends: Ticks of each policy's successful episodes.
        totals: All its episodes.
        alt: The chart in words.
    """
    last = max((max(ticks) for ticks in ends.values() if ticks), default=100) * 1.05

    def draw(width: float) -> Any:
        columns = _columns(policies, width)
        figure = _figure(width, 3.0 + 0.25 * -(-len(policies) // columns))
        axes = figure.subplots()
        _dress(axes, grid="y")
        for number, policy in enumerate(policies):
            ticks, total = sorted(ends.get(policy, ())), max(1, totals.get(policy, 0))
            shares = [place / total for place in range(len(ticks) + 1)]
            marker, colour = marker_of(number), SERIES[number % len(SERIES)]
            axes.step(
                [0, *ticks, last], [*shares, shares[-1]], where="post", color=colour, linewidth=1.8, clip_on=False
            )
            axes.plot([last], [shares[-1]], marker, color=colour, markersize=6.5, label=_plain(policy), clip_on=False)
        axes.set_xlim(0, last)
        axes.set_xlabel("ticks since the start (10 a second)", color=_INK, fontsize=12)
        _percent_axis(axes, "y")
        _legend(figure, axes, columns)
        return figure

    return _chart("time", alt, draw)


def outcomes(policies: Sequence[str], kinds: Sequence[str], counts: Mapping[str, Mapping[str, int]], alt: str) -> Chart:
    """Draw how each policy's episodes ended: one bar a policy, stacked by kind, the first kind green and plain."""
    looks = dict(zip(kinds, zip(_OUTCOME_COLOURS, _HATCHES, strict=True), strict=False))
    happened = [kind for kind in kinds if any(counts[policy][kind] for policy in policies)]

    def draw(width: float) -> Any:
        columns = _columns(happened, width)
        figure = _figure(width, 0.42 * len(policies) + 0.7 + 0.27 * -(-len(happened) // columns))
        axes = figure.subplots()
        _dress(axes, grid="x")
        left = [0.0] * len(policies)
        for kind in happened:
            parts = [counts[policy][kind] / max(1, sum(counts[policy].values())) for policy in policies]
            axes.barh(
                range(len(policies)), parts, left=left, height=0.62, label=kind, hatch=looks[kind][1],
                color=looks[kind][0], edgecolor=_PAPER, linewidth=0,
            )  # fmt: skip
            left = [start + part for start, part in zip(left, parts, strict=True)]
        axes.set_ylim(len(policies) - 0.5, -0.5)
        axes.set_yticks(range(len(policies)), [_plain(policy) for policy in policies])
        _percent_axis(axes, "x")
        _legend(figure, axes, columns)
        return figure

    return _chart("outcomes", alt, draw)
