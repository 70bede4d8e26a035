"""What lies in an evaluation folder, and what stands out in it.

Knows ``config.json``, ``episodes.jsonl`` and ``summary.json``; nothing of how they are shown.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from gameenv.errors import InvalidInputError
from policies.evaluation.config import CONFIG_FILE, Config
from policies.evaluation.results import EPISODES_FILE, SUMMARY_FILE, EpisodeRow, read_episodes
from policies.evaluation.summary import POOL, Pair, Summary
from policies.evaluation.trouble import lost_episodes, raised_episodes
from policies.report import prose
from policies.report.charts import Share

CONTROLS = ("random", "none")
"""Specs that serve as the control, the first that was evaluated."""
ORACLE = "expert"
"""The spec of the policy that reads the game's state: shown, but never called the best."""


@dataclass(frozen=True, slots=True)
class Results:
    """What lies in an evaluation folder, and what was wrong with it.

    Attributes:
        config: What was asked.
        summary: The numbers.
        episodes: The readable lines of ``episodes.jsonl`` that are results.
        date: The day it was finished.
        notes: What the reader of the report must know about missing or damaged parts.
    """

    config: Config
    summary: Summary
    episodes: tuple[EpisodeRow, ...]
    date: str
    notes: tuple[str, ...]

    @property
    def policies(self) -> list[str]:
        """Display names, in the order they were asked for."""
        return [policy.name for policy in self.config.policies]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Task names, in the order they were asked for, without the pool."""
        return self.config.tasks

    @property
    def executes(self) -> list[int]:
        """Every ``--execute`` that was evaluated."""
        return sorted(self.config.execute)

    def success(self) -> dict[tuple[str, int, str], Share]:
        """Success by policy, execute and task, where an episode has been played."""
        found = {(row.policy, row.execute, row.task): Share.of(row.success) for row in self.summary.results}
        return {key: share for key, share in found.items() if share is not None}

    def reached(self) -> dict[tuple[str, int, str], Share]:
        """What was reached, declared or not, likewise."""
        found = {(row.policy, row.execute, row.task): Share.of(row.reached) for row in self.summary.results}
        return {key: share for key, share in found.items() if share is not None}

    def spec(self, policy: str) -> str:
        """What ``load_policy`` was given for this display name."""
        return next(asked.spec for asked in self.config.policies if asked.name == policy)


def load_results(out: Path) -> Results:
    """Read an evaluation folder. A damaged line of ``episodes.jsonl`` is noted, not fatal.

    Raises:
        InvalidInputError: If the folder, its ``config.json`` or its ``summary.json`` is missing or cannot be read.
    """
    if not (out / SUMMARY_FILE).is_file():
        raise InvalidInputError(
            f"{out} has no {SUMMARY_FILE}: expected the folder of a finished evaluation, as written by "
            f"gameenv-evaluate --out {out}. If it was interrupted, run the same command again; it goes on."
        )
    summary, config, notes = Summary.read(out / SUMMARY_FILE), Config.read(out / CONFIG_FILE), []
    rows, damaged = read_episodes(out / EPISODES_FILE)
    episodes = [row for row in rows if row.is_result]
    notes += [*lost_episodes(rows), *raised_episodes(rows)]
    if damaged:
        lines = ", ".join(map(str, damaged[:5]))
        notes.append(
            f"{len(damaged)} unreadable line(s) of {EPISODES_FILE} left out (line {lines}), cut off while written?"
        )
    if not summary.complete:
        notes.append(
            "The evaluation is not complete: run the same command again to play the episodes that are missing."
        )
    if not episodes:
        notes.append(f"{EPISODES_FILE} holds no episode: no clips, curves or outcomes can be shown.")
    counted = sum(row.n for row in summary.results if row.task == POOL)
    if episodes and counted != len(episodes):
        notes.append(f"{SUMMARY_FILE} counts {counted} episodes, {EPISODES_FILE} has {len(episodes)} readable ones.")
    finished = datetime.fromtimestamp((out / SUMMARY_FILE).stat().st_mtime).astimezone()
    return Results(config, summary, tuple(episodes), f"{finished:%d %B %Y}", tuple(notes))


@dataclass(frozen=True, slots=True)
class Findings:
    """What stands out.

    Attributes:
        control: What the others are measured against, or None.
        shown: The ``--execute`` at which the report shows each policy.
        headline: The verdict in a few words.
        sentence: The verdict with its intervals.
    """

    control: str | None
    shown: dict[str, int]
    headline: str
    sentence: str


def find(results: Results) -> Findings:
    """Choose the best policy (the one that reads the game's state aside) and what it is compared with.

    Raises:
        InvalidInputError: If not one episode has been played.
    """
    pool = {(name, execute): s for (name, execute, task), s in results.success().items() if task == POOL}
    if not pool:
        raise InvalidInputError("no episode has been played yet; run the same gameenv-evaluate again, it goes on")
    control = next((p for spec in CONTROLS for p in results.policies if results.spec(p) == spec), None)
    fair = {key: share for key, share in pool.items() if results.spec(key[0]) != ORACLE} or pool
    rivals = {key: share for key, share in fair.items() if key[0] != control} or fair
    best = max(rivals, key=lambda key: rivals[key].rate)
    if control is None:
        others = [key for key in fair if key[0] != best[0]]
        control = min(others, key=lambda key: fair[key].rate)[0] if others else None
    shown = {}
    for name in results.policies:
        tried = [execute for known, execute in pool if known == name]
        if tried:
            shown[name] = best[1] if best[1] in tried else tried[0]
    other = None
    if control is not None and control in shown and control != best[0]:
        other = control, pool[control, shown[control]]
    pair = next((pair for pair in results.summary.pairs if _joins(pair, best, control)), None)
    label = best[0] if len(results.executes) == 1 else f"{best[0]} (execute\N{NO-BREAK SPACE}{best[1]})"
    evidence = ((label, pool[best]), other, pair)
    return Findings(control, shown, prose.headline(*evidence), prose.verdict(*evidence))


def _joins(pair: Pair, best: tuple[str, int], control: str | None) -> bool:
    """Whether a paired test is the one of the best policy and the control on all tasks."""
    return ({pair.a, pair.b}, pair.execute, pair.task) == ({best[0], control}, best[1], POOL)
