"""A glimpse of a level: what it looks like at the start and, if the expert plays it, how that went.

Knows nothing of pictures made from it.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from gameenv.actions import action_index
from gameenv.arena import tasks
from gameenv.arena.env import ArenaEnv
from gameenv.arena.episodes import opened
from gameenv.arena.levels import Level
from gameenv.arena.player.expert import Expert
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point
from gameenv.frames import Frame
from gameenv.whole import check_seed


@dataclass(frozen=True, slots=True)
class Played:
    """How somebody played a level.

    Attributes:
        walked: Where the player was at every tick, map units.
        last: The last frame.
        outcome: ``"reached and declared"``, ``"lost"`` or ``"out of time"``.
        ticks: How long it took.
    """

    walked: tuple[Point, ...]
    last: Frame
    outcome: str
    ticks: int


@dataclass(frozen=True, slots=True)
class Glimpse:
    """A level as it opens.

    Attributes:
        level: Which.
        state: The engine's state at the start.
        first: The first frame.
        max_steps: Step limit in ticks.
        fps: Ticks a second.
        played: How the expert played it, if it did.
    """

    level: Level
    state: ArenaState
    first: Frame
    max_steps: int
    fps: float
    played: Played | None = None


def levels_in_turn(task: str, seed: int) -> Iterator[tuple[str, int]]:
    """Family and level number, without end; for ``all`` the families take turns.

    Raises:
        UnknownNameError: If the task does not exist.
        InvalidInputError: If the seed is not a whole number from 0.
    """
    families = list(tasks.TASKS) if tasks.check_task(task) == tasks.ALL else [task]
    number = check_seed(seed)
    while True:
        for family in families:
            yield family, number
        number += 1


def glimpse(env: ArenaEnv, task: str, seed: int, *, expert: bool) -> Glimpse:
    """Open a level in ``env``, which stays open, and let the expert play it if wanted.

    Raises:
        UnknownNameError: If the task does not exist.
        GameEnvError: If the engine does not start.
    """
    first, info = env.reset(seed=seed, options={"task": task})
    shown = Glimpse(env.level, env.state, first, opened(env.episode).judge.max_steps, env.fps)
    return replace(shown, played=_play(env, info["goal"], seed)) if expert else shown


def _play(env: ArenaEnv, goal: str, seed: int) -> Played:
    player = Expert()
    player.attach(env)
    player.reset(goal, seed=seed)
    walked = [(env.state.x, env.state.y)]
    while True:
        frame, reward, terminated, truncated, _ = env.step(action_index(player.act()[0]))
        walked.append((env.state.x, env.state.y))
        if terminated or truncated:
            outcome = "reached and declared" if reward else "lost" if terminated else "out of time"
            return Played(tuple(walked), frame, outcome, env.tick)
