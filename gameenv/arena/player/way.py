"""The way on foot, key by key: turns toward a place, walks around what is in between, gets free when stuck.

It looks before it walks: a target out of view is searched by turning right, as someone would who sees only the
frame. Remembers how far it has come; knows nothing of goals or of what is done on arrival.
"""

import copy
import math
from random import Random
from typing import cast

import numpy as np

from gameenv.actions import Action
from gameenv.arena.aim import bearing
from gameenv.arena.player.walker import GLIDE_TICS
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point
from gameenv.arena.world.nav import NavGrid

HALF_VIEW_DEG = 48.0
"""Bearing at which a target counts as in view; the picture ends at 53 degrees."""
AIM_DEG = 7.0
"""Smallest heading error that is corrected: about what one tap of a turn key gives."""
SWING_DEG = 24.0
"""Heading error up to which a walker goes on walking between taps of a turn key: it comes in on a curve."""
MOVING = 3.0
"""Speed, in map units a tic, from which a player counts as walking."""
PITCH_AIM_DEG = 5.0
"""Smallest error of looking up or down that is corrected: a tick of the key gives 7.4 or 9.9 degrees."""
_STUCK_TICKS = 12
_STUCK_DISTANCE = 16.0
_FREEING_TICKS = 3


def turn(error: float) -> Action:
    """The key that turns toward a heading error."""
    return cast(Action, "left" if error > 0 else "right")


class Way:
    """Walks.

    Args:
        nav: Where one can stand.
        rng: Throws the direction in which a stuck player tries to get free.
    """

    def __init__(self, nav: NavGrid, rng: Random) -> None:
        self.nav = nav
        self.freeing: list[Action] = []
        """The next moves of a player who is stuck and tries to get free; whoever leads him plays them first."""
        self.last: Action = "none"
        """The word played before."""
        self._rng = rng
        self._field: tuple[Point, np.ndarray] | None = None
        self._walked: list[Point] = []
        self._careful = False

    def copy(self) -> "Way":
        """A way that remembers the same and can be asked what-if questions."""
        twin = copy.copy(self)
        twin._rng = copy.copy(self._rng)
        twin._walked, twin.freeing = list(self._walked), list(self.freeing)
        return twin

    def walk(self, state: ArenaState, to: Point, stop: float) -> Action | None:
        """The next key on the way to a place, None once one comes to rest within ``stop`` map units of it."""
        here = state.x, state.y
        distance = math.dist(here, to)
        toward = (state.vx * (to[0] - state.x) + state.vy * (to[1] - state.y)) / max(distance, 1.0)
        if distance - max(toward, 0.0) * GLIDE_TICS <= stop:
            return None
        if self._is_stuck(here):
            self._careful = True
            self.freeing = [self._rng.choice(("s", "a", "d"))] * _FREEING_TICKS
        error = bearing(state, to)
        if self.nav.clear_line(here, to, stop):
            if abs(error) > HALF_VIEW_DEG:
                return "right"
        else:
            error = bearing(state, self._waypoint(here, to, stop))
        if abs(error) > AIM_DEG:
            curves = abs(error) < SWING_DEG and self.last in ("left", "right") and speed(state) > MOVING
            if not curves:
                return turn(error)
        self._walked.append(here)
        return "w"

    def face(self, state: ArenaState, point: Point, within: float = AIM_DEG) -> Action | None:
        """The key that turns toward a point, None when it is straight ahead."""
        error = bearing(state, point)
        return turn(error) if abs(error) > within else None

    def tilt(self, state: ArenaState, pitch: float, within: float = PITCH_AIM_DEG) -> Action | None:
        """The key that looks up or down toward a pitch (degrees, positive down), None when it is reached."""
        error = pitch - state.pitch
        return None if abs(error) <= within else "down" if error > 0 else "up"

    def _waypoint(self, here: Point, to: Point, stop: float) -> Point:
        """The farthest point of the way that can be walked to in a straight line."""
        if self._field is None or self._field[0] != to:
            self._field = to, self.nav.distances_to(*to, stop)
        way = self.nav.descend(self._field[1], *here, steps=60, careful=self._careful)
        if not way:
            return to
        best = way[min(1, len(way) - 1)]
        for point in way[2:]:
            if not self.nav.clear_line(here, point):
                break
            best = point
        return best

    def _is_stuck(self, here: Point) -> bool:
        """Whether walking has led nowhere for a while."""
        recent = self._walked[-_STUCK_TICKS:]
        stuck = len(recent) == _STUCK_TICKS and all(math.dist(here, place) < _STUCK_DISTANCE for place in recent)
        if stuck:
            self._walked.clear()
        return stuck


def speed(state: ArenaState) -> float:
    """Map units a tic over the floor."""
    return math.hypot(state.vx, state.vy)
