"""Writes a session so that whatever happens, what was recorded can be read: killed, it loses at most its last tick.

Per tick: the frame under a temporary name, renamed, then one line in one ``write``. No buffers of our own and no fsync:
the kernel keeps what a killed process wrote. Knows nothing of environments.
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from gameenv.errors import DiskFullError, InvalidInputError, SessionError
from gameenv.files import LOCK_FILE, full_disk_named, is_scratch
from recording.info import SESSION_FILE, Anchor, SessionInfo, write_info
from recording.lock import lock_session
from recording.rows import FRAMES_DIR, SessionRow, encode_row, frame_name
from recording.session import EDITS_FILE, STEPS_FILE, Session
from recording.totals import count_totals

RESERVE_BYTES = 256 * 1024 * 1024
"""Free disk that a recording leaves to everything else on the machine."""
_SCRATCH = f"{FRAMES_DIR}/.writing"
_BALLAST = ".ballast"
_BALLAST_BYTES = 16 * 1024
"""Kept in a file while recording and given back before closing, so that a full disk can still take the totals."""
_ROWS_PER_DISK_CHECK = 16  # at most 16 frames, about 2 MB, between two looks at the free space


class SessionWriter:
    """Owns one session's folder and appends rows to it. A context manager; ``close()`` may be called twice.

    Args:
        root: The folder sessions live in; made where it is missing.
        info: What to record about the session; its ``session_id`` names the folder.
        resume: Go on with a session that exists, closed or not, whose settings agree; make it where there is none.
        reserve_bytes: Free disk to leave; recording stops before it is touched.

    Raises:
        SessionError: If the session exists and ``resume`` is False, if its settings differ, or if another recorder
            is writing it.
        DiskFullError: If there is less free disk than ``reserve_bytes``.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        info: SessionInfo,
        *,
        resume: bool = False,
        reserve_bytes: int = RESERVE_BYTES,
    ) -> None:
        # Absolute, so that a player who changes the working directory does not move the recording.
        self.path = Path(root).absolute() / _check_name(info.session_id)
        self._reserve_bytes = reserve_bytes
        self._steps_fd: int | None = None
        with _clear_errors(self.path):
            self.path.mkdir(parents=True, exist_ok=True)
            self._check_disk()
            self._lock = lock_session(self.path)
            try:
                self._open(info, resume)
            except BaseException:
                self._release()
                raise

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self.info.session_id

    @property
    def ticks(self) -> int:
        """Rows in the session so far."""
        return self._rows

    @property
    def takes(self) -> int:
        """Takes so far: the number of the next one."""
        return self._takes

    @property
    def last_row(self) -> SessionRow | None:
        """The last row that was there when the session was opened; None for a new one."""
        return self._last_row

    def append(
        self,
        jpeg: bytes,
        row: SessionRow,
    ) -> None:
        """Write the next tick.

        Args:
            jpeg: Its frame, encoded.
            row: What else there is to say of it; ``index`` is ``ticks`` and ``frame`` the name that goes with it.

        Raises:
            InvalidInputError: If the row is not the next one.
            SessionError: If the writer is closed or the disk fails.
            DiskFullError: If the disk is full or down to its reserve. The session has been closed then, and holds
                every row before this one.
        """
        if self._steps_fd is None:
            raise SessionError(f"the session {self.path} is closed; open a new one to record more")
        if (row.index, row.frame) != (self._rows, frame_name(self._rows)):
            raise InvalidInputError(f"the next row is {self._rows}, got row {row.index} with the frame {row.frame}")
        try:
            with _clear_errors(self.path):
                if row.index % _ROWS_PER_DISK_CHECK == 0:
                    self._check_disk()
                self._write_frame(jpeg, row.frame)
                self._write_line(encode_row(row))
        except (DiskFullError, SessionError):
            (self.path / row.frame).unlink(missing_ok=True)
            self.close()
            raise
        self._rows += 1
        self._takes = max(self._takes, row.take + 1)

    def close(self) -> None:
        """Write the totals and ``closed``, and let go of the session.

        On a disk too full even for that the session stays readable and unclosed.
        """
        if self._steps_fd is None:
            return
        try:
            with contextlib.suppress(DiskFullError), _clear_errors(self.path):
                (self.path / _BALLAST).unlink(missing_ok=True)
                (self.path / _SCRATCH).unlink(missing_ok=True)
                self.info = replace(self.info, closed=True, totals=count_totals(Session(self.path)))
                write_info(self.path, self.info)
        finally:
            self._release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _open(self, info: SessionInfo, resume: bool) -> None:
        exists = (self.path / SESSION_FILE).exists()
        names = {path.name for path in self.path.iterdir() if not is_scratch(path.name)}
        if not exists and (strangers := names - _OURS):
            raise SessionError(
                f"{self.path} exists and is not a session (it holds {min(strangers)}); record under another name"
            )
        if exists and not resume:
            raise SessionError(f"the session {self.path} exists already; resume it, or record under another name")
        (self.path / FRAMES_DIR).mkdir(exist_ok=True)
        self._steps_fd = os.open(self.path / STEPS_FILE, os.O_WRONLY | os.O_CREAT | _O_BINARY, 0o644)
        self._rows = self._takes = 0
        self._last_row: SessionRow | None = None
        end = 0
        if exists:
            recorded = Session(self.path)
            if found := recorded.info.differences(info):
                raise SessionError(
                    f"the session {self.path} was recorded with {'; '.join(found)}. "
                    "Resume it with the same settings, or record under another name"
                )
            self._rows = len(recorded)
            self._last_row = recorded[-1] if self._rows else None
            self._takes = recorded.takes[-1].number + 1 if recorded.takes else 0
            end = _end_of_line(self.path / STEPS_FILE, self._rows)
            info = replace(recorded.info, anchors=(*recorded.info.anchors, Anchor.now(self._rows)), totals=None)
        os.ftruncate(self._steps_fd, end)
        os.lseek(self._steps_fd, end, os.SEEK_SET)
        self._end = end
        self._remove_orphans()
        (self.path / _BALLAST).write_bytes(os.urandom(_BALLAST_BYTES))  # noise: some disks would store zeros as nothing
        self.info = replace(info, closed=False)
        write_info(self.path, self.info)

    def _remove_orphans(self) -> None:
        """Remove the frames that a killed recorder wrote and did not list."""
        (self.path / _SCRATCH).unlink(missing_ok=True)
        index = self._rows
        while (orphan := self.path / frame_name(index)).exists():
            orphan.unlink()
            index += 1

    def _check_disk(self) -> None:
        free = shutil.disk_usage(self.path).free
        if free < self._reserve_bytes:
            raise DiskFullError(
                f"only {_megabytes(free)} free on the disk of {self.path}, and {_megabytes(self._reserve_bytes)} "
                "are kept in reserve; everything until now is saved. Free some space or record to another disk"
            )

    def _write_frame(self, jpeg: bytes, name: str) -> None:
        scratch = f"{self.path}/{_SCRATCH}"
        fd = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _O_BINARY, 0o644)
        try:
            _write_all(fd, jpeg)
        except OSError:
            os.ftruncate(fd, 0)  # gives the room back, so that the session can still be closed
            raise
        finally:
            os.close(fd)
        os.replace(scratch, f"{self.path}/{name}")

    def _write_line(self, line: bytes) -> None:
        fd = self._steps_fd
        if fd is None:
            return
        try:
            _write_all(fd, line)
        except OSError:
            os.ftruncate(fd, self._end)
            raise
        self._end += len(line)

    def _release(self) -> None:
        if self._steps_fd is not None:
            os.close(self._steps_fd)
            self._steps_fd = None
        self._lock.close()


_OURS = {EDITS_FILE, STEPS_FILE, FRAMES_DIR, LOCK_FILE, _BALLAST}
_O_BINARY = getattr(os, "O_BINARY", 0)


def _check_name(session_id: str) -> str:
    if not session_id or session_id.startswith(".") or any(sign in session_id for sign in '/\\:*?"<>|\0'):
        raise SessionError(f"a session's name is a plain folder name such as 'evening-2', got {session_id!r}")
    return session_id


def _write_all(fd: int, content: bytes) -> None:
    written = os.write(fd, content)
    while written < len(content):  # a disk that fills up takes a part and fails on the next call
        written += os.write(fd, content[written:])


def _end_of_line(path: Path, lines: int) -> int:
    end = 0
    with path.open("rb") as file:
        for _ in range(lines):
            end += len(file.readline())
    return end


@contextlib.contextmanager
def _clear_errors(path: Path) -> Iterator[None]:
    try:
        with full_disk_named(path):
            yield
    except OSError as error:
        raise SessionError(f"cannot write the session {path}: {error}") from error


def _megabytes(count: int) -> str:
    return f"{count / 1e6:,.0f} MB"
