"""What the go-to families share: a room of lights, one of them the goal."""

from random import Random
from typing import Literal

from gameenv.arena.conditions import Near
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.press import Press
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.tasks.common import furnish, insist, maybe_door, maybe_stairs, start_thing
from gameenv.arena.world.decor import Prop
from gameenv.arena.world.geometry import Thing
from gameenv.arena.world.house import build_house
from gameenv.arena.world.rooms import Room

NEAR = 80.0
"""The goal holds within this many map units: two and a half player widths."""
STAY_S = 0.5
"""How long one must stay there: whoever runs by has not gone to it."""
REST = 40.0
"""Where the expert comes to rest; it must let go about 80 units earlier, since the engine's player glides."""
NEXT_ROOM = 0.4
"""Share of levels whose target is in another room than the start."""
VERBS = ("Go to", "Walk to", "Move to", "Find", "Reach")


def draft(rng: Random, target: Prop, others: list[Prop], name: str) -> LevelDraft:
    """A level whose goal is to stand near ``target`` while ``others`` (and more) stand about."""
    if rng.random() < NEXT_ROOM:
        kind = rng.choice(("opening", "door"))
        return insist(lambda: _in_the_next_room(rng, kind, target, others, name))
    room = Room.roll(rng, (17, 26))
    maybe_door(rng, room, 0.25)
    maybe_stairs(rng, room, 0.2)
    thing, *_ = furnish(rng, room, [target, *others], rng.randint(0, 2))
    room.add_blocks(rng, rng.randint(0, 4))
    start = start_thing(rng, room, (thing.x, thing.y))
    return LevelDraft(room.plan, start, _goal(rng, name), _near(thing), (_walk(thing),), for_s=STAY_S)


def _in_the_next_room(
    rng: Random, kind: Literal["opening", "door"], target: Prop, others: list[Prop], name: str
) -> LevelDraft:
    """The target is in another room, behind an opening or a door that must be opened first."""
    house = build_house(rng, kind)
    near, far, passage = house.near, house.far, house.passage
    maybe_door(rng, near, 0.2)
    thing, *_ = furnish(rng, far, [target, *others[:1]], 0)
    furnish(rng, near, others[1:], 1, never=target)
    near.add_blocks(rng, rng.randint(0, 2))
    far.add_blocks(rng, rng.randint(0, 2))
    start = start_thing(rng, near, passage.before(40), 160.0)
    first = (Press(passage.before(16), face=passage.beyond(0)),) if kind == "door" else ()
    return LevelDraft(house.plan, start, _goal(rng, name), _near(thing), (*first, _walk(thing)), for_s=STAY_S)


def _goal(rng: Random, name: str) -> str:
    return f"{rng.choice(VERBS)} the {name}"


def _near(thing: Thing) -> Near:
    return Near(thing.x, thing.y, NEAR)


def _walk(thing: Thing) -> Walk:
    return Walk(Stop((thing.x, thing.y), REST))
