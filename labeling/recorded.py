"""The goals that a person gave as labels: nobody has to guess them.

When recording (``gameenv-record --goal``) or afterwards (``gameenv-sessions goal``, ``gameenv-label --goals``). A clip
is completed where the person said so. Knows nothing of pictures.
"""

from collections.abc import Iterator, Sequence

from gameenv.errors import InvalidInputError
from labeling.labeler import Clip, Label, SetAside
from labeling.wording import check_goal
from recording.session import Session


class Recorded:
    """Takes the goal from the rows; clips without one are set aside."""

    name = "recorded"
    version = "2"

    def objection(self, session: Session) -> str | None:
        """Why this session cannot be labeled by it, or None."""
        goals = {row.goal: None for row in session if row.goal is not None}
        if not goals:
            return "it was recorded without --goal"
        for goal in goals:
            try:
                check_goal(goal)
            except InvalidInputError as error:
                return str(error)
        return None

    def label(self, clips: Sequence[Clip]) -> Iterator[Label | SetAside]:
        """Yield the person's own goal for each clip.

        Raises:
            InvalidInputError: If one is not 2 to 6 words.
        """
        for clip in clips:
            goal = clip.segment.known_goal
            if goal is None:
                yield SetAside("unnamed", self.name, self.version)
            else:
                completed = clip.rows[-1].reached
                yield Label(check_goal(goal), self.name, self.version, 1.0, completed=completed, evidence={})
