"""What the task families are, read off their levels: phrasings, things, step limits, what counts as success.

Knows nothing of the engine, and nothing of any one family.
"""

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from gameenv.arena import tasks
from gameenv.arena.levels import Condition, Level
from gameenv.arena.steplimit import step_limit
from gameenv.arena.world.geometry import PLAYER_START
from gameenv.clock import DEFAULT_FPS

_FIELD = re.compile(r"``(\w+)``")


@dataclass(frozen=True, slots=True)
class Family:
    """What some levels of a family show.

    Attributes:
        name: As ``task=`` takes it.
        goals: Every goal text seen, the most frequent first.
        things: Fewest and most things in a room.
        limits_s: Shortest and longest step limit, seconds.
        success: What the referee asks for, a sentence each; more than one if levels differ.
    """

    name: str
    goals: tuple[str, ...]
    things: tuple[int, int]
    limits_s: tuple[float, float]
    success: tuple[str, ...]


def look_at_family(name: str, split: str, count: int) -> Family:
    """Build the first ``count`` levels of a family and say what they are like.

    Raises:
        UnknownNameError: If the family or the split does not exist.
    """
    levels = [tasks.level(name, split, seed) for seed in range(count)]
    goals = [level.goal for level in levels]
    things = [sum(thing.kind != PLAYER_START for thing in level.plan.things) for level in levels]
    limits = [step_limit(level) / DEFAULT_FPS for level in levels]
    return Family(
        name,
        tuple(sorted(set(goals), key=lambda goal: (-goals.count(goal), goal))),
        (min(things), max(things)),
        (min(limits), max(limits)),
        _success(levels),
    )


def _success(levels: Sequence[Level]) -> tuple[str, ...]:
    """What each kind of condition says of itself, with its numbers where all levels have the same."""
    kinds: dict[type[Condition], list[Level]] = {}
    for level in levels:
        kinds.setdefault(type(level.condition), []).append(level)
    return tuple(_describe(kind, alike) for kind, alike in kinds.items())


def _describe(kind: type[Condition], levels: Sequence[Level]) -> str:
    def value(field: re.Match[str]) -> str:
        values = {getattr(level.condition, field[1], None) for level in levels}
        only = values.pop()
        return field[1] if values or only is None else f"{only:g}" if isinstance(only, float) else str(only)

    says = _FIELD.sub(value, (inspect.getdoc(kind) or "").partition("\n")[0].rstrip("."))
    lasting = f" for {levels[0].for_s:g} s" if levels[0].for_s else ""
    when = "having happened once is enough" if levels[0].latches else "must hold when it is declared"
    return f"{says}{lasting}; {when}"
