"""Episodes to numbers, on rows written by hand."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from policies.evaluation.latency import Latency
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EpisodeRow, write_json
from policies.evaluation.statistics import wilson
from policies.evaluation.summarize import summarize
from policies.evaluation.summary import Middle, Result, Summary, Timing
from policies.evaluation.tables import latency_table, pairs_table, results_table
from policies.load import NamedSpec

pytestmark = pytest.mark.slow

A, B = NamedSpec("a", "random"), NamedSpec("b", "none")
PLAN = EvaluationPlan((A, B), ("go-to-lantern", "climb-stairs"), "test", 10)


def rows(policy: NamedSpec, task: str, won: Iterable[int], **more: Any) -> list[EpisodeRow]:
    jobs = [job for job in PLAN.jobs(policy) if job.env.task == task]
    lost = EpisodeRow.failed(jobs[0], "x")
    good: dict[str, Any] = {"error": None, "reason": "x", "steps": 30, "level": "l"}
    won = set(won)
    return [
        replace(
            lost,
            seed=job.seed,
            **{**good, "success": job.seed in won, "reached": job.seed in won, "declared": True, **more},
            reached_step=20 + job.seed if job.seed in won else None,
        )
        for job in jobs
    ]


def everything() -> list[EpisodeRow]:
    return [
        *rows(A, "go-to-lantern", range(8)),
        *rows(A, "climb-stairs", range(4), invalid=2),
        *rows(B, "go-to-lantern", [0]),
        *rows(B, "climb-stairs", []),
    ]


def cell(summary: Summary, policy: str, task: str) -> Result:
    (found,) = [row for row in summary.results if (row.policy, row.task) == (policy, task)]
    return found


def test_counts_by_policy_task_and_all_together() -> None:
    summary = summarize(PLAN, everything(), {})
    assert summary.complete
    lantern, pool = cell(summary, "a", "go-to-lantern"), cell(summary, "a", "all")
    expected = wilson(8, 10)
    assert lantern.success == expected
    assert (lantern.declared_wrong, lantern.errors) == (2, 0)
    assert lantern.steps_to_goal == Middle(8, 23.5, 23.5)
    assert (pool.n, pool.success.k, pool.invalid) == (20, 12, 20)
    assert cell(summary, "b", "climb-stairs").steps_to_goal == Middle(0, None, None)


def test_pairs_are_tested_on_the_same_levels_and_corrected_by_family() -> None:
    summary = summarize(PLAN, everything(), {})
    pool, lantern, stairs = summary.pairs
    assert [pair.task for pair in summary.pairs] == ["all", "go-to-lantern", "climb-stairs"]
    assert (lantern.both, lantern.a_only, lantern.b_only, lantern.neither) == (1, 7, 0, 2)
    assert lantern.p == pytest.approx(2 / 2**7)
    assert stairs.p == pytest.approx(2 / 2**4)
    assert pool.p == pool.p_holm == pytest.approx(2 / 2**11)
    assert lantern.p_holm == pytest.approx(2 * 2 / 2**7)
    assert stairs.p_holm == pytest.approx(2 / 2**4)


def test_a_level_that_only_one_policy_played_is_not_paired() -> None:
    some = everything()[5:]
    summary = summarize(PLAN, some, {})
    assert not summary.complete
    assert summary.pairs[0].n == 15


def test_an_error_is_a_failure_and_is_counted() -> None:
    failed = [EpisodeRow.failed(job, "ValueError: boom") for job in PLAN.jobs(A)]
    summary = summarize(PLAN, failed, {})
    assert (cell(summary, "a", "all").errors, cell(summary, "a", "all").success.k) == (20, 0)
    assert cell(summary, "a", "all").declared_wrong == 0


def test_rows_of_something_else_and_doubles_are_left_out() -> None:
    extra = [replace(everything()[0], policy="c"), everything()[0]]
    assert summarize(PLAN, everything() + extra, {}).results == summarize(PLAN, everything(), {}).results


def test_it_says_on_what_it_was_measured() -> None:
    summary = summarize(PLAN, [], {"a": Latency(30, 0.01, 0.01, 0.02, 0.03)})
    assert summary.latency == (Timing("a", 30, 0.01, 0.01, 0.02, 0.03, None),)
    assert summary.versions["vizdoom"]
    assert summary.machine["usable_cores"] >= 1


def test_the_tables_take_any_summary() -> None:
    for found in (everything(), []):
        summary = summarize(PLAN, found, {"a": Latency(0, None, None, None, None, "x")})
        assert results_table(summary).row_count == 6
        assert pairs_table(summary).row_count == 1
        assert latency_table(summary).row_count == 1


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    summary = summarize(PLAN, everything(), {"a": Latency(30, 0.01, 0.01, 0.02, 0.03)})
    write_json(tmp_path / "summary.json", summary.to_json())
    assert Summary.read(tmp_path / "summary.json") == summary
