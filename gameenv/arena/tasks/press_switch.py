"""Press the switch: a red button on a wall, which turns green and opens a niche somewhere else in the room."""

from random import Random

from gameenv.arena.conditions import DoorOpened
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.press import Press
from gameenv.arena.tasks.common import furnish, maybe_door, maybe_poster, maybe_stairs, start_thing
from gameenv.arena.world.pictures import BUTTON
from gameenv.arena.world.rooms import Room

NAME = "press-switch"
PLACE = 7
PHRASES = ("Press the switch", "Push the button", "Press the red button", "Find and press the switch")
_TAG = 1


def build(rng: Random) -> LevelDraft:
    """A room with a switch, the niche that it opens, and things that are none of its business."""
    room = Room.roll(rng)
    niche = room.add_niche(rng, _TAG)
    panel = room.hang(rng, BUTTON, opens=_TAG)
    maybe_door(rng, room, 0.4)
    maybe_stairs(rng, room, 0.2)
    maybe_poster(rng, room, 0.4)
    furnish(rng, room, [], rng.randint(0, 3))
    room.add_blocks(rng, rng.randint(0, 4))
    (x, y), (dx, dy) = panel.middle, panel.side
    start = start_thing(rng, room, (x - dx * 24, y - dy * 24))
    return LevelDraft(
        room.plan,
        start,
        rng.choice(PHRASES),
        DoorOpened(niche),
        (Press((x - dx * 16, y - dy * 16), face=(x, y)),),
        latches=True,
        watches=frozenset({"sectors"}),
    )
