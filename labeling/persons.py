"""What a person said afterwards about parts of a recording: it stays, whoever labels the rest.

Knows no labeler but the one that takes a person's words.
"""

from labeling.labeler import Labeler
from labeling.recorded import Recorded
from recording.rows import LABELED, SessionRow
from recording.session import Session


def is_persons(row: SessionRow) -> bool:
    """Whether a person said afterwards what a row is about."""
    return bool(row.info.get(LABELED)) and row.goal is not None


def objection_to_rest(labeler: Labeler, session: Session) -> str | None:
    """Why a labeler cannot label what no person labeled, None if it can or nothing is left."""
    if isinstance(labeler, Recorded):
        return labeler.objection(session)
    rest = session.where(lambda row: not is_persons(row))
    return labeler.objection(rest) if len(rest) else None
