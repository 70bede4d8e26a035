"""The guide: leads the player along a level's route, leg by leg, and says which key a person would press next.

Knows nothing of noise, chunks or Gymnasium.
"""

import copy
from dataclasses import replace
from random import Random
from typing import Literal

from gameenv.actions import CHUNK_LENGTH, NONE, Action
from gameenv.arena.levels import Level
from gameenv.arena.player.legs.leg import route_nav
from gameenv.arena.player.walker import ABOVE_EYES, CROUCHED_EYES, Walker
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState

Act = tuple[Action, Literal["expert", "noise"]]

_IDLE_TICKS = 4
"""A guide who waits for something looks about after this many ticks: seven times ``none`` would say that it is done."""


class Guide:
    """Leads the player along a level's route.

    Args:
        level: The level that is open.
        rng: Throws what is left to chance.
    """

    def __init__(self, level: Level, rng: Random) -> None:
        self._level = level
        self._way = Way(route_nav(level.plan, level.route), rng)
        self._glances = 0
        self.begin()

    def begin(self) -> None:
        """Go the whole route (again), from wherever the player is."""
        self._route = list(self._level.route)
        self._pending: list[Action] = []
        self._ends_leg = False
        self._idle = self._waited = 0
        self.resting = self.is_steady = False

    def copy(self) -> "Guide":
        """A guide that knows the same and can be asked what-if questions."""
        twin = copy.copy(self)
        twin._way, twin._route, twin._pending = self._way.copy(), list(self._route), list(self._pending)
        return twin

    @property
    def is_freeing(self) -> bool:
        """Whether the next moves only serve to get a stuck player free."""
        return bool(self._way.freeing)

    def interrupt(self, word: Action) -> None:
        """Somebody else played ``word``: look again before going on."""
        self._pending.clear()
        self._ends_leg = False
        self._way.last = word

    def settle(self, walker: Walker) -> Walker:
        """A foreseen player brought to the floor, and as low as the ceiling makes him."""
        state = walker.state
        z = self._way.nav.floor_at(state.x, state.y)
        region = self._level.plan.region_at(state.x, state.y)
        eyes = state.eyes if region is None else min(state.eyes, region.ceiling - region.floor - ABOVE_EYES)
        return replace(walker, state=replace(state, z=z, eyes=max(eyes, CROUCHED_EYES)))

    def choose(self, state: ArenaState) -> Act:
        """The next action; ``"noise"`` where it only serves to get free."""
        if self._way.freeing:
            self._pending.clear()
            word, source = self._way.freeing.pop(), "noise"
        else:
            word, source = self._next(state), "expert"
        self._way.last = word
        return word, source

    def _next(self, state: ArenaState) -> Action:
        while self._pending or self._route:
            if not self._pending:
                moves = self._route[0].next(self._way, state)
                self._pending, self._ends_leg, self.is_steady = list(moves.words), moves.done, moves.steady
            word = self._pending.pop(0) if self._pending else None
            if self._ends_leg and not self._pending:
                self._route.pop(0)
                self._ends_leg = False
            if word is not None:
                self.resting = not self._route and not self._pending
                return self._fidget(word)
        self.resting = True
        if self._level.condition.holds(state):
            return NONE
        self._waited += 1
        if self._waited < CHUNK_LENGTH:
            return NONE
        self.begin()  # it did not work: once more from here
        return self._glance()

    def _fidget(self, word: Action) -> Action:
        """The word, or a glance aside where it is ``none`` once too often."""
        self._idle = self._idle + 1 if word == NONE else 0
        return word if self._idle <= _IDLE_TICKS else self._glance()

    def _glance(self) -> Action:
        """A tap of a turn key, to the left and to the right by turns."""
        self._idle, self._glances = 0, self._glances + 1
        return "left" if self._glances % 2 else "right"
