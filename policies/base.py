"""The one interface of everything that plays: a frame and a goal in, seven actions out.

Knows nothing of environments, models or time.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, Action, ActionChunk, parse_action
from gameenv.errors import InvalidInputError
from gameenv.frames import Frame

MAX_COMMITTED = CHUNK_LENGTH - 1


@runtime_checkable
class Policy(Protocol):
    """Chooses the next seven actions."""

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal. ``seed`` makes a random policy repeatable."""
        ...

    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        """Return the next seven actions.

        Args:
            frame: ``(height, width, 3)`` uint8 RGB, what the game shows now.
            committed: At most six actions already promised to the game; the chunk begins with them.

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
    """A policy without memory that can answer several environments in one call."""

    def predict_batch(
        self, frames: Sequence[Frame], goals: Sequence[str], committed: Sequence[Sequence[Action]]
    ) -> list[ActionChunk]:
        """Return a chunk for each frame and goal; the three sequences have one length."""
        ...


@runtime_checkable
class PredictsStream(Protocol):
    """A policy that can publish the words of a chunk one by one, before it is complete."""

    def predict_stream(self, frame: Frame, committed: Sequence[Action] = ()) -> Iterator[Action]:
        """Yield the seven words of what ``predict`` would return, each as soon as it is certain."""
        ...


def check_goal(goal: object) -> str:
    """Return ``goal`` if a policy can work on it.

    Raises:
        InvalidInputError: If it is not a string, is empty, or has halves of characters in it.
    """
    if not isinstance(goal, str) or not goal.strip() or any("\ud800" <= letter <= "\udfff" for letter in goal):
        raise InvalidInputError(f"a goal is a short sentence such as 'Go to the lantern', got {goal!r}")
    return goal


def check_committed(committed: Sequence[Action]) -> tuple[Action, ...]:
    """Return ``committed`` as a tuple if a chunk can begin with it.

    Raises:
        InvalidInputError: If there are more than six, or a bare string came.
        UnknownNameError: If a word is not in the vocabulary.
    """
    if isinstance(committed, str):
        raise InvalidInputError(f"committed is a sequence of words, got the string {committed!r}")
    if len(committed) > MAX_COMMITTED:
        raise InvalidInputError(
            f"at most {MAX_COMMITTED} actions may be committed, so that one of {CHUNK_LENGTH} is left to choose; "
            f"got {len(committed)}"
        )
    return tuple(parse_action(word) for word in committed)
