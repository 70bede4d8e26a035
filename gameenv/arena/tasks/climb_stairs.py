"""Climb the stairs: stand on the platform at the top."""

import math
from random import Random

from gameenv.arena.conditions import OnPlatform
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.tasks.common import furnish, maybe_door, start_thing
from gameenv.arena.world.rooms import Room, Stairs

NAME = "climb-stairs"
PLACE = 3
WALL_GAP = 32.0
REST = 12.0
PHRASES = ("Climb the stairs", "Go up the stairs", "Walk up the stairs", "Climb to the top")


def build(rng: Random) -> LevelDraft:
    """A room with one flight of stairs and some lights."""
    room = Room.roll(rng, (17, 26))
    stairs = room.add_stairs(rng)
    maybe_door(rng, room, 0.3)
    furnish(rng, room, [], rng.randint(0, 3))
    room.add_blocks(rng, rng.randint(0, 3))
    start = start_thing(rng, room, stairs.foot, 160.0)
    condition = OnPlatform(stairs.left, stairs.bottom, stairs.right, stairs.upper, stairs.top)
    return LevelDraft(room.plan, start, rng.choice(PHRASES), condition, (_leg_to_the_back(stairs),))


def _leg_to_the_back(stairs: Stairs) -> Walk:
    """To the back of the platform: whoever lets go of the keys there has not stopped on the last steps."""
    dx, dy = stairs.x - stairs.foot[0], stairs.y - stairs.foot[1]
    along_x = abs(dx) > abs(dy)
    half = (stairs.right - stairs.left if along_x else stairs.upper - stairs.bottom) / 2
    reach = half - WALL_GAP
    x = stairs.x + (math.copysign(reach, dx) if along_x else 0.0)
    y = stairs.y + (0.0 if along_x else math.copysign(reach, dy))
    return Walk(Stop((x, y), REST))
