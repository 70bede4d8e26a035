"""Go to the red, green or blue torch: the goal says which, and another colour always stands about."""

from random import Random

from gameenv.arena.levels import LevelDraft
from gameenv.arena.tasks.go_to_prop import draft
from gameenv.arena.world import decor

NAME = "go-to-torch"
PLACE = 1


def build(rng: Random) -> LevelDraft:
    """A room with the wanted torch and one or both of the other colours."""
    colours = rng.sample(sorted(decor.TORCHES), 3)
    wanted, *others = [decor.TORCHES[colour] for colour in colours]
    return draft(rng, wanted, others[: rng.randint(1, 2)], wanted.name)
