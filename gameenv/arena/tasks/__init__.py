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
    slip_past_guard,
)
from gameenv.errors import UnknownNameError

_FAMILIES = (
    go_to_lantern,
    go_to_torch,
    open_door,
    climb_stairs,
    check_posters,
    crawl_vent,
    jump_ledge,
    press_switch,
    slip_past_guard,
)

TASKS = MappingProxyType({family.NAME: family.build for family in _FAMILIES})
"""Family name to its ``build(rng) -> Draft``."""

ALL = "all"


def check_task(task: str) -> str:
    """Return ``task`` if it is a family or ``all``.

    Raises:
        UnknownNameError: If it is neither.
    """
    if task not in TASKS and task != ALL:
        raise UnknownNameError("task", task, [*TASKS, ALL])
    return task


def level(task: str, split: str, seed: int) -> Level:
    """Level ``seed`` of a family; for ``all`` the seed draws the family too.

    Raises:
        UnknownNameError: If the task or the split does not exist.
        InvalidInputError: If the seed is not a whole number from 0.
    """
    known_split, seed = check_split(split), check_seed(seed)
    if check_task(task) == ALL:
        task = level_rng(split, ALL, seed).choice(list(TASKS))
    return make_level(task, TASKS[task], known_split, seed)
