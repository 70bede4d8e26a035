"""Look down at the lantern: it stands in a pit, and one looks at it over the edge. A part of ``go-to-lantern``."""

import math
from random import Random

from gameenv.arena.conditions import LOOK_S, Looks
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.look import Look
from gameenv.arena.player.walker import STANDING_EYES
from gameenv.arena.tasks.common import furnish, maybe_door, start_thing
from gameenv.arena.world import decor
from gameenv.arena.world.geometry import Thing
from gameenv.arena.world.pits import Pit, dig_pit
from gameenv.arena.world.rooms import NoPlaceError, Room

PHRASES = ("Look down at the lantern", "Look at the lantern below", "Find the lantern down below")
_MIDDLE, _SHOWN = 40, 60
"""Height of the lantern's middle above its floor, and of the part of its glass that must show over the edge."""
_NEAREST, _FARTHEST = 120, 168
"""How far beyond the edge it stands, map units."""
_VIEW = 240.0
"""From no farther does a look count: out there it would take no looking down. The start is farther away."""
_STAND = 44.0
_REST = 20.0


def draft(rng: Random) -> LevelDraft:
    """A room with a pit, the lantern in it, and other lights above."""
    room = Room.roll(rng, (17, 26))
    pit = dig_pit(rng, room)
    beyond, aside = rng.randint(_NEAREST, min(_FARTHEST, pit.deep - 64)), rng.randint(-pit.wide // 6, pit.wide // 6)
    lantern, place = pit.point(beyond, aside), pit.point(-_STAND, aside)
    room.keep_clear.append((*place, 64))
    room.plan.things.append(Thing(decor.LANTERN.kind, round(lantern[0]), round(lantern[1])))
    maybe_door(rng, room, 0.25)
    furnish(rng, room, [rng.choice((*decor.TORCHES.values(), *decor.OTHER_LIGHTS))], rng.randint(0, 2))
    room.add_blocks(rng, rng.randint(0, 3))
    z = _MIDDLE - pit.depth
    condition = Looks(*lantern, z, 0.0, _seen_from(pit, beyond), lowest=-1.0)
    start = start_thing(rng, room, place, 192.0)
    if math.dist((start.x, start.y), lantern) < _VIEW + 16:
        raise NoPlaceError("start")
    route = (Look(Stop(place, _REST), (*lantern, float(z))),)
    return LevelDraft(room.plan, start, rng.choice(PHRASES), condition, route, for_s=LOOK_S)


def _seen_from(pit: Pit, beyond: float) -> float:
    """The distance from which the edge no longer hides a lantern so far beyond it."""
    return min(beyond * (1 + STANDING_EYES / (pit.depth - _SHOWN)), _VIEW)
