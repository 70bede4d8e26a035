"""One tick of a recording, in memory and as a line of ``steps.jsonl``.

Row t pairs the frame grabbed at tick t with the keys held during [t, t+1). Knows nothing of folders or environments.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from operator import attrgetter, itemgetter
from typing import Any, Literal, get_args

import numpy as np

from gameenv.actions import Action
from gameenv.errors import InvalidInputError

MARK, REACHED = "mark", "reached"
"""In a row's ``info``, where the person who played says so: at this tick the goal was reached."""
LABELED = "labeled"
"""In a row's ``info``, never on disk: a person said afterwards what it is about."""
Source = Literal["human", "policy", "expert", "noise", "correction"]
SOURCES: tuple[Source, ...] = get_args(Source)
FRAMES_DIR = "frames"


@dataclass(frozen=True, slots=True)
class KeyEvent:
    """The key of a word went down or came up.

    Attributes:
        t_ns: When, on the monotonic clock.
        word: The action word, not the physical key that this game has for it.
        down: True for a press, False for a release.
    """

    t_ns: int
    word: Action
    down: bool


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One tick: the frame grabbed at it and what the keys did until the next grab.

    The names and their order are those of a line of ``steps.jsonl``; this is their only home.

    Attributes:
        index: Position in the session, from 0; also the frame's file name.
        t_ns: Monotonic time of the grab, nanoseconds.
        frame: The frame's path relative to the session folder.
        held: Words down at the grab.
        events: Every press and release from this grab until the next, in order of time.
        end_t_ns: Time of the next grab: where this row's interval ends.
        source: Who chose the keys.
        take: Number of the unbroken stretch this row belongs to, from 0.
        late: This tick overran.
        focused: The game had the focus.
        new_frame: The frame differs from the one before.
        goal: The goal where it is known, else None.
        info: What else the environment said (JSON values only).
    """

    index: int
    t_ns: int
    frame: str
    held: tuple[Action, ...]
    events: tuple[KeyEvent, ...]
    end_t_ns: int
    source: Source
    take: int
    late: bool = False
    focused: bool = True
    new_frame: bool = True
    goal: str | None = None
    info: dict[str, Any] = field(default_factory=dict)

    @property
    def reached(self) -> bool:
        """A person says that the goal was reached at this tick."""
        return self.info.get(MARK) == REACHED


_NAMES = tuple(name.name for name in fields(SessionRow))
_values_of = attrgetter(*_NAMES)
_values_in = itemgetter(*_NAMES)


def frame_name(index: int) -> str:
    """Return the path, relative to the session folder, of frame ``index``."""
    return f"{FRAMES_DIR}/{index:06d}.jpg"


def encode_row(row: SessionRow) -> bytes:
    """Return the row as one line of compact JSON, newline included.

    Numpy scalars and arrays in ``info`` become plain numbers and lists, NaN and infinity become null, and anything
    else JSON has no word for becomes its ``str``.
    """
    content = dict(zip(_NAMES, _values_of(row), strict=True))
    content["events"] = [(event.t_ns, event.word, event.down) for event in row.events]
    try:
        text = _ENCODER.encode(content)
    except (ValueError, TypeError):  # NaN, or a dictionary key that is not a string: rare, so only then walk it all
        text = _ENCODER.encode(_json_safe(content))
    return text.encode() + b"\n"


def decode_row(content: Mapping[str, Any]) -> SessionRow:
    """Return the row that a parsed line of ``steps.jsonl`` holds.

    Raises:
        InvalidInputError: If a field is missing or of the wrong kind.
    """
    try:
        index, t_ns, frame, held, events, *rest = _values_in(content)
        pressed = tuple([KeyEvent(t_ns, word, down) for t_ns, word, down in events])
        return SessionRow(index, t_ns, frame, tuple(held), pressed, *rest)
    except KeyError as error:
        raise InvalidInputError(f"the field {error} is missing") from None
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"a field is of the wrong kind ({error})") from None


def check_row(row: SessionRow, vocabulary: frozenset[str]) -> None:
    """Check what ``decode_row`` takes as it finds it.

    Raises:
        InvalidInputError: If a time is not a whole number, ``info`` no dictionary, or a key not in the vocabulary.
    """
    if not (isinstance(row.t_ns, int) and isinstance(row.end_t_ns, int) and isinstance(row.info, dict)):
        raise InvalidInputError("t_ns, end_t_ns or info is of the wrong kind")
    if not (vocabulary.issuperset(row.held) and vocabulary.issuperset([event.word for event in row.events])):
        strange = {*row.held, *(event.word for event in row.events)} - vocabulary
        raise InvalidInputError(f"the key {min(map(str, strange))!r} is not in the session's vocabulary")


def _plain(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    return str(value)


def _json_safe(value: object) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, Mapping):
        return {str(key): _json_safe(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_json_safe(item) for item in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return value if value is None or isinstance(value, bool | int | str) else str(value)


_ENCODER = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, allow_nan=False, default=_plain)


def parse_source(source: object) -> Source:
    """Return ``source`` if it is one of the five.

    Raises:
        InvalidInputError: If it is not.
    """
    for known in SOURCES:
        if known == source:
            return known
    raise InvalidInputError(f"a source is one of {', '.join(SOURCES)}; got {source!r}")
