"""The labeled-segment format: what one clip with its samples is on disk.

    <root>/<session_id>_seg0000/frame_0000.jpg   hard links to the recording's frames, numbered from the clip's start
    <root>/<session_id>_seg0000/samples.jsonl    one line a sample, the message format of docs/pipeline.md
    <root>/<session_id>_seg0000/segment.json     what the clip is; written last, so a folder without it is not complete

Knows nothing of how clips are cut or who labels them.
"""

import json
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError
from gameenv.files import write_atomically
from labeling.segments import Segment

FORMAT_VERSION = 1
DEFAULT_ROOT = "dataset/labeled_segments"
SEGMENT_FILE = "segment.json"
SAMPLES_FILE = "samples.jsonl"
DROPPED_REJECTED = "rejected"
"""Why the rows of a clip have no samples that a person has rejected, trimmed off or deleted."""
HUMAN = "human"
"""The labeler whose segments are never overwritten."""
_PART = ".part-"


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """The content of ``segment.json``.

    Attributes:
        session_id: The recording the clip is cut from.
        number: Position among the session's clips, from 0.
        take: Number of the take it lies in.
        start: First row of the clip, an index into the session.
        stop: One past the last row.
        start_t_ns: Monotonic time of the first grab, nanoseconds.
        end_t_ns: Where the last row's interval ends, nanoseconds.
        goal: What the player was trying to do.
        labeler: Who says so.
        version: The labeler's version.
        confidence: 0 to 1.
        completed: The goal was reached by the end of the clip.
        evidence: What the label rests on.
        goal_span: Name of the first of the neighbouring clips of the take that have this goal.
        level: The arena level's id, else None.
        split: The level's split, else None.
        task: The level's task, else None.
        fps: Ticks a second of the recording.
        frame_size: Width, height.
        fit: How frames were fitted into that size.
        vocabulary: The action words, in index order.
        chunk_length: Actions in a reply.
        chords: Chord method.
        tail: Tail rule.
        seconds: Length of a clip that was asked for.
        keep_every: Every so many rows could become a sample; 1 where an earlier version did not write it.
        prompt_version: ``policies.prompt.PROMPT_VERSION`` when it was written.
        rows: For each line of ``samples.jsonl``, its frame's row in the session.
        dropped: Rows without a sample, counted by reason.
        sources: Rows of the clip, counted by source.
        words: Rows of the clip, counted by their own action word.
        samples_bytes: Size of ``samples.jsonl``.
        copied_bytes: Bytes of frames that had to be copied because links could not be made.
        fingerprint: Hash of everything the segment is made of; the same one need not be built again.
    """

    session_id: str
    number: int
    take: int
    start: int
    stop: int
    start_t_ns: int
    end_t_ns: int
    goal: str
    labeler: str
    version: str
    confidence: float
    completed: bool
    evidence: dict[str, Any]
    goal_span: str
    level: str | None
    split: str | None
    task: str | None
    fps: float
    frame_size: tuple[int, int]
    fit: str
    vocabulary: tuple[str, ...]
    chunk_length: int
    chords: str
    tail: str
    seconds: float
    keep_every: int
    prompt_version: int
    rows: tuple[int, ...]
    dropped: Mapping[str, int]
    sources: Mapping[str, int]
    words: Mapping[str, int]
    samples_bytes: int
    copied_bytes: int
    fingerprint: str

    @property
    def name(self) -> str:
        """The folder's name."""
        return folder_name(self.session_id, self.number)

    @property
    def rejected(self) -> bool:
        """A person has said that nothing is to be learned from it; it has no samples."""
        return DROPPED_REJECTED in self.dropped


def folder_name(session_id: str, number: int) -> str:
    """The folder of a session's clip: ``<session_id>_seg0000``."""
    return f"{session_id}_seg{number:04d}"


def frame_name(offset: int) -> str:
    """The frame's file, numbered from the clip's first row: ``frame_0000.jpg``."""
    return f"frame_{offset:04d}.jpg"


def span_name(segment: Segment, goal: str, before: SegmentRecord | None) -> str:
    """Name of the first of the neighbouring clips of a take that have one goal, of which this may be a further one.

    Args:
        segment: The clip.
        goal: Its goal.
        before: The segment before it, if there is one.
    """
    here = (segment.take, segment.start, goal)
    if before is not None and not before.rejected and (before.take, before.stop, before.goal) == here:
        return before.goal_span
    return folder_name(segment.session_id, segment.number)


def write_record(folder: Path, record: SegmentRecord) -> None:
    """Write ``segment.json`` in one step: whoever sees it sees all of it.

    It is not waited for: thousands are written, and an empty one is made again.
    """
    lines = ",\n".join(
        f"  {json.dumps(key)}: {json.dumps(value)}"
        for key, value in {"format_version": FORMAT_VERSION, **asdict(record)}.items()
    )
    write_atomically(folder / SEGMENT_FILE, f"{{\n{lines}\n}}\n", flush=False)


def read_record(folder: Path) -> SegmentRecord:
    """Read a folder's ``segment.json``.

    Raises:
        InvalidInputError: If it is missing, is not JSON, lacks a field or is of another format version.
    """
    path = folder / SEGMENT_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"cannot read {path}: {error}. Run gameenv-label again to rebuild it.") from error
    if not isinstance(content, dict) or content.get("format_version") != FORMAT_VERSION:
        found = content.get("format_version") if isinstance(content, dict) else type(content).__name__
        raise InvalidInputError(
            f"{path} has format version {found}, expected {FORMAT_VERSION}. Run gameenv-label again."
        )
    content.setdefault("keep_every", 1)
    missing = [name for name in _FIELDS if name not in content]
    if missing:
        raise InvalidInputError(f"{path} lacks {', '.join(missing)}. Run gameenv-label again to rebuild it.")
    values = {name: content[name] for name in _FIELDS}
    for name in _TUPLES:
        if not isinstance(values[name], list):
            raise InvalidInputError(f"{path}: {name} must be a list. Run gameenv-label again to rebuild it.")
        values[name] = tuple(values[name])
    return SegmentRecord(**values)


_FIELDS = tuple(field.name for field in fields(SegmentRecord))
_TUPLES = ("frame_size", "vocabulary", "rows")


def segment_folders(root: Path, session_id: str | None = None) -> list[Path]:
    """The segments in ``root``, complete or not, by session and number; only one session's if it is named."""
    found: list[tuple[str, int, Path]] = []
    for entry in os.scandir(root):
        owner, mark, number = entry.name.rpartition("_seg")
        if not mark or not number.isdecimal() or owner.startswith(".") or session_id not in (None, owner):
            continue
        if entry.is_dir():
            found.append((owner, int(number), root / entry.name))
    return [folder for _, _, folder in sorted(found)]


def part_of(folder: Path) -> Path:
    """The hidden folder in which this process builds a segment, or into which it moves one to take it away."""
    return folder.with_name(f"{_PART}{folder.name}-{os.getpid()}")


def remove_folder(folder: Path) -> None:
    """Take a segment away; killed on the way, it leaves nothing that a reader would see."""
    hidden = part_of(folder)
    folder.rename(hidden)
    shutil.rmtree(hidden)


def remove_parts(root: Path, session_id: str) -> None:
    """Take away what a labeler that was killed left of a session's segments."""
    for entry in list(os.scandir(root)):
        name = entry.name.removeprefix(_PART).rpartition("-")[0]
        if entry.name.startswith(_PART) and name.rpartition("_seg")[0] == session_id:
            shutil.rmtree(entry.path, ignore_errors=True)
