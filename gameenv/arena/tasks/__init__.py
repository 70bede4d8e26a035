"""The task families by the name ``task=`` takes. A family is one file here with ``NAME``, ``PLACE`` and ``build(rng)``.

To add one, write the file: it is found by its ``NAME``. ``PLACE``, its place among the families, is the next number;
``all`` draws from them in this order, and so its levels change with ``GENERATOR_VERSION``.
"""

import importlib
import pkgutil
from collections.abc import Callable, Mapping
from random import Random
from types import MappingProxyType

from gameenv.arena.levels import Level, LevelDraft, check_split, level_rng, make_level
from gameenv.errors import UnknownNameError
from gameenv.whole import check_seed

_MODULES = [importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__)]
_FAMILIES = sorted((each for each in _MODULES if hasattr(each, "NAME")), key=lambda each: (each.PLACE, each.NAME))

TASKS: Mapping[str, Callable[[Random], LevelDraft]] = MappingProxyType({each.NAME: each.build for each in _FAMILIES})
"""Family name to what builds a level of it."""

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
