"""Jump onto the ledge: a block against a wall, too high to walk up and low enough for a jump with a run-up."""

from random import Random

from gameenv.arena.conditions import OnPlatform
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.jump import Jump
from gameenv.arena.tasks.common import furnish, maybe_door, maybe_poster, maybe_stairs, start_thing
from gameenv.arena.world.rooms import Room

NAME = "jump-ledge"
PLACE = 6
PHRASES = ("Jump onto the ledge", "Jump up on the ledge", "Get onto the ledge", "Jump up to the ledge")


def build(rng: Random) -> LevelDraft:
    """A room with one ledge, and perhaps stairs, crates, a door."""
    room = Room.roll(rng, (15, 24))
    ledge = room.add_ledge(rng)
    maybe_stairs(rng, room, 0.2)
    maybe_door(rng, room, 0.3)
    maybe_poster(rng, room, 0.3)
    furnish(rng, room, [], rng.randint(0, 2))
    room.add_blocks(rng, rng.randint(0, 2))
    dx, dy = ledge.inward
    start = start_thing(rng, room, (ledge.edge[0] - dx * 32, ledge.edge[1] - dy * 32), 160.0)
    jump = Jump(ledge.edge, ledge.inward, ledge.half_width, ledge.rest, ledge.top)
    return LevelDraft(room.plan, start, rng.choice(PHRASES), OnPlatform(*ledge.rect, ledge.top), (jump,))
