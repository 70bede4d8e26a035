"""Walk up to something and press ``enter``: a door, a switch."""

import math
from dataclasses import dataclass

from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point

AIM_DEG = 14.0
REACH = 34.0
"""Distance from the place before it at which pressing works; the engine reaches 64 units, and places lie 16 before."""
_STOP = 28.0


@dataclass(frozen=True, slots=True)
class Press:
    """Stand before something, look at it, press.

    Attributes:
        place: Where to stand, map units: about 16 before what is pressed.
        face: What to look at.
    """

    place: Point
    face: Point
    ends = None
    seconds = 0.5

    @property
    def begins(self) -> Stop:
        """Before the thing."""
        return Stop(self.place, _STOP)

    def next(self, way: Way, state: ArenaState) -> Moves:
        """Walk there, face it, walk into reach, press."""
        word = way.walk(state, self.place, _STOP) or way.face(state, self.face, AIM_DEG)
        if word is None and math.dist((state.x, state.y), self.place) > REACH:
            word = "w"
        return Moves(("enter",), done=True) if word is None else Moves((word,))
