"""The task families by the name ``task=`` takes. A family is one small file with ``NAME`` and ``build(rng)``.

To add one: write the file, import it here, add it to the tuple.
"""

from types import MappingProxyType

from gameenv.arena.levels import Level, check_seed, check_split, level_rng, make_level
from gameenv.arena.tasks import (
    check_posters,
    climb_stairs,
    crawl_vent,
    go_to_lantern,
    go_to_torch,
    jump_ledge,
    open_door,
    press_switch,
)
from gameenv.errors import UnknownNameError

_FAMILIES = (go_to_lantern, go_to_torch, open_door, climb_stairs, check_posters, crawl_vent, jump_ledge, press_switch)
