"""Every decision of a person, a line each, on the disk before the page hears that it is saved.

    <labeled segments>/review.jsonl

The labels themselves are in the segments; this is what brings them there after a crash, and back when undone. Knows
nothing of what the decisions mean.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from gameenv.errors import InvalidInputError
from gameenv.files import full_disk_named
from labeling.review.clip import ReviewClip

JOURNAL_FILE = "review.jsonl"
EntryKind = Literal["decision", "draw", "verdict"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A line.

    Attributes:
        id: 1, 2, 3, ...
        kind: ``decision``, or of an audit the ``draw`` or a ``verdict``.
        wall_ns: When, nanoseconds since 1970.
        request: The page's own name for it: what was saved is not saved twice.
        what: The operation, as people read it.
        undoes: The decision that this one takes back.
        before: Clips as they were.
        after: What took their place.
        audit: Of an audit, what was drawn or said.
    """

    id: int
    kind: EntryKind
    wall_ns: int
    request: str
    what: str = ""
    undoes: int | None = None
    before: tuple[ReviewClip, ...] = ()
    after: tuple[ReviewClip, ...] = ()
    audit: Mapping[str, Any] | None = None


class Journal:
    """The journal of one folder of segments; read when made, appended to as long as it lives.

    Raises:
        InvalidInputError: If a line other than the last is damaged.
        OSError: If the file cannot be read or written.
    """

    def __init__(self, root: Path) -> None:
        self.path = root / JOURNAL_FILE
        self.entries: list[Entry] = []
        whole = 0
        if self.path.exists():
            whole = self._read(self.path.read_bytes())
        self._fd: int | None = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o644)
        os.ftruncate(self._fd, whole)
        os.lseek(self._fd, whole, os.SEEK_SET)

    @property
    def next_id(self) -> int:
        """The number of the entry to come."""
        return self.entries[-1].id + 1 if self.entries else 1

    def append(self, entry: Entry) -> None:
        """Save an entry; afterwards it outlives a crash and a power cut.

        Raises:
            DiskFullError: If there is no room; nothing of it is kept.
            OSError: If it cannot be written.
        """
        if self._fd is None:
            raise OSError("the journal is closed")
        end = os.lseek(self._fd, 0, os.SEEK_CUR)
        try:
            with full_disk_named(self.path):
                line = _encode(entry)
                while line:
                    line = line[os.write(self._fd, line) :]
                os.fsync(self._fd)
        except BaseException:
            os.ftruncate(self._fd, end)
            os.lseek(self._fd, end, os.SEEK_SET)
            raise
        self.entries.append(entry)

    def close(self) -> None:
        """Close the file; may be called twice."""
        if self._fd is not None:
            os.close(self._fd)
            self._fd = None

    def _read(self, content: bytes) -> int:
        """Read the entries; how many bytes are whole lines."""
        *lines, rest = content.split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                entry = _decode(line)
                if entry.id != self.next_id:
                    raise InvalidInputError(f"expected the entry {self.next_id}, found {entry.id}")
            except ValueError as error:
                if number == len(lines):  # after a power cut the end of a file may be anything
                    return len(content) - len(rest) - len(line) - 1
                raise InvalidInputError(
                    f"{self.path}, line {number} is damaged: {error}. Restore it from a copy, or move it away: labels "
                    "that are in the segments stay, only undo ends there."
                ) from error
            self.entries.append(entry)
        return len(content) - len(rest)


def _encode(entry: Entry) -> bytes:
    content: dict[str, Any] = {name: getattr(entry, name) for name in Entry.__slots__}
    for name in ("before", "after"):
        content[name] = [clip.to_json() for clip in content[name]]
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _decode(line: bytes) -> Entry:
    try:
        content = json.loads(line)
        clips = {name: tuple(map(ReviewClip.from_json, content[name])) for name in ("before", "after")}
        entry = Entry(**{**content, **clips})
    except (KeyError, TypeError) as error:
        raise InvalidInputError(f"a field is missing or strange ({error})") from error
    if not isinstance(entry.id, int) or entry.kind not in get_args(EntryKind):
        raise InvalidInputError(f"it has no number, or an unknown kind {entry.kind!r:.40}")
    return entry
