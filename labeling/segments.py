"""Clips: a recording cut into stretches of about four seconds.

By the session's own time, never across takes, a change of a known goal, or where a person says that it is reached.
Knows nothing of labels.
"""

import bisect
import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gameenv.actions import CHUNK_LENGTH
from gameenv.clock import NS_PER_S
from gameenv.errors import InvalidInputError
from recording.rows import LABELED
from recording.session import Session, SessionRow

DEFAULT_SECONDS = 4.0
"""The specification's clip: long enough for search, orient, move."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One clip of a session.

    Attributes:
        session_id: The recording it is cut from.
        number: Position among the session's clips, from 0.
        take: Number of the take it lies in.
        start: First row, an index into the session.
        stop: One past the last row.
        start_t_ns: Monotonic time of the first row's grab, nanoseconds.
        end_t_ns: Where the last row's interval ends, nanoseconds.
        known_goal: The goal the recording itself carries for all of these rows, else None.
    """

    session_id: str
    number: int
    take: int
    start: int
    stop: int
    start_t_ns: int
    end_t_ns: int
    known_goal: str | None

    def __len__(self) -> int:
        return self.stop - self.start


def check_seconds(seconds: float) -> None:
    """Check a clip's length.

    Raises:
        InvalidInputError: If it is not above zero, or is not a number of seconds at all.
    """
    if not 0 < seconds < math.inf:
        raise InvalidInputError(f"a clip's seconds must be above 0, got {seconds}")


def cut(session: Session, seconds: float = DEFAULT_SECONDS) -> list[Segment]:
    """Cut a session into clips.

    A clip holds the rows grabbed in ``[start + k * seconds, start + (k + 1) * seconds)``, counted anew from where a
    take, or within a take another known goal, begins, and from where a person said that it is reached. A last clip
    shorter than 7 ticks joins the one before it.

    Raises:
        InvalidInputError: If ``seconds`` cannot be a clip's length.
    """
    check_seconds(seconds)
    rows = list(session)
    segments: list[Segment] = []
    for take in session.takes:
        for start, stop in _same_goal(rows, take.start, take.stop):
            for first, last in _by_time(rows, start, stop, round(seconds * NS_PER_S)):
                segments.append(segment_of(session, len(segments), first, last))
    return segments


def segment_of(session: Session, number: int, start: int, stop: int) -> Segment:
    """Return the clip of the rows ``start`` to ``stop``, without ``stop``.

    Raises:
        InvalidInputError: If there are no such rows, or they are not all of one take.
    """
    if not 0 <= start < stop <= len(session) or session[start].take != session[stop - 1].take:
        raise InvalidInputError(
            f"a clip is some rows of one take, and rows {start} to {stop - 1} of the session {session.session_id} "
            f"({len(session)} rows) are not. Was it changed after it was labeled?"
        )
    goals = {row.goal for row in session[start:stop]}
    return Segment(
        session_id=session.info.session_id,
        number=number,
        take=session[start].take,
        start=start,
        stop=stop,
        start_t_ns=session[start].t_ns,
        end_t_ns=session[stop - 1].end_t_ns,
        known_goal=session[start].goal if len(goals) == 1 else None,
    )


def cut_around(session: Session, seconds: float, taken: Mapping[int, tuple[int, int]]) -> list[Segment]:
    """Cut a session into clips that leave alone the rows of clips that are there already.

    A clip keeps its number unless a taken one has it; what is left of it in a second piece, or without its number, gets
    the next free one.

    Args:
        session: The recording.
        seconds: Length of a clip.
        taken: By number, first row and one past the last of the clips that are there.

    Raises:
        InvalidInputError: If ``seconds`` cannot be a clip's length.
    """
    whole = cut(session, seconds)
    if not taken:
        return whole
    spans = sorted(taken.values())
    pieces = [(segment.number, *free) for segment in whole for free in _free(segment.start, segment.stop, spans)]
    used = set(taken)
    spare = itertools.count(max(len(whole), 1 + max(taken)))
    segments: list[Segment] = []
    for number, start, stop in pieces:
        mine = next(spare) if number in used else number
        used.add(mine)
        segments.append(segment_of(session, mine, start, stop))
    return segments


def _free(start: int, stop: int, spans: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """What of ``[start, stop)`` is in none of ``spans``, which are in order."""
    for first, last in spans[max(0, bisect.bisect_left(spans, (start, start)) - 1) :]:
        if first >= stop:
            break
        if start < first:
            yield start, first
        start = max(start, last)
    if start < stop:
        yield start, stop


def _same_goal(rows: Sequence[SessionRow], start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Stretches of ``[start, stop)`` over which the known goal stays the same, each up to where it was reached."""
    first = start
    for index in range(start + 1, stop + 1):
        if index == stop or not goes_on(rows[index - 1], rows[index]):
            yield first, index
            first = index


def goes_on(before: SessionRow, row: SessionRow) -> bool:
    """Whether a row is about what the one before it in the take was: the same goal, said likewise, not reached yet."""
    return row.goal == before.goal and row.info.get(LABELED) == before.info.get(LABELED) and not before.reached


def _by_time(rows: Sequence[SessionRow], start: int, stop: int, length_ns: int) -> list[tuple[int, int]]:
    """Clips of ``[start, stop)``, each ``length_ns`` of session time, the last at least a chunk long if it can be."""
    origin = rows[start].t_ns
    clips: list[tuple[int, int]] = []
    first = start
    for index in range(start + 1, stop + 1):
        if index == stop or (rows[index].t_ns - origin) // length_ns != (rows[first].t_ns - origin) // length_ns:
            clips.append((first, index))
            first = index
    if len(clips) > 1 and clips[-1][1] - clips[-1][0] < CHUNK_LENGTH:
        (before, _), (_, end) = clips[-2:]
        clips[-2:] = [(before, end)]
    return clips
