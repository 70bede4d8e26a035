"""The scripted expert: sees the referee's state, presses one of the twelve actions a tick, walks like a person.

Fits the ``Policy`` protocol by shape. Where it errs on purpose it says so (``"noise"``). Knows nothing of who
records or judges it.
"""

from collections.abc import Sequence
from random import Random
from typing import Any, Protocol

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.arena.judge import ticks_to_hold
from gameenv.arena.player.guide import Act, Guide
from gameenv.arena.player.view import ShowsState, shows_state
from gameenv.arena.player.walker import Walker
from gameenv.arena.state import ArenaState
from gameenv.arena.tics import tics_in, tics_until
from gameenv.errors import InvalidInputError

_NOISE_ACTIONS: tuple[Action, ...] = ("left", "right", "left", "right", "w", "s", "a", "d", "none")
_EXCURSION_TICKS = (2, 6)


class HasWords(Protocol):
    """What the expert reads of an observation (``policies.base.Observation``, which the arena need not know)."""

    @property
    def committed(self) -> tuple[Action, ...]:
        """Actions already promised to the game."""
        ...

    @property
    def played(self) -> tuple[Action, ...]:
        """The newest of those played so far."""
        ...


class Expert:
    """Plays any arena level.

    Args:
        noise: Share of ticks, 0 to 0.5, that ``act`` spends in short random excursions, so that recoveries are in
            the data. ``predict`` has none.

    Raises:
        InvalidInputError: If ``noise`` is out of range.
    """

    def __init__(self, noise: float = 0.0) -> None:
        if not 0 <= noise <= 0.5:
            raise InvalidInputError(f"noise is a share from 0 to 0.5, got {noise}")
        self._noise = noise
        self._env: ShowsState | None = None
        self._guide: Guide | None = None
        self._rng = Random(0)
        self._excursion: list[Action] = []

    def attach(self, env: gym.Env[Any, Any]) -> None:
        """Take the environment whose state the expert may see.

        Raises:
            InvalidInputError: If it is not the arena.
        """
        bare = env.unwrapped
        if not shows_state(bare):
            raise InvalidInputError(f"the expert plays the built-in arena only, got {type(bare).__name__}")
        self._env = bare

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; call after the environment's own ``reset``.

        Args:
            goal: What to do in words. The expert knows the level's own goal and plays for that.
            seed: Makes the noise repeatable.

        Raises:
            InvalidInputError: If there is no environment yet, or the goal is empty.
        """
        if not isinstance(goal, str) or not goal.strip():
            raise InvalidInputError(f"a goal is a short sentence such as 'Go to the lantern', got {goal!r}")
        if self._env is None:
            raise InvalidInputError("the expert needs the environment: call attach(env) first")
        level = self._env.level
        self._rng = Random(f"{level.id}/{seed}")
        self._guide = Guide(level, self._rng)
        self._excursion = []
        self._foreseen: list[Guide] = []
        self._said: list[Action] = []
        self._foreseen_from = self._env.tick

    def act(self) -> Act:
        """The next action for the state as it is now, and whether it is meant or noise.

        Raises:
            InvalidInputError: Before ``attach`` and ``reset``.
        """
        env, guide = self._begun()
        if self._excursion:
            return self._stray(guide), "noise"
        if self._noise and not (guide.resting or guide.is_freeing or guide.is_steady):
            shortest, longest = _EXCURSION_TICKS
            mean_length = (shortest + longest) / 2
            if self._rng.random() < self._noise / mean_length / (1 - self._noise):
                self._excursion = [self._rng.choice(_NOISE_ACTIONS)] * self._rng.randint(shortest, longest)
                return self._stray(guide), "noise"
        return guide.choose(env.state)

    def _stray(self, guide: Guide) -> Action:
        """The next action of an excursion."""
        word = self._excursion.pop()
        guide.interrupt(word)
        return word

    def predict(self, observation: HasWords) -> ActionChunk:
        """What to do in the next seven ticks, foreseen with the engine's own laws of motion; never noise.

        Seven ``none`` come only when the goal is reached, or will be by the last of them.

        Args:
            observation: Of it only words are looked at: what is committed, with which the chunk begins, and how much of
                the last chunk was played.

        Raises:
            InvalidInputError: Before ``attach`` and ``reset``.
        """
        env, guide = self._begun()
        promised = observation.committed
        count = self._count_played(observation.played[self._foreseen_from - env.tick :])
        if env.tick > self._foreseen_from and count:
            guide = self._guide = self._foreseen[count - 1]
        chunk, states = self._foresee(env, guide, promised)
        if chunk.done and not _reaches(env, states):
            guide.begin()
            chunk, _ = self._foresee(env, guide, promised)
            if chunk.done:  # too early to say so, or the way has led elsewhere
                chunk = ActionChunk((*chunk.actions[:-1], "w"))
        return chunk

    def _count_played(self, played: Sequence[Action]) -> int:
        """How many words of the last chunk were played, if these were: all in their order, with pauses between them."""
        count = 0
        for word in played:
            if count < len(self._said) and word == self._said[count]:
                count += 1
            elif word != NONE:
                break
        return count

    def _foresee(
        self, env: ShowsState, guide: Guide, promised: Sequence[Action]
    ) -> tuple[ActionChunk, list[ArenaState]]:
        """The chunk from here, and the states from now to its end."""
        turn_tics = tics_in(env.tick - 1, env.fps) * 2 if env.held in ("left", "right") else 0
        walker = Walker(env.state, turn_tics, tics_until(env.tick, env.fps))
        self._foreseen, self._foreseen_from = [], env.tick
        guide = guide.copy()
        words: list[Action] = []
        states = [walker.state]
        for slot in range(CHUNK_LENGTH):
            chosen, _ = guide.choose(walker.state)
            words.append(promised[slot] if slot < len(promised) else chosen)
            if words[-1] != chosen:
                guide.interrupt(words[-1])
            self._foreseen.append(guide.copy())
            walker = guide.settle(walker.hold(words[-1], tics_in(env.tick + slot, env.fps)))
            states.append(walker.state)
        self._said = words
        return ActionChunk(tuple(words)), states

    def _begun(self) -> tuple[ShowsState, Guide]:
        if self._env is None or self._guide is None:
            raise InvalidInputError("the expert needs the environment: call attach(env) and reset(goal) first")
        return self._env, self._guide


def _reaches(env: ShowsState, states: Sequence[ArenaState]) -> bool:
    """Whether the goal holds at the end of some ticks, and has for as long as it takes."""
    level = env.level
    return all(level.condition.holds(state) for state in states[-1 - ticks_to_hold(level, env.fps) :])
