"""Crawl through the vent: get into the other room, to which only a vent too low to stand in leads."""

import math
from random import Random

from gameenv.arena.conditions import Within
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.crawl import Crawl
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.tasks.common import furnish, maybe_door, maybe_poster, start_thing
from gameenv.arena.world.house import build_house
from gameenv.arena.world.rooms import NoPlaceError

NAME = "crawl-vent"
PLACE = 5
PHRASES = ("Crawl through the vent", "Go through the vent", "Crawl into the vent", "Crawl to the other room")
_BEYOND = 96.0
"""How far behind the vent the expert comes to rest."""


def build(rng: Random) -> LevelDraft:
    """Two rooms and a vent."""
    house = build_house(rng, "vent")
    near, far, passage = house.near, house.far, house.passage
    maybe_door(rng, near, 0.4)
    maybe_poster(rng, near, 0.3)
    for room in (near, far):
        furnish(rng, room, [], rng.randint(0, 2))
        room.add_blocks(rng, rng.randint(0, 2))
    if house.has_another_way():
        raise NoPlaceError("a vent that is the only way")
    start = start_thing(rng, near, passage.before(40), 176.0)
    length = math.dist(passage.mouth, passage.exit)
    route = (Crawl(passage.mouth, passage.direction, length), Walk(Stop(passage.beyond(_BEYOND), 40.0)))
    return LevelDraft(house.plan, start, rng.choice(PHRASES), Within(*far.bounds), route)
