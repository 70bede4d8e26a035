"""What delay costs, and what playing ahead gives back: success and ticks without a plan, by latency and manner.

    python benchmarks/realtime.py --policies bc=bc:models/bc models/arena-base --episodes 50

Validation levels in lock-step, the delay counted and not measured, so that every run gives the same. ``stop`` is what
the specification's agent does: it stands still while it thinks. Stopped, the same command goes on.
"""

from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.home import PathText
from policies.evaluation.__main__ import run
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EpisodeRow, read_episodes
from policies.evaluation.setting import find_setting
from policies.evaluation.statistics import wilson
from policies.load import parse_named_specs
from policies.realtime import Pace
from policies.realtime.runner import MANNERS, Manner

TICK_MS = 100.0
CHUNK = 7


@dataclass(frozen=True, slots=True)
class Args:
    """Play the same levels with answers that take 0 to 600 ms.

    For example:
        python benchmarks/realtime.py --policies bc=bc:models/bc --tasks press-switch open-door --episodes 50
    """

    policies: tuple[PathText, ...] = ("expert", "base=models/arena-base")
    """Specs, or name=spec."""
    tasks: tuple[str, ...] = ("go-to-lantern", "open-door", "press-switch")
    """Families."""
    latencies: tuple[int, ...] = (0, 100, 200, 300, 400, 600)
    """Milliseconds an answer takes."""
    manners: tuple[Manner, ...] = MANNERS
    """How late answers are met."""
    episodes: int = 50
    """Levels of each family."""
    execute: int = 3
    """Ticks between two questions."""
    workers: int = 2
    """Processes that play."""
    out: Path = Path("runs/realtime")
    """Where the episodes are kept."""


def floor(latency_ms: float) -> float:
    """The least share of ticks without a plan: a chunk brings 7 - d new words every d ticks."""
    delay = latency_ms / TICK_MS
    return max(0.0, 1 - (CHUNK - delay) / delay) if delay else 0.0


def main(args: Args) -> int:
    """Run what is missing and print the table."""
    console = Console(width=130)
    rows: dict[tuple[str, str, int], list[EpisodeRow]] = {}
    for manner in args.manners:
        for latency in args.latencies:
            out = args.out / f"{manner}-{latency}"
            for row in _play(args, Pace(latency, manner), out):
                rows.setdefault((row.policy, manner, latency), []).append(row)
    table = Table("policy", "manner", *(f"{latency} ms" for latency in args.latencies))
    for named in parse_named_specs(args.policies):
        for manner in args.manners:
            cells = [rows[named.name, manner, latency] for latency in args.latencies]
            table.add_row(named.name, manner, *(_success(each) for each in cells))
            table.add_row("", "no plan", *(f"{_unplanned(each):.0%}" for each in cells), end_section=True)
    table.add_row("", "floor", *(f"{floor(latency):.0%}" for latency in args.latencies))
    console.print(table)
    return 0


def _play(args: Args, pace: Pace, out: Path) -> list[EpisodeRow]:
    policies = parse_named_specs(args.policies)
    setting = find_setting(policies, None, None)
    plan = EvaluationPlan(
        policies,
        args.tasks,
        "validation",
        args.episodes,
        (args.execute,),
        frame_size=setting.frame.size,
        fit=setting.frame.fit,
        fps=setting.fps,
        pace=pace,
    )
    run(plan, out, args.workers, Console(quiet=True))
    return read_episodes(out / "episodes.jsonl")[0]


def _success(rows: list[EpisodeRow]) -> str:
    won = sum(row.success for row in rows)
    share = wilson(won, len(rows))
    return f"{share.rate:.0%} [{100 * share.low:.0f}, {100 * share.high:.0f}]"


def _unplanned(rows: list[EpisodeRow]) -> float:
    return sum(row.unplanned for row in rows) / max(1, sum(row.steps for row in rows))


if __name__ == "__main__":
    run_command(main, Args, "python benchmarks/realtime.py")
