"""Open the door: walk up to it and press ``enter``. Having been opened counts, even if it were to close."""

from random import Random

from gameenv.arena.conditions import DoorOpened
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.press import Press
from gameenv.arena.tasks.common import furnish, maybe_stairs, start_thing
from gameenv.arena.world.rooms import Room

NAME = "open-door"
PLACE = 2
PHRASES = ("Open the door", "Go open the door", "Find and open the door", "Walk over and open the door")


def build(rng: Random) -> LevelDraft:
    """A room with one door and some lights."""
    room = Room.roll(rng)
    door = room.add_door(rng)
    maybe_stairs(rng, room, 0.2)
    furnish(rng, room, [], rng.randint(0, 3))
    room.add_blocks(rng, rng.randint(0, 4))
    before = door.x - door.normal[0] * 32, door.y - door.normal[1] * 32
    start = start_thing(rng, room, (door.x - door.normal[0] * 40, door.y - door.normal[1] * 40))
    return LevelDraft(
        room.plan,
        start,
        rng.choice(PHRASES),
        DoorOpened(door.sector),
        (Press(before, face=(door.x, door.y)),),
        latches=True,
        watches=frozenset({"sectors"}),
    )
