"""``check_labeler``: what every labeler must do, as a judge that anyone can run on their own.

    from labeling.conformance import check_labeler
    check_labeler(MyLabeler(), Session("dataset/raw_playthrough/some-session"))

The project's own labelers all pass it in ``tests/labeling``. It knows the protocol and no labeler.
"""

from dataclasses import dataclass

from gameenv.errors import InvalidInputError
from gameenv.judging import Checks, UnfitError, judge
from labeling.labeler import Label, Labeler
from labeling.segments import Segment, cut
from recording.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """A labeler under judgement, and clips that it can label."""

    labeler: Labeler
    session: Session
    segments: tuple[Segment, ...]


def check_labeler(labeler: Labeler, session: Session) -> None:
    """Judge a labeler by everything that ``gameenv-label`` relies on. Each clip is labeled twice.

    Args:
        labeler: Who is judged.
        session: A recording that it can label, of two clips or more.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why. Or if it is no labeler, or
            the recording is of no use here.
    """
    if isinstance(labeler, type) or not isinstance(labeler, Labeler):
        raise InvalidInputError(
            f"{labeler!r:.60} is not a labeler: it needs name, version, objection(session) and "
            "label(session, segment); pass an object, not a class"
        )
    segments = tuple(cut(session))
    if len(segments) < 2:
        raise InvalidInputError(f"check_labeler needs a recording of two clips or more, this has {len(segments)}")
    judge(type(labeler).__name__, CHECKS, Subject(labeler, session, segments))


def _has_a_name(subject: Subject) -> None:
    for kind in ("name", "version"):
        text = getattr(subject.labeler, kind)
        if not isinstance(text, str) or not text.strip():
            raise UnfitError(f"{kind} must be a text that is not empty, it is {text!r}")


def _takes_the_session(subject: Subject) -> None:
    objection = subject.labeler.objection(subject.session)
    if objection is not None:
        raise UnfitError(f"objection must be None for a session that it can label, it is {objection!r:.200}")


def _labels_every_clip(subject: Subject) -> None:
    for segment in subject.segments:
        _ask(subject, segment)


def _signs(subject: Subject) -> None:
    labeler = subject.labeler
    label = _ask(subject, subject.segments[0])
    if (label.labeler, label.version) != (labeler.name, labeler.version):
        raise UnfitError(
            f"a label is signed with the labeler's own name and version, {labeler.name} {labeler.version}; "
            f"this one says {label.labeler} {label.version}"
        )


def _repeats_itself(subject: Subject) -> None:
    for segment in reversed(subject.segments):
        first, second = (_ask(subject, segment) for _ in range(2))
        if first.goal != second.goal or first.completed != second.completed:
            raise UnfitError(f"the same clip must get the same label, clip {segment.number} got {first} and {second}")


def _ask(subject: Subject, segment: Segment) -> Label:
    label = subject.labeler.label(subject.session, segment)
    if not isinstance(label, Label):
        raise UnfitError(f"label must return a Label, it returned {label!r:.80}")
    return label


CHECKS: Checks = {
    "has a name and a version": _has_a_name,
    "takes a session that it can label": _takes_the_session,
    "labels every clip": _labels_every_clip,
    "signs its labels": _signs,
    "says the same of the same clip": _repeats_itself,
}
