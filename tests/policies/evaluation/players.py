"""Players and environments that behave badly, for worker processes to import by name."""

import os
import time
from collections.abc import Sequence
from typing import Any

import gymnasium as gym

import gameenv  # noqa: F401 (registers the arena)
from gameenv.actions import ActionChunk
from gameenv.errors import InvalidReply, ServerError
from policies.base import Observation

WALK = ActionChunk.of(["w"] * 7)
TURN = ActionChunk.of(["left"] * 7)


class Single:
    """Walks."""

    goal = ""

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self.goal, self.seed = goal, seed

    def predict(self, observation: Observation) -> ActionChunk:
        return WALK


class Batched(Single):
    """Walks, many at a time, and remembers how many it was asked and where."""

    batches = True

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.pids: set[int] = set()

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        self.sizes.append(len(observations))
        self.pids.add(os.getpid())
        return [self.answer(each.goal) for each in observations]

    def answer(self, goal: str) -> ActionChunk:
        return WALK


class Mumbling(Batched):
    """Never says anything that can be read."""

    def answer(self, goal: str) -> ActionChunk:
        raise InvalidReply("mumble")


class FussyAboutGoals(Batched):
    """Raises at some goals only: one bad request must not spoil the others of its batch."""

    def answer(self, goal: str) -> ActionChunk:
        if "stairs" in goal.lower() or "step" in goal.lower():
            raise ZeroDivisionError("no stairs please")
        return WALK


class ShortBatch(Batched):
    """Forgets a chunk."""

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        return []


class Unserved(Batched):
    """Asks a server that is not there."""

    def answer(self, goal: str) -> ActionChunk:
        raise ServerError("the box is off")


class Raising(Single):
    """Raises on odd levels."""

    def predict(self, observation: Observation) -> ActionChunk:
        if self.seed is not None and self.seed % 2:
            raise ValueError("odd levels\nare beneath me")
        return WALK


class Garbage(Single):
    """Returns words."""

    def predict(self, observation: Observation) -> Any:
        return "wwwwwww"


class Slow(Single):
    """Takes a little while, so that a test can act in the middle of an episode."""

    def predict(self, observation: Observation) -> ActionChunk:
        time.sleep(0.05)
        return TURN


class Hanging(Single):
    """Never answers on level 1."""

    def predict(self, observation: Observation) -> ActionChunk:
        if self.seed == 1:
            time.sleep(3600)
        return WALK


class Suicidal(Single):
    """Takes its whole process along on level 1."""

    def predict(self, observation: Observation) -> ActionChunk:
        if self.seed == 1:
            os._exit(3)
        return WALK


class CrashingEnv(gym.Wrapper[Any, Any, Any, Any]):
    """The arena, but level 1 raises in ``reset`` and level 2 at the third step."""

    def __init__(self, **options: Any) -> None:
        super().__init__(gym.make("gameenv/Arena-v0", **options))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> Any:
        self.seed, self.steps = seed, 0
        if seed == 1:
            raise RuntimeError("level 1 is cursed")
        return self.env.reset(seed=seed, options=options)

    def step(self, action: int) -> Any:
        self.steps += 1
        if self.seed == 2 and self.steps == 3:
            raise RuntimeError("the engine gave up")
        return self.env.step(action)


if "Crashing-v0" not in gym.registry:
    gym.register("Crashing-v0", entry_point=CrashingEnv)
