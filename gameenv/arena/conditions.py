"""The conditions goals are made of, judged from the engine's own state; that nobody wins dead is the referee's."""

import math
from dataclasses import dataclass

from gameenv.arena.aim import bearing, pitch_to
from gameenv.arena.state import ArenaState

LOOK_S = 0.5
"""How long a look must last."""


@dataclass(frozen=True, slots=True)
class Near:
    """The player stands within ``radius`` map units of a point (measured from centre to centre)."""

    x: float
    y: float
    radius: float

    def holds(self, state: ArenaState) -> bool:
        """Whether the player is near enough now."""
        return math.dist((state.x, state.y), (self.x, self.y)) <= self.radius


@dataclass(frozen=True, slots=True)
class OnPlatform:
    """The player stands within a rectangle at or above a height."""

    left: float
    bottom: float
    right: float
    upper: float
    z: float

    def holds(self, state: ArenaState) -> bool:
        """Whether the player's feet are on the platform now."""
        inside = self.left <= state.x <= self.right and self.bottom <= state.y <= self.upper
        return inside and state.z >= self.z


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """A door's ceiling has risen by at least a player's height: it was opened."""

    sector: int
    rise: float = 56

    def holds(self, state: ArenaState) -> bool:
        """Whether the door is open now."""
        return state.ceilings[self.sector] >= self.rise


@dataclass(frozen=True, slots=True)
class Looks:
    """The player stands before a point and has it near the middle of the view.

    Attributes:
        x, y, z: The point.
        nearest, farthest: How far away the player may stand, map units over the floor.
        side: Which way the wall with the point lies from the player: (dx, dy), one of them 0; (0, 0) for any way.
        front_deg: How far from squarely before that wall one may stand.
        lowest: Least height of the player's feet.
        aim_deg: How far the point may be to the left or right of the picture's middle.
        pitch_deg: How far it may be above or below.
    """

    x: float
    y: float
    z: float
    nearest: float
    farthest: float
    side: tuple[int, int] = (0, 0)
    front_deg: float = 50.0
    lowest: float = -math.inf
    aim_deg: float = 12.0
    pitch_deg: float = 12.0

    def holds(self, state: ArenaState) -> bool:
        """Whether the player looks at it now."""
        distance = math.dist((state.x, state.y), (self.x, self.y))
        if not self.nearest <= distance <= self.farthest or state.z < self.lowest:
            return False
        inward = (self.x - state.x) * self.side[0] + (self.y - state.y) * self.side[1]
        if self.side != (0, 0) and inward < distance * math.cos(math.radians(self.front_deg)):
            return False
        aside = bearing(state, (self.x, self.y))
        above = pitch_to(state, (self.x, self.y, self.z)) - state.pitch
        return abs(aside) <= self.aim_deg and abs(above) <= self.pitch_deg


@dataclass(frozen=True, slots=True)
class LooksAtOne:
    """The player stands before one of several pictures and has it near the middle of the view."""

    looks: tuple[Looks, ...]

    def holds(self, state: ArenaState) -> bool:
        """Whether the player looks at any of them now."""
        return any(look.holds(state) for look in self.looks)


@dataclass(frozen=True, slots=True)
class Within:
    """The player stands within a rectangle."""

    left: float
    bottom: float
    right: float
    upper: float

    def holds(self, state: ArenaState) -> bool:
        """Whether the player's middle is inside now."""
        return self.left <= state.x <= self.right and self.bottom <= state.y <= self.upper
