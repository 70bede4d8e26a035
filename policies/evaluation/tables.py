"""The summary on a terminal, 80 columns wide where names allow."""

from rich.box import SIMPLE_HEAD
from rich.table import Table

from policies.evaluation.statistics import Proportion, p_text
from policies.evaluation.summary import POOL, Summary


def results_table(summary: Summary) -> Table:
    """Success and reached with their intervals, a line for each policy, execute and task."""
    rows = summary.results
    several_tasks = len({row.task for row in rows}) > 2
    several_executes = len({row.execute for row in rows}) > 1
    troubles = [name for name in ("invalid", "errors", "unplayed") if any(getattr(row, name) for row in rows)]
    levels = summary.levels or f"{summary.split} levels"
    title = f"{levels}, {summary.episodes} a task; 95% Wilson intervals"
    table = _table(title, ["policy", *(["look\nevery"] if several_executes else []), "task"])
    for heading in ("success", "reached", "wrongly\ndeclared", "ticks\nto goal", *troubles):
        table.add_column(heading, justify="right", no_wrap=True)
    before = rows[0].policy if rows else None
    for row in rows:
        if row.task == POOL and not several_tasks:
            continue
        if row.policy != before:
            table.add_section()
            before = row.policy
        ticks = row.steps_to_goal.median
        table.add_row(
            row.policy,
            *([str(row.execute)] if several_executes else []),
            row.task,
            share(row.success),
            share(row.reached),
            str(row.declared_wrong),
            "-" if ticks is None else f"{ticks:g}",
            *(str(getattr(row, name)) for name in troubles),
        )
    return table


def pairs_table(summary: Summary) -> Table:
    """The paired tests on all tasks together."""
    pairs = [pair for pair in summary.pairs if pair.task == POOL]
    several_executes = len({pair.execute for pair in pairs}) > 1
    title = "levels that both, one or neither solved; exact McNemar test"
    table = _table(title, ["policy a", "policy b", *(["look\nevery"] if several_executes else [])])
    for heading in ("both", "only a", "only b", "neither", "p", "p (Holm)"):
        table.add_column(heading, justify="right", no_wrap=True)
    for pair in pairs:
        named = [pair.a, pair.b, *([str(pair.execute)] if several_executes else [])]
        counts = [str(getattr(pair, name)) for name in ("both", "a_only", "b_only", "neither")]
        table.add_row(*named, *counts, p_text(pair.p), p_text(pair.p_holm))
    return table


def latency_table(summary: Summary) -> Table:
    """Milliseconds a chunk, one at a time, with the workers idle."""
    table = _table("milliseconds a chunk, one at a time, with the workers idle", ["policy"])
    for heading in ("frames", "median", "95%", "99%"):
        table.add_column(heading, justify="right", no_wrap=True)
    for row in summary.latency:
        times = [row.p50_s, row.p95_s, row.p99_s]
        table.add_row(row.policy, str(row.n), *("-" if t is None else f"{t * 1e3:.2f}" for t in times))
    return table


def share(counted: Proportion) -> str:
    """``73% [64, 81]``."""
    if counted.rate is None:
        return "-"
    return f"{counted.rate:.0%} [{100 * counted.low:.0f}, {100 * counted.high:.0f}]"


def _table(title: str, names: list[str]) -> Table:
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for name in names:
        table.add_column(name, overflow="fold", min_width=5 if name == "look\nevery" else 12)
    return table
