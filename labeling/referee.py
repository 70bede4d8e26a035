"""The arena's own truth as a labeler: it knows the goal and whether it holds, so nobody has to guess.

Knows nothing of pictures; works only on recordings whose rows carry a goal and ``goal_reached``.
"""

from collections.abc import Iterator, Sequence

from gameenv.errors import InvalidInputError
from labeling.labeler import Clip, Label
from labeling.wording import check_goal
from recording.session import Session, SessionRow


class Referee:
    """Takes the goal from the rows; a clip is completed when the goal holds at its last row."""

    name = "referee"
    version = "1"

    def objection(self, session: Session) -> str | None:
        """Why this session cannot be labeled by the referee, or None."""
        checked: set[str] = set()
        for row in session:
            if row.goal is None:
                return f"row {row.index} has no known goal"
            if row.goal not in checked:
                try:
                    checked.add(check_goal(row.goal))
                except InvalidInputError as error:
                    return f"row {row.index}: {error}"
            if not isinstance(row.info.get("goal_reached"), bool):
                return f"row {row.index} does not say whether the goal was reached (only the arena knows)"
        return None

    def label(self, clips: Sequence[Clip]) -> Iterator[Label]:
        """Yield the truth about each clip; ``evidence`` names the rows at its end in which the goal held.

        Raises:
            InvalidInputError: If a recorded goal is not 2 to 6 words.
        """
        for clip in clips:
            yield self._label(clip)

    def _label(self, clip: Clip) -> Label:
        segment = clip.segment
        goal = check_goal(segment.known_goal)
        first = segment.stop
        while first > segment.start and _holds(clip.session[first - 1]):
            first -= 1
        completed = first < segment.stop
        return Label(
            goal=goal,
            labeler=self.name,
            version=self.version,
            confidence=1.0,
            completed=completed,
            evidence={"goal_reached_rows": [first, segment.stop - 1] if completed else []},
        )


def _holds(row: SessionRow) -> bool:
    # The last grab of an episode is not recorded; the reward for it, which only a reached goal brings, is in this row.
    return row.info["goal_reached"] or row.info.get("reward", 0) > 0
