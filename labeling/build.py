"""Labels one recording: cuts it, asks a labeler about each clip, and writes what is not there yet.

Segments that are complete and made of the same things are kept, others are built anew, and a person's are never
touched. Knows nothing of how a labeler decides.
"""

import contextlib
import hashlib
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import InvalidInputError, SessionError
from labeling.labeler import Clip, Label, Labeler, SetAside, next_answer
from labeling.persons import is_persons, objection_to_rest
from labeling.recorded import Recorded
from labeling.samples import SampleSettings, TakeWords, read_take, slide
from labeling.segment_folder import (
    HUMAN,
    SAMPLES_FILE,
    SegmentRecord,
    read_record,
    remove_folder,
    remove_parts,
    segment_folders,
    span_name,
    write_record,
)
from labeling.segment_writer import SegmentDraft, extra_bytes, write_segment
from labeling.segments import Segment, cut_around, goes_on, segment_of
from policies.prompt import PROMPT_VERSION
from recording.session import Session

_RULES = 2
"""Raised when the same clip and label give other samples, so that segments of before are built anew."""


@dataclass(frozen=True, slots=True)
class LabeledSession:
    """What became of a clip that has a goal.

    Attributes:
        record: Its segment.
        what: ``built`` now, ``kept`` from before, or ``human``: kept because a person labeled it.
        extra_bytes: Disk it takes beyond the recording.
    """

    record: SegmentRecord
    what: Literal["built", "kept", "human"]
    extra_bytes: int


def check_session(session: Session, labeler: Labeler) -> None:
    """Raise if a session cannot be labeled.

    Raises:
        SessionError: If it has no rows.
        InvalidInputError: If its vocabulary is another one, or the labeler objects.
    """
    name = session.info.session_id
    if len(session) == 0:
        raise SessionError(
            f"the session {name} is empty: it has no complete tick. Record again, or delete {session.path}"
        )
    if tuple(session.info.vocabulary) != ACTIONS:
        raise InvalidInputError(
            f"the session {name} was recorded with the vocabulary {' '.join(session.info.vocabulary)}; "
            f"this version knows {' '.join(ACTIONS)}. Samples of the two cannot be mixed."
        )
    if objection := objection_to_rest(labeler, session):
        raise InvalidInputError(f"the labeler {labeler.name!r} cannot label the session {name}: {objection}")


def label_session(
    session: Session,
    root: Path,
    labeler: Labeler,
    settings: SampleSettings | None = None,
    *,
    on_clip: Callable[[int, int], object] = lambda done, total: None,
    on_set_aside: Callable[[Segment, SetAside], object] = lambda segment, aside: None,
) -> list[LabeledSession]:
    """Label a session into ``root`` and return what became of each clip that has a goal, in order.

    What a person said of a clip stays, whoever the labeler is; it is not asked.

    Killed at any moment it leaves only complete segments, and the next call goes on from there. A session that is still
    being written is labeled as far as it reads; a later call rebuilds the clips that have grown.

    Args:
        session: The recording.
        root: Folder of the labeled segments; made if it is missing.
        labeler: Who names the goals.
        settings: How clips become samples.
        on_clip: Called after each clip with how many are done and how many there are.
        on_set_aside: Called for each clip that gets no goal; there is no segment of it.

    Raises:
        SessionError: If the session is empty.
        InvalidInputError: If it cannot be labeled, or lacks rows that a person labeled.
        DiskFullError: If the disk is full; finished segments stay.
    """
    settings = settings or SampleSettings()
    check_session(session, labeler)
    root.mkdir(parents=True, exist_ok=True)
    remove_parts(root, session.info.session_id)
    persons = read_persons(root, session)
    segments = cut_around(session, settings.seconds, {each.number: (each.start, each.stop) for each in persons})
    plans = list(_plan(session, segments, labeler, settings))
    kept = _keep(root, session.info.session_id, {plan.segment.number: plan for plan in plans})
    asked = [plan.segment for plan in plans if not _is_said(session, plan.segment)]
    answers = iter(labeler.label([Clip(session, segment) for segment in asked]))
    outcomes: list[LabeledSession] = []
    in_order = sorted([*plans, *persons], key=lambda each: each.start)
    for done, plan in enumerate(in_order, start=1):
        before = outcomes[-1].record if outcomes else None
        if isinstance(plan, SegmentRecord):
            outcomes.append(LabeledSession(plan, "human", extra_bytes(root, plan)))
        else:
            there = kept.get(plan.segment.number)
            if _is_said(session, plan.segment):
                (answer,) = Recorded().label([Clip(session, plan.segment)])
            else:
                answer = next_answer(answers, labeler, Clip(session, plan.segment))
                if isinstance(answer, Label) and session[plan.segment.stop - 1].reached:
                    answer = replace(answer, completed=True)  # a person said so
            if there and not (isinstance(answer, Label) and _says(there, answer)):
                remove_folder(root / there.name)
                there = None
            if isinstance(answer, SetAside):
                on_set_aside(plan.segment, answer)
            elif there:
                outcomes.append(_keep_one(root, plan.segment, there, before))
            else:
                draft = SegmentDraft(
                    session=session,
                    settings=settings,
                    segment=plan.segment,
                    label=answer,
                    windows=slide(plan.segment, plan.words, answer.completed, settings.tail, settings.keep_every),
                    words=plan.words,
                    goal_span=span_name(plan.segment, answer.goal, before),
                    fingerprint=plan.fingerprint,
                )
                record = write_segment(root, draft)
                outcomes.append(LabeledSession(record, "built", extra_bytes(root, record)))
        on_clip(done, len(in_order))
    return outcomes


def _is_said(session: Session, segment: Segment) -> bool:
    """Whether a person said what the clip is about; clips do not reach over the end of what was said."""
    return is_persons(session[segment.start])


def clips_to_ask(session: Session, root: Path, settings: SampleSettings) -> list[Clip]:
    """The clips of a session, in order, but for those that a person labeled in ``root`` or said the goal of.

    Raises:
        InvalidInputError: As ``label_session``.
    """
    persons = read_persons(root, session) if root.is_dir() else []
    segments = cut_around(session, settings.seconds, {each.number: (each.start, each.stop) for each in persons})
    return [Clip(session, segment) for segment in segments if not _is_said(session, segment)]


def read_persons(root: Path, session: Session) -> list[SegmentRecord]:
    """The segments that a person labeled, which stay as they are.

    Raises:
        InvalidInputError: If one is of rows that the recording does not have any more.
    """
    found: list[SegmentRecord] = []
    for folder in segment_folders(root, session.info.session_id):
        with contextlib.suppress(InvalidInputError):
            record = read_record(folder)
            if record.labeler == HUMAN and folder.name == record.name:
                found.append(record)
    for record in found:
        try:
            segment_of(session, record.number, record.start, record.stop)
        except InvalidInputError as error:
            raise InvalidInputError(
                f"{root / record.name} was labeled by a person: {error} Delete it, or use another --out."
            ) from None
    return found


def _says(record: SegmentRecord, label: Label) -> bool:
    """Whether a segment was built with this label."""
    said = (record.goal, record.labeler, record.version, record.confidence, record.completed)
    return said == (label.goal, label.labeler, label.version, label.confidence, label.completed)


@dataclass(frozen=True, slots=True)
class _Plan:
    segment: Segment
    words: TakeWords
    fingerprint: str

    @property
    def start(self) -> int:
        return self.segment.start


def _plan(session: Session, segments: Sequence[Segment], labeler: Labeler, settings: SampleSettings) -> Iterator[_Plan]:
    words = {take.number: read_take(session, take, settings.chords) for take in session.takes}
    for segment in segments:
        take = until_another_goal(session, segment, words[segment.take])
        yield _Plan(segment, take, _fingerprint(session, segment, take, labeler, settings))


def until_another_goal(session: Session, segment: Segment, take: TakeWords) -> TakeWords:
    """The words of the take as far as a clip's windows may look: what is done for another goal is not for this one."""
    stop = segment.stop
    while stop < min(take.stop, segment.stop + CHUNK_LENGTH - 1) and goes_on(session[stop - 1], session[stop]):
        stop += 1
    return TakeWords(take.start, take.words[: stop - take.start], take.sources[: stop - take.start])


def _fingerprint(
    session: Session, segment: Segment, take: TakeWords, labeler: Labeler, settings: SampleSettings
) -> str:
    """Hash of what a segment is made of: the settings, the labeler, its rows and frames, and the words that follow."""
    ahead = slice(segment.start - take.start, segment.stop - take.start + CHUNK_LENGTH - 1)
    info = session.info
    digest = hashlib.sha256()
    digest.update(repr((_RULES, settings, labeler.name, labeler.version, PROMPT_VERSION, segment)).encode())
    digest.update(repr((info.fps, info.frame, take.words[ahead], take.sources[ahead])).encode())
    for index in range(segment.start, segment.stop):
        row = session[index]
        digest.update(repr((row.t_ns, row.goal, row.info, _size(session.frame_path(index)))).encode())
    return digest.hexdigest()


def _size(path: Path) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None


def _keep(root: Path, session_id: str, plans: Mapping[int, _Plan]) -> dict[int, SegmentRecord]:
    """Return the segments that can stay, by number, and take the others away; a person's are none of either.

    Stale ones go before any new one is written: old and new clips side by side would overlap.
    """
    kept: dict[int, SegmentRecord] = {}
    stale: list[Path] = []
    for folder in segment_folders(root, session_id):
        try:
            record = read_record(folder)
        except InvalidInputError:
            stale.append(folder)
            continue
        plan = plans.get(record.number) if folder.name == record.name else None
        if plan and record.fingerprint == plan.fingerprint and _size(folder / SAMPLES_FILE) == record.samples_bytes:
            kept[record.number] = record
        elif record.labeler != HUMAN or folder.name != record.name:
            stale.append(folder)
    for folder in stale:
        remove_folder(folder)
    return kept


def _keep_one(root: Path, segment: Segment, kept: SegmentRecord, before: SegmentRecord | None) -> LabeledSession:
    """Keep a segment; only the name of the stretch of clips it belongs to may have to follow the clip before it."""
    span = span_name(segment, kept.goal, before)
    if kept.goal_span != span:
        kept = replace(kept, goal_span=span)
        write_record(root / kept.name, kept)
    return LabeledSession(kept, "kept", extra_bytes(root, kept))
