"""What lies in an evaluation folder, read with care, and what stands out in it.

Knows ``config.json``, ``episodes.jsonl`` and ``summary.json``; nothing of how they are shown.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError
from policies.evaluation.results import CONFIG_FILE, EPISODES_FILE, SUMMARY_FILE
from policies.evaluation.summary import POOL
from policies.report import prose
from policies.report.charts import Share

CONTROLS = ("random", "none")
"""Specs that serve as the control, the first that was evaluated."""
ORACLE = "expert"
"""The spec of the policy that reads the game's state: shown, but never called the best."""

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Results:
    """What lies in an evaluation folder, checked, and what was wrong with it.

    Attributes:
        config: ``config.json``; empty if it is missing.
        summary: ``summary.json``.
        episodes: The readable lines of ``episodes.jsonl``.
        date: The day it was finished.
        notes: What the reader of the report must know about missing or damaged parts.
    """

    config: Json
    summary: Json
    episodes: tuple[Json, ...]
    date: str
    notes: tuple[str, ...]

    @property
    def policies(self) -> list[str]:
        """Display names, in the order they were asked for."""
        named = [str(p.get("name")) for p in self.config.get("policies", ()) if isinstance(p, Mapping)]
        return _in_order(named, (str(row.get("policy")) for row in self.rows))

    @property
    def tasks(self) -> list[str]:
        """Task names, in the order they were asked for, without the pool."""
        asked = [str(task) for task in self.config.get("tasks", ())]
        found = [str(row.get("task")) for row in self.rows]
        return [task for task in _in_order([t for t in asked if t in found], found) if task != POOL] or [POOL]

    @property
    def executes(self) -> list[int]:
        """Every ``--execute`` that was evaluated."""
        return sorted({int(row.get("execute", 0)) for row in self.rows})

    @property
    def rows(self) -> list[Json]:
        """The summary's results."""
        return [row for row in self.summary.get("results", ()) if isinstance(row, Mapping)]

    @property
    def pairs(self) -> list[Json]:
        """Paired tests, all tasks together first."""
        pairs = [pair for pair in self.summary.get("pairs", ()) if isinstance(pair, Mapping)]
        return sorted(pairs, key=lambda pair: pair.get("task", POOL) != POOL)

    def shares(self, field: str) -> dict[tuple[str, int, str], Share]:
        """``success`` or ``reached`` by policy, execute and task; with a single task the pool is that task."""
        found: dict[tuple[str, int, str], Share] = {}
        for row in self.rows:
            raw = row.get(field)
            if isinstance(raw, Mapping) and isinstance(raw.get("rate"), int | float):
                rate = float(raw["rate"])
                share = Share(
                    int(raw.get("k", 0)),
                    int(row.get("n", 0)),
                    rate,
                    float(raw.get("low", rate)),
                    float(raw.get("high", rate)),
                )
                found[str(row.get("policy")), int(row.get("execute", 0)), str(row.get("task"))] = share
        if len(self.tasks) == 1:
            for (policy, execute, _), share in list(found.items()):
                found.setdefault((policy, execute, POOL), share)
        return found

    def spec(self, policy: str) -> str:
        """What ``load_policy`` was given for this display name."""
        for known in self.config.get("policies", ()):
            if isinstance(known, Mapping) and str(known.get("name")) == policy:
                return str(known.get("spec", policy))
        return policy


def _in_order(first: Iterable[str], then: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*first, *then]))


def _read_json(path: Path) -> Json:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"cannot read {path}: {error}. Run gameenv-evaluate with the same --out again."
        ) from error
    if not isinstance(value, dict):
        raise InvalidInputError(f"{path} must hold a JSON object, got {type(value).__name__}")
    return value


def load_results(out: Path) -> Results:
    """Read an evaluation folder.

    A damaged line of ``episodes.jsonl`` and a missing ``config.json`` are noted, not fatal.

    Raises:
        InvalidInputError: If the folder or its ``summary.json`` is missing or cannot be read.
    """
    if not (out / SUMMARY_FILE).is_file():
        raise InvalidInputError(
            f"{out} has no {SUMMARY_FILE}: expected the folder of a finished evaluation, as written by "
            f"gameenv-evaluate --out {out}. If it was interrupted, run the same command again; it goes on."
        )
    summary, config, notes = _read_json(out / SUMMARY_FILE), {}, []
    if (out / CONFIG_FILE).is_file():
        config = _read_json(out / CONFIG_FILE)
    else:
        notes.append(f"{CONFIG_FILE} is missing: the order of policies and the command are taken from the results.")
    episodes, damaged = _read_episodes(out / EPISODES_FILE)
    if damaged:
        lines = ", ".join(map(str, damaged[:5]))
        notes.append(
            f"{len(damaged)} unreadable line(s) of {EPISODES_FILE} left out (line {lines}), cut off while written?"
        )
    if summary.get("complete") is False:
        notes.append(
            "The evaluation is not complete: run the same command again to play the episodes that are missing."
        )
    if not episodes:
        notes.append(f"{EPISODES_FILE} holds no episode: no clips, curves or outcomes can be shown.")
    counted = sum(int(row.get("n", 0)) for row in summary.get("results", ()) if row.get("task") == POOL)
    if episodes and counted and counted != len(episodes):
        notes.append(f"{SUMMARY_FILE} counts {counted} episodes, {EPISODES_FILE} has {len(episodes)} readable ones.")
    finished = datetime.fromtimestamp((out / SUMMARY_FILE).stat().st_mtime).astimezone()
    date = str(summary.get("created") or f"{finished:%d %B %Y}")
    return Results(config, summary, tuple(episodes), date, tuple(notes))


def _read_episodes(path: Path) -> tuple[list[Json], list[int]]:
    episodes: list[Json] = []
    damaged: list[int] = []
    if path.is_file():
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1):
            if not line.strip():
                continue
            try:
                episode = json.loads(line)
            except ValueError:
                episode = None
            if isinstance(episode, dict):
                episodes.append(episode)
            else:
                damaged.append(number)
    return episodes, damaged


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
    """Choose the best policy (the one that reads the game's state aside) and what it is compared with."""
    pool = {(name, execute): s for (name, execute, task), s in results.shares("success").items() if task == POOL}
    control = next((p for spec in CONTROLS for p in results.policies if results.spec(p) == spec), None)
    fair = {key: share for key, share in pool.items() if results.spec(key[0]) != ORACLE} or pool
    rivals = {key: share for key, share in fair.items() if key[0] != control} or fair
    best = max(rivals, key=lambda key: rivals[key].rate, default=None)
    if best is None:
        return Findings(control, {}, prose.headline(None, None, None), prose.verdict(None, None, None))
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
    pair = next((pair for pair in results.pairs if _joins(pair, best, control)), None)
    label = best[0] if len(results.executes) == 1 else f"{best[0]} (execute\N{NO-BREAK SPACE}{best[1]})"
    evidence = ((label, pool[best]), other, pair)
    return Findings(control, shown, prose.headline(*evidence), prose.verdict(*evidence))


def _joins(pair: Json, best: tuple[str, int], control: str | None) -> bool:
    """Whether a paired test is the one of the best policy and the control on all tasks."""
    same = {pair.get("a"), pair.get("b")} == {best[0], control} and pair.get("execute", best[1]) == best[1]
    return same and pair.get("task", POOL) == POOL
