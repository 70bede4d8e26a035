"""What a leg is: it looks at the state and says which keys come next, until it is done.

A leg belongs to a level and remembers nothing; what there is to remember (the way so far) is in ``Way``.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from gameenv.actions import Action
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState
from gameenv.arena.world import sentry
from gameenv.arena.world.geometry import PLAYER_START, FloorPlan, Point
from gameenv.arena.world.nav import NavGrid


@dataclass(frozen=True, slots=True)
class Stop:
    """Where to come to rest: within so many map units of a place."""

    place: Point
    within: float


@dataclass(frozen=True, slots=True)
class Moves:
    """The words of the next ticks, played without looking again, and whether the leg is over after them.

    ``steady`` says that straying now would lose the game, and so nobody does it on purpose.

    No words and not done is not allowed; no words and done means that it is over already.
    """

    words: tuple[Action, ...] = ()
    done: bool = False
    steady: bool = False


class Leg(Protocol):
    """One stretch of the way."""

    @property
    def begins(self) -> Stop:
        """Where one must be able to walk to before it can begin."""
        ...

    @property
    def ends(self) -> Point | None:
        """Where it ends, map units; None for where it begins. See ``end_of``."""
        ...

    @property
    def seconds(self) -> float:
        """About how long it takes once one is where it begins."""
        ...

    def next(self, way: Way, state: ArenaState) -> Moves:
        """What to do now."""
        ...


def end_of(leg: Leg) -> Point:
    """Where a leg ends, map units."""
    return leg.ends or leg.begins.place


def route_nav(plan: FloorPlan, route: Iterable[Leg]) -> NavGrid:
    """The standing room around all things but those that the route leads to."""
    targets = {leg.begins.place for leg in route}
    solid = (thing for thing in plan.things if thing.kind not in (PLAYER_START, sentry.KIND))
    obstacles = [thing for thing in solid if (thing.x, thing.y) not in targets]
    return NavGrid(plan, obstacles)
