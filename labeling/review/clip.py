"""A clip as it is reviewed: which rows, what it is labeled as, and what a person has said of it.

It holds all that its segment is built from, but for the recording. Knows nothing of files or of the page.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal, get_args

from gameenv.errors import InvalidInputError
from labeling.labeler import Label
from labeling.samples import SampleSettings
from labeling.segment_folder import HUMAN, SegmentRecord, folder_name

State = Literal["unlabeled", "proposed", "changed", "accepted", "edited", "rejected", "deleted"]
"""``unlabeled``: nobody has named it. ``proposed``: a machine has. ``changed``: a person has renamed, cut or joined it
and not yet said that it is right. The others are a person's last word."""
STATES: tuple[State, ...] = get_args(State)
REVIEWED = frozenset[State](("accepted", "edited", "rejected", "deleted"))
REJECTED = frozenset[State](("rejected", "deleted"))
REVIEW = "review"
"""The key of a segment's evidence under which this page writes."""


@dataclass(frozen=True, slots=True)
class ReviewClip:
    """One clip.

    Attributes:
        session: The recording's id.
        number: The segment's number, which names its folder.
        take: The take it lies in.
        start: First row.
        stop: One past the last row.
        label: What its segment says; None if it has none.
        settings: How its samples are made.
        fingerprint: The segment's.
        version: Number of the last decision on it, 0 without any.
    """

    session: str
    number: int
    take: int
    start: int
    stop: int
    label: Label | None
    settings: SampleSettings
    fingerprint: str = ""
    version: int = 0

    def __len__(self) -> int:
        return self.stop - self.start

    @property
    def key(self) -> str:
        """What it is called on the page: session and rows."""
        return f"{self.session}:{self.start}:{self.stop}"

    @property
    def name(self) -> str:
        """The name of its segment's folder."""
        return folder_name(self.session, self.number)

    @property
    def state(self) -> State:
        """What a person has said of it."""
        if self.label is None:
            return "unlabeled"
        if self.label.labeler != HUMAN:
            return "proposed"
        said = _review_of(self.label).get("state")
        for state in STATES:
            if state == said:
                return state
        return "accepted"

    @property
    def proposal(self) -> Mapping[str, Any] | None:
        """The label that a machine gave it, by the names of ``Label``'s fields; None without any."""
        if self.label is None:
            return None
        if self.label.labeler != HUMAN:
            return asdict(self.label)
        return _review_of(self.label).get("proposal")

    def said(self, state: State, goal: str, *, completed: bool) -> "ReviewClip":
        """This clip as a person labels it."""
        sure = state in ("accepted", "edited") or self.label is None
        evidence = {REVIEW: {"state": state, "proposal": self.proposal}}
        confidence = 1.0 if sure or self.label is None else self.label.confidence
        return replace(self, label=Label(goal, HUMAN, "1", confidence, completed, evidence))

    def to_json(self) -> dict[str, Any]:
        """As a line of the journal holds it."""
        return asdict(self)

    @classmethod
    def from_json(cls, content: Mapping[str, Any]) -> "ReviewClip":
        """Read what ``to_json`` gave.

        Raises:
            InvalidInputError: If it is anything else.
        """
        try:
            label, settings = content["label"], SampleSettings(**content["settings"])
            clip = cls(**{**content, "label": None if label is None else Label(**label), "settings": settings})
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidInputError(f"a clip lacks a field or has a strange one ({error})") from error
        return clip.checked()

    @classmethod
    def of_record(cls, record: SegmentRecord) -> "ReviewClip":
        """The clip of a segment.

        Raises:
            InvalidInputError: If a field that matters here is not what it should be.
        """
        try:
            label = Label(
                record.goal, record.labeler, record.version, record.confidence, record.completed, record.evidence
            )
            settings = SampleSettings(record.seconds, _tail(record.tail), record.chords, record.keep_every)
            return cls(
                session=record.session_id,
                number=record.number,
                take=record.take,
                start=record.start,
                stop=record.stop,
                label=label,
                settings=settings,
                fingerprint=record.fingerprint,
            ).checked()
        except (TypeError, ValueError) as error:
            raise InvalidInputError(f"{record.name!r:.80} has a strange field: {error}") from error

    def checked(self) -> "ReviewClip":
        """This clip.

        Raises:
            InvalidInputError: If a field is not of its type.
        """
        numbers = (self.number, self.take, self.start, self.stop, self.version)
        label = self.label
        fine = (
            all(isinstance(number, int) and number >= 0 for number in numbers)
            and self.start < self.stop
            and isinstance(self.session, str)
            and isinstance(self.fingerprint, str)
            and (label is None or (isinstance(label.completed, bool) and isinstance(label.evidence, dict)))
            and (label is None or (isinstance(label.labeler, str) and isinstance(label.version, str)))
        )
        if not fine:
            raise InvalidInputError(f"{self.key!r:.80} has fields of the wrong kind")
        return self


def _review_of(label: Label) -> Mapping[str, Any]:
    said = label.evidence.get(REVIEW)
    return said if isinstance(said, dict) else {}


def _tail(tail: str) -> Literal["next", "none"]:
    return "none" if tail == "none" else "next"
