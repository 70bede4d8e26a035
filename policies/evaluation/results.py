"""An evaluation's folder: what was asked, what was played, and the file that says it is complete.

    <out>/config.json      what was asked; a second run there must ask the same
    <out>/episodes.jsonl   one line an episode, appended as it ends; a killed run goes on after the last line
    <out>/summary.json     the numbers, written last

Knows nothing of processes or statistics.
"""

import errno
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from gameenv.clock import DEFAULT_FPS
from gameenv.errors import InvalidInputError
from gameenv.files import LOCK_FILE, FileLock, LockedError, full_disk_named, write_atomically
from gameenv.frames import FrameSpec
from policies.evaluation.config import CONFIG_FILE, check_same, config_of, read_config
from policies.evaluation.plan import EpisodeJob, EvaluationPlan
from policies.options import DEFAULT_OPTIONS, settings
from policies.rollout import EpisodeResult

EPISODES_FILE, SUMMARY_FILE = "episodes.jsonl", "summary.json"
RAISED, NO_SERVER = "error", "no-server"
"""Reasons: the environment or the policy raised, which is a failure; the policy's server was not there, which is no
result."""
_OLD_NO_SERVER = "ServerError: "
"""What the error begins with in a row of an earlier version, which had one reason for both."""


@dataclass(frozen=True, slots=True)
class EpisodeRow:
    """One line of ``episodes.jsonl``.

    Attributes:
        policy: Its name in this evaluation.
        spec: What ``load_policy`` was given.
        execute: Actions of a chunk played before looking again.
        task, split, seed, level: Which level; ``level`` and ``goal`` are None if the episode never began.
        goal: The sentence the policy was given.
        success, reached, declared, steps, reached_step, invalid, terminated, truncated, reason, error, seconds: As in
            ``EpisodeResult``.
        actions: The word of every tick; with (task, split, seed) enough to play the episode again.
        chunk_seconds: ``{"n", "mean", "p50", "max"}`` of the seconds a chunk took, with the other workers at work
            (the uncontended figures are in ``summary.json``); None without chunks.
        unplanned: Ticks after the first answer on which nothing was planned, where answers had a delay.
    """

    policy: str
    spec: str
    execute: int
    task: str
    split: str
    seed: int
    level: str | None
    goal: str | None
    success: bool
    reached: bool
    declared: bool
    steps: int
    reached_step: int | None
    actions: tuple[str, ...]
    chunk_seconds: Mapping[str, float] | None
    invalid: int
    terminated: bool
    truncated: bool
    reason: str
    error: str | None
    seconds: float
    unplanned: int = 0

    @classmethod
    def of(cls, job: EpisodeJob, result: EpisodeResult) -> "EpisodeRow":
        """The row of an episode that was played."""
        judged = {name: getattr(result, name) for name in _JUDGED}
        return cls(
            **_named(job),
            **judged,
            level=result.level,
            goal=result.goal,
            actions=result.actions,
            chunk_seconds=_digest(result.chunk_seconds),
            seconds=round(result.seconds, 4),
        )

    @classmethod
    def failed(cls, job: EpisodeJob, error: str, reason: str = RAISED) -> "EpisodeRow":
        """The row of an episode that raised, or whose process died: a failure; no result with ``NO_SERVER``."""
        blank: dict[str, Any] = dict.fromkeys(("success", "reached", "declared", "terminated", "truncated"), False)
        blank |= dict.fromkeys(("level", "goal", "reached_step", "chunk_seconds"))
        blank |= {"steps": 0, "invalid": 0, "actions": (), "seconds": 0.0, "reason": reason, "error": error}
        return cls(**_named(job), **blank)

    @property
    def key(self) -> tuple[str, int, str, int]:
        """As ``EpisodeJob.key``."""
        return self.policy, self.execute, self.task, self.seed

    @property
    def is_result(self) -> bool:
        """Whether it says anything about the policy: not if its server was not there."""
        return self.reason != NO_SERVER and not (self.reason == RAISED and str(self.error).startswith(_OLD_NO_SERVER))


_JUDGED = (
    "success",
    "reached",
    "declared",
    "steps",
    "reached_step",
    "invalid",
    "terminated",
    "truncated",
    "reason",
    "error",
    "unplanned",
)


def _named(job: EpisodeJob) -> dict[str, Any]:
    return {
        "policy": job.policy.name,
        "spec": job.policy.spec,
        "execute": job.execute,
        "task": job.env.task,
        "split": job.env.split,
        "seed": job.seed,
    }


def _digest(seconds: tuple[float, ...]) -> dict[str, float] | None:
    if not seconds:
        return None
    ordered = sorted(seconds)
    return {
        "n": len(ordered),
        "mean": round(sum(ordered) / len(ordered), 6),
        "p50": round(ordered[len(ordered) // 2], 6),
        "max": round(ordered[-1], 6),
    }


class ResultsFolder:
    """An evaluation's folder, open for appending. A context manager; only one process may have it open.

    Args:
        out: The folder; made if it is missing.
        plan: What is asked of it.

    Attributes:
        rows: The episodes that were played.
        unplayed: How many it held that were lost for want of a server, and are to be played again.

    Raises:
        InvalidInputError: If the folder holds episodes of another evaluation, by the name of what differs; if a line
            of it cannot be read; or if another process is writing it.
        DiskFullError: If the disk is full.
    """

    def __init__(self, out: Path, plan: EvaluationPlan) -> None:
        self.out = Path(out)
        self._lines: FileIO | None = None
        self._lock: FileLock | None = None
        try:
            with full_disk_named(self.out):
                self.out.mkdir(parents=True, exist_ok=True)
                self._lock = _lock(self.out)  # before anything is read: another process may be changing it
                self.unplayed = self._forget_unplayed()
                self._lines = (self.out / EPISODES_FILE).open("ab", buffering=0)
                self.rows = self._read_rows()
                self._agree_on(config_of(plan))
        except BaseException as error:
            self.close()
            if isinstance(error, OSError):
                raise InvalidInputError(f"cannot write to {self.out}: {error}. Give another --out") from error
            raise

    def append(self, row: EpisodeRow) -> None:
        """Write an episode's line; it is there even if this process is killed the moment after.

        Raises:
            DiskFullError: If the disk is full; a part of a line is cut off by whoever opens the folder next.
        """
        if self._lines is None:
            raise InvalidInputError(f"{self.out} is closed")
        line = json.dumps(asdict(row), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        with full_disk_named(self.out):
            if self._lines.write(line) != len(line):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.out))
        self.rows.append(row)

    def close(self) -> None:
        """Close the folder; may be called twice."""
        if self._lines is not None:
            self._lines.close()
            self._lines = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> "ResultsFolder":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _agree_on(self, asked: Mapping[str, Any]) -> None:
        """Write down what is asked; where episodes have been played already it must be what was asked then."""
        known = read_config(self.out / CONFIG_FILE)
        if known is not None:
            # Earlier versions did not ask for these.
            known = {"fit": FrameSpec().fit, "fps": DEFAULT_FPS, "pace": None, **known}
            known["model"] = {**settings(DEFAULT_OPTIONS), **known.get("model", {})}
        if self.rows and known is None:
            raise InvalidInputError(f"{self.out} holds episodes but no {CONFIG_FILE}; give another --out")
        if self.rows and known is not None:
            check_same(self.out, known, asked)
        if known != asked:
            write_json(self.out / CONFIG_FILE, asked)

    def _forget_unplayed(self) -> int:
        """Take the lines out that are no results, as if they had never been."""
        path = self.out / EPISODES_FILE
        if not path.exists():
            return 0
        lines = path.read_bytes().splitlines(keepends=True)
        kept = [line for line in lines if not _is_unplayed(line)]
        if len(kept) < len(lines):
            write_atomically(path, b"".join(kept))
        return len(lines) - len(kept)

    def _read_rows(self) -> list[EpisodeRow]:
        """Read what was played, and cut off a last line that was never finished."""
        path = self.out / EPISODES_FILE
        raw = path.read_bytes()
        whole = raw[: raw.rfind(b"\n") + 1]
        if len(whole) != len(raw):
            os.truncate(path, len(whole))
        return [
            _read_row(line, f"line {number} of {path}")
            for number, line in enumerate(whole.splitlines(), 1)
            if line.strip()
        ]


def read_episodes(path: Path) -> tuple[list[EpisodeRow], list[int]]:
    """Read ``episodes.jsonl`` for a report.

    Returns:
        The episodes, and the numbers of the lines that are none (one may have been cut off while it was written).
    """
    rows: list[EpisodeRow] = []
    damaged: list[int] = []
    for number, line in enumerate(path.read_bytes().splitlines() if path.is_file() else (), 1):
        if line.strip():
            try:
                rows.append(_row_of(line))
            except _NO_EPISODE:
                damaged.append(number)
    return rows, damaged


_NO_EPISODE = (ValueError, TypeError, KeyError)


def _is_unplayed(line: bytes) -> bool:
    try:
        return not _row_of(line).is_result
    except _NO_EPISODE:
        return False


def _row_of(line: bytes) -> EpisodeRow:
    content = json.loads(line)
    return EpisodeRow(**{**content, "actions": tuple(content["actions"])})


def _read_row(line: bytes, where: str) -> EpisodeRow:
    try:
        return _row_of(line)
    except _NO_EPISODE as error:
        raise InvalidInputError(
            f"{where} is not an episode of this version ({error}); delete that line and run the command again"
        ) from error


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file so that it is never seen half written.

    Raises:
        DiskFullError, OSError: As ``write_atomically``.
    """
    write_atomically(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _lock(out: Path) -> FileLock:
    try:
        return FileLock(out / LOCK_FILE)
    except LockedError as holder:
        raise InvalidInputError(
            f"another gameenv-evaluate{holder} is writing {out}; wait for it, or give another --out"
        ) from None
