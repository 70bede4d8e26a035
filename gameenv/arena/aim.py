"""Where things are as the player sees them: left or right, up or down. Knows nothing of keys or goals."""

import math

from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import Point


def wrap_degrees(angle: float) -> float:
    """An angle brought to -180 to 180."""
    return (angle + 180.0) % 360.0 - 180.0


def bearing(state: ArenaState, point: Point) -> float:
    """Degrees to the left (positive) or right of straight ahead."""
    return wrap_degrees(math.degrees(math.atan2(point[1] - state.y, point[0] - state.x)) - state.angle)


def pitch_to(state: ArenaState, point: tuple[float, float, float]) -> float:
    """The pitch at which a point is in the middle of the picture: degrees, positive looks down."""
    distance = math.dist((state.x, state.y), point[:2])
    return math.degrees(math.atan2(state.z + state.eyes - point[2], distance))
