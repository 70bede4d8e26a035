"""Chooses the labeler of a session by name, or by what the session carries.

The only place that knows which labelers there are; each is imported when it is chosen.
"""

from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.labeler import Labeler
from labeling.referee import Referee
from recording.session import Session

AUTO = "auto"
LABELERS = ("referee",)


def choose_labeler(name: str, session: Session) -> Labeler:
    """Return the labeler called ``name``; ``auto`` is the referee where the session has the arena's truth.

    Raises:
        UnknownNameError: If there is no such labeler.
        InvalidInputError: If ``auto`` finds none that can label this session.
    """
    if name not in (AUTO, *LABELERS):
        raise UnknownNameError("labeler", name, (AUTO, *LABELERS))
    referee = Referee()
    if name == AUTO and (objection := referee.objection(session)):
        raise InvalidInputError(
            f"no labeler can label the session {session.info.session_id}: it lacks the arena's truth ({objection}), "
            f"and the labelers there are need it: {', '.join(LABELERS)}"
        )
    return referee
