"""What each labeler said of each clip, side by side: ``<out>/labels/<labeler>.jsonl``, one line a clip and version.

It is also the labeler's memory: a clip it answered is not asked about again, and a line that a person edits counts as
edited. Knows nothing of how labelers decide.
"""

import hashlib
import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gameenv.errors import GameEnvError, InvalidInputError
from gameenv.files import full_disk_named, write_atomically
from labeling.labeler import Clip, Label, Labeler, SetAside, next_answer
from recording.session import Session

LABELS_DIR = "labels"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line: a clip, and what a labeler said of it.

    Attributes:
        session_id, number, start, stop: The clip.
        content: Hash of what the clip is made of.
        answer: What was said.
    """

    session_id: str
    number: int
    start: int
    stop: int
    content: str
    answer: Label | SetAside


def labels_file(root: Path, labeler: str) -> Path:
    """The file of a labeler's answers below the folder of labeled segments."""
    return root / LABELS_DIR / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', labeler)}.jsonl"


def content_of(clip: Clip) -> str:
    """Hash of what a labeler can see of a clip: its rows and the sizes of its frames."""
    digest = hashlib.sha256()
    segment, folder = clip.segment, str(clip.session.path)
    digest.update(repr((segment.session_id, segment.start, segment.stop, segment.known_goal)).encode())
    for row in clip.rows:
        digest.update(repr((row.t_ns, row.held, row.events, row.goal, row.info)).encode())
        digest.update(repr(_size(f"{folder}/{row.frame}")).encode())
    return digest.hexdigest()[:16]


def read_entries(path: Path) -> tuple[list[Entry], int]:
    """The entries of a file, the newest for each clip and version last, and how many lines are none.

    Raises:
        InvalidInputError: If the file cannot be read.
    """
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return [], 0
    except OSError as error:
        raise InvalidInputError(f"cannot read {path}: {error}") from error
    entries = [entry for line in lines if line.strip() and (entry := _decode(line))]
    return entries, sum(bool(line.strip()) for line in lines) - len(entries)


class Remembering:
    """A labeler that answers from its file what it was asked before.

    Args:
        labeler: Who answers the rest.
        root: The folder of labeled segments.

    Attributes:
        unreadable: Lines of the file that are no entry. They stay in it.
    """

    def __init__(self, labeler: Labeler, root: Path) -> None:
        self._labeler = labeler
        self.path = labels_file(root, labeler.name)
        entries, self.unreadable = read_entries(self.path)
        self._is_whole = not self.path.is_file() or self.path.read_bytes()[-1:] in (b"", b"\n")
        self._known = {self._key(entry): entry.answer for entry in entries}

    @property
    def name(self) -> str:
        """The labeler's."""
        return self._labeler.name

    @property
    def version(self) -> str:
        """The labeler's."""
        return self._labeler.version

    def objection(self, session: Session) -> str | None:
        """The labeler's."""
        return self._labeler.objection(session)

    def knows(self, clip: Clip) -> bool:
        """Whether it answers a clip from memory."""
        return (clip.segment.session_id, content_of(clip), self.version) in self._known

    def label(self, clips: Sequence[Clip]) -> Iterator[Label | SetAside]:
        """Yield an answer for each clip; failures are not remembered.

        Raises:
            InvalidInputError: If the labeler leaves a clip without an answer.
            GameEnvError: As the labeler's; what it answered until then is remembered.
        """
        keys = [(clip.segment.session_id, content_of(clip), self.version) for clip in clips]
        unknown = [clip for clip, key in zip(clips, keys, strict=True) if key not in self._known]
        answers = iter(self._labeler.label(unknown))
        for clip, key in zip(clips, keys, strict=True):
            if key in self._known:
                yield self._known[key]
                continue
            answer = next_answer(answers, self._labeler, clip)
            if not (isinstance(answer, SetAside) and answer.reason == "failed"):
                self._write(clip, key, answer)
            yield answer

    def _write(self, clip: Clip, key: tuple[str, str, str], answer: Label | SetAside) -> None:
        segment = clip.segment
        entry = Entry(segment.session_id, segment.number, segment.start, segment.stop, key[1], answer)
        with full_disk_named(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("ab") as file:
                if not self._is_whole:
                    file.write(b"\n")  # its last writer was killed within a line
                    self._is_whole = True
                file.write(encode(entry))
        self._known[key] = answer

    def _key(self, entry: Entry) -> tuple[str, str, str]:
        return entry.session_id, entry.content, entry.answer.version


def tidy(path: Path) -> None:
    """Put a file's entries in order, the newest of each clip and version only; lines that are none stay at its end."""
    entries, unreadable = read_entries(path)
    newest = {(each.session_id, each.start, each.stop, each.answer.version): each for each in entries}
    lines = [encode(newest[key]) for key in sorted(newest)]
    if unreadable:
        lines += [line + b"\n" for line in path.read_bytes().splitlines() if line.strip() and not _decode(line)]
    content = b"".join(lines)
    if path.is_file() and path.read_bytes() != content:
        write_atomically(path, content)


def encode(entry: Entry) -> bytes:
    """The entry as a line."""
    content: dict[str, Any] = {name: getattr(entry, name) for name in ("session_id", "number", "start", "stop")}
    answer = asdict(entry.answer)
    if isinstance(entry.answer, SetAside):
        answer["set_aside"] = answer.pop("reason")
    return json.dumps({**content, **answer, "content": entry.content}, ensure_ascii=False).encode() + b"\n"


def _decode(line: bytes) -> Entry | None:
    try:
        content = json.loads(line)
        clip = {name: content.pop(name) for name in ("session_id", "number", "start", "stop", "content")}
        if "set_aside" in content:
            answer: Label | SetAside = SetAside(reason=content.pop("set_aside"), **content)
        else:
            answer = Label(**content)
        return Entry(**clip, answer=answer)
    except (ValueError, TypeError, KeyError, AttributeError, GameEnvError):
        return None


def _size(path: str) -> int | None:
    try:
        return os.stat(path).st_size
    except OSError:
        return None
