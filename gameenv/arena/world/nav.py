"""The way on foot: where a player can stand in a plan, straight lines that are free, and distance fields.

Nodes lie every 16 map units. Knows nothing of turning, keys or goals.
"""

import heapq
import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Point, Region, Thing

SPACING = 16
_TIGHT = 20.0  # a player's box reaches 16 units each way: here one can stand
_ROOMY = 28.0  # here one can walk without brushing along corners
_TIGHT_COST = 3.0
_CLIMB = 24
_VOID_FLOOR = 1 << 14
_HEADROOM = 56
_NEIGHBOURS = [(dc, dr, math.hypot(dc, dr)) for dc in (-1, 0, 1) for dr in (-1, 0, 1) if dc or dr]


class NavGrid:
    """Standing room of a plan, with every door open.

    Args:
        plan: The level's geometry.
        obstacles: Solid things to walk around.
    """

    def __init__(self, plan: FloorPlan, obstacles: Sequence[Thing]) -> None:
        scale = CELL // SPACING
        regions = np.array(plan.cells)
        floors = np.array([*(region.floor for region in plan.regions), _VOID_FLOOR], np.int32)  # VOID indexes the last
        rooms = np.array([*(_headroom(region) for region in plan.regions), 0])
        cell_floor = np.where(rooms[regions] >= _HEADROOM, floors[regions], np.int32(_VOID_FLOOR))
        cell_floor[regions == VOID] = _VOID_FLOOR
        self._floor = cell_floor.repeat(scale, axis=0).repeat(scale, axis=1)
        # The player is a box, so corners count in full: its squares of nodes reach as far as the clearances do.
        self._free = self._standing_room(1, _CLIMB)
        self._roomy = self._free & self._standing_room(2, 2 * _CLIMB)
        self._over_x = _crossings(self._floor)
        self._over_y = _crossings(self._floor.T).T
        ys, xs = (np.arange(count) * SPACING + SPACING / 2 for count in self._free.shape)
        for thing in obstacles:
            squares = (xs - thing.x) ** 2 + (ys - thing.y)[:, None] ** 2
            self._free &= squares > (thing.radius + _TIGHT - 2) ** 2
            self._roomy &= squares > (thing.radius + _ROOMY - 2) ** 2

    def _standing_room(self, reach: int, climb: int) -> np.ndarray:
        """Nodes with no wall, drop or step of more than ``climb`` in the square of nodes up to ``reach`` away."""
        rows, columns = self._floor.shape
        around = _framed(self._floor, reach, reach)
        span = range(2 * reach + 1)
        heights = []
        for extreme in (np.maximum, np.minimum):  # over the rows of the square, then over its columns
            line = extreme.reduce([around[r : r + rows] for r in span])
            heights.append(extreme.reduce([line[:, c : c + columns] for c in span]))
        highest, lowest = heights
        return (self._floor < _VOID_FLOOR) & (highest - self._floor <= climb) & (self._floor - lowest <= climb)

    def node(self, x: float, y: float) -> tuple[int, int]:
        """Row and column of the node whose square holds a point."""
        rows, columns = self._free.shape
        return min(max(int(y // SPACING), 0), rows - 1), min(max(int(x // SPACING), 0), columns - 1)

    def floor_at(self, x: float, y: float) -> float:
        """Height of the floor of the node whose square holds a point; enormous in the void."""
        return float(self._floor[self.node(x, y)])

    def clear_line(self, here: Point, there: Point, stop: float = 0.0) -> bool:
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

    def has_way(self, here: Point, there: Point, within: float) -> bool:
        """Whether one can walk from one point to the disc around another."""
        if self.clear_line(here, there, within):
            return True
        return bool(np.isfinite(self.distances_to(*there, within, until=here)[self.node(*here)]))

    def distances_to(self, x: float, y: float, within: float, until: Point | None = None) -> np.ndarray:
        """Walking distance of every node to the disc around a point; infinite where there is no way.

        With ``until`` only that point's and smaller distances are sure.
        """
        rows, columns = self._free.shape
        distance = [[math.inf] * columns for _ in range(rows)]
        queue: list[tuple[float, int, int]] = []
        reach = math.ceil(within / SPACING) + 1
        row, column = self.node(x, y)
        for r in range(max(row - reach, 0), min(row + reach + 1, rows)):
            for c in range(max(column - reach, 0), min(column + reach + 1, columns)):
                gap = math.dist(((c + 0.5) * SPACING, (r + 0.5) * SPACING), (x, y))
                if self._free[r, c] and gap <= max(within, SPACING):
                    distance[r][c] = gap
                    queue.append((gap, r, c))
        return self._spread(distance, queue, None if until is None else self.node(*until))

    def _spread(
        self, distance: list[list[float]], queue: list[tuple[float, int, int]], until: tuple[int, int] | None
    ) -> np.ndarray:
        """Dijkstra's algorithm from the nodes in ``queue``, on plain lists: ten times as fast as on arrays."""
        heapq.heapify(queue)
        price = np.where(self._free, np.where(self._roomy, 1.0, _TIGHT_COST) * SPACING, np.inf).tolist()
        over_x, over_y = self._over_x.tolist(), self._over_y.tolist()
        while queue:
            so_far, r, c = heapq.heappop(queue)
            if (r, c) == until:
                break
            if so_far > distance[r][c]:
                continue
            for dc, dr, cost in _NEIGHBOURS:
                nr, nc = r + dr, c + dc
                total = so_far + cost * price[nr][nc]
                if total >= distance[nr][nc]:
                    continue
                # As in _can_step from the neighbour to here.
                if (not dc or over_x[nr][min(c, nc)]) and (not dr or over_y[min(r, nr)][c]):
                    distance[nr][nc] = total
                    heapq.heappush(queue, (total, nr, nc))
        return np.array(distance)

    def descend(self, distance: np.ndarray, x: float, y: float, steps: int, *, careful: bool = False) -> list[Point]:
        """Points of the way down a distance field from a place, nearest first; empty where there is none.

        It may cut across the corner of a flight of stairs, as one mostly can; ``careful`` does not.
        """
        row, column = self._nearest_reached(distance, *self.node(x, y))
        way = []
        for _ in range(steps):
            around = sorted((distance[row + dr, column + dc], row + dr, column + dc) for dc, dr, _ in _NEIGHBOURS)
            lower = (near[1:] for near in around if near[0] < distance[row, column])
            following = next((near for near in lower if not careful or self._can_step(row, column, *near)), None)
            if following is None:
                break
            row, column = following
            way.append(((column + 0.5) * SPACING, (row + 0.5) * SPACING))
        return way

    def _nearest_reached(self, distance: np.ndarray, row: int, column: int) -> tuple[int, int]:
        """The node itself, or the nearest one with a way if the player was pushed into a corner.

        On the same floor: beside a flight of stairs the nearest one of all may lie on a step that cannot be climbed
        from there.
        """
        if np.isfinite(distance[row, column]):
            return row, column
        reached = np.isfinite(distance)
        level = reached & (self._floor == self._floor[row, column])
        rows, columns = np.nonzero(level if level.any() else reached)
        if not len(rows):
            return row, column
        best = int(np.argmin((rows - row) ** 2 + (columns - column) ** 2))
        return int(rows[best]), int(columns[best])


def _headroom(region: Region) -> int:
    return _HEADROOM if region.door_speed or region.tag else region.ceiling - region.floor


def _framed(floor: np.ndarray, above: int, beside: int) -> np.ndarray:
    """The floor with so many rows and columns of void around it (several times as fast as ``np.pad``)."""
    rows, columns = floor.shape
    framed = np.full((rows + 2 * above, columns + 2 * beside), _VOID_FLOOR, floor.dtype)
    framed[above : above + rows, beside : beside + columns] = floor
    return framed


def _crossings(floor: np.ndarray) -> np.ndarray:
    """Whether one can walk between neighbouring columns of each row, shape ``(rows, columns - 1)``.

    Up or down a step only where the floor stays as high for two nodes to either side: in the middle of a flight, not
    over its flank, where the player's box would catch on the next step.
    """
    level = floor[:, :-1] == floor[:, 1:]
    low_enough = abs(floor[:, :-1] - floor[:, 1:]) <= _CLIMB
    padded = _framed(floor, 2, 0)
    square = (padded[:-4] == floor) & (padded[4:] == floor)
    return level | (low_enough & square[:, :-1] & square[:, 1:])
