"""Chooses the labeler of a session by name, or by what the session carries.

The only place that knows which labelers there are; each is imported when it is chosen.
"""

from collections.abc import Callable

from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.labeler import Labeler
from labeling.recorded import Recorded
from labeling.referee import Referee
from recording.session import Session

AUTO = "auto"
_MAKERS: dict[str, Callable[[], Labeler]] = {"referee": Referee, "recorded": Recorded}
LABELERS = tuple(_MAKERS)


def choose_labeler(name: str, session: Session) -> Labeler:
    """Return the labeler called ``name``; ``auto`` is the first that has what it needs in the session.

    Raises:
        UnknownNameError: If there is no such labeler.
        InvalidInputError: If ``auto`` finds none that can label this session.
    """
    if name not in (AUTO, *LABELERS):
        raise UnknownNameError("labeler", name, (AUTO, *LABELERS))
    if name != AUTO:
        return _MAKERS[name]()
    objections = []
    for make in _MAKERS.values():
        labeler = make()
        objection = labeler.objection(session)
        if objection is None:
            return labeler
        objections.append(f"{labeler.name}: {objection}")
    raise InvalidInputError(
        f"no labeler can label the session {session.info.session_id} ({'; '.join(objections)}). "
        'Record with a goal: gameenv-record --goal "Climb the stairs"'
    )
