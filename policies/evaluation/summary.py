"""What ``summary.json`` holds: the numbers of an evaluation as records, written and read back.

Knows neither how episodes become numbers (``summarize``) nor how numbers are shown.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError
from policies.evaluation.statistics import Proportion

POOL = "all"
"""The name under which all tasks are counted together."""


@dataclass(frozen=True, slots=True)
class Middle:
    """Mean and median of ``n`` whole numbers; None without any."""

    n: int
    mean: float | None
    median: float | None


@dataclass(frozen=True, slots=True)
class Result:
    """One policy at one execute on one task, or on all of them (``POOL``).

    Attributes:
        policy, execute, task: What it is of.
        n: Episodes.
        success, reached: Shares of them, with their intervals.
        declared_wrong: Episodes that ended with a wrong declaration.
        steps_to_goal: Ticks until the goal first held, of successful episodes.
        steps: Ticks of episodes without an error.
        invalid: Replies that could not be read.
        errors: Episodes in which something raised; they are among the ``n`` and no successes.
        unplayed: Episodes that were lost for want of the policy's server; they are not among the ``n``.
    """

    policy: str
    execute: int
    task: str
    n: int
    success: Proportion
    reached: Proportion
    declared_wrong: int
    steps_to_goal: Middle
    steps: Middle
    invalid: int
    errors: int
    unplayed: int = 0


@dataclass(frozen=True, slots=True)
class Pair:
    """The exact McNemar test of policy ``a`` against ``b``: levels that both, one or neither solved, and p.

    ``p_holm`` is corrected for the number of tests: all on the pool, or all on single tasks.
    """

    a: str
    b: str
    execute: int
    task: str
    n: int
    both: int
    a_only: int
    b_only: int
    neither: int
    p: float
    p_holm: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds that a policy's ``predict`` took, by itself; None where it raised. As ``latency.Latency``."""

    policy: str
    n: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    error: str | None


@dataclass(frozen=True, slots=True)
class Summary:
    """The numbers of an evaluation.

    Attributes:
        format_version: Of the file.
        complete: Every episode that was asked for has been played.
        episodes, split, levels: What was asked for: levels of each task, their split, the frozen set or None.
        results: Policy by execute by task, tasks before the pool.
        pairs: Tests on the pool, then on single tasks.
        latency: A row for each policy that was timed.
        versions: Of Python and the packages that matter.
        machine: System, processor, cores.
    """

    format_version: int
    complete: bool
    episodes: int
    split: str
    levels: str | None
    results: tuple[Result, ...]
    pairs: tuple[Pair, ...]
    latency: tuple[Timing, ...]
    versions: Mapping[str, str]
    machine: Mapping[str, Any]

    def to_json(self) -> dict[str, Any]:
        """The content of ``summary.json``."""
        return asdict(self)

    @classmethod
    def read(cls, path: Path) -> "Summary":
        """Read ``summary.json``.

        Raises:
            InvalidInputError: If it cannot be read, or is not what ``gameenv-evaluate`` writes.
        """
        content = read_object(path)
        try:
            parts = {
                "results": tuple(_result(each) for each in content["results"]),
                "pairs": tuple(Pair(**each) for each in content["pairs"]),
                "latency": tuple(Timing(**each) for each in content["latency"]),
            }
            return cls(**{**content, **parts})
        except (TypeError, KeyError) as error:
            raise foreign(path, error) from error


def _result(content: Mapping[str, Any]) -> Result:
    shares = {name: Proportion(**content[name]) for name in ("success", "reached")}
    middles = {name: Middle(**content[name]) for name in ("steps_to_goal", "steps")}
    return Result(**{**content, **shares, **middles})


def read_object(path: Path) -> dict[str, Any]:
    """Read a file of an evaluation that holds one JSON object.

    Raises:
        InvalidInputError: If it cannot be read or holds something else.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(
            f"cannot read {path}: {error}. Run gameenv-evaluate with the same --out again."
        ) from error
    if not isinstance(content, dict):
        raise InvalidInputError(f"{path} must hold a JSON object, got {type(content).__name__}")
    return content


def foreign(path: Path, error: Exception) -> InvalidInputError:
    """The error to raise for a file that says other things than this version's ``gameenv-evaluate``."""
    return InvalidInputError(
        f"{path} is not what gameenv-evaluate writes ({type(error).__name__}: {error}). "
        "Run it with the same --out again."
    )
