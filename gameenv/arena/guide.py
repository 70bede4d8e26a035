"""The guide: knows the way through a level and says which key a person would press next.

It looks before it walks: a target out of view is searched by turning right, as someone would who sees only the
frame. Remembers how far it has come; knows nothing of noise, chunks or Gymnasium.
"""

import copy
import math
from random import Random
from typing import Literal, cast

import numpy as np

from gameenv.actions import NONE, Action
from gameenv.arena.levels import Leg, Level
from gameenv.arena.nav import NavGrid
from gameenv.arena.state import ArenaState
from gameenv.arena.walker import GLIDE_TICS

Act = tuple[Action, Literal["expert", "noise"]]

HALF_VIEW_DEG = 48.0
"""Bearing at which a target counts as in view; the picture ends at 53 degrees."""
AIM_DEG = 7.0
"""Smallest heading error that is corrected: about what one tap of a turn key gives."""
USE_AIM_DEG = 14.0
USE_REACH = 34.0
"""Distance from a leg's point at which pressing works; the engine reaches 64 units, and points lie 16 before doors."""
_STUCK_TICKS = 12
_STUCK_DISTANCE = 16.0
_PATIENCE_TICKS = 12
_FREEING_TICKS = 3


def wrap_degrees(angle: float) -> float:
    """An angle brought to -180 to 180."""
    return (angle + 180.0) % 360.0 - 180.0


class Guide:
    """Leads the player along a level's route.

    Args:
        level: The level that is open.
        rng: Throws the direction in which a stuck player tries to get free.
    """

    def __init__(self, level: Level, rng: Random) -> None:
        targets = {(leg.x, leg.y) for leg in level.route}
        self._level = level
        self._rng = rng
        self._nav = NavGrid(level.plan, [t for t in level.plan.things if t.kind != 1 and (t.x, t.y) not in targets])
        self.begin()

    def begin(self) -> None:
        """Go the whole route (again), from wherever the player is."""
        self._route = list(self._level.route)
        self._field: np.ndarray | None = None
        self._walked: list[tuple[float, float]] = []
        self._freeing: list[Action] = []
        self._careful = False
        self._waited = 0
        self.resting = False

    def copy(self) -> "Guide":
        """A guide that knows the same and can be asked what-if questions."""
        twin = copy.copy(self)
        twin._rng = copy.copy(self._rng)
        twin._route, twin._walked, twin._freeing = list(self._route), list(self._walked), list(self._freeing)
        return twin

    @property
    def is_freeing(self) -> bool:
        """Whether the next moves only serve to get a stuck player free."""
        return bool(self._freeing)

    def floor_at(self, x: float, y: float) -> float:
        """Height of the floor under a point."""
        return self._nav.floor_at(x, y)

    def choose(self, state: ArenaState) -> Act:
        """The next action; ``"noise"`` where it only serves to get free."""
        if self._freeing:
            return self._freeing.pop(), "noise"
        while self._route:
            leg = self._route[0]
            action = self._follow(state, leg)
            if action is not None:
                return action, "expert"
            self._route.pop(0)
            self._field = None
            if leg.press:
                self.resting = not self._route
                return leg.press, "expert"
        self.resting = True
        if not self._level.condition.holds(state):
            self._waited += 1
            if self._waited > _PATIENCE_TICKS:  # it did not work: once more from here
                self.begin()
        return NONE, "expert"

    def _follow(self, state: ArenaState, leg: Leg) -> Action | None:
        """The action toward a leg's end, None on arrival."""
        here, target = (state.x, state.y), (leg.x, leg.y)
        distance = math.dist(here, target)
        error = _bearing(state, target)
        toward = (state.vx * (leg.x - state.x) + state.vy * (leg.y - state.y)) / max(distance, 1.0)
        will_rest = distance - max(toward, 0.0) * GLIDE_TICS
        if will_rest <= leg.stop:
            return _arrive(state, leg, distance) if leg.press else None
        if self._is_stuck(here):
            self._careful = True
            self._freeing = [self._rng.choice(("s", "a", "d"))] * _FREEING_TICKS
        if self._nav.clear_line(here, target, leg.stop):
            if abs(error) > HALF_VIEW_DEG:
                return "right"
        else:
            error = _bearing(state, self._waypoint(here, leg))
        if abs(error) > AIM_DEG:
            return _turn(error)
        self._walked.append(here)
        return "w"

    def _waypoint(self, here: tuple[float, float], leg: Leg) -> tuple[float, float]:
        """The farthest point of the way that can be walked to in a straight line."""
        if self._field is None:
            self._field = self._nav.distances_to(leg.x, leg.y, leg.stop)
        way = self._nav.descend(self._field, *here, steps=60, careful=self._careful)
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
        recent = self._walked[-_STUCK_TICKS:]
        stuck = len(recent) == _STUCK_TICKS and all(math.dist(here, place) < _STUCK_DISTANCE for place in recent)
        if stuck:
            self._walked.clear()
        return stuck


def _arrive(state: ArenaState, leg: Leg, distance: float) -> Action | None:
    """Before a key is pressed: face the thing, walk into reach; None when it can be pressed."""
    error = _bearing(state, leg.face or (leg.x, leg.y))
    if abs(error) > USE_AIM_DEG:
        return _turn(error)
    return "w" if distance > USE_REACH else None


def _bearing(state: ArenaState, point: tuple[float, float]) -> float:
    """Degrees to the left (positive) or right of straight ahead."""
    return wrap_degrees(math.degrees(math.atan2(point[1] - state.y, point[0] - state.x)) - state.angle)


def _turn(error: float) -> Action:
    return cast(Action, "left" if error > 0 else "right")
