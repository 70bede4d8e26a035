"""``check_policy``: what every policy must do, as a judge that anyone can run on their own.

    from policies.conformance import check_policy
    check_policy(MyPolicy())

The project's own policies all pass it in ``tests/policies``. It knows the protocol and no policy.
"""

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, ActionChunk
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply
from gameenv.frames import DEFAULT_SIZE, Frame
from policies.base import MAX_COMMITTED, AttachesToEnv, Policy, PredictsBatch, PredictsStream

GOAL = "Go to the lantern"
SEED = 7


@dataclass(frozen=True, slots=True)
class Subject:
    """A policy under judgement, and what to show it.

    Attributes:
        policy: Fresh: never reset before the first check.
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

    def ask(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk | None:
        """Return the policy's chunk, None for a reply that cannot be read (which is allowed)."""
        try:
            chunk = self.policy.predict(frame.copy(), committed)
        except InvalidReply:
            return None
        if not isinstance(chunk, ActionChunk):
            raise _UnfitError(f"predict must return an ActionChunk, it returned {type(chunk).__name__}: {chunk!r:.60}")
        return chunk


class _UnfitError(Exception):
    """What a check found wrong."""


def check_policy(policy: Policy, env: gym.Env[Any, Any] | None = None, frames: Sequence[Frame] = ()) -> None:
    """Judge a policy by everything the project's runners rely on.

    Args:
        policy: A fresh one, never reset.
        env: Needed for a policy with ``attach``; it is reset, and stays open.
        frames: What to show it; a few generated pictures by default.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why.
    """
    if isinstance(policy, type) or not isinstance(policy, Policy):
        raise InvalidInputError(
            f"{policy!r:.60} is not a policy: it needs reset(goal, *, seed=None) and predict(frame, committed=()); "
            "pass an object, not a class"
        )
    if isinstance(policy, AttachesToEnv) and env is None:
        raise InvalidInputError(f"{type(policy).__name__} has attach(env), so check_policy needs an env to give it")
    subject = Subject(policy, tuple(frames) or example_frames(), env)
    problems = [f"{name}: {problem}" for name, check in CHECKS.items() if (problem := find_problem(check, subject))]
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise InvalidInputError(f"{type(policy).__name__} does not conform to the Policy protocol:{listed}")


def find_problem(check: Callable[[Subject], None], subject: Subject) -> str | None:
    """Run one check; return what it found wrong, None if nothing."""
    try:
        check(subject)
    except _UnfitError as problem:
        return str(problem)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return None


def example_frames() -> tuple[Frame, ...]:
    """Three pictures of the default size: black, a gradient, and noise; always the same."""
    width, height = DEFAULT_SIZE
    gradient = np.zeros((height, width, 3), np.uint8)
    gradient[..., 0] = np.linspace(0, 255, width, dtype=np.uint8)
    gradient[..., 1] = np.linspace(0, 255, height, dtype=np.uint8)[:, None]
    noise = np.random.default_rng(SEED).integers(0, 256, (height, width, 3), np.uint8)
    return np.zeros((height, width, 3), np.uint8), gradient, noise


def _needs_reset(subject: Subject) -> None:
    _refuses(lambda: subject.policy.predict(subject.frames[0]), "predict before the first reset")


def _returns_chunks(subject: Subject) -> None:
    subject.begin()
    for frame in subject.frames:
        subject.ask(frame)


def _accepts_any_size(subject: Subject) -> None:
    subject.begin()
    for shape in ((90, 160, 3), (480, 640, 3)):
        subject.ask(np.full(shape, 90, np.uint8))


def _honours_committed(subject: Subject) -> None:
    for count in range(1, MAX_COMMITTED + 1):
        promised = ACTIONS[1 : 1 + count]
        subject.begin()
        chunk = subject.ask(subject.frames[-1], promised)
        if chunk is not None and chunk.actions[:count] != promised:
            raise _UnfitError(
                f"a chunk must begin with the {count} committed actions {promised}, it is {chunk.actions}"
            )


def _refuses_too_many_committed(subject: Subject) -> None:
    subject.begin()
    promised = ACTIONS[:CHUNK_LENGTH]
    _refuses(lambda: subject.policy.predict(subject.frames[0], promised), f"{CHUNK_LENGTH} committed actions")


def _refuses_unknown_committed(subject: Subject) -> None:
    subject.begin()
    wrong: Any = ("jump",)
    _refuses(lambda: subject.policy.predict(subject.frames[0], wrong), "the committed word 'jump'")


def _refuses_bad_frames(subject: Subject) -> None:
    if isinstance(subject.policy, AttachesToEnv):
        return  # it may play without looking
    subject.begin()
    good = subject.frames[0]
    for bad, name in ((good / 255.0, "float64"), (good[..., 0], "two-dimensional"), (None, "missing")):
        frame: Any = bad
        _refuses(lambda frame=frame: subject.policy.predict(frame), f"a {name} frame")


def _refuses_empty_goals(subject: Subject) -> None:
    if isinstance(subject.policy, AttachesToEnv):
        return  # it may play without reading
    _refuses(lambda: subject.begin(""), "an empty goal")


def _repeats_under_a_seed(subject: Subject) -> None:
    runs = []
    for _ in range(2):
        subject.begin()
        runs.append([subject.ask(frame) for frame in subject.frames])
    if runs[0] != runs[1]:
        raise _UnfitError(f"the same frames after reset(goal, seed={SEED}) must give the same chunks, got {runs}")


def _leaves_the_frame_alone(subject: Subject) -> None:
    subject.begin()
    frame = subject.frames[-1].copy()
    with contextlib.suppress(InvalidReply):
        subject.policy.predict(frame)
    if not np.array_equal(frame, subject.frames[-1]):
        raise _UnfitError("predict must not write into the frame; it belongs to the runner")


def _batch_equals_single(subject: Subject) -> None:
    policy = subject.policy
    if not isinstance(policy, PredictsBatch):
        return
    goals = [GOAL, "Climb the stairs", "Open the door"]
    asked = [(frame.copy(), goals[i % 3], ACTIONS[1 : 1 + i % 3]) for i, frame in enumerate(subject.frames * 2)]
    batch = policy.predict_batch(*(list(column) for column in zip(*asked, strict=True)))
    single = []
    for frame, goal, committed in asked:
        subject.begin(goal)
        single.append(subject.policy.predict(frame, committed))
    if list(batch) != single:
        raise _UnfitError(f"predict_batch must give what predict gives one by one: {list(batch)} is not {single}")


def _streams_the_same(subject: Subject) -> None:
    policy = subject.policy
    if not isinstance(policy, PredictsStream):
        return
    for frame, committed in zip(subject.frames, ((), ACTIONS[1:3], ACTIONS[1:7]), strict=False):
        subject.begin()
        chunk = subject.ask(frame, committed)
        subject.begin()
        words = tuple(policy.predict_stream(frame.copy(), committed))
        if chunk is not None and words != chunk.actions:
            raise _UnfitError(f"predict_stream must give predict's words: {words} is not {chunk.actions}")


def _refuses(call: Callable[[], object], what: str) -> None:
    try:
        given = call()
    except InvalidReply as error:
        raise _UnfitError(
            f"{what} must raise InvalidInputError, not InvalidReply ({error}), which plays a filler"
        ) from error
    except GameEnvError:
        return
    except Exception as error:
        raise _UnfitError(f"{what} must raise InvalidInputError, got {type(error).__name__}: {error}") from error
    raise _UnfitError(f"{what} must raise InvalidInputError, it gave {given!r:.60}")


CHECKS: dict[str, Callable[[Subject], None]] = {
    "needs reset before predict": _needs_reset,  # first: it wants a policy that was never reset
    "returns chunks": _returns_chunks,
    "accepts frames of any size": _accepts_any_size,
    "begins with what is committed": _honours_committed,
    "refuses more than six committed": _refuses_too_many_committed,
    "refuses committed words it does not know": _refuses_unknown_committed,
    "refuses what is not a frame": _refuses_bad_frames,
    "refuses an empty goal": _refuses_empty_goals,
    "repeats itself under a seed": _repeats_under_a_seed,
    "leaves the frame alone": _leaves_the_frame_alone,
    "predicts a batch like single frames": _batch_equals_single,
    "streams what it predicts": _streams_the_same,
}
