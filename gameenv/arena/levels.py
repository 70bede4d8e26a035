"""A level: geometry, a start, a goal in words, its referee's condition and the way there.

A level is a pure function of (split, task, seed, generator version). Knows nothing of the engine.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal, Protocol

from gameenv.arena.geometry import PLAYER_START, Plan, Thing, textmap
from gameenv.arena.nav import NavGrid
from gameenv.arena.rooms import NoPlaceError
from gameenv.arena.state import ArenaState
from gameenv.errors import InvalidInputError, UnknownNameError

GENERATOR_VERSION = 1
SEEDS = 2**31
"""Levels in a (split, task); the engine's own dice take seeds up to here."""
Split = Literal["train", "validation", "test"]
SPLITS: tuple[Split, ...] = ("train", "validation", "test")


class Condition(Protocol):
    """What must be true of the game for the goal to hold."""

    @property
    def latches(self) -> bool:
        """Whether it stays reached once it was (an event), or must hold when declared (a place)."""
        ...

    def holds(self, state: ArenaState) -> bool:
        """Whether it holds in this state."""
        ...


@dataclass(frozen=True, slots=True)
class Leg:
    """One stretch of the expert's way: walk until ``stop`` units from a point, then perhaps press a key.

    Attributes:
        x, y: Where to, map units.
        stop: Distance from the point at which the walker comes to rest.
        press: ``"enter"`` to press it on arrival.
        face: What to look at while pressing; by default the point itself.
    """

    x: float
    y: float
    stop: float
    press: Literal["enter"] | None = None
    face: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What a task family makes: a level without its name."""

    plan: Plan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    watches_sectors: bool = False


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
    plan: Plan
    start: Thing
    goal: str
    condition: Condition
    route: tuple[Leg, ...]
    watches_sectors: bool
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


def make_level(task: str, build: Callable[[Random], Draft], split: Split, seed: int) -> Level:
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
        text, watches = textmap(plan), draft.watches_sectors
        return Level(task, split, seed, plan, start, draft.goal, draft.condition, draft.route, watches, text)
    raise InvalidInputError(f"no level came of {split}/{task}/{seed} in 200 throws; the family asks for too much room")


def _walkable(draft: Draft) -> bool:
    """Whether every leg of the route can be walked."""
    targets = {(leg.x, leg.y) for leg in draft.route}
    nav = NavGrid(draft.plan, [thing for thing in draft.plan.things if (thing.x, thing.y) not in targets])
    x, y = float(draft.start.x), float(draft.start.y)
    for leg in draft.route:
        if not nav.has_way((x, y), (leg.x, leg.y), leg.stop):
            return False
        x, y = leg.x, leg.y
    return True
