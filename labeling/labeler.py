"""The one interface of whoever names goals: a clip in, a goal out.

Knows nothing of samples, folders or models. Each labeler is one file beside this one.
"""

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

from gameenv.errors import InvalidInputError
from labeling.segments import Segment
from labeling.wording import check_goal
from recording.session import Session


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


@runtime_checkable
class Labeler(Protocol):
    """Names the goal of a clip."""

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

    def label(self, session: Session, segment: Segment) -> Label:
        """Return the label of one clip.

        Raises:
            InvalidInputError: If no valid goal could be found for it.
        """
        ...
