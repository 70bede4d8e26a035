"""Go to the lantern, among other lights; now and then, look at it where it stands in a pit."""

from random import Random

from gameenv.arena.levels import LevelDraft
from gameenv.arena.tasks import lantern_below
from gameenv.arena.tasks.common import insist
from gameenv.arena.tasks.go_to_prop import draft
from gameenv.arena.world import decor

NAME = "go-to-lantern"
PLACE = 0
_BELOW = 0.18
"""Chance that the lantern stands below."""


def build(rng: Random) -> LevelDraft:
    """A room with the lantern and one to three other lights."""
    if rng.random() < _BELOW:
        return insist(lambda: lantern_below.draft(rng))
    others = [*decor.TORCHES.values(), *decor.OTHER_LIGHTS]
    return draft(rng, decor.LANTERN, rng.sample(others, rng.randint(1, 2)), decor.LANTERN.name)
