"""What an evaluation is to play: the same levels for every policy, one episode a level.

Knows nothing of processes, files or results.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import gymnasium as gym

from gameenv import ARENA_ID
from gameenv.actions import CHUNK_LENGTH
from gameenv.arena.levels import Split, check_split
from gameenv.arena.sets import LevelSet, level_set
from gameenv.arena.tasks import ALL, TASKS, check_task
from gameenv.clock import DEFAULT_FPS, period_ns
from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.frames import DEFAULT_SIZE, Fit, FrameSpec
from gameenv.whole import check_seed
from policies.load import NamedSpec
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.realtime import Pace


@dataclass(frozen=True, slots=True)
class EnvSpec:
    """The environment that an episode is played in; any Gymnasium id with the arena's arguments."""

    env_id: str
    task: str
    split: str
    frame_size: tuple[int, int]
    fit: Fit = "letterbox"
    fps: float = DEFAULT_FPS

    def make(self) -> gym.Env[Any, Any]:
        """Build it. The checker is off: it only slows what the tests of the environment already check."""
        how = asdict(self)
        return gym.make(how.pop("env_id"), disable_env_checker=True, **how)


@dataclass(frozen=True, slots=True)
class EpisodeJob:
    """One episode to play."""

    policy: NamedSpec
    execute: int
    env: EnvSpec
    seed: int
    model: ModelOptions = DEFAULT_OPTIONS
    pace: Pace | None = None

    @property
    def key(self) -> tuple[str, int, str, int]:
        """What tells an episode from the others of its evaluation: policy name, execute, task, seed."""
        return self.policy.name, self.execute, self.env.task, self.seed


@dataclass(frozen=True, slots=True)
class EvaluationPlan:
    """An evaluation.

    Attributes:
        policies: Who plays.
        tasks: Arena tasks; ``all`` stands for each of them.
        split: ``train``, ``validation`` or ``test``.
        episodes: Levels of each task.
        execute: How many actions of a chunk are played before looking again; each value is a run of its own.
        seed: Number of the first level.
        frame_size: Width and height of the frames.
        fit: How the game's picture is fitted into them.
        fps: Ticks a second.
        env_id: The environment; the arena, or one that takes the arena's arguments.
        model: How to run the policies that are models.
        levels: Name of the frozen set that the levels are the first of; None for levels as this version makes them.
        pace: The delay that every answer has; None for a game that waits.

    Raises:
        UnknownNameError: If a task, the split or the set does not exist, or the set has no such task.
        InvalidInputError: If a number is out of range, a list is empty or says something twice, or the set holds
            other levels than these.
    """

    policies: tuple[NamedSpec, ...]
    tasks: tuple[str, ...]
    split: Split
    episodes: int
    execute: tuple[int, ...] = (CHUNK_LENGTH,)
    seed: int = 0
    frame_size: tuple[int, int] = DEFAULT_SIZE
    fit: Fit = "letterbox"
    fps: float = DEFAULT_FPS
    env_id: str = ARENA_ID
    model: ModelOptions = DEFAULT_OPTIONS
    levels: str | None = None
    pace: Pace | None = None

    def __post_init__(self) -> None:
        frozen = None if self.levels is None else level_set(self.levels)
        for task in self.tasks:
            check_task(task)
        families = tuple(TASKS) if frozen is None else frozen.tasks
        tasks = [each for task in self.tasks for each in (families if task == ALL else (task,))]
        object.__setattr__(self, "tasks", tuple(tasks))
        check_split(self.split)
        check_seed(self.seed)
        FrameSpec(*self.frame_size, fit=self.fit)
        period_ns(self.fps)
        if self.episodes < 1:
            raise InvalidInputError(f"episodes must be at least 1, got {self.episodes}")
        for count in self.execute:
            if not 1 <= count <= CHUNK_LENGTH:
                raise InvalidInputError(f"execute is 1 to {CHUNK_LENGTH} actions of a chunk, got {count}")
        _check_list("policies", [policy.name for policy in self.policies])
        _check_list("tasks", tasks)
        _check_list("execute", self.execute)
        if frozen is not None:
            self._check_levels(frozen)

    def _check_levels(self, frozen: LevelSet) -> None:
        for task in self.tasks:
            if task not in frozen.tasks:
                raise UnknownNameError(f"task of {frozen.name}", task, frozen.tasks)
        if self.split != frozen.split:
            raise InvalidInputError(
                f"{frozen.name} is made of {frozen.split} levels, got --split {self.split}; leave --split out"
            )
        if self.seed:
            raise InvalidInputError(f"--levels plays the first levels of a set, got --seed {self.seed}; leave it out")
        if self.episodes > frozen.size:
            raise InvalidInputError(
                f"{frozen.name} has {frozen.size} levels of each task, got --episodes {self.episodes}"
            )

    def env(self, task: str) -> EnvSpec:
        """The environment of a task."""
        return EnvSpec(self.env_id, task, self.split, self.frame_size, self.fit, self.fps)

    def jobs(self, policy: NamedSpec) -> Iterator[EpisodeJob]:
        """Every episode of a policy, neighbouring levels next to each other."""
        for execute in self.execute:
            for task in self.tasks:
                env = self.env(task)
                for seed in range(self.seed, self.seed + self.episodes):
                    yield EpisodeJob(policy, execute, env, seed, self.model, self.pace)

    @property
    def size(self) -> int:
        """How many episodes there are in all."""
        return len(self.policies) * len(self.execute) * len(self.tasks) * self.episodes


def _check_list(name: str, values: Sequence[object]) -> None:
    if not values:
        raise InvalidInputError(f"name at least one value for --{name}")
    for value in values:
        if values.count(value) > 1:
            raise InvalidInputError(f"--{name} says {value!r} twice")
