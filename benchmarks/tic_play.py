"""Keys in arena levels, engine tic by engine tic: a player with two hands, the rows of its recording, and replays.

Knows nothing of how several keys become one word, or of what is compared.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise
from random import Random

from two_hands import Keys, TwoHands

from gameenv.actions import CHUNK_LENGTH, Action, parse_action
from gameenv.arena.aim import wrap_degrees
from gameenv.arena.engine.engine import Engine, draw_size
from gameenv.arena.judge import Judge
from gameenv.arena.levels import Level
from gameenv.arena.state import ArenaState
from gameenv.arena.tics import TICS_PER_S, tics_until
from gameenv.clock import DEFAULT_FPS, NS_PER_S
from recording.rows import KeyEvent, SessionRow, frame_name

_SIZE = draw_size(256, 144)
_PERIOD_NS = NS_PER_S // DEFAULT_FPS


@dataclass(frozen=True, slots=True)
class Trace:
    """What became of a level under some keys: the state after every tic from 0, and whether the goal held at a tick."""

    states: tuple[ArenaState, ...]
    reached: bool

    @property
    def end(self) -> ArenaState:
        """Where it ended."""
        return self.states[-1]

    @property
    def way(self) -> float:
        """Map units walked."""
        return sum(apart(*pair) for pair in pairwise(self.states))

    @property
    def turned(self) -> float:
        """Degrees turned, to either side."""
        return sum(abs(wrap_degrees(after.angle - before.angle)) for before, after in pairwise(self.states))


class Stage:
    """Plays keys in levels, one level after another, with one engine where that will do."""

    def __init__(self) -> None:
        self._engine: Engine | None = None

    def __enter__(self) -> "Stage":
        return self

    def __exit__(self, *_: object) -> None:
        if self._engine is not None:
            self._engine.close()
            self._engine = None

    def _open(self, level: Level) -> Engine:
        if self._engine is not None and not self._engine.can_open(level):
            self.__exit__()
        if self._engine is None:
            self._engine = Engine(level, _SIZE)
        self._engine.open(level)
        return self._engine

    def play(self, level: Level, seed: int) -> tuple[Trace, list[Keys]]:
        """Let the player with two hands play; also the keys that were down in each tic, for whole ticks.

        It is over once the goal holds and no key was down for as many ticks as a chunk has, or at the step limit.
        """
        engine, judge = self._open(level), Judge(level, DEFAULT_FPS)
        player = TwoHands(level, Random(f"{level.id}/{seed}"))
        states, keys = [engine.state], list[Keys]()
        reached, resting = bool(judge.look(engine.state, 0)["goal_reached"]), 0
        for tick in range(judge.max_steps):
            for _ in _tics_of(tick):
                keys.append(player.keys(engine.state))
                engine.hold(keys[-1], 1)
                states.append(engine.state)
            holds = bool(judge.look(engine.state, tick + 1)["goal_reached"])
            reached = reached or holds
            resting = resting + 1 if holds and not any(keys[tic] for tic in _tics_of(tick)) else 0
            if resting == CHUNK_LENGTH:
                break
        return Trace(tuple(states), reached), keys

    def replay(self, level: Level, keys: Sequence[Keys]) -> Trace:
        """Play these keys, a set a tic, for whole ticks."""
        engine, judge = self._open(level), Judge(level, DEFAULT_FPS)
        states = [engine.state]
        reached, tick = bool(judge.look(engine.state, 0)["goal_reached"]), 0
        for down in keys:
            engine.hold(down, 1)
            states.append(engine.state)
            if len(states) - 1 == tics_until(tick + 1, DEFAULT_FPS):
                tick += 1
                reached = bool(judge.look(engine.state, tick)["goal_reached"]) or reached
        return Trace(tuple(states), reached)

    def end(self, level: Level, keys: Sequence[Keys]) -> ArenaState:
        """Where these keys lead; faster than ``replay``."""
        engine = self._open(level)
        for down, run in groupby(keys):
            engine.hold(down, len(list(run)))
        return engine.state


def record(keys: Sequence[Keys], rng: Random) -> list[SessionRow]:
    """The rows that a recorder writes while the engine sees these keys in its tics.

    The engine looks at the keyboard at the end of a tic; the key itself moved at some moment of that tic.
    """
    events, down = list[KeyEvent](), Keys()
    for tic, now in enumerate(keys):
        for key in sorted(now ^ down):
            events.append(KeyEvent(int((tic + rng.random()) * NS_PER_S / TICS_PER_S), parse_action(key), key in now))
        down = now
    events.sort(key=lambda event: event.t_ns)
    rows, held = list[SessionRow](), set[Action]()
    while tics_until(len(rows), DEFAULT_FPS) < len(keys):
        begin, end = len(rows) * _PERIOD_NS, (len(rows) + 1) * _PERIOD_NS
        inside = tuple(event for event in events if begin <= event.t_ns < end)
        rows.append(_row(len(rows), tuple(sorted(held)), inside))
        _apply(held, inside)
    return rows


def _row(index: int, held: tuple[Action, ...], events: tuple[KeyEvent, ...]) -> SessionRow:
    begin = index * _PERIOD_NS
    return SessionRow(index, begin, frame_name(index), held, events, begin + _PERIOD_NS, source="human", take=0)


def recorded_keys(rows: Sequence[SessionRow]) -> list[Keys]:
    """The keys that the engine sees in each tic if all that the rows hold is played at its time."""
    changes: dict[int, list[KeyEvent]] = {}
    for event in (event for row in rows for event in row.events):
        changes.setdefault(event.t_ns * TICS_PER_S // NS_PER_S, []).append(event)
    down = set(rows[0].held)
    keys = []
    for tic in range(tics_until(len(rows), DEFAULT_FPS)):
        _apply(down, changes.get(tic, ()))
        keys.append(frozenset(down))
    return keys


def spread(ticks: Sequence[Keys]) -> list[Keys]:
    """Keys a tick as keys a tic."""
    return [keys for tick, keys in enumerate(ticks) for _ in _tics_of(tick)]


def apart(one: ArenaState, other: ArenaState) -> float:
    """Map units over the floor between two players."""
    return math.dist((one.x, one.y), (other.x, other.y))


def _apply(down: set[Action], events: Sequence[KeyEvent]) -> None:
    for event in events:
        (down.add if event.down else down.discard)(event.word)


def _tics_of(tick: int) -> range:
    return range(tics_until(tick, DEFAULT_FPS), tics_until(tick + 1, DEFAULT_FPS))
