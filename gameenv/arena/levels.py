"""A level: geometry, a start, a goal in words, its referee's condition and the way there.

A level is a pure function of (split, task, seed, generator version). Knows nothing of the engine.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from gameenv.arena.player.legs.leg import Leg, route_nav
from gameenv.arena.state import ArenaState
from gameenv.arena.world.geometry import PLAYER_START, FloorPlan, Thing, textmap
from gameenv.arena.world.rooms import NoPlaceError
from gameenv.errors import InvalidInputError, UnknownNameError

GENERATOR_VERSION = 2
SEEDS = 2**31
"""Levels in a (split, task); the engine's own dice take seeds up to here."""
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")
Watched = Literal["sectors", "actors"]
WATCHED: frozenset[Watched] = frozenset({"sectors", "actors"})
"""What a referee may need beyond the player: heights that change, and the level's own actors."""


class Condition(Protocol):
    """What must be true of the game for the goal to hold."""

    @property
    def latches(self) -> bool:
        """Whether it stays reached once it was (an event), or must hold when declared (a place)."""
        ...

    @property
    def for_s(self) -> float:
        """How long it must hold without a break to count, in seconds; five ticks are always enough."""
        ...

    def holds(self, state: ArenaState) -> bool:
        """Whether it holds in this state."""
        ...


@dataclass(frozen=True, slots=True)
class LevelDraft:
    """What a task family makes: a level without its name."""

    plan: FloorPlan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    watches: frozenset[Watched] = frozenset()


@dataclass(frozen=True, slots=True)
class Level:
    """A finished level.

    Attributes:
        task: Family name.
        split: ``train``, ``validation`` or ``test``.
        seed: Level number within (split, task).
        textmap: The UDMF text the engine loads.
    """

    task: str
    split: Split
    seed: int
    plan: FloorPlan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    watches: frozenset[Watched]
    textmap: str

    @property
    def id(self) -> str:
        """``split/task/seed/gVERSION``: names the level for good."""
        return f"{self.split}/{self.task}/{self.seed}/g{GENERATOR_VERSION}"


def check_split(split: str) -> Split:
    """Return ``split`` if it is one of the three.

    Raises:
        UnknownNameError: If it is not.
    """
    for known in SPLITS:
        if split == known:
            return known
    raise UnknownNameError("split", split, SPLITS)


def check_seed(seed: object) -> int:
    """Return ``seed`` if it can number a level.

    Raises:
        InvalidInputError: If it is not a whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < SEEDS:
        raise InvalidInputError(f"a level's seed is a whole number from 0 to {SEEDS - 1}, got {seed!r}")
    return seed


def level_rng(split: str, task: str, seed: int) -> Random:
    """The dice of a level: SHA-256 of what names it, so that no two splits share a throw."""
    name = f"gameenv-arena/{GENERATOR_VERSION}/{split}/{task}/{seed}"
    return Random(int.from_bytes(hashlib.sha256(name.encode()).digest()[:16], "big"))


def make_level(task: str, build: Callable[[Random], LevelDraft], split: Split, seed: int) -> Level:
    """Build level ``seed`` of a family, throwing again until everything finds a place."""
    rng = level_rng(split, task, check_seed(seed))
    for _ in range(200):
        try:
            draft = build(rng)
        except NoPlaceError:
            continue
        if not _walkable(draft):
            continue
        start, plan = draft.start, draft.plan
        plan.things.append(Thing(PLAYER_START, start.x, start.y, start.angle))
        text = textmap(plan)
        return Level(task, split, seed, plan, start, draft.goal, draft.condition, draft.route, draft.watches, text)
    raise InvalidInputError(f"no level came of {split}/{task}/{seed} in 200 throws; the family asks for too much room")


def _walkable(draft: LevelDraft) -> bool:
    """Whether there is a way to the beginning of every leg of the route."""
    nav = route_nav(draft.plan, draft.route)
    here = float(draft.start.x), float(draft.start.y)
    for leg in draft.route:
        if not nav.has_way(here, (leg.begins.x, leg.begins.y), leg.begins.within):
            return False
        here = leg.ends
    return True
