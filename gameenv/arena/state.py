"""What the referee and the expert may know of the running game: one immutable record a tick."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """Something that moves by itself: its class name in the engine, its place in map units, its angle in degrees."""

    name: str
    x: float
    y: float
    angle: float


@dataclass(frozen=True, slots=True)
class ArenaState:
    """The player and the sectors after a tick.

    Attributes:
        x, y, z: Position of the feet, map units.
        angle: Degrees, counter-clockwise from east, 0 to 360.
        pitch: Degrees, positive looks down.
        vx, vy: Velocity, map units an engine tic (1/35 s).
        health: 100 at the start, 0 dead.
        eyes: Height of the eyes above the feet, map units: 41 standing, 20.5 crouched, and they bob in walking.
        ceilings: Ceiling height of every sector by number; a door opens by raising its ceiling.
        actors: The level's own actors, if it watches them.
    """

    x: float
    y: float
    z: float
    angle: float
    pitch: float
    vx: float
    vy: float
    health: float
    eyes: float = 41.0
    ceilings: tuple[float, ...] = ()
    actors: tuple[Actor, ...] = ()
