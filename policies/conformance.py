"""``check_policy``: what every policy must do, as a judge that anyone can run on their own.

    from policies.conformance import check_policy
    check_policy(MyPolicy())

The project's own policies all pass it in ``tests/policies``. It knows the protocol and no policy.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS, NONE, Action, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply
from gameenv.frames import DEFAULT_SIZE, Frame
from gameenv.judging import UnfitError, judge
from policies.base import (
    MAX_COMMITTED,
    MAX_PLAYED,
    AttachesToEnv,
    Observation,
    Policy,
    PredictsBatch,
    PredictsStream,
    history_of,
)

GOAL = "Go to the lantern"
SEED = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy under judgement, and what to show it.

    Attributes:
        policy: Who is judged.
        frames: A few ``(height, width, 3)`` uint8 RGB.
        env: The environment for a policy that attaches to one.
    """

    policy: Policy
    frames: tuple[Frame, ...]
    env: gym.Env[Any, Any] | None

    def begin(self, goal: str = GOAL, seed: int | None = SEED) -> None:
        """Begin an episode as a runner does."""
        if self.env is not None and isinstance(self.policy, AttachesToEnv):
            self.env.reset(seed=0)
            self.policy.attach(self.env)
        self.policy.reset(goal, seed=seed)

    def look(self, frame: Frame, committed: Sequence[Action] = (), goal: str = GOAL) -> Observation:
        """The first observation of an episode."""
        return Observation(frame.copy(), goal, tuple(committed))

    def ask(self, observation: Observation) -> ActionChunk | None:
        """Return the policy's chunk, None for a reply that cannot be read (which is allowed)."""
        try:
            chunk = self.policy.predict(observation)
        except InvalidReply:
            return None
        if not isinstance(chunk, ActionChunk):
            raise UnfitError(f"predict must return an ActionChunk, it returned {type(chunk).__name__}: {chunk!r:.60}")
        return chunk


def check_policy(policy: Policy, env: gym.Env[Any, Any] | None = None, frames: Sequence[Frame] = ()) -> None:
    """Judge a policy by everything the project's runners rely on.

    Args:
        policy: Who is judged.
        env: Needed for a policy with ``attach``; it is reset, and stays open.
        frames: What to show it; a few generated pictures by default.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why.
    """
    if isinstance(policy, type) or not isinstance(policy, Policy):
        raise InvalidInputError(
            f"{policy!r:.60} is not a policy: it needs reset(goal, *, seed=None) and predict(observation); "
            "pass an object, not a class"
        )
    if isinstance(policy, AttachesToEnv) and env is None:
        raise InvalidInputError(f"{type(policy).__name__} has attach(env), so check_policy needs an env to give it")
    subject = Subject(policy, tuple(frames) or example_frames(), env)
    judge(type(policy).__name__, CHECKS, subject)


def example_frames() -> tuple[Frame, ...]:
    """Three pictures of the default size: black, a gradient, and noise; always the same."""
    width, height = DEFAULT_SIZE
    gradient = np.zeros((height, width, 3), np.uint8)
    gradient[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    gradient[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    noise = np.random.default_rng(SEED).integers(0, 256, (height, width, 3), np.uint8)
    return np.zeros((height, width, 3), np.uint8), gradient, noise


def _returns_chunks(subject: Subject) -> None:
    subject.begin()
    for frame in subject.frames:
        subject.ask(subject.look(frame))


def _accepts_any_size(subject: Subject) -> None:
    subject.begin()
    for shape in ((90, 160, 3), (480, 640, 3)):
        subject.ask(subject.look(np.full(shape, 90, np.uint8)))


def _honours_committed(subject: Subject) -> None:
    for count in range(1, MAX_COMMITTED + 1):
        promised = ACTIONS[1 : 1 + count]
        subject.begin()
        chunk = subject.ask(subject.look(subject.frames[-1], promised))
        if chunk is not None and chunk.actions[:count] != promised:
            raise UnfitError(f"a chunk must begin with the {count} committed actions {promised}, it is {chunk.actions}")


def _plays_long_episodes(subject: Subject) -> None:
    history = history_of(subject.policy)
    subject.begin()
    played: list[Action] = []
    earlier: list[Frame] = []
    for tick in range(2 * MAX_PLAYED):
        frame = subject.frames[tick % len(subject.frames)].copy()
        observation = Observation(
            frame, GOAL, played=tuple(played[-MAX_PLAYED:]), earlier=tuple(earlier[len(earlier) - history :])
        )
        chunk = subject.ask(observation)
        played.append(NONE if chunk is None else chunk[0])
        earlier = [*earlier, frame][-history - 1 :]


def _repeats_under_a_seed(subject: Subject) -> None:
    runs = []
    for _ in range(2):
        subject.begin()
        runs.append([subject.ask(subject.look(frame)) for frame in subject.frames])
    if runs[0] != runs[1]:
        raise UnfitError(f"the same frames after reset(goal, seed={SEED}) must give the same chunks, got {runs}")


def _leaves_the_frame_alone(subject: Subject) -> None:
    subject.begin()
    observation = subject.look(subject.frames[-1])
    subject.ask(observation)
    if not np.array_equal(observation.frame, subject.frames[-1]):
        raise UnfitError("predict must not write into the frame; it belongs to the runner")


def _batch_equals_single(subject: Subject) -> None:
    policy = subject.policy
    if not isinstance(policy, PredictsBatch):
        if hasattr(policy, "predict_batch"):
            raise UnfitError(
                "it has predict_batch but does not say when runners may use it: add batches = True if an answer "
                "depends on the observation alone, else batches = False"
            )
        return
    if not policy.batches:
        return
    goals = [GOAL, "Climb the stairs", "Open the door"]
    asked = [subject.look(frame, ACTIONS[1 : 1 + i % 3], goals[i % 3]) for i, frame in enumerate(subject.frames * 2)]
    batch = policy.predict_batch(asked)
    single = []
    for observation in asked:
        subject.begin(observation.goal)
        single.append(policy.predict(observation))  # pyright: ignore[reportAttributeAccessIssue] (a Policy, too)
    if list(batch) != single:
        raise UnfitError(f"predict_batch must give what predict gives one by one: {list(batch)} is not {single}")


def _streams_the_same(subject: Subject) -> None:
    policy = subject.policy
    if not isinstance(policy, PredictsStream):
        return
    for frame, committed in zip(subject.frames, ((), ACTIONS[1:3], ACTIONS[1:7]), strict=False):
        subject.begin()
        chunk = subject.ask(subject.look(frame, committed))
        subject.begin()
        words = tuple(policy.predict_stream(subject.look(frame, committed)))
        if chunk is not None and words != chunk.actions:
            raise UnfitError(f"predict_stream must give predict's words: {words} is not {chunk.actions}")


CHECKS: dict[str, Callable[[Subject], None]] = {
    "returns chunks": _returns_chunks,
    "accepts frames of any size": _accepts_any_size,
    "begins with what is committed": _honours_committed,
    "plays long episodes": _plays_long_episodes,
    "repeats itself under a seed": _repeats_under_a_seed,
    "leaves the frame alone": _leaves_the_frame_alone,
    "predicts a batch like single frames": _batch_equals_single,
    "streams what it predicts": _streams_the_same,
}
