"""Episodes to numbers: a ``Summary`` of what was played. Knows rows, not how they came to be."""

import itertools
import os
import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from statistics import fmean, median
from typing import Any

from policies.evaluation import statistics
from policies.evaluation.config import FORMAT_VERSION
from policies.evaluation.host import available_cores
from policies.evaluation.latency import Latency
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EpisodeRow
from policies.evaluation.summary import POOL, Middle, Pair, Result, Summary, Timing

_PACKAGES = ("gameenv", "gymnasium", "numpy", "vizdoom", "torch", "transformers", "scipy")

Cell = tuple[str, int, str]


def summarize(plan: EvaluationPlan, rows: Sequence[EpisodeRow], latency: Mapping[str, Latency]) -> Summary:
    """Return the numbers of an evaluation.

    Args:
        plan: What was asked.
        rows: Its episodes; rows of anything else are left out. Those that are no results count as unplayed only.
        latency: By policy name.
    """
    cells = _by_cell(plan, rows)
    return Summary(
        format_version=FORMAT_VERSION,
        complete=sum(row.is_result for (_, _, task), found in cells.items() if task == POOL for row in found)
        == plan.size,
        episodes=plan.episodes,
        split=plan.split,
        levels=plan.levels,
        results=tuple(_result(cell, found) for cell, found in cells.items()),
        pairs=_pairs(plan, cells),
        latency=tuple(Timing(policy=name, **asdict(measured)) for name, measured in latency.items()),
        versions=_versions(),
        machine=_machine(),
    )


def _by_cell(plan: EvaluationPlan, rows: Iterable[EpisodeRow]) -> dict[Cell, list[EpisodeRow]]:
    names = [policy.name for policy in plan.policies]
    cells: dict[Cell, list[EpisodeRow]] = {
        (name, execute, task): [] for name in names for execute in plan.execute for task in (*plan.tasks, POOL)
    }
    for row in {row.key: row for row in rows}.values():
        if (row.policy, row.execute, row.task) in cells:
            cells[row.policy, row.execute, row.task].append(row)
            cells[row.policy, row.execute, POOL].append(row)
    return cells


def _result(cell: Cell, found: Sequence[EpisodeRow]) -> Result:
    policy, execute, task = cell
    rows = [row for row in found if row.is_result]
    return Result(
        policy=policy,
        execute=execute,
        task=task,
        n=len(rows),
        success=statistics.wilson(sum(row.success for row in rows), len(rows)),
        reached=statistics.wilson(sum(row.reached for row in rows), len(rows)),
        declared_wrong=sum(row.declared and not row.success for row in rows),
        steps_to_goal=_middle([row.reached_step for row in rows if row.success and row.reached_step is not None]),
        steps=_middle([row.steps for row in rows if row.error is None]),
        invalid=sum(row.invalid for row in rows),
        errors=sum(row.error is not None for row in rows),
        unplayed=len(found) - len(rows),
    )


def _middle(values: Sequence[int]) -> Middle:
    return Middle(len(values), fmean(values) if values else None, median(values) if values else None)


def _pairs(plan: EvaluationPlan, cells: Mapping[Cell, Sequence[EpisodeRow]]) -> tuple[Pair, ...]:
    """Every two policies at one execute. Holm's families: all tests on the pool, and all tests on single tasks."""
    couples = list(itertools.combinations([policy.name for policy in plan.policies], 2))
    pairs: list[Pair] = []
    for tasks in ((POOL,), plan.tasks):
        asked = list(itertools.product(tasks, plan.execute, couples))
        tests = [_paired(cells[a, execute, task], cells[b, execute, task]) for task, execute, (a, b) in asked]
        corrected = statistics.holm([test.p for test in tests])
        for (task, execute, (a, b)), test, p_holm in zip(asked, tests, corrected, strict=True):
            pairs.append(Pair(a, b, execute, task, test.n, **asdict(test), p_holm=p_holm))
    return tuple(pairs)


def _paired(a: Sequence[EpisodeRow], b: Sequence[EpisodeRow]) -> statistics.Paired:
    first, second = ({(row.task, row.seed): row.success for row in rows if row.is_result} for rows in (a, b))
    levels = [level for level in first if level in second]
    return statistics.mcnemar([first[level] for level in levels], [second[level] for level in levels])


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def _machine() -> dict[str, Any]:
    return {
        "system": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "usable_cores": available_cores(),
    }


def _processor() -> str:
    """The processor's name where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())
