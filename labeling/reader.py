"""Reads labeled segments back as samples, every one checked.

Knows nothing of how they were made, of models, or of the ``datasets`` library.
"""

import json
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameenv.actions import ACTIONS, CHUNK_LENGTH, ActionChunk
from gameenv.errors import InvalidInputError
from gameenv.frames import is_whole
from labeling.segment_folder import SAMPLES_FILE, SEGMENT_FILE, SegmentRecord, read_record, segment_folders
from policies.prompt import PROMPT_VERSION, parse_reply, read_sample, user_text

MAX_MISSING = 0.01
"""Share of samples without their frame above which a dataset is refused."""
_LISTED = 5  # missing frames that a message names


@dataclass(frozen=True, slots=True)
class Sample:
    """One frame with its goal and the seven actions that follow.

    Attributes:
        image: Absolute path of the frame.
        goal: What the player was trying to do.
        chunk: The seven actions from this frame on.
        session_id: The recording it comes from.
        segment: Number of the clip in the recording.
        row: The frame's row in the recording.
        take: The take it lies in.
        level: The arena level's id, else None.
        split: The level's split, else None.
        task: The level's task, else None.
        completed: The goal was reached by the end of the clip.
        goal_span: Name of the stretch of neighbouring clips with this goal.
    """

    image: Path
    goal: str
    chunk: ActionChunk
    session_id: str
    segment: int
    row: int
    take: int
    level: str | None
    split: str | None
    task: str | None
    completed: bool
    goal_span: str


@dataclass(frozen=True, slots=True)
class DatasetInfo:
    """What all segments of a dataset have in common; a trained model's card repeats it.

    ``chords`` and ``tail`` list every method in use: more than one where a person's segments were kept from before.
    """

    fps: float
    frame_size: tuple[int, int]
    fit: str
    vocabulary: tuple[str, ...]
    chunk_length: int
    prompt_version: int
    chords: tuple[str, ...]
    tail: tuple[str, ...]
    segments: int
    samples: int


def load_info(root: str | Path) -> DatasetInfo:
    """Read what the segments in ``root`` have in common, without reading the samples.

    Raises:
        InvalidInputError: As ``load_samples``, but for the samples themselves.
    """
    records = [record for _, record in _read_records(Path(root))]
    first = records[0]
    return DatasetInfo(
        fps=first.fps,
        frame_size=first.frame_size,
        fit=first.fit,
        vocabulary=first.vocabulary,
        chunk_length=first.chunk_length,
        prompt_version=first.prompt_version,
        chords=tuple(sorted({record.chords for record in records})),
        tail=tuple(sorted({record.tail for record in records})),
        segments=len(records),
        samples=sum(len(record.rows) for record in records),
    )


def load_samples(root: str | Path) -> list[Sample]:
    """Read every sample in ``root``, by session, clip and row.

    A sample whose frame is missing or cut short is left out with a warning that lists them; above 1% the dataset is
    refused.

    Args:
        root: The folder ``gameenv-label`` wrote (``dataset/labeled_segments``).

    Raises:
        InvalidInputError: If the folder is missing or has no segments; if a line is not a sample (file and line are
            named); if segments differ in vocabulary, chunk length, prompt, rate, frame size or fit; or if more than 1%
            of the frames are missing or cut short.
    """
    samples: list[Sample] = []
    missing: list[Path] = []
    chunks: dict[str, ActionChunk] = {}
    for folder, record in _read_records(Path(root)):
        for row, image, chunk in _read_lines(folder, record, chunks):
            if not is_whole(folder / image):
                missing.append(folder / image)
                continue
            samples.append(
                Sample(
                    image=folder / image,
                    goal=record.goal,
                    chunk=chunk,
                    session_id=record.session_id,
                    segment=record.number,
                    row=row,
                    take=record.take,
                    level=record.level,
                    split=record.split,
                    task=record.task,
                    completed=record.completed,
                    goal_span=record.goal_span,
                )
            )
    if missing:
        said = describe_missing(root, missing, len(samples) + len(missing), "are missing or cut short")
        warnings.warn(said, stacklevel=2)
    if not samples:
        raise InvalidInputError(
            f"the segments in {root} hold no samples: every row was dropped (see gameenv-label's summary). Record more."
        )
    return samples


def _read_records(root: Path) -> list[tuple[Path, SegmentRecord]]:
    """Every complete segment with its absolute folder; at least one, all of one kind."""
    root = root.absolute()
    if not root.is_dir():
        raise InvalidInputError(f"there is no folder {root}. Run gameenv-label first, or name its --out.")
    folders = segment_folders(root)
    incomplete = [folder.name for folder in folders if not (folder / SEGMENT_FILE).is_file()]
    if incomplete:
        warnings.warn(
            f"{len(incomplete)} segments in {root} are not complete and are left out: "
            f"{', '.join(incomplete[:_LISTED])}. Run gameenv-label again to finish them.",
            stacklevel=3,
        )
    found = [(folder, read_record(folder)) for folder in folders if folder.name not in incomplete]
    if not found:
        raise InvalidInputError(f"{root} has no labeled segments. Run gameenv-label first, or name its --out.")
    expected = {"vocabulary": ACTIONS, "chunk_length": CHUNK_LENGTH, "prompt_version": PROMPT_VERSION}
    for folder, record in found:
        for name, value in expected.items():
            if getattr(record, name) != value:
                raise InvalidInputError(
                    f"{folder} has {name} {getattr(record, name)}, expected {value}: another version labeled it. "
                    "Run gameenv-label again."
                )
    first_folder, first = found[0]
    for folder, record in found[1:]:
        for name in ("fps", "frame_size", "fit"):
            if getattr(record, name) != getattr(first, name):
                raise InvalidInputError(
                    f"{root} mixes recordings of different {name}: {first_folder.name} has {getattr(first, name)}, "
                    f"{folder.name} has {getattr(record, name)}. Label them into two folders (gameenv-label --sessions "
                    "... --out ...)."
                )
    return found


def _read_lines(
    folder: Path, record: SegmentRecord, chunks: dict[str, ActionChunk]
) -> Iterator[tuple[int, str, ActionChunk]]:
    """Row, image name and chunk of each line; equal replies are read once and share their chunk."""
    path = folder / SAMPLES_FILE
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"cannot read {path}: {error}. Run gameenv-label again to rebuild it.") from error
    prompt = user_text(record.goal)
    parsed: list[tuple[str, ActionChunk]] = []
    for number, line in enumerate(lines if lines != [""] else [], start=1):
        try:
            image, text, reply = read_sample(json.loads(line))
            chunk = chunks.get(reply)
            if chunk is None:
                chunk = chunks[reply] = parse_reply(reply)
            if text != prompt:
                raise InvalidInputError(f"the text is {text!r}, but segment.json's goal asks for {prompt!r}")
        except ValueError as error:
            raise InvalidInputError(
                f"{path} line {number} is not a sample: {error} Delete the folder and run gameenv-label again."
            ) from error
        parsed.append((image, chunk))
    if len(parsed) != len(record.rows):
        raise InvalidInputError(
            f"{path} has {len(parsed)} lines, but segment.json lists {len(record.rows)} samples. "
            "Delete the folder and run gameenv-label again."
        )
    for row, (image, chunk) in zip(record.rows, parsed, strict=True):
        yield row, image, chunk


def describe_missing(root: str | Path, missing: Sequence[Path], total: int, what: str) -> str:
    """Say which of a dataset's frames are left out, and what is wrong with them.

    Raises:
        InvalidInputError: If it is more than 1% of them.
    """
    names = ", ".join(str(path) for path in missing[:_LISTED]) + (", ..." if len(missing) > _LISTED else "")
    report = f"{len(missing)} of {total} frames in {root} {what}: {names}"
    if len(missing) > MAX_MISSING * total:
        raise InvalidInputError(
            f"{report}. More than {MAX_MISSING:.0%} is refused: run gameenv-label with another --out, or restore them."
        )
    return f"{report}. Their samples are left out."
