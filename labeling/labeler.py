"""The one interface of whoever names goals: clips in, for each a goal, or why it gets none.

Knows nothing of samples, folders or models. Each labeler is one file beside this one.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, get_args, runtime_checkable

from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.segments import Segment
from labeling.wording import check_goal
from recording.session import Session, SessionRow

Reason = Literal["unnamed", "unclear", "idle", "low-confidence", "invalid-reply", "no-picture", "failed"]
"""Why a clip gets no goal: nobody said one, nobody can tell, nothing happens, too unsure, unusable answer, no frame to
look at, an error that asking again may mend."""
REASONS: tuple[Reason, ...] = get_args(Reason)


@dataclass(frozen=True, slots=True)
class Clip:
    """What a labeler looks at: a stretch of a recording."""

    session: Session
    segment: Segment

    @property
    def rows(self) -> tuple[SessionRow, ...]:
        """The clip's rows."""
        return self.session[self.segment.start : self.segment.stop]

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self.segment.session_id}, clip {self.segment.number}"


@dataclass(frozen=True, slots=True)
class Label:
    """What the player was trying to do in one clip, and who says so.

    Attributes:
        goal: 2 to 6 words.
        labeler: The labeler's name: ``referee``, ``human``, ...
        version: The labeler's version; another one means its segments are labeled again.
        confidence: 0 to 1.
        completed: The goal was reached by the end of the clip.
        evidence: What the label rests on (JSON values only).

    Raises:
        InvalidInputError: If the goal or the confidence is not one.
    """

    goal: str
    labeler: str
    version: str
    confidence: float
    completed: bool
    evidence: dict[str, Any]

    def __post_init__(self) -> None:
        check_goal(self.goal)
        if not 0.0 <= self.confidence <= 1.0:
            raise InvalidInputError(f"a label's confidence is 0 to 1, got {self.confidence}")


@dataclass(frozen=True, slots=True)
class SetAside:
    """A clip that gets no goal: it is counted and shown, and nothing is trained on it.

    Attributes:
        reason: One of ``REASONS``.
        labeler: The labeler's name.
        version: The labeler's version.
        detail: What was seen or said, in a line.
        proposal: The goal that was proposed all the same, for a person to look at.
        evidence: What this rests on (JSON values only).

    Raises:
        UnknownNameError: If the reason is not one of ``REASONS``.
    """

    reason: Reason
    labeler: str
    version: str
    detail: str = ""
    proposal: str | None = None
    evidence: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.reason not in REASONS:
            raise UnknownNameError("reason to set a clip aside", self.reason, REASONS)


@runtime_checkable
class Labeler(Protocol):
    """Names the goals of clips."""

    @property
    def name(self) -> str:
        """Its name, as ``--labeler`` takes it."""
        ...

    @property
    def version(self) -> str:
        """Changes whenever the same clip could get another label: model, prompt, rule."""
        ...

    def objection(self, session: Session) -> str | None:
        """Why this session cannot be labeled by it, in one sentence that says what is missing; None if it can."""
        ...

    def label(self, clips: Sequence[Clip]) -> Iterable[Label | SetAside]:
        """Answer for each clip, in their order, each as soon as it is known.

        A clip depends on no other: alone, or among others, it gets the same answer. One that cannot be labeled is set
        aside with the reason; it never ends the others.

        Raises:
            GameEnvError: If none of the clips that follow can be labeled either (a wrong key, say).
        """
        ...


def next_answer(answers: Iterator[Label | SetAside], labeler: Labeler, clip: Clip) -> Label | SetAside:
    """The answer for the next clip.

    Raises:
        InvalidInputError: If the labeler gave none, or something that is none.
    """
    answer = next(answers, None)
    if not isinstance(answer, Label | SetAside):
        came = "no answer more" if answer is None else f"{answer!r:.80}"
        raise InvalidInputError(
            f"the labeler {labeler.name!r} must answer each clip with a Label or a SetAside; for clip "
            f"{clip.segment.number} of {clip.segment.session_id} it gave {came}"
        )
    return answer
