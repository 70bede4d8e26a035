"""The scripted expert: sees the referee's state, presses one of the twelve actions a tick, walks like a person.

It looks before it walks: a target out of view is searched by turning right, as someone would who sees only the
frame. Fits the ``Policy`` protocol by shape. Where it errs on purpose it says so (``"noise"``).
"""

import math
from collections.abc import Sequence
from random import Random
from typing import Any, Literal, cast

import gymnasium as gym
import numpy as np

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.arena.env import ArenaEnv
from gameenv.arena.levels import Leg
from gameenv.arena.nav import NavGrid
from gameenv.arena.state import ArenaState
from gameenv.errors import InvalidInputError
from gameenv.frames import Frame

Act = tuple[Action, Literal["expert", "noise"]]

FRICTION = 0.90625
"""Share of its speed that the engine's player keeps each tic: https://doomwiki.org/wiki/Player#Speed"""
GLIDE_TICS = FRICTION / (1 - FRICTION)
"""A player who lets go at speed v comes to rest v x this farther on."""
HALF_VIEW_DEG = 48.0
"""Bearing at which a target counts as in view; the picture ends at 53 degrees."""
AIM_DEG = 7.0
"""Smallest heading error that is corrected: about what one tap of a turn key gives."""
USE_AIM_DEG = 14.0
USE_REACH = 34.0
"""Distance from a leg's point at which pressing works; the engine reaches 64 units, and points lie 16 before doors."""
_NOISE_ACTIONS: tuple[Action, ...] = ("left", "right", "left", "right", "w", "s", "a", "d", "none")
_STUCK_TICKS = 6
_PATIENCE_TICKS = 12


def wrap_degrees(angle: float) -> float:
    """An angle brought to -180 to 180."""
    return (angle + 180.0) % 360.0 - 180.0


class Expert:
    """Plays any arena level.

    Args:
        noise: Share of ticks, 0 to 0.5, spent in short random excursions, so that recoveries are in the data.
    """

    def __init__(self, noise: float = 0.0) -> None:
        if not 0 <= noise <= 0.5:
            raise InvalidInputError(f"noise is a share from 0 to 0.5, got {noise}")
        self._noise = noise
        self._env: ArenaEnv | None = None
        self._rng = Random(0)

    def attach(self, env: gym.Env[Any, Any]) -> None:
        """Take the environment whose state the expert may see.

        Raises:
            InvalidInputError: If it is not the arena.
        """
        if not isinstance(env.unwrapped, ArenaEnv):
            raise InvalidInputError(f"the expert plays the built-in arena only, got {type(env.unwrapped).__name__}")
        self._env = env.unwrapped

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; call after the environment's own ``reset``."""
        if self._env is None:
            raise InvalidInputError("the expert needs the environment: call attach(env) first")
        level = self._env.level
        self._rng = Random(f"{level.id}/{seed}")
        self._begin_route()
        targets = {(leg.x, leg.y) for leg in level.route}
        self._nav = NavGrid(level.plan, [t for t in level.plan.things if t.kind != 1 and (t.x, t.y) not in targets])
        self._excursion: list[Action] = []

    def act(self) -> Act:
        """The next action for the state as it is now, and whether it is meant or noise."""
        if self._env is None:
            raise InvalidInputError("the expert needs the environment: call attach(env) and reset(goal) first")
        if self._excursion:
            return self._excursion.pop(), "noise"
        mean_length = 4.0
        if self._noise and not self._resting and self._rng.random() < self._noise / mean_length / (1 - self._noise):
            self._excursion = [self._rng.choice(_NOISE_ACTIONS)] * self._rng.randint(2, 6)
            return self._excursion.pop(), "noise"
        return self._choose(self._env.state), "expert"

    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        """A chunk whose first free action is what ``act`` chooses now; the rest repeats it as far as is safe."""
        if len(committed) >= CHUNK_LENGTH:
            raise InvalidInputError(f"at most {CHUNK_LENGTH - 1} actions can be committed, got {len(committed)}")
        action, _ = self.act()
        count = CHUNK_LENGTH - len(committed)
        repeat = count if action in (NONE, "w") else 1
        words = [*committed, *[action] * repeat]
        return ActionChunk.of(words + [NONE] * (CHUNK_LENGTH - len(words)))

    def _choose(self, state: ArenaState) -> Action:
        while self._route:
            leg = self._route[0]
            action = self._follow(state, leg)
            if action is not None:
                return action
            self._route.pop(0)
            self._field = None
            if leg.press:
                self._resting = not self._route
                return leg.press
        self._resting = True
        if not self._holds(state):
            self._waited += 1
            if self._waited > _PATIENCE_TICKS:  # it did not work: once more from here
                self._begin_route()
        return NONE

    def _holds(self, state: ArenaState) -> bool:
        return self._env is not None and self._env.level.condition.holds(state)

    def _begin_route(self) -> None:
        assert self._env is not None
        self._route = list(self._env.level.route)
        self._field: np.ndarray | None = None
        self._track: list[tuple[float, float]] = []
        self._resting = False
        self._waited = 0

    def _follow(self, state: ArenaState, leg: Leg) -> Action | None:
        """The action toward a leg's end, None on arrival."""
        here, target = (state.x, state.y), (leg.x, leg.y)
        distance = math.dist(here, target)
        error = self._bearing(state, target)
        toward = (state.vx * (leg.x - state.x) + state.vy * (leg.y - state.y)) / max(distance, 1.0)
        will_rest = distance - max(toward, 0.0) * GLIDE_TICS
        if will_rest <= leg.stop:
            return self._arrive(state, leg, distance) if leg.press else None
        if self._is_stuck(here):
            self._excursion = [self._rng.choice(("s", "a", "d"))] * 3
        if self._nav.clear_line(here, target, leg.stop):
            if abs(error) > HALF_VIEW_DEG:
                return "right"
        else:
            error = self._bearing(state, self._waypoint(here, leg))
        return self._turn(error) if abs(error) > AIM_DEG else "w"

    def _arrive(self, state: ArenaState, leg: Leg, distance: float) -> Action | None:
        """Before a key is pressed: face the thing, glide into reach; None when it can be pressed."""
        error = self._bearing(state, leg.face or (leg.x, leg.y))
        if abs(error) > USE_AIM_DEG:
            return self._turn(error)
        return NONE if distance > USE_REACH else None

    @staticmethod
    def _bearing(state: ArenaState, point: tuple[float, float]) -> float:
        """Degrees to the left (positive) or right of straight ahead."""
        return wrap_degrees(math.degrees(math.atan2(point[1] - state.y, point[0] - state.x)) - state.angle)

    @staticmethod
    def _turn(error: float) -> Action:
        return cast(Action, "left" if error > 0 else "right")

    def _waypoint(self, here: tuple[float, float], leg: Leg) -> tuple[float, float]:
        """The farthest point of the way that can be walked to in a straight line."""
        if self._field is None:
            self._field = self._nav.distances_to(leg.x, leg.y, leg.stop)
        way = self._nav.descend(self._field, *here, steps=60)
        if not way:
            return leg.x, leg.y
        best = way[min(1, len(way) - 1)]
        for point in way[2:]:
            if not self._nav.clear_line(here, point):
                break
            best = point
        return best

    def _is_stuck(self, here: tuple[float, float]) -> bool:
        """Whether walking has led nowhere for a while."""
        self._track.append(here)
        if len(self._track) <= _STUCK_TICKS * 4:
            return False
        old = self._track[-_STUCK_TICKS * 4]
        stuck = math.dist(old, here) < 8 and len(set(self._track[-3:])) == 1
        if stuck:
            self._track.clear()
        return stuck
