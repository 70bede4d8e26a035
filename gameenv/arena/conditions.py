"""The conditions goals are made of, judged from the engine's own state."""

import math
from dataclasses import dataclass

from gameenv.arena.state import ArenaState


@dataclass(frozen=True, slots=True)
class Near:
    """The player stands within ``radius`` map units of a point (measured from centre to centre)."""

    x: float
    y: float
    radius: float
    latches: bool = False
    for_s: float = 0.0

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
    latches: bool = False
    for_s: float = 0.0

    def holds(self, state: ArenaState) -> bool:
        """Whether the player's feet are on the platform now."""
        inside = self.left <= state.x <= self.right and self.bottom <= state.y <= self.upper
        return inside and state.z >= self.z


@dataclass(frozen=True, slots=True)
class DoorOpened:
    """A door's ceiling has risen by at least a player's height: it was opened."""

    sector: int
    rise: float = 56
    latches: bool = True
    for_s: float = 0.0

    def holds(self, state: ArenaState) -> bool:
        """Whether the door is open now."""
        return state.ceilings[self.sector] >= self.rise
