"""``run_episode``: the one loop that joins a policy and an environment.

It looks, plays what the policy says, and judges by the environment's own ``goal_reached``. It knows nothing of
tasks, models, files or real time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk, action_index
from gameenv.errors import InvalidInputError, InvalidReply
from gameenv.frames import Frame
from policies.base import AttachesToEnv, Policy, check_goal

Reason = Literal["success", "wrong-declaration", "declared", "undeclared", "lost", "time-limit", "interrupted", "error"]
Observer: TypeAlias = Callable[[Frame, dict[str, Any], Action | None, ActionChunk | None], None]
"""Called with each frame, its ``info``, the action about to be played on it and the chunk that the action is from
(None for a filler); last with the final frame and None, None."""


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one episode went.

    Attributes:
        success: The policy issued a chunk that is done, it was played, and the goal held then.
        reached: The goal held at some tick, declared or not.
        declared: The policy issued a chunk that is done.
        steps: Ticks played, declaration and fillers included.
        reached_step: Ticks played when the goal first held, None if it never did.
        actions: The word of every tick.
        chunk_seconds: How long each ``predict`` took, unreadable replies included.
        invalid: Replies that could not be read; each played one filler ``none``.
        goal: The sentence the policy was given.
        level: The level's id, None where the environment has no levels.
        task: The level's task, None likewise.
        split: The level's split, None likewise.
        seed: The level's number (or the seed asked for), None likewise.
        terminated: The environment ended the episode.
        truncated: The step limit did, the environment's or ``max_steps``.
        reason: Why the episode is over. ``undeclared``: the environment ended it with the goal reached, but the
            policy had declared nothing. ``lost``: it ended it otherwise. ``declared``: the policy did, and there is no
            referee to say whether it was right. ``interrupted``: a live game could not go on. ``error``: something
            raised.
        error: What raised, None if nothing did.
        seconds: Wall-clock length.
        truncated_because: Why a live game could not go on (``window-closed``, ``panic-key`` ...), else None.
    """

    success: bool
    reached: bool
    declared: bool
    steps: int
    reached_step: int | None
    actions: tuple[Action, ...]
    chunk_seconds: tuple[float, ...]
    invalid: int
    goal: str
    level: str | None
    task: str | None
    split: str | None
    seed: int | None
    terminated: bool
    truncated: bool
    reason: Reason
    error: str | None
    seconds: float
    truncated_because: str | None = None


def run_episode(
    env: gym.Env[Any, Any],
    policy: Policy,
    goal: str | None = None,
    seed: int | None = None,
    execute: int = CHUNK_LENGTH,
    *,
    max_steps: int | None = None,
    observer: Observer | None = None,
) -> EpisodeResult:
    """Play one episode from a reset to its end.

    A chunk that is done (seven ``none``) is the policy's declaration. It is played whole, whatever ``execute`` is,
    and ends the episode: a success if the goal holds then, else a failure. A reply that cannot be read plays one
    filler ``none``, which is never part of a declaration. In an environment without a referee (no ``goal_reached``
    in its ``info``), ``success`` and ``reached`` are False.

    In a live game the rest of a chunk is dropped when play was interrupted (the focus was lost and is back, or a
    person took over), and the policy looks again; a declaration that was interrupted is none. While a person has the
    control the policy is not asked.

    Args:
        env: The environment; it is reset, and stays open.
        policy: Who plays. ``attach(env)`` is called before its ``reset`` if it has it.
        goal: The sentence to play for; the environment's own where None.
        seed: Number of the level, and seed of the policy; the environment's next level where None.
        execute: How many of the seven are played before the policy looks again, 1 to 7.
        max_steps: Most ticks to play; the environment's own limit where None.
        observer: Called before every tick and once at the end.

    Raises:
        InvalidInputError: If ``execute`` or ``max_steps`` is out of range, there is no goal, or the policy returns
            something that is not an ``ActionChunk``.
        Exception: Whatever else the environment or the policy raises.
    """
    if isinstance(execute, bool) or not isinstance(execute, int) or not 1 <= execute <= CHUNK_LENGTH:
        raise InvalidInputError(f"execute is how many of the {CHUNK_LENGTH} actions to play, 1 to 7; got {execute!r}")
    if max_steps is not None and max_steps < 1:
        raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
    return _Episode(env, policy, max_steps, observer).run(goal, seed, execute)


class _Episode:
    """The state of one run of the loop."""

    def __init__(
        self, env: gym.Env[Any, Any], policy: Policy, max_steps: int | None, observer: Observer | None
    ) -> None:
        self._env = env
        self._policy = policy
        self._max_steps = max_steps
        self._observer = observer
        self._actions: list[Action] = []
        self._chunk_seconds: list[float] = []
        self._invalid = 0
        self._reached_step: int | None = None
        self._terminated = self._truncated = False

    def run(self, goal: str | None, seed: int | None, execute: int) -> EpisodeResult:
        started = time.perf_counter()
        self._frame, self._info = self._env.reset(seed=seed, options=None if goal is None else {"goal": goal})
        goal = check_goal(goal or self._info.get("goal"))
        level = getattr(self._env.unwrapped, "level", None)
        seed = getattr(level, "seed", None) if seed is None else seed
        self._note_goal()
        if isinstance(self._policy, AttachesToEnv):
            self._policy.attach(self._env)
        self._policy.reset(goal, seed=seed)

        declared = False
        while not (self._over or declared):
            if self._info.get("control") == "human":
                self._play(NONE, None)
                continue
            chunk = self._ask()
            if chunk is None:
                self._play(NONE, None)
                continue
            declared = chunk.done
            for action in chunk.actions[: CHUNK_LENGTH if declared else execute]:
                self._play(action, chunk)
                if self._info.get("interrupted", False):
                    declared = False
                    break
                if self._over:
                    break
        if self._observer:
            self._observer(self._frame, self._info, None, None)

        success = declared and self._goal_holds and self._actions[-CHUNK_LENGTH:] == [NONE] * CHUNK_LENGTH
        return EpisodeResult(
            success=success,
            reached=self._reached_step is not None,
            declared=declared,
            steps=len(self._actions),
            reached_step=self._reached_step,
            actions=tuple(self._actions),
            chunk_seconds=tuple(self._chunk_seconds),
            invalid=self._invalid,
            goal=goal,
            level=self._info.get("level"),
            task=getattr(level, "task", None),
            split=self._info.get("split"),
            seed=seed,
            terminated=self._terminated,
            truncated=self._truncated,
            reason=self._reason(success, declared),
            error=None,
            seconds=time.perf_counter() - started,
            truncated_because=self._info.get("truncated_because"),
        )

    @property
    def _over(self) -> bool:
        return self._terminated or self._truncated

    @property
    def _goal_holds(self) -> bool:
        return bool(self._info.get("goal_reached", False))

    def _ask(self) -> ActionChunk | None:
        """Return the policy's chunk, None for a reply that cannot be read."""
        asked = time.perf_counter()
        try:
            chunk = self._policy.predict(self._frame)
        except InvalidReply:
            self._invalid += 1
            return None
        finally:
            self._chunk_seconds.append(time.perf_counter() - asked)
        if not isinstance(chunk, ActionChunk):
            raise InvalidInputError(
                f"{type(self._policy).__name__}.predict must return an ActionChunk, it returned {chunk!r:.80}; "
                "build one with ActionChunk.of(words)"
            )
        return chunk

    def _play(self, action: Action, chunk: ActionChunk | None) -> None:
        if self._observer:
            self._observer(self._frame, self._info, action, chunk)
        self._frame, _, terminated, truncated, self._info = self._env.step(action_index(action))
        self._actions.append(action)
        self._terminated = bool(terminated)
        self._truncated = bool(truncated) or (len(self._actions) == self._max_steps and not terminated)
        self._note_goal()

    def _note_goal(self) -> None:
        if self._reached_step is None and self._goal_holds:
            self._reached_step = len(self._actions)

    def _reason(self, success: bool, declared: bool) -> Reason:
        if success:
            return "success"
        if "truncated_because" in self._info:
            return "interrupted"
        if self._terminated:
            return "undeclared" if self._goal_holds and not declared else "lost"
        if declared and self._actions[-CHUNK_LENGTH:] == [NONE] * CHUNK_LENGTH:
            return "wrong-declaration" if "goal_reached" in self._info else "declared"
        return "time-limit"
