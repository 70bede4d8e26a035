"""What several families share: a furnished room, and a start that faces any way at all."""

from collections.abc import Callable
from random import Random

from gameenv.arena.levels import LevelDraft
from gameenv.arena.world import decor
from gameenv.arena.world.geometry import Panel, Point, Thing
from gameenv.arena.world.pictures import POSTERS
from gameenv.arena.world.rooms import Door, NoPlaceError, Room, Stairs

PROP_GAP = 224.0
"""Props stand this far apart, so that being near one is not being near another."""
START_DISTANCE = 416.0
_THROWS = 100


def furnish(
    rng: Random, room: Room, wanted: list[decor.Prop], spares: int, never: decor.Prop | None = None
) -> list[Thing]:
    """Stand the wanted props and some others, but ``never`` one, in the room; returns the wanted ones' things."""
    placed = [room.add_thing(rng, prop.kind, PROP_GAP) for prop in wanted]
    lights = (decor.LANTERN, *decor.TORCHES.values(), *decor.OTHER_LIGHTS)
    others = [prop for prop in lights if prop not in wanted and prop != never]
    for prop in rng.sample(others, min(spares, len(others))):
        try_thing(rng, room, prop.kind)
    if rng.random() < 0.5:
        try_thing(rng, room, rng.choice(decor.CLUTTER).kind)
    return placed


def try_thing(rng: Random, room: Room, kind: int) -> None:
    """Stand a thing if there is a place for it."""
    try:
        room.add_thing(rng, kind, PROP_GAP)
    except NoPlaceError:
        return


def maybe_door(rng: Random, room: Room, chance: float) -> Door | None:
    """A door nobody asked for, now and then, so that a door in sight does not mean the goal is a door."""
    if rng.random() >= chance:
        return None
    try:
        return room.add_door(rng)
    except NoPlaceError:
        return None


def maybe_stairs(rng: Random, room: Room, chance: float) -> Stairs | None:
    """Stairs nobody asked for, for the same reason."""
    if rng.random() >= chance:
        return None
    try:
        return room.add_stairs(rng)
    except NoPlaceError:
        return None


def maybe_poster(rng: Random, room: Room, chance: float) -> Panel | None:
    """A poster nobody asked for."""
    if rng.random() >= chance:
        return None
    try:
        return room.hang(rng, rng.choice(list(POSTERS.values())))
    except NoPlaceError:
        return None


def insist(build: Callable[[], LevelDraft]) -> LevelDraft:
    """Throw the dice of one kind of level again, so that kinds in which more finds a place do not crowd it out.

    Raises:
        NoPlaceError: If it never came out.
    """
    for _ in range(_THROWS):
        try:
            return build()
        except NoPlaceError:
            continue
    raise NoPlaceError("anything")


def start_thing(rng: Random, room: Room, target: Point, distance: float = START_DISTANCE) -> Thing:
    """A start in plain sight of the target but facing anywhere, ``distance`` or farther away."""
    x, y = room.find_spot(rng, target, distance)
    return Thing(1, x, y, rng.randrange(360))
