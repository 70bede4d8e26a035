"""The referee of one episode: whether the goal holds, and when the episode is over and how.

Knows the level and what the engine says is true; nothing of frames, keys or clocks.
"""

import math
from collections import deque
from typing import Any

from gameenv.actions import CHUNK_LENGTH, NONE, Action
from gameenv.arena.levels import Level
from gameenv.arena.state import ArenaState
from gameenv.arena.steplimit import step_limit


def ticks_to_hold(level: Level, fps: float) -> int:
    """How many ticks a level's condition must have held to count.

    At high rates fewer than it takes to say that one is done.
    """
    return min(math.ceil(level.for_s * fps), CHUNK_LENGTH - 2)


class Judge:
    """Watches one episode from its start.

    Args:
        level: What is played.
        fps: Ticks a second.
        max_steps: Tick at which the episode is truncated; by default about three times what the expert needs.
        ends_when_declared: Whether seven ``none`` end the episode where the goal holds. Not where whoever plays says
            itself when it is done, and ``none`` may be waiting.
    """

    def __init__(
        self, level: Level, fps: float, max_steps: int | None = None, *, ends_when_declared: bool = True
    ) -> None:
        self.max_steps = max_steps or step_limit(level, fps)
        self._level = level
        self._ends_when_declared = ends_when_declared
        self._recent: deque[Action] = deque(maxlen=CHUNK_LENGTH)
        self._reached = False
        self._since: int | None = None
        self._needed = ticks_to_hold(level, fps)

    def look(self, state: ArenaState, tick: int) -> dict[str, Any]:
        """What the arena adds to ``info``, for the state at the grab of a tick."""
        if state.health <= 0 or not self._level.condition.holds(state):
            self._since = None
        elif self._since is None:
            self._since = tick
        holds = self._since is not None and tick - self._since >= self._needed
        self._reached = holds or (self._reached and self._level.latches)
        return {
            "goal_reached": self._reached,
            "level": self._level.id,
            "split": self._level.split,
            "player": {
                "x": round(state.x, 2),
                "y": round(state.y, 2),
                "z": round(state.z, 2),
                "angle": round(state.angle, 2),
                "pitch": round(state.pitch, 2),
                "health": state.health,
            },
        }

    def after(self, word: Action, tick: int, state: ArenaState) -> tuple[float, bool, bool]:
        """Reward, terminated and truncated of the step that held ``word``, once ``look`` has seen its end."""
        self._recent.append(word)
        declared = len(self._recent) == CHUNK_LENGTH and all(recent == NONE for recent in self._recent)
        lost = state.health <= 0
        won = declared and self._reached and not lost and self._ends_when_declared
        return float(won), won or lost, not (won or lost) and tick >= self.max_steps
