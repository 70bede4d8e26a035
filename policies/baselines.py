"""Players that learn nothing: silence, dice, and a recording played back.

Each is what a learned policy must beat or match. They know nothing of models or of how they are judged.
"""

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply
from policies.base import Observation
from recording.chords import reduce_error_diffusion
from recording.session import Session


class NonePolicy:
    """Presses nothing and so declares at once: what an instant claim of success scores."""

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; nothing changes."""

    def predict(self, observation: Observation) -> ActionChunk:
        """Return what is committed, then ``none``."""
        return _fill(observation.committed, ())


class RandomPolicy:
    """Throws each action from the twelve with equal chance; ``reset(seed=...)`` makes it repeatable."""

    def __init__(self) -> None:
        self._dice = np.random.default_rng()

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode. The same ``seed`` gives the same throws."""
        self._dice = np.random.default_rng(seed)

    def predict(self, observation: Observation) -> ActionChunk:
        """Return what is committed, then throws."""
        thrown = self._dice.integers(len(ACTIONS), size=CHUNK_LENGTH)
        return _fill(observation.committed, tuple(ACTIONS[index] for index in thrown))


class ReplayPolicy:
    """Plays the words of a recording, tick by tick, and declares when they are used up.

    After ``attach`` it plays the take recorded on the level that is open; without one, or with no such take, it
    plays the takes in order, the next one at each reset. It finds its place by the ticks of the attached
    environment; without one it takes it that every chunk is played whole.

    Args:
        session: The recording's folder.

    Raises:
        SessionError: If the folder cannot be opened as a recording.
        InvalidInputError: If it holds no take.
    """

    def __init__(self, session: Path) -> None:
        recorded = Session(Path(session))
        self._takes: list[tuple[Action, ...]] = []
        self._levels: list[str | None] = []
        for take in recorded.takes:
            rows = [recorded[index] for index in range(take.start, take.stop)]
            if rows:
                self._takes.append(tuple(reduce_error_diffusion(rows)))
                self._levels.append(rows[0].info.get("level"))
        if not self._takes:
            raise InvalidInputError(f"{session} holds no take to replay; record one with gameenv-record")
        self._env: gym.Env[Any, Any] | None = None
        self._next_take = 0
        self._words: tuple[Action, ...] | None = None
        self._first_tick = self._played = 0

    def attach(self, env: gym.Env[Any, Any]) -> None:
        """Play in ``env`` from the next reset on."""
        self._env = env

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Choose the take and go to its beginning; ``seed`` changes nothing."""
        level = getattr(getattr(_unwrapped(self._env), "level", None), "id", None)
        if level is not None and level in self._levels:
            chosen = self._levels.index(level)
        else:
            chosen = self._next_take
            self._next_take = (self._next_take + 1) % len(self._takes)
        self._words = self._takes[chosen]
        self._first_tick, self._played = self._tick() or 0, 0

    def predict(self, observation: Observation) -> ActionChunk:
        """Return what is committed, then the recording's words from there on.

        Raises:
            InvalidInputError: Before the first ``reset``.
            InvalidReply: If the person paused here for a whole chunk: seven ``none`` would declare the goal
                reached, and only the end of the recording does.
        """
        words = self._words
        if words is None:
            raise InvalidInputError("call reset(goal) before predict")
        tick = self._tick()
        place = self._played if tick is None else tick - self._first_tick
        chunk = _fill(observation.committed, words[place : place + CHUNK_LENGTH])
        if chunk.done and any(word != NONE for word in words[place:]):
            self._played = place + 1
            raise InvalidReply("the recording pauses here; the runner plays one none")
        self._played = place + CHUNK_LENGTH
        return chunk

    def _tick(self) -> int | None:
        tick = getattr(_unwrapped(self._env), "tick", None)
        return tick if isinstance(tick, int) else None


def _fill(committed: tuple[Action, ...], chosen: tuple[Action, ...]) -> ActionChunk:
    """What is committed, then ``chosen`` from the same slot on, then ``none``."""
    words = committed + chosen[len(committed) :]
    return ActionChunk(words + (NONE,) * (CHUNK_LENGTH - len(words)))


def _unwrapped(env: gym.Env[Any, Any] | None) -> object:
    return None if env is None else env.unwrapped
