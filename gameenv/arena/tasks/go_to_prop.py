"""What the go-to families share: a room of lights, one of them the goal."""

from random import Random

from gameenv.arena.conditions import Near
from gameenv.arena.decor import Prop
from gameenv.arena.legs.walk import Walk
from gameenv.arena.levels import Draft
from gameenv.arena.rooms import Room
from gameenv.arena.tasks.common import furnish, maybe_door, maybe_stairs, start_thing

NEAR = 128.0
"""The goal holds within this many map units: four player's widths."""
REST = 56.0
"""Where the expert comes to rest; it must let go about 80 units earlier, since the engine's player glides."""
VERBS = ("Go to", "Walk to", "Move to", "Find", "Reach")


def draft(rng: Random, target: Prop, others: list[Prop], name: str) -> Draft:
    """A level whose goal is to stand near ``target`` while ``others`` (and more) stand about."""
    room = Room.roll(rng)
    maybe_door(rng, room, 0.25)
    maybe_stairs(rng, room, 0.2)
    thing, *_ = furnish(rng, room, [target, *others], rng.randint(0, 2))
    room.add_blocks(rng, rng.randint(0, 4))
    start = start_thing(rng, room, (thing.x, thing.y))
    goal = f"{rng.choice(VERBS)} the {name}"
    return Draft(room.plan, start, goal, Near(thing.x, thing.y, NEAR), (Walk(thing.x, thing.y, REST),))
