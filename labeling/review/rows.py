"""Keys and frames of single clips, read without reading whole recordings, and never from outside of them.

Knows nothing of labels.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from gameenv.actions import ACTIONS
from gameenv.errors import GameEnvError, SessionError
from labeling.segment_folder import frame_name as segment_frame
from recording.rows import SessionRow, decode_row
from recording.rows import frame_name as recorded_frame
from recording.session import STEPS_FILE

NS_PER_MS = 1e6


class NoFrameError(GameEnvError):
    """A frame is missing, or is none that may be shown."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """A clip's time, in milliseconds from its first grab.

    Attributes:
        times: Of each row's grab.
        end: Where the last row's interval ends.
        keys: For each word that was down, when: start and end of each press.
        sources: Of each row, who chose the keys.
    """

    times: list[float]
    end: float
    keys: dict[str, list[tuple[float, float]]]
    sources: list[str]


class RowReader:
    """Reads a few rows of a recording by the places of its lines, which are found once and again when it has grown."""

    def __init__(self) -> None:
        self._places: dict[Path, tuple[int, np.ndarray]] = {}

    def read(self, folder: Path, start: int, stop: int) -> list[SessionRow]:
        """The rows ``start`` to ``stop``, without ``stop``.

        Raises:
            SessionError: If the recording does not have them.
        """
        try:
            with (folder / STEPS_FILE).open("rb") as file:
                size = file.seek(0, 2)
                known = self._places.get(folder)
                if known is None or known[0] != size:
                    file.seek(0)
                    ends = np.flatnonzero(np.frombuffer(file.read(), np.uint8) == ord("\n")) + 1
                    known = self._places[folder] = (size, np.concatenate([[0], ends]))
                places = known[1]
                if stop >= len(places):
                    raise SessionError(f"{folder} has {len(places) - 1} rows; the clip ends at {stop}")
                file.seek(int(places[start]))
                lines = file.read(int(places[stop] - places[start])).splitlines()
            return [decode_row(json.loads(line)) for line in lines]
        except (OSError, ValueError) as error:
            raise SessionError(f"cannot read the rows of {folder}: {error}") from error


def timeline(rows: Sequence[SessionRow]) -> Timeline:
    """When frames were grabbed and keys were down."""
    origin, end = rows[0].t_ns, rows[-1].end_t_ns
    down: dict[str, int] = dict.fromkeys(rows[0].held, origin)
    keys: dict[str, list[tuple[float, float]]] = {}

    def release(word: str, t_ns: int) -> None:
        since = down.pop(word, None)
        if since is not None:
            keys.setdefault(word, []).append(((since - origin) / NS_PER_MS, (t_ns - origin) / NS_PER_MS))

    for row in rows:
        for event in row.events:
            if event.down:
                down.setdefault(event.word, max(event.t_ns, origin))
            else:
                release(event.word, event.t_ns)
    for word in list(down):
        release(word, end)
    return Timeline(
        times=[(row.t_ns - origin) / NS_PER_MS for row in rows],
        end=(end - origin) / NS_PER_MS,
        keys={word: keys[word] for word in ACTIONS if word in keys},
        sources=[row.source for row in rows],
    )


def read_frame(recording: Path | None, segment: Path, row: int, offset: int) -> bytes:
    """The JPEG of a row: of the recording or, where that is gone, of the segment.

    Args:
        recording: The recording's folder, None if it is gone.
        segment: The segment's folder.
        row: The row in the recording.
        offset: The row in the clip.

    Raises:
        NoFrameError: If there is none, or what has its name lies elsewhere or is no JPEG.
    """
    for folder, name in ((recording, recorded_frame(row)), (segment, segment_frame(offset))):
        if folder is None:
            continue
        path = folder / name
        try:
            inside = path.resolve(strict=True).is_relative_to(folder.resolve()) and path.is_file()
            content = path.read_bytes() if inside else b""
        except OSError:
            continue
        if content.startswith(b"\xff\xd8"):
            return content
    raise NoFrameError(f"row {row} has no frame that can be shown")
