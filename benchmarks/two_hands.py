"""The arena's expert with two hands: walks while it turns, strafes while it walks, and changes keys at any engine tic.

Goes the levels' own routes, leg by leg, as the shipped expert does with one key a tick. Knows nothing of ticks,
recordings or how several keys become one word.
"""

import math
from random import Random
from typing import cast

from gameenv.actions import NONE, Action
from gameenv.arena.aim import Point, bearing, wrap_degrees
from gameenv.arena.levels import Level
from gameenv.arena.player.legs.leg import Moves, route_nav
from gameenv.arena.player.walker import GLIDE_TICS
from gameenv.arena.player.way import Way, turn
from gameenv.arena.state import ArenaState

Keys = frozenset[str]

_BEGIN_DEG, _END_DEG = 8.0, 3.0
"""Heading error from which a correction begins, and at which it is over."""
_WALK_DEG = 50.0
"""Heading error up to which one walks while turning."""
_STRAFE_DEG = 30.0
"""Heading error up to which a correction may be a step aside."""
_STRAFE_SHARE = 0.3
_FORESEEN_TICS = 3
"""How far ahead the turn is foreseen, so that the key comes up in time."""
_LAG_TICS = (0, 3)
"""From deciding on a change of a key to the change; each finger has its own."""
_SHORTEST_TICS = 2
"""No finger changes faster than this."""
_WORD_TICS = (4, 3)
"""How long a word of a move that is played without looking is held, by turns: a tick of the expert's."""
_STUCK_TICS, _STUCK_UNITS = 42, 16.0
_FREEING_TICS = 10
_PATIENCE_TICS = 42


class TwoHands:
    """Plays one level, a decision an engine tic.

    Args:
        level: The level that is open.
        rng: Throws how quick the fingers are, and which hand makes a correction.
    """

    def __init__(self, level: Level, rng: Random) -> None:
        self._level = level
        self._way = _TwoHandedWay(level, rng)
        self._fingers = _Fingers(rng)
        self._begin()

    def _begin(self) -> None:
        self._route = list(self._level.route)
        self._planned: list[Keys] = []  # a set a tic
        self._waited = 0

    def keys(self, state: ArenaState) -> Keys:
        """The keys that are down during the next tic."""
        if self._planned or self._way.freeing_tics:
            return self._fingers.put(self._next(state))
        return self._fingers.toward(self._next(state))

    def _next(self, state: ArenaState) -> Keys:
        if self._way.freeing_tics:
            self._planned.clear()
            return self._way.free()
        while self._route and not self._planned:
            self._way.beside = frozenset()
            moves = self._route[0].next(self._way, state)
            if moves.done:
                self._route.pop(0)
            if moves.done or len(moves.words) > 1:
                self._planned = _chorded(moves)
            else:
                return frozenset(moves.words) - {NONE} | self._way.beside
        if self._planned:
            return self._planned.pop(0)
        self._wait(state)
        return frozenset()

    def _wait(self, state: ArenaState) -> None:
        """Hands off; what did not work is tried again from here."""
        self._waited = 0 if self._level.condition.holds(state) else self._waited + 1
        if self._waited > _PATIENCE_TICS:
            self._begin()


def _chorded(moves: Moves) -> list[Keys]:
    """A move that is played without looking, a set of keys a tic: one walks all through it, and stays crouched."""
    kept = frozenset(word for word in ("w", "c") if word in moves.words and len(moves.words) > 1)
    return [(kept | {word}) - {NONE} for index, word in enumerate(moves.words) for _ in range(_WORD_TICS[index % 2])]


class _Fingers:
    """A finger a key: each follows the head a little late, and stays for a moment where it is."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._down: Keys = frozenset()
        self._moves_in: dict[str, int] = {}
        self._still: dict[str, int] = {}

    def put(self, keys: Keys) -> Keys:
        """Exactly these, at once: a move one has made up one's mind about."""
        self._moves_in.clear()
        self._still = dict.fromkeys(keys ^ self._down, _SHORTEST_TICS)
        self._down = keys
        return keys

    def toward(self, wanted: Keys) -> Keys:
        """What is down in the next tic if these keys are wanted."""
        self._still = {key: tics - 1 for key, tics in self._still.items() if tics > 1}
        changing = wanted ^ self._down
        self._moves_in = {
            key: max(self._moves_in[key] - 1, 0) if key in self._moves_in else self._rng.randint(*_LAG_TICS)
            for key in sorted(changing)
        }
        moved = frozenset(key for key, tics in self._moves_in.items() if not tics and key not in self._still)
        self._down ^= moved
        for key in moved:
            del self._moves_in[key]
            self._still[key] = _SHORTEST_TICS
        return self._down


class _TwoHandedWay(Way):
    """The way on foot for one who can press a key with either hand."""

    def __init__(self, level: Level, rng: Random) -> None:
        super().__init__(route_nav(level.plan, level.route), rng)
        self.beside: Keys = frozenset()
        """What else is held beside the word that ``walk`` returned."""
        self.freeing_tics = 0
        self._aside = rng
        self._correction: Action | None = None
        self._angle = float(level.start.angle)
        self._trail: list[Point] = []

    def free(self) -> Keys:
        """The keys of one who is stuck and tries to get away."""
        self.freeing_tics -= 1
        return frozenset(self.freeing)

    def walk(self, state: ArenaState, to: Point, stop: float) -> Action | None:
        """As ``Way.walk``; keys of the other hand are left in ``beside``."""
        here = state.x, state.y
        distance = math.dist(here, to)
        toward = (state.vx * (to[0] - state.x) + state.vy * (to[1] - state.y)) / max(distance, 1.0)
        turned, self._angle = wrap_degrees(state.angle - self._angle), state.angle
        if distance - max(toward, 0.0) * GLIDE_TICS <= stop:
            self._correction = None
            return None
        self._notice_stuck(here)
        error = bearing(state, to if self.nav.clear_line(here, to, stop) else self._waypoint(here, to, stop))
        self._correct(error, error - turned * _FORESEEN_TICS, moving=toward > 3.0)
        if self._correction is None:
            return "w"
        if abs(error) <= _WALK_DEG:
            self.beside = frozenset({"w"})
        return self._correction

    def _correct(self, error: float, foreseen: float, *, moving: bool) -> None:
        """Begin or end a correction of the heading."""
        if self._correction is not None:
            leftward = self._correction in ("left", "a")
            if (foreseen if leftward else -foreseen) <= _END_DEG:
                self._correction = None
        if self._correction is None and abs(foreseen) > _BEGIN_DEG and abs(error) > _BEGIN_DEG:
            aside = moving and abs(error) < _STRAFE_DEG and self._aside.random() < _STRAFE_SHARE
            self._correction = cast(Action, "a" if error > 0 else "d") if aside else turn(error)

    def _notice_stuck(self, here: Point) -> None:
        self._trail = [*self._trail[-_STUCK_TICS:], here]
        if len(self._trail) > _STUCK_TICS and all(math.dist(here, place) < _STUCK_UNITS for place in self._trail):
            self._trail.clear()
            self._careful = True
            self.freeing = [cast(Action, self._aside.choice(("s", "a", "d")))]
            self.freeing_tics = _FREEING_TICS
