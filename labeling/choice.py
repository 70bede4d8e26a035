"""Chooses the labeler of a session by name, or by what the session carries.

The only place that knows which labelers there are.
"""

from collections.abc import Callable

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.factories import is_factory, load_object
from labeling.labeler import Labeler
from labeling.persons import objection_to_rest
from labeling.recorded import Recorded
from labeling.referee import Referee
from recording.session import Session

AUTO = "auto"
_MAKERS: dict[str, Callable[[], Labeler]] = {"referee": Referee, "recorded": Recorded}
LABELERS = tuple(_MAKERS)
CHOICES = (AUTO, *LABELERS, "<package.module:factory>")


def load_labeler(spec: str) -> Labeler:
    """Make the labeler that ``spec`` describes.

    Args:
        spec: One of ``LABELERS``, or ``package.module:factory`` (anything importable, the current directory included: a
            function or class that takes no arguments, or a labeler).

    Raises:
        UnknownNameError: If it is none of these; says what it may have meant.
        InvalidInputError: If the module cannot be used, or gives no labeler.
    """
    check_spec(spec)
    if spec in _MAKERS:
        return _MAKERS[spec]()
    return load_object(
        spec, Labeler, "labeler", "name, version, objection(session) and label(clips); see labeling/labeler.py"
    )


def check_spec(spec: str) -> None:
    """Check a labeler's name without making one.

    Raises:
        UnknownNameError: If it is neither the name of a labeler nor of a factory.
    """
    if spec not in (AUTO, *LABELERS) and not is_factory(spec):
        raise UnknownNameError("labeler", spec, CHOICES)


def choose_labeler(spec: str, session: Session) -> Labeler:
    """Return the labeler that ``spec`` describes; ``auto`` is the first that has what it needs in the session.

    Raises:
        UnknownNameError: If there is no such labeler.
        InvalidInputError: If ``auto`` finds none that can label this session, or a factory gives no labeler.
    """
    if spec != AUTO:
        return load_labeler(spec)
    objections = []
    for make in _MAKERS.values():
        labeler = make()
        objection = objection_to_rest(labeler, session)
        if objection is None:
            return labeler
        objections.append(f"{labeler.name}: {objection}")
    raise InvalidInputError(
        f"no labeler can label the session {session.info.session_id} ({'; '.join(objections)}). "
        'Say the goal afterwards, gameenv-sessions goal SESSION "Climb the stairs", or now: gameenv-label --goal'
    )
