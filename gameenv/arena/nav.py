"""The way on foot: where a player can stand in a plan, straight lines that are free, and distance fields.

Nodes lie every 16 map units. Knows nothing of turning, keys or goals.
"""

import heapq
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gameenv.arena.geometry import CELL, VOID, Plan, Thing

SPACING = 16
_TIGHT = 20.0  # a player's box reaches 16 units each way: here one can stand
_ROOMY = 28.0  # here one can walk without brushing along corners
_TIGHT_COST = 3.0
_CLIMB = 24
_HEADROOM = 56
_NEIGHBOURS = [(dc, dr, math.hypot(dc, dr)) for dc in (-1, 0, 1) for dr in (-1, 0, 1) if dc or dr]


class NavGrid:
    """Standing room of a plan, doors closed.

    Args:
        plan: The level's geometry.
        obstacles: Solid things to walk around.
    """

    def __init__(self, plan: Plan, obstacles: Sequence[Thing]) -> None:
        scale = CELL // SPACING
        regions = np.array(plan.cells)
        floors = np.array([*(region.floor for region in plan.regions), 1 << 14])  # VOID indexes the last
        rooms = np.array([*(region.ceiling - region.floor for region in plan.regions), 0])
        cell_floor = np.where(rooms[regions] >= _HEADROOM, floors[regions], 1 << 14)
        cell_floor[regions == VOID] = 1 << 14
        self._floor = np.kron(cell_floor, np.ones((scale, scale), int))
        self._free, self._roomy = self._standing_room(_TIGHT), self._standing_room(_ROOMY)
        self._over_x = _crossings(self._floor)
        self._over_y = _crossings(self._floor.T).T
        ys, xs = np.mgrid[0 : self._free.shape[0], 0 : self._free.shape[1]] * SPACING + SPACING / 2
        for thing in obstacles:
            gap = np.hypot(xs - thing.x, ys - thing.y) - thing.radius
            self._free &= gap > _TIGHT - 2
            self._roomy &= gap > _ROOMY - 2

    def _standing_room(self, clearance: float) -> np.ndarray:
        """Nodes whose surroundings within the clearance are no wall, no drop and no high step."""
        reach = math.ceil(clearance / SPACING)
        padded = np.pad(self._floor, reach, constant_values=1 << 14)
        free = self._floor < 1 << 13
        rows, columns = self._floor.shape
        for dr in range(-reach, reach + 1):
            for dc in range(-reach, reach + 1):
                gap = (max(abs(dr), abs(dc)) - 0.5) * SPACING  # the player is a box, so corners count in full
                if gap < clearance:
                    near = padded[reach + dr : reach + dr + rows, reach + dc : reach + dc + columns]
                    free &= abs(near - self._floor) <= (_CLIMB if max(abs(dr), abs(dc)) <= 1 else 2 * _CLIMB)
        return free

    def node(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the node whose square holds a point."""
        rows, columns = self._free.shape
        return min(max(int(y // SPACING), 0), rows - 1), min(max(int(x // SPACING), 0), columns - 1)

    def is_free(self, x: float, y: float) -> bool:
        """Whether a player can stand at a point."""
        return bool(self._free[self.node(x, y)])

    def clear_line(self, here: tuple[float, float], there: tuple[float, float], stop: float = 0.0) -> bool:
        """Whether one can walk straight from one point to within ``stop`` units of another, with room to spare."""
        length = math.dist(here, there)
        count = int(max(length - stop, 0.0) // 8) + 1
        along = np.arange(1, count) * 8 / max(length, 1e-9)
        columns = ((here[0] + (there[0] - here[0]) * along) // SPACING).astype(int)
        rows = ((here[1] + (there[1] - here[1]) * along) // SPACING).astype(int)
        roomy, free = self._roomy[rows, columns], self._free[rows, columns]
        at_edge = 4  # whoever stands in a tight place must be let out of it
        steps = self._can_step(rows[:-1], columns[:-1], rows[1:], columns[1:])
        return bool(free.all() and roomy[at_edge:].all() and np.all(steps))

    def _can_step(self, r0: Any, c0: Any, r1: Any, c1: Any) -> Any:
        """Whether the floor lets one go from nodes to neighbouring nodes: on the level, or squarely up or down."""
        last_row, last_column = self._over_y.shape[0] - 1, self._over_x.shape[1] - 1
        across = self._over_x[r0, np.minimum(np.minimum(c0, c1), last_column)] | (c0 == c1)
        along = self._over_y[np.minimum(np.minimum(r0, r1), last_row), c1] | (r0 == r1)
        return across & along

    def distances_to(self, x: float, y: float, within: float) -> np.ndarray:
        """Walking distance of every node to the disc around a point; infinite where there is no way."""
        distance = np.full(self._free.shape, np.inf)
        queue: list[tuple[float, int, int]] = []
        reach = math.ceil(within / SPACING) + 1
        row, column = self.node(x, y)
        for r in range(max(row - reach, 0), min(row + reach + 1, distance.shape[0])):
            for c in range(max(column - reach, 0), min(column + reach + 1, distance.shape[1])):
                gap = math.dist(((c + 0.5) * SPACING, (r + 0.5) * SPACING), (x, y))
                if self._free[r, c] and gap <= max(within, SPACING):
                    distance[r, c] = gap
                    queue.append((gap, r, c))
        heapq.heapify(queue)
        free = self._free
        price = np.where(self._roomy, 1.0, _TIGHT_COST) * SPACING
        while queue:
            so_far, r, c = heapq.heappop(queue)
            if so_far > distance[r, c]:
                continue
            for dc, dr, cost in _NEIGHBOURS:
                nr, nc = r + dr, c + dc
                total = so_far + cost * price[nr, nc]
                if not free[nr, nc] or total >= distance[nr, nc]:
                    continue
                if self._can_step(nr, nc, r, c):
                    distance[nr, nc] = total
                    heapq.heappush(queue, (total, nr, nc))
        return distance

    def descend(self, distance: np.ndarray, x: float, y: float, steps: int) -> list[tuple[float, float]]:
        """Points of the way down a distance field from a place, nearest first; empty where there is none."""
        row, column = self._nearest_reached(distance, *self.node(x, y))
        way = []
        for _ in range(steps):
            candidates = [(distance[row + dr, column + dc], row + dr, column + dc) for dc, dr, _ in _NEIGHBOURS]
            best, row_next, column_next = min(candidates)
            if not best < distance[row, column]:
                break
            row, column = row_next, column_next
            way.append(((column + 0.5) * SPACING, (row + 0.5) * SPACING))
        return way

    @staticmethod
    def _nearest_reached(distance: np.ndarray, row: int, column: int) -> tuple[int, int]:
        """The node itself, or the nearest one with a way if the player was pushed into a corner."""
        if np.isfinite(distance[row, column]):
            return row, column
        rows, columns = np.nonzero(np.isfinite(distance))
        if not len(rows):
            return row, column
        best = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
        return int(rows[best]), int(columns[best])


def _crossings(floor: np.ndarray) -> np.ndarray:
    """Whether one can walk between neighbouring columns of each row, shape ``(rows, columns - 1)``.

    Up or down a step only where the floor stays as high for two nodes to either side: in the middle of a flight, not
    over its flank, where the player's box would catch on the next step.
    """
    level = floor[:, :-1] == floor[:, 1:]
    low_enough = abs(floor[:, :-1] - floor[:, 1:]) <= _CLIMB
    padded = np.pad(floor, ((2, 2), (0, 0)), constant_values=1 << 14)
    square = (padded[:-4] == floor) & (padded[4:] == floor)
    return level | (low_enough & square[:, :-1] & square[:, 1:])
