"""The one interface of everything that plays: an observation in, seven actions out.

Knows nothing of environments, models or time.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, Action, ActionChunk, parse_action
from gameenv.errors import InvalidInputError
from gameenv.frames import Frame, check_frame

MAX_COMMITTED = CHUNK_LENGTH - 1
MAX_PLAYED = 64
"""How many of the words played so far an observation holds."""


@dataclass(frozen=True, slots=True)
class Observation:
    """What a policy is shown when it is asked.

    Attributes:
        frame: ``(height, width, 3)`` uint8 RGB, what the game shows now.
        goal: What to do, in words.
        committed: At most six actions already promised to the game; the chunk begins with them.
        played: The words really played so far in this episode, newest last: all of them, or the newest 64. Beware of
            learning from them: a network that sees the last seven copies them, and plays worse.
        earlier: Earlier frames of this episode, one tick apart, newest last (``earlier[-1]`` is the frame before
            ``frame``): as many as the policy's ``history`` asks for, fewer at the beginning.

    Raises:
        InvalidInputError: If a frame is not one, the goal is empty, or there are more than six committed.
        UnknownNameError: If a word is not in the vocabulary.
    """

    frame: Frame
    goal: str
    committed: tuple[Action, ...] = ()
    played: tuple[Action, ...] = ()
    earlier: tuple[Frame, ...] = ()

    def __post_init__(self) -> None:
        check_goal(self.goal)
        object.__setattr__(self, "committed", _words("committed", self.committed))
        object.__setattr__(self, "played", _words("played", self.played))
        object.__setattr__(self, "earlier", tuple(self.earlier))
        for frame in (self.frame, *self.earlier):
            check_frame(frame)
        if len(self.committed) > MAX_COMMITTED:
            raise InvalidInputError(
                f"at most {MAX_COMMITTED} actions may be committed, so that one of {CHUNK_LENGTH} is left to choose; "
                f"got {len(self.committed)}"
            )
        if len(self.played) > MAX_PLAYED:
            raise InvalidInputError(f"give the newest {MAX_PLAYED} of the words played, got {len(self.played)}")


@runtime_checkable
class Policy(Protocol):
    """Chooses the next seven actions.

    A policy that wants earlier frames has a number ``history`` of them; one that answers many environments in one call
    says so by ``batches`` (``PredictsBatch``).
    """

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal. ``seed`` makes a random policy repeatable."""
        ...

    def predict(self, observation: Observation) -> ActionChunk:
        """Return the next seven actions; they begin with ``observation.committed``.

        Raises:
            InvalidReply: If the model's answer cannot be read as a chunk.
        """
        ...


@runtime_checkable
class AttachesToEnv(Protocol):
    """A policy that needs the environment itself (the scripted expert): called before every ``reset``."""

    def attach(self, env: gym.Env[Any, Any]) -> None:
        """Give the policy the environment it will play in."""
        ...


@runtime_checkable
class PredictsBatch(Protocol):
    """A policy that may answer several environments in one call."""

    @property
    def batches(self) -> bool:
        """Whether an answer depends on the observation alone, so that one instance can serve every environment."""
        ...

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        """Return a chunk for each observation: what ``predict`` would."""
        ...


@runtime_checkable
class PredictsStream(Protocol):
    """A policy that can publish the words of a chunk one by one, before it is complete."""

    def predict_stream(self, observation: Observation) -> Iterator[Action]:
        """Yield the seven words of what ``predict`` would return, each as soon as it is certain."""
        ...


def batching(policy: Policy) -> PredictsBatch | None:
    """The policy, if one instance of it can serve every environment at once."""
    if isinstance(policy, PredictsBatch) and policy.batches and not isinstance(policy, AttachesToEnv):
        return policy
    return None


def history_of(policy: Policy) -> int:
    """How many earlier frames the policy asks for.

    Raises:
        InvalidInputError: If its ``history`` is not a whole number from 0.
    """
    history = getattr(policy, "history", 0)
    if isinstance(history, bool) or not isinstance(history, int) or history < 0:
        raise InvalidInputError(
            f"{type(policy).__name__}.history is how many earlier frames it wants, a whole number from 0; "
            f"got {history!r}"
        )
    return history


def check_goal(goal: object) -> str:
    """Return ``goal`` if a policy can work on it.

    Raises:
        InvalidInputError: If it is not a string, is empty, or has halves of characters in it.
    """
    if not isinstance(goal, str) or not goal.strip() or any("\ud800" <= letter <= "\udfff" for letter in goal):
        raise InvalidInputError(f"a goal is a short sentence such as 'Go to the lantern', got {goal!r}")
    return goal


def _words(name: str, words: Sequence[Action]) -> tuple[Action, ...]:
    if isinstance(words, str):
        raise InvalidInputError(f"{name} is a sequence of words, got the string {words!r}")
    return tuple(parse_action(word) for word in words)
