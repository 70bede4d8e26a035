"""The session format: what a recording is on disk, and its reader.

    <root>/<session_id>/session.json      what was recorded, how; rewritten with "closed": true at the end
    <root>/<session_id>/steps.jsonl       one line a tick, append-only
    <root>/<session_id>/frames/000000.jpg the frame of each tick
    <root>/<session_id>/goals.json        the goals that a person set afterwards, if they did

Knows nothing of who writes it (``recording.session_writer``) or of what the rows will be used for.
"""

import contextlib
import copy
import gc
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, overload

from gameenv.errors import InvalidInputError, SessionError
from gameenv.frames import Frame, load_frame
from recording.edits import EDITS_FILE, GoalEdit, apply_edits, read_edits
from recording.info import FORMAT_VERSION, SESSION_FILE, Anchor, SessionInfo, Totals, read_info
from recording.rows import FRAMES_DIR, KeyEvent, SessionRow, Source, check_row, decode_row, frame_name

__all__ = [
    "DEFAULT_ROOT",
    "EDITS_FILE",
    "FORMAT_VERSION",
    "FRAMES_DIR",
    "SESSION_FILE",
    "STEPS_FILE",
    "Anchor",
    "KeyEvent",
    "Session",
    "SessionInfo",
    "SessionRow",
    "Source",
    "Take",
    "Totals",
    "find_sessions",
    "frame_name",
]

DEFAULT_ROOT = "dataset/raw_playthrough"
STEPS_FILE = "steps.jsonl"


@dataclass(frozen=True, slots=True)
class Take:
    """An unbroken stretch of a session: the rows ``start`` to ``stop``, without ``stop``."""

    number: int
    start: int
    stop: int

    def __len__(self) -> int:
        return self.stop - self.start


class Session(Sequence[SessionRow]):
    """A recording, read once when opened: rows by index or slice, frames on demand.

    Rows have the goals that a person set afterwards.

    Opens whatever a recorder left behind: a last line that was cut short, last rows whose frame is missing and a
    frame that no row names are passed over.

    Args:
        path: The session's folder.

    Raises:
        SessionError: If the folder is no session, was written by a newer version, or is damaged other than at its
            end; the message names the file and the line.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.info: SessionInfo = read_info(self.path)
        steps = self.path / STEPS_FILE
        try:
            content = steps.read_bytes()
        except FileNotFoundError:
            if self.info.closed:
                raise SessionError(f"{steps} is missing; copy the session again, with all its files") from None
            content = b""  # killed between its first file and its second
        except OSError as error:
            raise SessionError(f"cannot read {steps}: {error}") from error
        with _collector_paused():
            rows = _parse_rows(content, steps, frozenset(self.info.vocabulary))
        _drop_frameless(rows, self.path)
        self._rows = tuple(apply_edits(rows, read_edits(self.path)))
        self.takes: tuple[Take, ...] = _find_takes(self._rows)

    def with_edits(self, edits: Sequence[GoalEdit]) -> "Session":
        """Return the session as these edits have it, too; nothing is written."""
        return self._of(apply_edits(self._rows, edits))

    def where(self, wanted: Callable[[SessionRow], bool]) -> "Session":
        """Return a session of those of the rows that are wanted, to be looked at; their ``index`` stays what it was."""
        return self._of([row for row in self._rows if wanted(row)])

    def _of(self, rows: Sequence[SessionRow]) -> "Session":
        other = copy.copy(self)
        other._rows = tuple(rows)
        other.takes = _find_takes(other._rows)
        return other

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self.info.session_id

    @property
    def closed(self) -> bool:
        """Whether the recorder ended in order; False for one that was killed or is still recording."""
        return self.info.closed

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> SessionRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[SessionRow, ...]: ...
    def __getitem__(self, index: int | slice) -> SessionRow | tuple[SessionRow, ...]:
        return self._rows[index]

    def __iter__(self) -> Iterator[SessionRow]:
        return iter(self._rows)

    def __repr__(self) -> str:
        return f"Session({str(self.path)!r}, {len(self)} rows, {len(self.takes)} takes)"

    def frame_path(self, index: int) -> Path:
        """Return the file of the frame of row ``index``.

        Raises:
            IndexError: If there is no such row.
        """
        return self.path / self._rows[index].frame

    def frame(self, index: int) -> Frame:
        """Return the frame of row ``index``: ``(height, width, 3)`` uint8 RGB.

        Raises:
            IndexError: If there is no such row.
            SessionError: If its file is missing or is not an image.
        """
        try:
            return load_frame(self.frame_path(index))
        except InvalidInputError as error:
            raise SessionError(f"row {index} of {self.path} has no readable frame: {error}") from error


def find_sessions(root: str | os.PathLike[str] = DEFAULT_ROOT) -> tuple[Path, ...]:
    """Return the folders of the sessions directly under ``root``, oldest first; open one with ``Session``.

    Folders without a ``session.json`` are no sessions. An unreadable one is listed all the same, so that opening it
    says what is wrong.

    Raises:
        SessionError: If ``root`` is not a folder.
    """
    folder = Path(root)
    if not folder.is_dir():
        raise SessionError(f"there is no folder {folder} to look for sessions in; record one with gameenv-record")
    found = [(_started(path.parent), path.parent.name, path.parent) for path in folder.glob(f"*/{SESSION_FILE}")]
    return tuple(path for _, _, path in sorted(found))


def _started(folder: Path) -> int:
    try:
        return read_info(folder).anchors[0].wall_ns
    except SessionError:
        return (folder / SESSION_FILE).stat().st_mtime_ns


@contextlib.contextmanager
def _collector_paused() -> Iterator[None]:
    """Halves the time: rows hold no cycles, and the collector would walk all of them again and again."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _parse_rows(content: bytes, path: Path, vocabulary: frozenset[str]) -> list[SessionRow]:
    lines = content.split(b"\n")
    lines.pop()  # what follows the last newline: nothing, or a line that was cut short
    if not lines:
        return []
    try:
        # One call for all lines: the parser shares the strings of the keys among them.
        parsed = json.loads(b"[" + b",".join(lines) + b"]")
    except ValueError:
        parsed = None
    if parsed is None or len(parsed) != len(lines):
        parsed = list(_parse_lines(lines, path))
    rows: list[SessionRow] = []
    for index, item in enumerate(parsed):
        try:
            row = decode_row(item)
            check_row(row, vocabulary)
        except InvalidInputError as error:
            raise SessionError(f"{path}, line {index + 1}: {error}; {_REPAIR}") from error
        if row.index != index:
            raise SessionError(f"{path}, line {index + 1}: expected row {index}, found row {row.index}; {_REPAIR}")
        rows.append(row)
    return rows


_REPAIR = (
    "the file was changed after it was recorded, or its disk is failing. Restore it or cut it off before this line"
)


def _parse_lines(lines: Sequence[bytes], path: Path) -> Iterator[Any]:
    for number, line in enumerate(lines, 1):
        try:
            yield json.loads(line)
        except ValueError as error:
            if number == len(lines):  # after a power cut the end of a file may be anything
                return
            raise SessionError(f"{path}, line {number} is not JSON ({error}); {_REPAIR}") from None


def _drop_frameless(rows: list[SessionRow], folder: Path) -> None:
    if rows and not (folder / FRAMES_DIR).is_dir():
        raise SessionError(f"{folder} has rows and no folder {FRAMES_DIR}; copy the session again, with all its files")
    while rows and not _has_content(folder / rows[-1].frame):
        rows.pop()


def _has_content(path: Path) -> bool:
    try:
        return path.stat().st_size > 0
    except OSError:
        return False


def _find_takes(rows: Sequence[SessionRow]) -> tuple[Take, ...]:
    takes: list[Take] = []
    start = 0
    for stop in range(1, len(rows) + 1):
        if stop == len(rows) or rows[stop].take != rows[start].take:
            takes.append(Take(rows[start].take, start, stop))
            start = stop
    return tuple(takes)
