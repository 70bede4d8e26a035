"""The episodes of an arena environment: on which level each is played, for which goal, and who judges it.

Knows nothing of engines, windows, frames or keys.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from gameenv.arena import tasks
from gameenv.arena.judge import Judge
from gameenv.arena.levels import Level, check_split
from gameenv.errors import InvalidInputError
from gameenv.whole import whole

T = TypeVar("T")

ENDS_WHEN_DECLARED = "ends_when_declared"
"""The option of ``reset`` that says whether seven ``none`` end the episode where the goal holds."""
DRAWN_SEEDS = 2**32, 2**63
"""Levels that nobody asked for by number are drawn from these, so that they are none of those asked for by a seed of 32
bits, frozen sets included, nor, but for a chance of k x k / 2**64 among k of them, of one another."""


@dataclass(frozen=True, slots=True)
class Episode:
    """What is played.

    Attributes:
        level: The level.
        goal: What is asked for, in the level's own words or in others'; judged is the level's own.
        judge: Its referee.
    """

    level: Level
    goal: str
    judge: Judge


class Episodes:
    """Begins one episode after the other.

    Args:
        task: A family of ``gameenv.arena.tasks.TASKS``, or ``"all"``.
        split: ``"train"``, ``"validation"`` or ``"test"``.
        fps: Ticks a second.
        max_steps: Step limit; by default about three times what the scripted expert needs.

    Raises:
        UnknownNameError: If the task or the split does not exist.
        InvalidInputError: If the limit is not a whole number from 1.
    """

    def __init__(self, task: str, split: str, fps: float, max_steps: int | None) -> None:
        self._task = tasks.check_task(task)
        self._split = check_split(split)
        self._fps = fps
        if max_steps is not None and (whole(max_steps) or 0) < 1:
            raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
        self._max_steps = max_steps

    def begin(self, seed: int | None, dice: np.random.Generator, options: Mapping[str, Any] | None) -> Episode:
        """The next episode.

        Args:
            seed: The level's number; None draws one.
            dice: What is drawn with.
            options: ``"goal"``: the goal in other words; ``"task"``: the family of this one level;
                ``"ends_when_declared"``: False where seven ``none`` do not end the episode.

        Raises:
            UnknownNameError: If that family does not exist.
        """
        options = options or {}
        number = int(dice.integers(*DRAWN_SEEDS)) if seed is None else seed
        level = tasks.level(options.get("task") or self._task, self._split, number)
        ends = bool(options.get(ENDS_WHEN_DECLARED, True))
        judge = Judge(level, self._fps, self._max_steps, ends_when_declared=ends)
        return Episode(level, str(options.get("goal") or level.goal), judge)


def opened(what: T | None) -> T:
    """Return what the first ``reset`` brings.

    Raises:
        InvalidInputError: Before it.
    """
    if what is None:
        raise InvalidInputError("no level is open yet; call reset() first")
    return what
