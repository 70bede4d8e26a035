"""Writes one labeled segment: all of it or, killed on the way, nothing that a reader would see.

Frames become hard links; where the file system cannot link they are copied, and counted. Knows nothing of cutting or
labeling.
"""

import json
import os
import shutil
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import DiskFullError
from gameenv.files import full_disk_named
from gameenv.frames import is_whole
from labeling.labeler import Label
from labeling.samples import DROPPED_MISSING_FRAME, SampleSettings, TakeWords, Windows
from labeling.segment_folder import (
    SAMPLES_FILE,
    SEGMENT_FILE,
    SegmentRecord,
    folder_name,
    frame_name,
    part_of,
    write_record,
)
from labeling.segments import Segment
from policies.prompt import PROMPT_VERSION, sample_messages
from recording.session import Session

DISK_RESERVE_BYTES = 256 * 2**20
"""Copying stops while this much is still free."""


@dataclass(frozen=True, slots=True)
class SegmentDraft:
    """All that a segment is written from, but for the frames themselves."""

    session: Session
    settings: SampleSettings
    segment: Segment
    label: Label
    windows: Windows
    words: TakeWords
    goal_span: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class _Written:
    """What of a draft is on disk: the frames that were there, and what they cost."""

    rows: tuple[int, ...]
    dropped: dict[str, int]
    samples_bytes: int
    copied_bytes: int


def write_segment(root: Path, draft: SegmentDraft) -> SegmentRecord:
    """Write a segment's folder into ``root``, where none of its name may be.

    Raises:
        DiskFullError: If frames must be copied and there is no room, or the disk is full.
    """
    with _folder_in_parts(root, folder_name(draft.segment.session_id, draft.segment.number)) as folder:
        record = _record(draft, _write_samples(folder, draft))
        write_record(folder, record)
    return record


def _write_samples(folder: Path, draft: SegmentDraft) -> _Written:
    rows: list[int] = []
    lines: list[str] = []
    copied = 0
    for window in draft.windows.kept:
        image = frame_name(window.row - draft.segment.start)
        placed = _place_frame(draft.session.frame_path(window.row), folder / image)
        if placed is None:
            continue
        copied += placed
        rows.append(window.row)
        lines.append(json.dumps(sample_messages(image, draft.label.goal, window.chunk)) + "\n")
    content = "".join(lines).encode()
    (folder / SAMPLES_FILE).write_bytes(content)
    dropped = dict(draft.windows.dropped)
    if missing := len(draft.windows.kept) - len(rows):
        dropped[DROPPED_MISSING_FRAME] = missing
    return _Written(tuple(rows), dropped, len(content), copied)


def extra_bytes(root: Path, record: SegmentRecord) -> int:
    """Bytes on disk that a segment takes beyond the recording it links to."""
    folder = root / record.name
    return record.copied_bytes + sum(
        _allocated(os.stat(path)) for path in (folder, folder / SAMPLES_FILE, folder / SEGMENT_FILE)
    )


@contextmanager
def _folder_in_parts(root: Path, name: str) -> Iterator[Path]:
    """A hidden folder that gets its name when the block ends well, and disappears when it does not."""
    part = part_of(root / name)
    try:
        with full_disk_named(root):
            part.mkdir()
            yield part
            part.rename(root / name)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def _place_frame(source: Path, target: Path) -> int | None:
    """Link a frame, or copy it where that is impossible.

    Returns:
        The bytes copied (0 for a link), or None if the frame is missing, empty or cut short.

    Raises:
        DiskFullError: If it must be copied and there is no room.
    """
    if not is_whole(source):
        return None
    try:
        os.link(source, target)
    except OSError:  # another file system, one without links, or one link too many
        size, free = os.stat(source).st_size, shutil.disk_usage(target.parent).free
        if free < size + DISK_RESERVE_BYTES:
            raise DiskFullError(
                f"{target.parent.parent} is on a file system to which {source.parent} cannot be linked, so frames are "
                f"copied, and only {free / 2**20:.0f} MiB are free there. Put --out on the recording's file system, or "
                "make room and run the same command again."
            ) from None
        shutil.copyfile(source, target)
        return size
    return 0


def _record(draft: SegmentDraft, written: _Written) -> SegmentRecord:
    segment, label, info = draft.segment, draft.label, draft.session.info
    inside = slice(segment.start - draft.words.start, segment.stop - draft.words.start)
    level, split, task = _level(draft.session, segment)
    return SegmentRecord(
        session_id=segment.session_id,
        number=segment.number,
        take=segment.take,
        start=segment.start,
        stop=segment.stop,
        start_t_ns=segment.start_t_ns,
        end_t_ns=segment.end_t_ns,
        goal=label.goal,
        labeler=label.labeler,
        version=label.version,
        confidence=label.confidence,
        completed=label.completed,
        evidence=label.evidence,
        goal_span=draft.goal_span,
        level=level,
        split=split,
        task=task,
        fps=info.fps,
        frame_size=info.frame.size,
        fit=info.frame.fit,
        vocabulary=ACTIONS,
        chunk_length=CHUNK_LENGTH,
        chords=draft.settings.chords,
        tail=draft.settings.tail,
        seconds=draft.settings.seconds,
        keep_every=draft.settings.keep_every,
        prompt_version=PROMPT_VERSION,
        rows=written.rows,
        dropped=written.dropped,
        sources=dict(Counter(draft.words.sources[inside])),
        words=dict(Counter(draft.words.words[inside])),
        samples_bytes=written.samples_bytes,
        copied_bytes=written.copied_bytes,
        fingerprint=draft.fingerprint,
    )


def _level(session: Session, segment: Segment) -> tuple[str | None, str | None, str | None]:
    """Level id, split and task of the clip, each where the recording knows it."""
    info = session[segment.start].info
    level, split, task = (info.get(key) for key in ("level", "split", "task"))
    parts = level.split("/") if isinstance(level, str) else []
    if task is None and len(parts) > 2:
        task = parts[1]  # the arena's level ids are split/task/seed/generator
    return level, split, task


def _allocated(status: os.stat_result) -> int:
    blocks = getattr(status, "st_blocks", None)  # Windows has none
    return status.st_size if blocks is None else blocks * 512
