"""What delay costs, and what playing ahead gives back: success and ticks without a plan, by latency and manner.

    python benchmarks/realtime.py --policies expert bc=bc:models/bc base=models/arena-base --episodes 20

Levels of arena-val-v1 in lock-step, the delay counted and not measured, so that every run gives the same. ``stop`` is
what the specification's agent does: it plays all seven, then stands still while it
thinks. ``naive`` plays each answer from its first word whenever it comes. ``ahead`` is ours; ``ahead-hold`` holds the
last movement where nothing is planned. Stopped, the same command goes on.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from gameenv.actions import CHUNK_LENGTH
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.home import PathText
from policies.evaluation.__main__ import run
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EpisodeRow, read_episodes
from policies.evaluation.setting import find_setting
from policies.evaluation.statistics import mcnemar, p_text, wilson
from policies.load import parse_named_specs
from policies.realtime import Pace
from policies.realtime.plan import Gap
from policies.realtime.runner import Manner

WAYS: dict[str, tuple[Manner, Gap]] = {
    "stop": ("stop", "none"),
    "naive": ("naive", "none"),
    "ahead": ("ahead", "none"),
    "ahead-hold": ("ahead", "hold"),
}


@dataclass(frozen=True, slots=True)
class Args:
    """Play the same levels with answers that take 0 to 600 ms.

    For example:
        python benchmarks/realtime.py --policies bc=bc:models/bc --tasks press-switch open-door --episodes 50
    """

    policies: tuple[PathText, ...] = ("expert", "base=models/arena-base")
    """Specs, or name=spec."""
    tasks: tuple[str, ...] = ("all",)
    """Families."""
    levels: str = "arena-val-v1"
    """The frozen set they are from."""
    latencies: tuple[int, ...] = (0, 100, 200, 300, 400, 600)
    """Milliseconds an answer takes."""
    ways: tuple[str, ...] = tuple(WAYS)
    """How late answers are met."""
    episodes: int = 20
    """Levels of each family."""
    execute: int = 3
    """Ticks between two questions, at least; ``stop`` has seven."""
    workers: int = 2
    """Processes that play."""
    out: Path = Path("runs/realtime")
    """Where the episodes are kept."""


def main(args: Args) -> int:
    """Run what is missing and print the table."""
    console = Console(width=130)
    for named in parse_named_specs(args.policies):
        rows: dict[tuple[str, int], list[EpisodeRow]] = {}
        table = Table(f"{named.name}, n", *(f"{latency} ms" for latency in args.latencies), title=named.spec)
        for way in args.ways:
            execute = CHUNK_LENGTH if way == "stop" else args.execute
            paces = [Pace(latency, *WAYS[way]) for latency in args.latencies]
            for latency, pace in zip(args.latencies, paces, strict=True):
                plan = _plan(args, f"{named.name}={named.spec}", execute, pace)
                rows[way, latency] = _play(plan, args.out / named.name / f"{way}-{latency}", args.workers)
            cells = [rows[way, latency] for latency in args.latencies]
            least = [pace.floor(10, execute) for pace in paces]
            shares = [f"{_unplanned(each):.0%} ({low:.0%})" for each, low in zip(cells, least, strict=True)]
            table.add_row(f"{way}, {len(cells[0])}", *map(_success, cells))
            table.add_row("no plan (floor)", *shares)
            table.add_row("p against 0 ms", *(_p(cells[0], each) for each in cells))
            table.add_row("ticks against 0 ms", *(_longer(cells[0], each) for each in cells), end_section=True)
        console.print(table)
    return 0


def _plan(args: Args, spec: str, execute: int, pace: Pace) -> EvaluationPlan:
    policies = parse_named_specs([spec])
    setting = find_setting(policies, None, None)
    return EvaluationPlan(
        policies,
        args.tasks,
        "validation",
        args.episodes,
        (execute,),
        frame_size=setting.frame.size,
        fit=setting.frame.fit,
        fps=setting.fps,
        levels=args.levels,
        pace=pace,
    )


def _play(plan: EvaluationPlan, out: Path, workers: int) -> list[EpisodeRow]:
    run(plan, out, workers, Console(quiet=True))
    return read_episodes(out / "episodes.jsonl")[0]


def _success(rows: Sequence[EpisodeRow]) -> str:
    won = sum(row.success for row in rows)
    share = wilson(won, len(rows))
    return f"{share.rate:.0%} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _unplanned(rows: Sequence[EpisodeRow]) -> float:
    return sum(row.unplanned for row in rows) / max(1, sum(row.steps for row in rows))


def _p(one: Sequence[EpisodeRow], other: Sequence[EpisodeRow]) -> str:
    """McNemar's exact test: the same levels without delay and with it."""
    won = {row.key: row.success for row in one}
    return p_text(mcnemar([won[row.key] for row in other], [row.success for row in other]).p)


def _longer(one: Sequence[EpisodeRow], other: Sequence[EpisodeRow]) -> str:
    """How much longer the levels take with delay that are won with and without it."""
    steps = {row.key: row.steps for row in one if row.success}
    pairs = [(row.steps, steps[row.key]) for row in other if row.success and row.key in steps]
    return f"x {sum(a for a, _ in pairs) / sum(b for _, b in pairs):.2f}" if pairs else "-"


if __name__ == "__main__":
    run_command(main, Args, "python benchmarks/realtime.py")
