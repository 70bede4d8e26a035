"""Several keys at once, one word a tick: the reductions from what a person held to the vocabulary.

Pure functions of rows. Recordings keep every key; what is chosen here can be chosen again. Knows nothing of files.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType

from gameenv.actions import ACTIONS, NONE, Action
from recording.rows import SessionRow

PRIORITY: tuple[Action, ...] = ("enter", "space", "c", "left", "right", "up", "down", "a", "d", "s", "w")
"""For ``reduce_priority``, first wins: what happens once, then where one looks, then where one goes."""

_ORDER = {word: index for index, word in enumerate(ACTIONS)}


def key_shares(row: SessionRow) -> dict[Action, float]:
    """Return the share, 0 to 1, of the row's interval [t, t+1) during which each key was down.

    A key is in the result if it was down for any time at all or was pressed in the interval, even for 0 ns; a key
    that came up exactly at the grab is not. Keys come in the vocabulary's order.
    """
    begin, end = row.t_ns, row.end_t_ns
    span = end - begin
    if span <= 0:
        return dict.fromkeys(sorted({*row.held, *pressed_keys(row)}, key=_ORDER.__getitem__), 1.0)
    down_since = dict.fromkeys(row.held, begin)
    total: dict[Action, int] = {}
    for event in row.events:
        t_ns = min(max(event.t_ns, begin), end)
        if event.down:
            down_since.setdefault(event.word, t_ns)
            total.setdefault(event.word, 0)
        elif event.word in down_since:
            held_ns = t_ns - down_since.pop(event.word)
            if held_ns or event.word in total:
                total[event.word] = total.get(event.word, 0) + held_ns
    for key, since in down_since.items():
        total[key] = total.get(key, 0) + end - since
    return {key: total[key] / span for key in sorted(total, key=_ORDER.__getitem__)}


def pressed_keys(row: SessionRow) -> tuple[Action, ...]:
    """Return the keys that went down in the row's interval, in order of time, each once."""
    return tuple(dict.fromkeys(event.word for event in row.events if event.down))


def reduce_error_diffusion(rows: Sequence[SessionRow]) -> tuple[Action, ...]:
    """Share the ticks among the keys that were held, in proportion to how long each was, and lose no tap.

    A stretch is a run of ticks within a take in each of which some key was down. In it every key earns, each tick,
    its part of the time all keys were down together, and the tick goes to the key that is owed most; what is left
    over is carried on, as in dithering (Floyd and Steinberg, 1976). A tap in a tick where no other key was pressed
    takes that tick; other taps wait for the next. A tap for which the stretch is too short takes a tick from a key
    that has others there, or else the nearest idle tick: only a take with more taps than such ticks loses one.

    Args:
        rows: Any rows in order; a change of ``take`` ends a stretch.

    Returns:
        A word for each row. ``none`` where nothing was held. Where one key alone was held, that key. Equal rows
        give equal words.
    """
    words: list[Action] = []
    for take in _takes(rows):
        words += _reduce_take(take)
    return tuple(words)


def reduce_priority(rows: Sequence[SessionRow]) -> tuple[Action, ...]:
    """Give each tick to the first key of ``PRIORITY`` that was down in it at all: the simple alternative.

    Returns:
        A word for each row; ``none`` where nothing was held.
    """
    return tuple(min(shares, key=_PRIORITY_ORDER.__getitem__) if (shares := key_shares(row)) else NONE for row in rows)


_PRIORITY_ORDER = {word: index for index, word in enumerate(PRIORITY)}

METHODS: Mapping[str, Callable[[Sequence[SessionRow]], tuple[Action, ...]]] = MappingProxyType(
    {"error-diffusion": reduce_error_diffusion, "priority": reduce_priority}
)
"""Method name, as models' cards carry it, to the reduction."""
DEFAULT = "error-diffusion"


def _takes(rows: Sequence[SessionRow]) -> Iterator[Sequence[SessionRow]]:
    start = 0
    for index in range(1, len(rows) + 1):
        if index == len(rows) or rows[index].take != rows[start].take:
            yield rows[start:index]
            start = index


def _reduce_take(rows: Sequence[SessionRow]) -> list[Action]:
    words: list[Action] = [NONE] * len(rows)
    idle: list[int] = []
    unplaced: list[tuple[int, Action]] = []
    stretch = _Stretch(words, 0)
    for tick, row in enumerate(rows):
        shares = key_shares(row)
        if shares:
            stretch.add(tick, row, shares)
        else:
            unplaced += stretch.end(tick)
            stretch = _Stretch(words, tick + 1)
            idle.append(tick)
    unplaced += stretch.end(len(rows))
    for pressed_at, key in unplaced:
        if idle:
            tick = min(idle, key=lambda at: (abs(at - pressed_at), -at))
            idle.remove(tick)
            words[tick] = key
    return words


class _Stretch:
    """The run of busy ticks being reduced: what each key is owed, and the taps still waiting for a tick."""

    def __init__(self, words: list[Action], start: int) -> None:
        self.words = words
        self.start = start
        self.owed: dict[Action, float] = {}
        self.waiting: dict[Action, int] = {}  # key -> tick of its press, oldest first
        self.spoken_for: set[int] = set()  # ticks in which a press first shows

    def add(self, tick: int, row: SessionRow, shares: dict[Action, float]) -> None:
        if len(shares) == 1 and not row.events and not self.waiting:
            self.words[tick] = next(iter(shares))  # the common case: it earns the tick and takes it
            return
        time_down = sum(shares.values())
        for key, share in shares.items():
            self.owed[key] = self.owed.get(key, 0.0) + (share / time_down if time_down else 1 / len(shares))
        pressed = pressed_keys(row)
        for key in pressed:
            self.waiting.setdefault(key, tick)
        word = self._choose(shares, pressed, _keys_down_at_end(row))
        if self.waiting.pop(word, None) is not None:
            self.spoken_for.add(tick)
        self.owed[word] = self.owed.get(word, 0.0) - 1.0
        self.words[tick] = word

    def _choose(self, shares: dict[Action, float], pressed: tuple[Action, ...], still_down: set[Action]) -> Action:
        if len(pressed) == 1 and pressed[0] not in still_down:
            return pressed[0]
        for key in self.waiting:
            if key not in still_down:
                return key
        return max(shares, key=lambda key: self.owed[key])

    def end(self, stop: int) -> list[tuple[int, Action]]:
        """Give the taps that still wait a spare tick before ``stop``; return those for which there is none."""
        unplaced: list[tuple[int, Action]] = []
        for key, pressed_at in self.waiting.items():
            ticks = range(self.start, stop)
            # Last resort in the stretch: a second tap of a key that shows elsewhere in it.
            spare = [tick for tick in ticks if tick not in self.spoken_for] or [
                tick for tick in ticks if self.words[self.start : stop].count(self.words[tick]) > 1
            ]
            if not spare:
                unplaced.append((pressed_at, key))
                continue
            tick = min(spare, key=lambda at: (abs(at - pressed_at), -at))
            self.words[tick] = key
            self.spoken_for.add(tick)
        return unplaced


def _keys_down_at_end(row: SessionRow) -> set[Action]:
    down = set(row.held)
    for event in row.events:
        (down.add if event.down else down.discard)(event.word)
    return down
