"""The goal that the person gave when recording (``gameenv-record --goal``) as a label: nobody has to guess it.

Nobody said when it was reached, so no clip counts as completed. Knows nothing of pictures.
"""

from collections.abc import Iterator, Sequence

from gameenv.errors import InvalidInputError
from labeling.labeler import Clip, Label
from labeling.wording import check_goal
from recording.session import Session


class Recorded:
    """Takes the goal from the rows."""

    name = "recorded"
    version = "1"

    def objection(self, session: Session) -> str | None:
        """Why this session cannot be labeled by it, or None."""
        for goal in {row.goal: None for row in session}:
            if goal is None:
                return "it was recorded without --goal"
            try:
                check_goal(goal)
            except InvalidInputError as error:
                return str(error)
        return None

    def label(self, clips: Sequence[Clip]) -> Iterator[Label]:
        """Yield the person's own goal for each clip.

        Raises:
            InvalidInputError: If one is not 2 to 6 words.
        """
        for clip in clips:
            goal = check_goal(clip.segment.known_goal)
            yield Label(goal, self.name, self.version, confidence=1.0, completed=False, evidence={})
