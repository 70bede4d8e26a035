"""What the referee and the expert may know of the running game: one immutable record a tick."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ArenaState:
    """The player and the sectors after a tick.

    Attributes:
        x, y, z: Position of the feet, map units.
        angle: Degrees, counter-clockwise from east, 0 to 360.
        pitch: Degrees, positive looks down.
        vx, vy: Velocity, map units an engine tic (1/35 s).
        health: 100 at the start, 0 dead.
        ceilings: Ceiling height of every sector by number; a door opens by raising its ceiling.
    """

    x: float
    y: float
    z: float
    angle: float
    pitch: float
    vx: float
    vy: float
    health: float
    ceilings: tuple[float, ...]
