"""``check_labeler``: what every labeler must do, as a judge that anyone can run on their own.

    from labeling.conformance import check_labeler
    check_labeler(MyLabeler(), Session("dataset/raw_playthrough/some-session"))

The project's own labelers all pass it in ``tests/labeling``. It knows the protocol and no labeler.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from gameenv.errors import InvalidInputError
from gameenv.judging import Checks, UnfitError, judge
from labeling.labeler import Clip, Label, Labeler, SetAside
from labeling.segments import cut
from recording.session import Session


@dataclass(frozen=True, slots=True)
class Subject:
    """A labeler under judgement, and clips that it can label."""

    labeler: Labeler
    session: Session
    clips: tuple[Clip, ...]


def check_labeler(labeler: Labeler, session: Session) -> None:
    """Judge a labeler by everything that ``gameenv-label`` relies on. Each clip is labeled three times.

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
            "label(clips); pass an object, not a class"
        )
    clips = tuple(Clip(session, segment) for segment in cut(session))
    if len(clips) < 2:
        raise InvalidInputError(f"check_labeler needs a recording of two clips or more, this has {len(clips)}")
    judge(type(labeler).__name__, CHECKS, Subject(labeler, session, clips))


def _has_a_name(subject: Subject) -> None:
    for kind in ("name", "version"):
        text = getattr(subject.labeler, kind)
        if not isinstance(text, str) or not text.strip():
            raise UnfitError(f"{kind} must be a text that is not empty, it is {text!r}")


def _takes_the_session(subject: Subject) -> None:
    objection = subject.labeler.objection(subject.session)
    if objection is not None:
        raise UnfitError(f"objection must be None for a session that it can label, it is {objection!r:.200}")


def _answers_every_clip(subject: Subject) -> None:
    answers = _ask(subject, subject.clips)
    if all(isinstance(answer, SetAside) for answer in answers):
        raise UnfitError(f"a clip that it can label must get a Label, all were set aside: {answers[0]}")


def _asks_nothing_of_nothing(subject: Subject) -> None:
    _ask(subject, ())


def _signs(subject: Subject) -> None:
    labeler = subject.labeler
    for answer in _ask(subject, subject.clips):
        if (answer.labeler, answer.version) != (labeler.name, labeler.version):
            raise UnfitError(
                f"an answer is signed with the labeler's own name and version, {labeler.name} {labeler.version}; "
                f"this one says {answer.labeler} {answer.version}"
            )


def _answers_alone_as_among_others(subject: Subject) -> None:
    together = _ask(subject, subject.clips)
    for clip, among in reversed(list(zip(subject.clips, together, strict=True))):
        (alone,) = _ask(subject, (clip,))
        if _gist(alone) != _gist(among):
            raise UnfitError(
                f"the same clip must get the same answer alone and among others, clip {clip.segment.number} got "
                f"{alone} and {among}"
            )


def _gist(answer: Label | SetAside) -> tuple[str, bool]:
    return (answer.goal, answer.completed) if isinstance(answer, Label) else (answer.reason, False)


def _ask(subject: Subject, clips: Sequence[Clip]) -> list[Label | SetAside]:
    answers = list(subject.labeler.label(clips))
    for answer in answers:
        if not isinstance(answer, Label | SetAside):
            raise UnfitError(f"label must give a Label or a SetAside for each clip, it gave {answer!r:.80}")
    if len(answers) != len(clips):
        raise UnfitError(f"label must answer each clip once, in order: {len(clips)} clips got {len(answers)} answers")
    return answers


CHECKS: Checks = {
    "has a name and a version": _has_a_name,
    "takes a session that it can label": _takes_the_session,
    "answers every clip": _answers_every_clip,
    "answers nothing for no clips": _asks_nothing_of_nothing,
    "signs its answers": _signs,
    "says the same of a clip alone and among others": _answers_alone_as_among_others,
}
