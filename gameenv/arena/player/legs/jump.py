"""Jump onto a ledge: take a run-up, jump before the edge, walk on to the middle.

In the air the engine's player keeps his speed and cannot steer, so what counts is how fast he was when he jumped.
"""

import math
from dataclasses import dataclass

from gameenv.actions import Action
from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.walker import FRICTION, GLIDE_TICS, MAX_SPEED, WALK_THRUST
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point

_RUN_UP = 176.0
_JUMP_FROM, _JUMP_BY, _JUMP_TO = 84.0, 64.0, 44.0
_FAST = 4.5  # map units a tic: enough to come down on the ledge
_ASIDE = 24.0
_BESIDE = 56.0  # nearer than this one may stand beside the ledge, not before it
_STOP = 24.0
_LEAP: tuple[Action, ...] = ("space", "w", "w", "w")


@dataclass(frozen=True, slots=True)
class Jump:
    """Onto a ledge.

    Attributes:
        edge: The middle of its edge, map units.
        direction: From the edge onto the ledge, (dx, dy).
        half_width: Of the edge.
        ends: Where to come to rest on the ledge.
        top: Height of the ledge.
    """

    edge: Point
    direction: tuple[int, int]
    half_width: float
    ends: Point
    top: float
    seconds = 2.0

    @property
    def begins(self) -> Stop:
        """At the beginning of the run-up."""
        (x, y), (dx, dy) = self.edge, self.direction
        return Stop((x - dx * _RUN_UP, y - dy * _RUN_UP), _STOP)

    def next(self, way: Way, state: ArenaState) -> Moves:
        """Where the player is in run-up, leap and landing, and what comes next there."""
        (dx, dy), (x, y) = self.direction, (state.x - self.edge[0], state.y - self.edge[1])
        before, forward = -(x * dx + y * dy), state.vx * dx + state.vy * dy
        if state.z >= self.top - 1:
            return self._walk_on(way, state)
        if state.z > 1:  # in the air
            return Moves(("w",))
        straight = way.face(state, (state.x + 100 * dx, state.y + 100 * dy))
        left = (y + state.vy * GLIDE_TICS) * dx - (x + state.vx * GLIDE_TICS) * dy  # where one comes to rest
        running = forward > _FAST and straight is None and abs(left) < self.half_width - _ASIDE / 2
        if running and before > _JUMP_TO:
            return Moves(("w",)) if before > _JUMP_FROM else Moves(_LEAP)
        word = None
        off_line = abs(left) > self.half_width - _ASIDE
        if before > _RUN_UP + 2 * _STOP or abs(left) > self.half_width + _ASIDE or (off_line and before < _BESIDE):
            word = way.walk(state, self.begins.place, _STOP)
        word = word or straight
        if word is None and off_line:
            word = "d" if left > 0 else "a"
        if word is None:
            word = "w" if _speed_after(before - _JUMP_BY, forward) > _FAST else "s"
        return Moves((word,))

    def _walk_on(self, way: Way, state: ArenaState) -> Moves:
        """To the middle of the ledge; over it, too, if the speed carries that far."""
        distance = math.dist((state.x, state.y), self.ends)
        toward = (state.vx * (self.ends[0] - state.x) + state.vy * (self.ends[1] - state.y)) / max(distance, 1.0)
        if distance - toward * GLIDE_TICS <= _STOP:
            return Moves(done=True)
        return Moves((way.face(state, self.ends, 20.0) or "w",))


def _speed_after(distance: float, speed: float) -> float:
    """Speed of a player who holds ``w`` for so many map units, from a speed (negative: backwards) on."""
    walked = 0.0
    while walked < distance and speed < MAX_SPEED - 0.5:
        speed += WALK_THRUST
        walked += speed
        speed *= FRICTION
    return speed
