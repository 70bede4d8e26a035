"""The labeled segments on disk as this page sees them, and how reviewed clips get there.

Segments are built by what ``gameenv-label`` builds them with. Knows nothing of decisions or windows.
"""

import contextlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from gameenv.errors import InvalidInputError
from labeling.build import until_another_goal
from labeling.review.clip import REJECTED, ReviewClip
from labeling.samples import SampleSettings, TakeWords, Windows, read_take, slide
from labeling.segment_folder import (
    DROPPED_REJECTED,
    HUMAN,
    SegmentRecord,
    read_record,
    remove_folder,
    remove_parts,
    segment_folders,
    span_name,
    write_record,
)
from labeling.segment_writer import SegmentDraft, write_segment
from labeling.segments import Segment, cut_around, segment_of
from policies.prompt import PROMPT_VERSION
from recording.session import Session

_OPEN_ROWS = 150_000  # rows of recordings kept in memory, about 1 kB each


class OpenSessions:
    """Recordings that were opened, the last used ones kept.

    Args:
        root: Their folder.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._words: dict[tuple[str, int, str], TakeWords] = {}

    def folder(self, name: str) -> Path:
        """The folder of a recording."""
        return self._root / name

    def get(self, name: str) -> Session:
        """Open a recording.

        Raises:
            SessionError: If it is gone or damaged.
        """
        if not (self.folder(name) / "session.json").is_file():
            self._forget(name)
        session = self._open.pop(name, None) or Session(self.folder(name))
        self._open[name] = session
        while len(self._open) > 1 and sum(map(len, self._open.values())) > _OPEN_ROWS:
            self._forget(next(iter(self._open)))
        return session

    def words(self, session: Session, segment: Segment, method: str) -> TakeWords:
        """The words of the take in which a clip lies, as far as its windows may look."""
        key = (session.path.name, segment.take, method)
        if key not in self._words:
            take = next(take for take in session.takes if take.number == segment.take)
            self._words[key] = read_take(session, take, method)
        return until_another_goal(session, segment, self._words[key])

    def _forget(self, name: str) -> None:
        self._open.pop(name, None)
        for key in [key for key in self._words if key[0] == name]:
            del self._words[key]


class Shelf:
    """The segments of one folder.

    Attributes:
        records: By session and first row, every segment that can be read.
        broken: What is wrong with the others, a line each.

    Args:
        root: The folder of the segments.
        sessions: The recordings.
    """

    def __init__(self, root: Path, sessions: OpenSessions) -> None:
        self.root = root
        self._sessions = sessions
        self.records: dict[str, dict[int, SegmentRecord]] = {}
        self.broken: list[str] = []
        for folder in segment_folders(root):
            try:
                record = read_record(folder)
                ReviewClip.of_record(record)
                if record.name != folder.name:
                    raise InvalidInputError(f"{folder} holds the segment {record.name}")
            except InvalidInputError as error:
                self.broken.append(str(error))
                continue
            self.records.setdefault(record.session_id, {})[record.start] = record
        for name in self.records:
            remove_parts(root, name)

    def clips(self, session: str) -> list[ReviewClip]:
        """The clips of a session's segments, in order."""
        return [ReviewClip.of_record(record) for _, record in sorted(self.records.get(session, {}).items())]

    def unlabeled(self, name: str, clips: Sequence[ReviewClip], seconds: float) -> list[ReviewClip]:
        """The clips of a recording that have no segment, cut as ``gameenv-label`` would.

        Raises:
            SessionError: If the recording cannot be read.
        """
        session = self._sessions.get(name)
        settings = clips[0].settings if clips else SampleSettings(seconds)
        taken = {clip.number: (clip.start, clip.stop) for clip in clips}
        return [
            ReviewClip(name, each.number, each.take, each.start, each.stop, None, settings)
            for each in cut_around(session, settings.seconds, taken)
        ]

    def put(self, session: str, before: Iterable[ReviewClip], after: Sequence[ReviewClip]) -> None:
        """Take the segments of ``before`` away and write those of ``after``; nothing is lost if they are done already.

        Raises:
            GameEnvError: If the recording is gone or changed, or the disk is full.
            OSError: If the folder cannot be written.
        """
        recording = self._sessions.get(session)
        made = {clip.start: segment_of(recording, clip.number, clip.start, clip.stop) for clip in after}
        there = self.records.setdefault(session, {})
        rows = [(clip.start, clip.stop) for clip in (*before, *after)]
        for record in [each for each in there.values() if any(each.start < b and a < each.stop for a, b in rows)]:
            with contextlib.suppress(FileNotFoundError):
                remove_folder(self.root / record.name)
            del there[record.start]
        for clip in sorted(after, key=lambda each: each.start):
            if clip.label is not None:
                with contextlib.suppress(FileNotFoundError):  # what cannot be read has its name, too
                    remove_folder(self.root / clip.name)
                there[clip.start] = self._write(recording, clip, made[clip.start])
        self._rename_spans(session, min(first for first, _ in rows), max(last for _, last in rows))

    def _write(self, recording: Session, clip: ReviewClip, segment: Segment) -> SegmentRecord:
        label, settings = clip.label, clip.settings
        if label is None:
            raise InvalidInputError(f"{clip.key} has no label")
        words = self._sessions.words(recording, segment, settings.chords)
        if clip.state in REJECTED:
            windows = Windows((), {DROPPED_REJECTED: len(segment)})
        else:
            windows = slide(segment, words, label.completed, settings.tail, settings.keep_every)
        return write_segment(
            self.root,
            SegmentDraft(
                session=recording,
                settings=settings,
                segment=segment,
                label=label,
                windows=windows,
                words=words,
                goal_span=span_name(segment, label.goal, self._before(clip.session, clip.start)),
                fingerprint=clip.fingerprint,
            ),
        )

    def _before(self, session: str, start: int) -> SegmentRecord | None:
        earlier = [record for record in self.records[session].values() if record.stop == start]
        return earlier[0] if earlier else None

    def _rename_spans(self, session: str, start: int, stop: int) -> None:
        """Have the clips that follow belong to the stretch of their neighbours as these are now."""
        recording, there = self._sessions.get(session), self.records[session]
        before = self._before(session, start)
        for first in sorted(each for each in there if each >= start):
            record = there[first]
            segment = segment_of(recording, record.number, record.start, record.stop)
            span = span_name(segment, record.goal, before)
            if span != record.goal_span:
                record = there[first] = replace(record, goal_span=span)
                write_record(self.root / record.name, record)
            elif first >= stop:
                return
            before = record

    def is_there(self, clip: ReviewClip) -> bool:
        """Whether a clip's segment is on disk just so."""
        record = self.records.get(clip.session, {}).get(clip.start)
        if record is None or record.prompt_version != PROMPT_VERSION:
            return False
        return replace(ReviewClip.of_record(record), version=clip.version) == clip

    def free_numbers(self, clips: Iterable[ReviewClip]) -> Iterator[int]:
        """Numbers that no clip of a session has."""
        used = {clip.number for clip in clips}
        number = max(used, default=-1) + 1
        while True:
            yield number
            number += 1

    def human_overlaps(self, clip: ReviewClip) -> bool:
        """Whether a person's segment covers any of a clip's rows."""
        return any(
            record.labeler == HUMAN and record.start < clip.stop and clip.start < record.stop
            for record in self.records.get(clip.session, {}).values()
        )
