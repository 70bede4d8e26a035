"""What things and pictures are called, gathered from where they are defined, so that nothing is listed twice.

Knows nothing of levels.
"""

import re
from collections.abc import Iterator

from gameenv.arena.world import decor, pictures
from gameenv.arena.world.decor import Prop
from gameenv.arena.world.pictures import Picture

_ACTOR = re.compile(r"^\s*actor\s+(?:Arena)?(\w+)(?:\s*:\s*\w+)?\s+(\d+)", re.MULTILINE | re.IGNORECASE)


def thing_name(kind: int) -> str:
    """What a thing is called in ``gameenv.arena.world.decor``: as a prop, else as an actor; else its number."""
    return _THINGS.get(kind, f"thing {kind}")


def panel_picture(texture: str) -> Picture | None:
    """The picture of ``gameenv.arena.world.pictures`` that a wall's texture shows, None if it shows none."""
    return next((picture for code, picture in _PICTURES.items() if texture.endswith(code)), None)


def _all_in(value: object) -> Iterator[object]:
    """A value, or what is in it if it holds several."""
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        for each in value:
            yield from _all_in(each)
    else:
        yield value


_THINGS = {int(number): name.lower() for name, number in _ACTOR.findall(decor.ACTORS)}
_THINGS |= {each.kind: each.name for each in _all_in(tuple(vars(decor).values())) if isinstance(each, Prop)}
_PICTURES = {each.code: each for each in _all_in(tuple(vars(pictures).values())) if isinstance(each, Picture)}
