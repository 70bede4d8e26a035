"""Go to the lantern, among other lights."""

from random import Random

from gameenv.arena import decor
from gameenv.arena.levels import Draft
from gameenv.arena.tasks.go_to_prop import draft

NAME = "go-to-lantern"


def build(rng: Random) -> Draft:
    """A room with the lantern and one to three other lights."""
    others = [*decor.TORCHES.values(), *decor.OTHER_LIGHTS]
    return draft(rng, decor.LANTERN, rng.sample(others, rng.randint(1, 2)), decor.LANTERN.name)
