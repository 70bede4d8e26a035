"""A level: geometry, a start, a goal in words, its referee's condition and the way there.

A level is a pure function of (split, task, seed, generator version). Knows nothing of the engine.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, fields
from random import Random
from typing import Literal, Protocol

from gameenv.arena.player.legs.leg import Leg, end_of, route_nav
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import PLAYER_START, FloorPlan, Thing, textmap
from gameenv.arena.world.rooms import NoPlaceError
from gameenv.errors import InvalidInputError, UnknownNameError

GENERATOR_VERSION = 2
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Watched = Literal["sectors", "actors"]
WATCHED: frozenset[Watched] = frozenset({"sectors", "actors"})
"""What a referee may need beyond the player: heights that change, and the level's own actors."""


class Condition(Protocol):
    """What must be true of the game for the goal to hold."""

    def holds(self, state: ArenaState) -> bool:
        """Whether it holds in this state."""
        ...


@dataclass(frozen=True, slots=True)
class LevelDraft:
    """What a task family makes: a level without its name.

    Attributes:
        condition: When the goal holds.
        route: The way there.
        latches: Whether it stays reached once it was (an event), or must hold when declared (a place).
        for_s: How long it must hold without a break to count, in seconds; five ticks are always enough.
        watches: What the condition needs to be told beyond the player.
    """

    plan: FloorPlan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    latches: bool = False
    for_s: float = 0.0
    watches: frozenset[Watched] = frozenset()


@dataclass(frozen=True, slots=True)
class Level:
    """A finished level.

    Attributes:
        task: Family name.
        split: ``train``, ``validation`` or ``test``.
        seed: Level number within (split, task).
        textmap: The UDMF text the engine loads.

    The others are as in ``LevelDraft``.
    """

    task: str
    split: Split
    seed: int
    plan: FloorPlan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    latches: bool
    for_s: float
    watches: frozenset[Watched]
    textmap: str

    @property
    def id(self) -> str:
        """``split/task/seed/gVERSION``: names the level for good."""
        return f"{self.split}/{self.task}/{self.seed}/g{GENERATOR_VERSION}"

    @property
    def engine_seed(self) -> int:
        """For the engine's own dice, which take seeds of 31 bits."""
        return self.seed % 2**31


def check_split(split: str) -> Split:
    """Return ``split`` if it is one of the three.

    Raises:
        UnknownNameError: If it is not.
    """
    for known in SPLITS:
        if split == known:
            return known
    raise UnknownNameError("split", split, SPLITS)


def level_rng(split: str, task: str, seed: int) -> Random:
    """The dice of a level: SHA-256 of what names it, so that no two splits share a throw."""
    name = f"gameenv-arena/{GENERATOR_VERSION}/{split}/{task}/{seed}"
    return Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


def make_level(task: str, build: Callable[[Random], LevelDraft], split: Split, seed: int) -> Level:
    """Build level ``seed`` of a family, throwing again until everything finds a place."""
    rng = level_rng(split, task, seed)
    for _ in range(200):
        try:
            draft = build(rng)
        except NoPlaceError:
            continue
        if not _walkable(draft):
            continue
        start, plan = draft.start, draft.plan
        plan.things.append(Thing(PLAYER_START, start.x, start.y, start.angle))
        made = {field.name: getattr(draft, field.name) for field in fields(draft)}
        return Level(task, split, seed, **made, textmap=textmap(plan))
    raise InvalidInputError(f"no level came of {split}/{task}/{seed} in 200 throws; the family asks for too much room")


def _walkable(draft: LevelDraft) -> bool:
    """Whether there is a way to the beginning of every leg of the route."""
    nav = route_nav(draft.plan, draft.route)
    here = float(draft.start.x), float(draft.start.y)
    for leg in draft.route:
        if not nav.has_way(here, leg.begins.place, leg.begins.within):
            return False
        here = end_of(leg)
    return True
