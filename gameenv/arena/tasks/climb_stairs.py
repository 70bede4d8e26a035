"""Climb the stairs: stand on the platform at the top."""

from random import Random

from gameenv.arena.conditions import OnPlatform
from gameenv.arena.levels import Draft, Leg
from gameenv.arena.rooms import Room
from gameenv.arena.tasks.common import furnish, maybe_door, start_thing

NAME = "climb-stairs"
PHRASES = ("Climb the stairs", "Go up the stairs", "Walk up the stairs", "Climb to the top")


def build(rng: Random) -> Draft:
    """A room with one flight of stairs and some lights."""
    room = Room.roll(rng, (17, 26))
    stairs = room.add_stairs(rng)
    maybe_door(rng, room, 0.3)
    furnish(rng, room, [], rng.randint(0, 3))
    room.add_blocks(rng, rng.randint(0, 3))
    start = start_thing(rng, room, stairs.foot, 160.0)
    condition = OnPlatform(stairs.left, stairs.bottom, stairs.right, stairs.upper, stairs.top)
    return Draft(room.plan, start, rng.choice(PHRASES), condition, (Leg(stairs.x, stairs.y, 16.0),))
