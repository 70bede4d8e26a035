"""What the guard can see from where on a level's plan: by its cone, and where no wall is in the way.

Knows nothing of the way, of keys or of goals.
"""

from collections.abc import Sequence

import numpy as np

from gameenv.arena.world.geometry import CELL, FloorPlan, Point
from gameenv.arena.world.sentry import CONE_DEG, TOUCH, Pose

_SAMPLE = 16.0
_HIDES = 56
"""A block as high as a player hides one."""


class Sight:
    """Lines of sight in a plan, doors closed."""

    def __init__(self, plan: FloorPlan) -> None:
        is_open = [region.ceiling > region.floor and region.floor < _HIDES for region in plan.regions]
        self._open = np.array([*is_open, False])[np.array(plan.cells)]  # VOID indexes the last

    def clear(self, eyes: np.ndarray, points: np.ndarray) -> np.ndarray:
        """Whether nothing stands between, for every eye ``(n, 2)`` and point ``(m, 2)``: shape ``(n, m)``."""
        start = (eyes.T[:, :, None] / CELL).astype(np.float32)
        away = (points.T[:, None] / CELL).astype(np.float32) - start
        count = int(np.hypot(*away).max() * CELL / _SAMPLE) + 2
        clear = np.ones(away.shape[1:], bool)
        for share in np.linspace(0.0, 1.0, count, dtype=np.float32):
            columns, rows = (start + away * share).astype(np.intp)
            clear &= self._open[rows, columns]
        return clear

    def seen(
        self, poses: Sequence[Pose], points: Sequence[Point], *, spread: float = 0.0, wider_deg: float = 0.0
    ) -> np.ndarray:
        """Whether a guard in each pose would see someone at each point, shape ``(poses, points)``.

        Args:
            spread: How far, to each side, the one at the point may stand off it.
            wider_deg: Added to each side of the cone, to be on the safe side.
        """
        offsets = [(a * spread, b * spread) for a in (-1, 1) for b in (-1, 1)] if spread else [(0.0, 0.0)]
        at = np.array([(pose.x, pose.y) for pose in poses])
        places, which = np.unique(at.round(3), axis=0, return_inverse=True)
        angle = np.array([pose.angle for pose in poses])[:, None]
        seen = np.zeros((len(poses), len(points)), bool)
        for offset in offsets:
            spots = np.array(points) + offset
            dx, dy = np.moveaxis(spots[None] - at[:, None], 2, 0)
            off = (np.degrees(np.arctan2(dy, dx)) - angle + 180.0) % 360.0 - 180.0
            noticed = (abs(off) <= CONE_DEG / 2 + wider_deg) | (np.hypot(dx, dy) <= TOUCH + spread)
            seen |= noticed & self.clear(places, spots)[which.reshape(-1)]
        return seen
