"""Check the posters: stand before one and look at it. Any of them, or the one that the goal names; some hang high."""

import math
from dataclasses import dataclass
from random import Random

from gameenv.arena.conditions import LOOK_S, Looks, LooksAtOne
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.look import Look
from gameenv.arena.tasks.common import furnish, maybe_door, maybe_stairs, start_thing
from gameenv.arena.world.geometry import Panel, Point
from gameenv.arena.world.pictures import HIGH_POSTERS, POSTERS, Picture
from gameenv.arena.world.rooms import NoPlaceError, Room

NAME = "check-posters"
PLACE = 4
_PHRASES = {
    "any": ("Check the posters", "Look at a poster", "Check one of the posters", "Go see the posters"),
    "low": ("Check the {} poster", "Look at the {} poster", "Go see the {} poster", "Find the {} poster"),
    "high": ("Look up at the {} poster", "Check the high {} poster", "Look at the {} poster above"),
}
_SHARES = {"any": 30, "low": 40, "high": 30}
_ALSO_HIGH = {"any": 0.2, "low": 0.3, "high": 0.5}
"""Chance that a poster beside the wanted one hangs high: that one does is no sign that the goal is to look up."""
_START_GAP = 240.0
"""No poster that counts is nearer to the start."""
_WITHIN = 32.0
"""How near to its place the expert must come: let go any earlier, it would still glide when it says that it is done."""


@dataclass(frozen=True, slots=True)
class _Place:
    """Where one looks at a poster from, map units from it: the referee's limits, and the expert's place and limits.

    A poster at eye height fills the view from the middle of this range. A high one is seen from farther away, and from
    anywhere in its range it is out of the referee's tolerance for those who look straight ahead, and within it at the
    32 degrees up that the engine allows.
    """

    nearest: float
    farthest: float
    stand: float
    step_back: float
    deep: int  # cells


_LOW = _Place(40, 160, 88, 64, 5)
_HIGH = _Place(104, 224, 156, 124, 8)


@dataclass(frozen=True, slots=True)
class _Poster:
    picture: Picture
    panel: Panel

    @property
    def place(self) -> _Place:
        return _place(self.picture)

    def before(self, distance: float) -> Point:
        """The point so far squarely before it."""
        (x, y), (dx, dy) = self.panel.middle, self.panel.side
        return x - dx * distance, y - dy * distance

    def looks(self) -> Looks:
        """The condition of looking at it."""
        place = self.place
        return Looks(*self.panel.middle, self.picture.z, place.nearest, place.farthest, self.panel.side)

    def leg(self) -> Look:
        """The way to do so."""
        place, at = self.place, (*self.panel.middle, float(self.picture.z))
        return Look(Stop(self.before(place.stand), _WITHIN), at, self.panel.side, place.step_back)


def build(rng: Random) -> LevelDraft:
    """A room with two to four posters, and things that are none of its business."""
    kind = rng.choices(list(_SHARES), list(_SHARES.values()))[0]
    room = Room.roll(rng, (16, 25))
    posters = [_Poster(picture, room.hang(rng, picture, deep=_place(picture).deep)) for picture in _draw(rng, kind)]
    maybe_door(rng, room, 0.3)
    maybe_stairs(rng, room, 0.2)
    furnish(rng, room, [], rng.randint(0, 3))
    room.add_blocks(rng, rng.randint(0, 4))
    start = start_thing(rng, room, posters[0].before(24))
    counts = posters if kind == "any" else posters[:1]
    distances = [math.dist((start.x, start.y), poster.panel.middle) for poster in counts]
    if min(distances) < _START_GAP:
        raise NoPlaceError("start")
    wanted = counts[distances.index(min(distances))]
    goal = rng.choice(_PHRASES[kind]).format(wanted.picture.name)
    condition = LooksAtOne(tuple(poster.looks() for poster in counts))
    return LevelDraft(room.plan, start, goal, condition, (wanted.leg(),), for_s=LOOK_S)


def _place(picture: Picture) -> _Place:
    return _HIGH if picture in HIGH_POSTERS.values() else _LOW


def _draw(rng: Random, kind: str) -> list[Picture]:
    """Pictures of different kinds, the wanted one first."""
    count = rng.randint(2, 3 if kind == "any" else 4)
    names = rng.sample(list(HIGH_POSTERS if kind == "high" else POSTERS), 1)
    names += rng.sample([name for name in POSTERS if name not in names], count - 1)
    pictures = []
    for name in names:
        first = not pictures
        high = kind == "high" if first and kind != "any" else rng.random() < _ALSO_HIGH[kind]
        pictures.append(HIGH_POSTERS[name] if high and name in HIGH_POSTERS else POSTERS[name])
    return pictures
