"""What a frame shows, from the level's plan and the player's place in it: the truth for whoever learns to see.

Rays are cast through the plan's cells; no picture is looked at. Knows nothing of models, goals or who plays.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from gameenv.arena.levels import Level
from gameenv.arena.state import ArenaState
from gameenv.arena.world import decor, pictures, sentry
from gameenv.arena.world.geometry import CELL, VOID, FloorPlan, Region
from gameenv.arena.world.house import VENT_HEIGHT

SURFACES = (
    *("floor", "ceiling", "wall", "step", "raised floor", "crate", "crate top"),
    *("door", "closed niche", "vent", "lintel"),
)
"""What a ray can end on. A vent is anything inside one; a lintel is a wall above an opening."""
_FLOOR, _CEILING, _WALL, _STEP, _RAISED, _CRATE, _CRATE_TOP, _DOOR, _NICHE, _VENT, _LINTEL = range(len(SURFACES))
_PROPS = (decor.LANTERN, *decor.TORCHES.values(), *decor.OTHER_LIGHTS, *decor.CLUTTER)
_CODES = {picture.code: picture for picture in (*pictures.POSTERS.values(), *pictures.HIGH_POSTERS.values())}
THINGS = (
    *(prop.name for prop in _PROPS),
    *(f"{name} poster" for name in pictures.POSTERS),
    *(pictures.BUTTON.name, "guard", "door", "closed niche", "vent"),
)
"""What can be pointed at."""
WIDE, HIGH = 4 / 3, 0.625
"""How far aside and up a frame's edges are, a unit ahead. Looking up shifts the picture as a whole."""
_FAR = 4096.0
_SLACK = 24.0
_PROP_HEIGHT = 40.0
_DOOR_CHEST = 48.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A thing in sight.

    Attributes:
        name: One of ``THINGS``.
        u, v: Where its middle is in the frame: from the left edge and from the top, 0 to 1.
        distance: From the eyes, along the line of sight, map units.
    """

    name: str
    u: float
    v: float
    distance: float


@dataclass(frozen=True, slots=True)
class _Mark:
    name: str
    x: float
    y: float
    z: float
    sector: int = VOID
    """The sector that moves away when it is opened."""


class Scene:
    """One level, to be looked at from anywhere.

    Args:
        level: Its plan is read once.
    """

    def __init__(self, level: Level) -> None:
        plan = level.plan
        self._plan = plan
        self._cells = np.pad(np.array(plan.cells), 1, constant_values=VOID)
        looks = [_looks_of(region) for region in plan.regions]
        self._floors = np.array([*(float(region.floor) for region in plan.regions), 0.0])  # VOID indexes the last
        self._ceilings = np.array([*(float(region.ceiling) for region in plan.regions), 0.0])
        self._sides, self._tops, self._uppers = np.array([*looks, (_WALL, _FLOOR, _WALL)]).T
        self._marks = tuple(_marks(plan))

    def surfaces(self, states: Sequence[ArenaState], columns: int, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What is seen at a grid of points of the frame, things left out.

        Args:
            states: From where; with ceilings, if doors are to be seen open.
            columns: So many, evenly from edge to edge.
            rows: Where each row is, from the top, 0 to 1; ``(r,)``.

        Returns:
            Indices into ``SURFACES``, int64 ``(len(states), r, columns)``, and distances along the line of sight,
            map units, float32, same shape.
        """
        aside = ((np.arange(columns) + 0.5) / columns * 2 - 1) * WIDE
        down = (rows * 2 - 1) * HIGH
        eyes = _Eyes(states)
        count = len(states)
        slopes = -down[None, :] - eyes.pitch[:, None]
        kinds, distances = self._cast(
            eyes, np.repeat(np.arange(count), columns), np.tile(aside, count), np.repeat(slopes, columns, axis=0)
        )
        shape = count, columns, len(rows)
        return kinds.reshape(shape).transpose(0, 2, 1), distances.reshape(shape).transpose(0, 2, 1).astype(np.float32)

    def things(self, states: Sequence[ArenaState]) -> list[list[Sighting]]:
        """The things whose middle is in the frame and not hidden, for each state."""
        eyes = _Eyes(states)
        found: list[list[Sighting]] = [[] for _ in states]
        asked: list[tuple[int, _Mark, float, float, float]] = []
        for i, state in enumerate(states):
            guards = (_Mark("guard", each.x, each.y, state.z + 32) for each in state.actors if each.name == sentry.NAME)
            for mark in (*self._marks, *guards):
                if mark.sector != VOID and state.ceilings and state.ceilings[mark.sector] > self._floors[mark.sector]:
                    continue  # open
                away = np.array([mark.x - state.x, mark.y - state.y])
                ahead, right = float(away @ eyes.forward[i]), float(away @ eyes.right[i])
                if ahead < 8:
                    continue
                slope = (mark.z - eyes.z[i]) / ahead
                if abs(right / ahead) < WIDE and abs(slope + eyes.pitch[i]) < HIGH:
                    asked.append((i, mark, right / ahead, slope, ahead))
        if not asked:
            return found
        _, free = self._cast(
            eyes,
            np.array([each[0] for each in asked]),
            np.array([each[2] for each in asked]),
            np.array([[each[3]] for each in asked]),
        )
        for (i, mark, aside, slope, ahead), reach in zip(asked, free[:, 0], strict=True):
            if reach >= ahead - _SLACK:
                v = (-(slope + eyes.pitch[i]) / HIGH + 1) / 2
                found[i].append(Sighting(mark.name, (aside / WIDE + 1) / 2, float(v), ahead))
        return found

    def _cast(
        self, eyes: "_Eyes", which: np.ndarray, aside: np.ndarray, slopes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """What rays end on, and how far along the line of sight.

        Args:
            eyes: From where.
            which: The state of each ray, ``(n,)``.
            aside: How far to the right each goes, a unit ahead, ``(n,)``.
            slopes: How far up, a unit ahead: several rays one above the other, ``(n, rows)``.

        Returns:
            Kinds and distances, ``(n, rows)`` each.
        """
        way = eyes.forward[which] + aside[:, None] * eyes.right[which]
        way = np.where(abs(way) < 1e-6, 1e-6, way)
        start = eyes.place[which]
        reach = CELL * max(self._cells.shape)
        lines = np.arange(-1, max(self._cells.shape)) * CELL
        crossed = (lines[None, None] - start[:, :, None]) / way[:, :, None]
        crossed = np.sort(
            np.where((crossed > 0) & (crossed < 2 * reach), crossed, _FAR).reshape(len(which), -1), axis=1
        )
        used = int((crossed < _FAR).sum(axis=1).max()) + 1
        ends = crossed[:, :used]
        begins = np.concatenate([np.zeros((len(which), 1)), ends[:, :-1]], axis=1)
        middle = start[:, None] + way[:, None] * ((begins + ends) / 2)[:, :, None]
        column, row = np.moveaxis(np.floor(middle / CELL).astype(int) + 1, 2, 0)
        height, width = self._cells.shape
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
        cells = np.where(inside, self._cells[row.clip(0, height - 1), column.clip(0, width - 1)], VOID)
        floors = self._floors[cells]
        ceilings = eyes.ceilings(which, cells, self._ceilings)
        solid = (cells == VOID) | (ceilings <= floors)
        eye = eyes.z[which][:, None, None]
        rise = slopes[:, None, :]  # (n, cells, rows) from here on
        at_begin, at_end = eye + rise * begins[:, :, None], eye + rise * ends[:, :, None]
        low, high, closed = floors[:, :, None], ceilings[:, :, None], solid[:, :, None]
        blocked = closed | (at_begin < low) | (at_begin > high)
        blocked[:, 0] = False  # where one stands
        stops = blocked | (at_end < low) | (at_end > high)
        stops[:, -1] = True
        first = stops.argmax(axis=1)
        ray = np.arange(len(which))[:, None]
        rows = np.arange(slopes.shape[1])[None]
        cell, hit = cells[ray, first], blocked[ray, first, rows]
        under = at_begin[ray, first, rows] < floors[ray, first]
        shut = solid[ray, first]
        sinks = at_end[ray, first, rows] < floors[ray, first]
        sides, tops, uppers = self._sides[cell], self._tops[cell], self._uppers[cell]
        flat = np.where(sinks, tops, np.where(uppers == _VENT, _VENT, _CEILING))
        wall = np.where(shut & (cell == VOID), _WALL, np.where(shut | ~under, uppers, sides))
        kinds = np.where(hit, wall, flat)
        # What is inside a vent, its walls too, is the vent.
        before = cells[ray, np.maximum(first - 1, 0)]
        kinds = np.where(hit & (cell == VOID) & (self._uppers[before] == _VENT), _VENT, kinds)
        plane = np.where(sinks, floors[ray, first], ceilings[ray, first])
        with np.errstate(divide="ignore", invalid="ignore"):
            flat_at = (plane - eyes.z[which][:, None]) / slopes
        distances = np.where(hit, begins[ray, first], np.where(np.isfinite(flat_at), flat_at, ends[ray, first]))
        return kinds, distances.clip(1.0, _FAR)


class _Eyes:
    """Where several states look from, and which way."""

    def __init__(self, states: Sequence[ArenaState]) -> None:
        angle = np.radians([state.angle for state in states])
        self.forward = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        self.right = np.stack([np.sin(angle), -np.cos(angle)], axis=1)
        self.place = np.array([(state.x, state.y) for state in states])
        self.z = np.array([state.z + state.eyes for state in states])
        self.pitch = np.tan(np.radians([state.pitch for state in states]))  # looking down is positive
        self._ceilings = [state.ceilings for state in states]

    def ceilings(self, which: np.ndarray, cells: np.ndarray, closed: np.ndarray) -> np.ndarray:
        """Height of the ceiling over each ray's cells, doors as they stand where that is known."""
        now = np.array([[*each, 0.0] if each else closed for each in self._ceilings])
        return now[which[:, None], cells]


def _looks_of(region: Region) -> tuple[int, int, int]:
    """What its riser, its floor and what hangs from its ceiling are."""
    crates = {side for side, _ in decor.CRATES}
    if region.door_speed:
        return _DOOR, _FLOOR, _DOOR
    if region.tag and region.ceiling <= region.floor:
        return _NICHE, _FLOOR, _NICHE
    if region.ceiling - region.floor == VENT_HEIGHT:
        return _VENT, _VENT, _VENT
    if region.riser in crates:
        return _CRATE, _CRATE_TOP, _LINTEL
    return _STEP, _RAISED if region.floor > 0 else _FLOOR, _LINTEL


def _marks(plan: FloorPlan) -> list[_Mark]:
    names = {prop.kind: prop.name for prop in _PROPS}
    marks = [
        _Mark(names[thing.kind], thing.x, thing.y, _floor_at(plan, thing.x, thing.y) + _PROP_HEIGHT)
        for thing in plan.things
        if thing.kind in names
    ]
    for panel in plan.panels:
        picture = _CODES.get(panel.texture[-2:])
        name, z = (f"{picture.name} poster", picture.z) if picture else (pictures.BUTTON.name, pictures.BUTTON.z)
        floor = plan.regions[plan.at(*panel.cells[0])].floor
        marks.append(_Mark(name, *panel.middle, floor + float(z)))
    for number, region in enumerate(plan.regions):
        side, _, _ = _looks_of(region)
        if side not in (_DOOR, _NICHE, _VENT):
            continue
        places = np.argwhere(np.array(plan.cells) == number)
        if not len(places):
            continue
        y, x = (places.mean(axis=0) + 0.5) * CELL
        if side == _VENT:
            marks.append(_Mark("vent", float(x), float(y), region.floor + VENT_HEIGHT / 2))
        else:
            marks.append(_Mark(SURFACES[side], float(x), float(y), region.floor + _DOOR_CHEST, number))
    return marks


def _floor_at(plan: FloorPlan, x: float, y: float) -> float:
    region = plan.region_at(x, y)
    return 0.0 if region is None else float(region.floor)
