"""Sliding windows: from each frame of a clip, the seven actions that follow.

Row t's own word is the first of its window: row t pairs the frame at t with the keys held during [t, t+1). Knows
nothing of files, goals or labelers.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.segments import DEFAULT_SECONDS, Segment, check_seconds
from recording import chords
from recording.session import Session, Source, Take

Tail = Literal["next", "none"]
TAILS: tuple[Tail, ...] = get_args(Tail)

DROPPED_NOISE = "noise"
DROPPED_NO_NEXT = "no_next"
DROPPED_MISSING_FRAME = "missing_frame"
DROPPED_PAUSE = "pause"
DROPPED_THINNED = "thinned"


@dataclass(frozen=True, slots=True)
class SampleSettings:
    """How clips become samples. Two datasets with different settings are not the same data.

    Attributes:
        seconds: Length of a clip.
        tail: What follows a clip's end: ``next`` is ``none`` only where the goal was completed in the clip, else what
            the player really did next in the take; ``none`` always pads (the specification's plain rule).
        chords: The method that reduces several held keys to one word a tick, of ``recording.chords.METHODS``.
        keep_every: Every so many rows of a session become a sample, whatever their windows hold.

    Raises:
        UnknownNameError: If ``tail`` or ``chords`` is not one of the choices.
        InvalidInputError: If ``seconds`` is not above zero, or ``keep_every`` is below 1.
    """

    seconds: float = DEFAULT_SECONDS
    tail: Tail = "next"
    chords: str = chords.DEFAULT
    keep_every: int = 1

    def __post_init__(self) -> None:
        check_seconds(self.seconds)
        if self.tail not in TAILS:
            raise UnknownNameError("tail", self.tail, TAILS)
        if self.chords not in chords.METHODS:
            raise UnknownNameError("chord method", self.chords, chords.METHODS)
        if self.keep_every < 1:
            raise InvalidInputError(f"one of every --keep-every rows is kept, at least 1, got {self.keep_every}")


@dataclass(frozen=True, slots=True)
class TakeWords:
    """One word and one source for each row of a take; ``start`` is the session's index of the first."""

    start: int
    words: tuple[Action, ...]
    sources: tuple[Source, ...]

    @property
    def stop(self) -> int:
        """One past the take's last row."""
        return self.start + len(self.words)


@dataclass(frozen=True, slots=True)
class Window:
    """A frame (by its row in the session) and the seven actions from it on."""

    row: int
    chunk: ActionChunk


@dataclass(frozen=True, slots=True)
class Windows:
    """The windows of one clip, and how many were dropped by reason."""

    kept: tuple[Window, ...]
    dropped: Mapping[str, int]


def read_take(session: Session, take: Take, method: str) -> TakeWords:
    """Reduce a whole take to one word a tick; the reduction must see it whole, for it carries error along."""
    rows = [session[index] for index in range(take.start, take.stop)]
    words = tuple(chords.METHODS[method](rows))
    if len(words) != len(rows):
        raise InvalidInputError(f"chord method {method!r} gave {len(words)} words for {len(rows)} rows")
    return TakeWords(take.start, words, tuple(row.source for row in rows))


def slide(segment: Segment, take: TakeWords, completed: bool, tail: Tail = "next", keep_every: int = 1) -> Windows:
    """Return the window of every row of a clip that has one.

    A window with a ``noise`` row among its seven targets is dropped, and so is one that runs past the end of the take
    where nothing may be put in its place. Seven ``none`` are a declaration and kept only where a completed clip ends
    with them; anywhere else they are a pause, and dropped under either tail rule.

    Args:
        segment: The clip.
        take: The words of the take it lies in.
        completed: The goal was reached by the clip's end, so that ``none`` follows.
        tail, keep_every: See ``SampleSettings``.
    """
    pad = completed or tail == "none"
    end = segment.stop if pad else take.stop
    words = take.words[segment.start - take.start : end - take.start]
    noisy = [source == "noise" for source in take.sources[segment.start - take.start : end - take.start]]
    if pad:
        words += (NONE,) * (CHUNK_LENGTH - 1)
    kept: list[Window] = []
    dropped: Counter[str] = Counter()
    for offset in range(len(segment)):
        targets = words[offset : offset + CHUNK_LENGTH]
        if any(noisy[offset : offset + CHUNK_LENGTH]):
            dropped[DROPPED_NOISE] += 1
            continue
        if len(targets) < CHUNK_LENGTH:
            dropped[DROPPED_NO_NEXT] += 1
            continue
        chunk = ActionChunk(targets)
        if chunk.done and not (completed and set(words[offset:]) == {NONE}):
            dropped[DROPPED_PAUSE] += 1
        elif (segment.start + offset) % keep_every:
            dropped[DROPPED_THINNED] += 1
        else:
            kept.append(Window(segment.start + offset, chunk))
    return Windows(tuple(kept), dict(dropped))
