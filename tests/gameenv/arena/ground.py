"""Where one can stand on a plan, as the way on foot sees it."""

import numpy as np

from gameenv.arena.world.nav import NavGrid


def can_stand(nav: NavGrid, x: float, y: float) -> bool:
    """Whether a way leads from a point to itself: none does where a player has no room."""
    return bool(np.isfinite(nav.distances_to(x, y, 0.0)[nav.node(x, y)]))
