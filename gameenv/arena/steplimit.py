"""How long an episode may last: about three times what the scripted expert needs, from geometry alone."""

import math

from gameenv.arena.levels import Level
from gameenv.arena.player.legs.leg import end_of
from gameenv.clock import DEFAULT_FPS

WALK_SPEED = 290.0
"""Map units a second of a player who has picked up speed."""
_OVERHEAD_S = 3.0  # turning round, picking up speed, coming to rest, seven ticks of `none`
_SLACK = 3.0


def step_limit(level: Level, fps: float = DEFAULT_FPS) -> int:
    """Ticks after which an episode on this level is truncated."""
    here = float(level.start.x), float(level.start.y)
    seconds = _OVERHEAD_S
    for leg in level.route:
        seconds += math.dist(here, leg.begins.place) / WALK_SPEED + leg.seconds
        here = end_of(leg)
    return math.ceil(_SLACK * seconds * fps)
