"""``gameenv-evaluate``: any policies, the same levels for all, numbers with confidence intervals.

Composes the parts in ``policies.evaluation``; what each does is written there.
"""

import time
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated

import tyro

from gameenv import ARENA_ID
from gameenv.actions import CHUNK_LENGTH
from gameenv.arena.levels import Split
from gameenv.arena.sets import level_set
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import GameEnvError, InvalidInputError, ServerError, require
from gameenv.home import PathText
from gameenv.progress import Progress
from policies.base import Policy, batching, history_of
from policies.card import check_env
from policies.evaluation import host, statistics, tables
from policies.evaluation.latency import Latency, measure
from policies.evaluation.plan import EnvSpec, EvaluationPlan
from policies.evaluation.pool import WorkerPool
from policies.evaluation.results import SUMMARY_FILE, EpisodeRow, ResultsFolder, write_json
from policies.evaluation.setting import find_setting
from policies.evaluation.summarize import summarize
from policies.evaluation.summary import Summary
from policies.evaluation.trouble import lost_episodes, raised_episodes
from policies.load import NamedSpec, card_of, load_policy, parse_named_specs
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.realtime import Pace
from policies.realtime.plan import Gap
from policies.realtime.runner import Manner
from policies.report.page import write_report

_TABLE_COLUMNS = 80
_LOST_IN_A_ROW = 3
"""Episodes lost for want of a policy's server, after which it is not asked any more."""
_GO_ON = "What was played is kept; when it answers, the same command plays the rest"


@dataclass(frozen=True)
class Args:
    """Measure policies on arena levels: success, paired tests, latency, and a report to look at.

    One episode a level, the same levels for every policy. A run that is stopped goes on when the same command is
    given again. Policies are: none, random, expert, replay:<session>, bc:<path>, a folder with a model or an adapter,
    the hub id of a Qwen3-VL, the address of a server (http://host:port/v1) or of gameenv-serve (remote://host:port), or
    package.module:factory; put name= in front to give one a name.

    For example:
        gameenv-evaluate --policies random mine=models/bc --tasks go-to-lantern open-door --execute 7 3

    For a table to publish:
        gameenv-evaluate --policies random mine=models/bc --tasks all --levels arena-test-v1
    """

    policies: tuple[PathText, ...] = ("random", "expert")
    """Who plays: specs, or name=spec."""
    tasks: tuple[str, ...] = ("go-to-lantern",)
    """Arena tasks; "all" stands for each of them."""
    split: Split | None = None
    """Levels to play on; validation unless told. Tune on validation; test is for numbers you publish."""
    levels: str | None = None
    """Play a frozen set's levels, checked against its hashes: arena-val-v1 (validation) or arena-test-v1 (test)."""
    episodes: int = 100
    """Levels of each task."""
    execute: tuple[int, ...] = (CHUNK_LENGTH,)
    """How many of a chunk's seven actions are played before looking again; several values are several runs."""
    seed: int = 0
    """Number of the first level."""
    frame_size: tuple[int, int] | None = None
    """Width and height of the frames; by default those of the recordings that the models learned from, else 512 288."""
    fps: float | None = None
    """Ticks a second; by default what the models learned at, else 10."""
    latency_ms: float | None = None
    """Let every answer take so long, exactly, in an arena that does not wait. None: it waits."""
    manner: Manner = "ahead"
    """How late answers are met: ahead promises words and goes on from them, naive plays each answer from its first
    word whenever it comes, stop stands still while it thinks. --execute is then the ticks between two questions."""
    gap: Gap = "none"
    """What is played where nothing is planned: none, or hold the last movement."""
    workers: int = 2
    """Processes that play at the same time."""
    out: Path = Path("runs/evaluation")
    """Folder for config.json, episodes.jsonl, summary.json and report.html."""
    report: bool = True
    """Write report.html at the end."""
    model: Annotated[ModelOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS


def main() -> None:
    """The console script."""
    run_command(evaluate, Args, "gameenv-evaluate")


def evaluate(args: Args) -> int:
    """Run an evaluation to its end, or go on with one.

    Returns:
        The exit code: 1 if an episode could not be played since a policy's server was not there.

    Raises:
        GameEnvError: If anything that was asked for cannot be done; before the first episode where that can be known.
            A server that stays away is among it.
    """
    console = Console(width=None if Console().is_terminal else 120)
    policies = parse_named_specs(args.policies)
    setting = find_setting(policies, args.fps, args.frame_size, args.model)
    plan = EvaluationPlan(
        policies=policies,
        tasks=args.tasks,
        split=args.split or (level_set(args.levels).split if args.levels else "validation"),
        episodes=args.episodes,
        execute=args.execute,
        seed=args.seed,
        frame_size=setting.frame.size,
        fit=setting.frame.fit,
        fps=setting.fps,
        model=args.model,
        levels=args.levels,
        pace=None if args.latency_ms is None else Pace(args.latency_ms, args.manner, args.gap),
    )
    if args.latency_ms is None and (args.manner, args.gap) != ("ahead", "none"):
        raise InvalidInputError("--manner and --gap say how late answers are met: add --latency-ms")
    if args.workers < 1:
        raise InvalidInputError(f"--workers must be at least 1, got {args.workers}")
    summary = run(plan, args.out, workers=args.workers, console=console)
    if args.report:
        _write_report(args.out, console)
    return 0 if summary.complete else 1


def run(plan: EvaluationPlan, out: Path, workers: int, console: Console) -> Summary:
    """Play what is left of a plan, write ``summary.json`` last, and print it.

    Returns:
        The content of ``summary.json``.

    Raises:
        GameEnvError: As ``evaluate``.
    """
    statistics.binomial_test()
    if plan.env_id == ARENA_ID:
        require("vizdoom", "arena")
    check_levels(plan, console)
    check_cards(plan, console)
    policies = {named.name: _load(named, plan.model) for named in plan.policies}
    with ResultsFolder(out, plan) as folder:
        play(plan, policies, folder, workers, console)
        latency = _measure_latency(plan, policies, console)
        summary = summarize(plan, folder.rows, latency)
        write_json(out / SUMMARY_FILE, summary.to_json())
        _tell(summary, folder.rows, console)
    console.print(f"Results are in {out}")
    return summary


def check_levels(plan: EvaluationPlan, console: Console) -> None:
    """Where a frozen set is to be played, make its levels once more and compare them.

    Raises:
        InvalidInputError: If this version makes other levels; names them.
    """
    if plan.levels is None:
        return
    levels = level_set(plan.levels)
    with console.status(f"Comparing the levels with those of {levels.name}"):
        differences = levels.verify(plan.tasks, plan.episodes)
    if differences:
        raise InvalidInputError(
            f"these are not the levels of {levels.name}: {'; '.join(differences)}. Use the version of gameenv that the "
            "set belongs to, or leave --levels out"
        )
    if levels.engine_difference:
        console.print(levels.engine_difference, style="yellow")


def check_cards(plan: EvaluationPlan, console: Console) -> None:
    """Compare every model's card with the environment, and say by name what differs.

    Raises:
        InvalidInputError: If a model cannot play in this environment; names the policy.
    """
    cards = [(named, card_of(named.spec, plan.model)) for named in plan.policies]
    if not any(card for _, card in cards):
        return
    with closing(plan.env(plan.tasks[0]).make()) as env:
        for named, card in cards:
            try:
                warnings = check_env(card, env) if card else []
            except InvalidInputError as error:
                raise InvalidInputError(f"policy {named.name!r}: {error}") from error
            for warning in warnings:
                console.print(f"policy {named.name!r}: {warning}", style="yellow")


def play(
    plan: EvaluationPlan, policies: dict[str, Policy], folder: ResultsFolder, workers: int, console: Console
) -> None:
    """Play every episode that the folder does not have yet, policy after policy.

    Raises:
        ServerError: If a policy's server was not there for three episodes in a row.
    """
    if folder.unplayed:
        console.print(f"Playing again the episodes that were lost for want of a server: {folder.unplayed}")
    played = {row.key for row in folder.rows}
    left = {named.name: [job for job in plan.jobs(named) if job.key not in played] for named in plan.policies}
    total = sum(map(len, left.values()))
    if not total:
        console.print("Every episode of this evaluation has been played.")
        return
    with WorkerPool(min(workers, total)) as pool, Progress(console, transient=True) as progress:
        work = progress.begin("playing", "episodes", plan.size)
        work.update(plan.size - total)
        for name, jobs in left.items():
            if not jobs:
                continue
            work.name = name
            started_s = time.monotonic()
            together = batching(policies[name])
            if together:
                host.share_cores(workers)
            answerer = partial(host.answer, together) if together else None
            lost = 0
            for row in pool.run(jobs, answerer, history_of(policies[name])):
                folder.append(row)
                work.advance()
                lost = 0 if row.is_result else lost + 1
                if lost >= _LOST_IN_A_ROW:
                    raise ServerError(f"policy {name!r}, {lost} episodes in a row: {row.error}. {_GO_ON}")
            console.print(f"{name}: {len(jobs)} episodes in {time.monotonic() - started_s:.0f} s")


def _load(named: NamedSpec, options: ModelOptions) -> Policy:
    try:
        return load_policy(named.spec, options)
    except GameEnvError as error:
        if named.name == named.spec:
            raise
        raise InvalidInputError(f"policy {named.name!r}: {error}") from error


def _measure_latency(plan: EvaluationPlan, policies: dict[str, Policy], console: Console) -> dict[str, Latency]:
    host.take_cores()
    env = plan.env(plan.tasks[0])
    with console.status("Timing each policy by itself"):
        return {name: _time(name, policy, env, plan.seed) for name, policy in policies.items()}


def _time(name: str, policy: Policy, env: EnvSpec, seed: int) -> Latency:
    try:
        return measure(policy, env, seed)
    except ServerError as error:
        raise ServerError(f"timing {name!r}: {error}. {_GO_ON}") from error


def _tell(summary: Summary, rows: list[EpisodeRow], console: Console) -> None:
    narrow = console.width
    console.width = max(narrow, _TABLE_COLUMNS)  # a line that wraps loses nothing; a table squeezed into it would
    console.print(tables.results_table(summary))
    if summary.pairs:
        console.print(tables.pairs_table(summary))
    console.print(tables.latency_table(summary))
    console.width = narrow
    if any(row.unplanned for row in rows):
        for name in dict.fromkeys(row.policy for row in rows):
            mine = [row for row in rows if row.policy == name]
            share = sum(row.unplanned for row in mine) / max(1, sum(row.steps for row in mine))
            console.print(f"{name}: nothing was planned on {share:.1%} of the ticks")
    for text in (*lost_episodes(rows), *raised_episodes(rows)):
        console.print(text, style="red")


def _write_report(out: Path, console: Console) -> None:
    path = write_report(out, progress=console.is_terminal)
    console.print(f"The report is {path}")


if __name__ == "__main__":
    main()
