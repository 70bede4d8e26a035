"""Crawl through a vent: stand before it, crouch, creep in before the knees straighten, and on to the other end.

There is one action a tick, so ``c`` is not held while walking: under the low ceiling one cannot stand up anyway.
"""

from dataclasses import dataclass

from gameenv.actions import Action
from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.walker import GLIDE_TICS
from gameenv.arena.player.way import Way, speed
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point

_BEFORE = 44.0
_STOP = 14.0
_HALF_WIDTH = 16.0  # of the player
_ASIDE = 9.0  # from the middle of a vent 64 wide
_CROUCHED = 36.0
_AT_REST = 1.5
_DUCK: tuple[Action, ...] = ("c", "c", "w", "w", "w")
_SPEED = 150.0  # map units a second on one's knees


@dataclass(frozen=True, slots=True)
class Crawl:
    """Through a vent ``length`` units long.

    Attributes:
        mouth: The middle of its near end, in the plane of the wall, map units.
        direction: The way through, (dx, dy).
        length: Map units.
    """

    mouth: Point
    direction: tuple[int, int]
    length: float

    @property
    def begins(self) -> Stop:
        """Before the mouth."""
        return Stop(self._point(-_BEFORE), _STOP)

    @property
    def ends(self) -> Point:
        """Behind the other end."""
        return self._point(self.length + _BEFORE)

    @property
    def seconds(self) -> float:
        """The crouch and the crawl."""
        return 2.0 + self.length / _SPEED

    def _point(self, along: float) -> Point:
        return self.mouth[0] + self.direction[0] * along, self.mouth[1] + self.direction[1] * along

    def next(self, way: Way, state: ArenaState) -> Moves:
        """What the way through it needs from here."""
        (dx, dy), (x, y) = self.direction, (state.x - self.mouth[0], state.y - self.mouth[1])
        along = x * dx + y * dy
        if along > self.length + _BEFORE / 2:
            return Moves(done=True)
        straight = way.face(state, (state.x + 100 * dx, state.y + 100 * dy))
        if along > -_HALF_WIDTH and (state.eyes < _CROUCHED or along > self.length - _HALF_WIDTH):
            return Moves((straight or "w",))
        left = (y + state.vy * GLIDE_TICS) * dx - (x + state.vx * GLIDE_TICS) * dy  # where one comes to rest
        word = None
        if along < -_BEFORE - 2 * _STOP or abs(left) > 2 * _BEFORE:
            word = way.walk(state, self._point(-_BEFORE), _STOP)
        word = word or straight
        if word is None and abs(left) > _ASIDE:
            word = "d" if left > 0 else "a"
        elif word is None and along < -1.5 * _HALF_WIDTH:
            word = "w"
        elif word is None and speed(state) > _AT_REST:
            word = "none"
        return Moves((word,)) if word else Moves(_DUCK)
