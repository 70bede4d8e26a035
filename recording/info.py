"""What a session says about itself in ``session.json``: how it was recorded, and its totals once it is closed.

Knows nothing of the rows.
"""

import json
import platform
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.clock import now_ns
from gameenv.errors import GameEnvError, SessionError
from gameenv.files import write_atomically
from gameenv.frames import Fit, FrameSpec

FORMAT_VERSION = 1
SESSION_FILE = "session.json"


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment on both clocks, taken when a recorder opened the session, and the first row it could write.

    Attributes:
        row: Rows from this one on carry monotonic times that belong to this anchor.
        wall_ns: Nanoseconds since 1970 (UTC).
        monotonic_ns: ``gameenv.clock.now_ns()`` at the same moment.
    """

    row: int
    wall_ns: int
    monotonic_ns: int

    @classmethod
    def now(cls, row: int) -> "Anchor":
        """Take one."""
        return cls(row, time.time_ns(), now_ns())


@dataclass(frozen=True, slots=True)
class Totals:
    """What a closed session holds.

    Attributes:
        ticks: Rows.
        takes: Unbroken stretches.
        seconds: Time the rows cover.
        actions: Ticks by action word, all twelve, after the default chord reduction.
        sources: Ticks by source, only those that occur.
        late: Ticks that overran.
        dropped: Ticks within takes that passed without a row.
        episodes: Episodes recorded to their end.
        successes: Those of them that ended with a reward.
    """

    ticks: int
    takes: int
    seconds: float
    actions: dict[str, int]
    sources: dict[str, int]
    late: int
    dropped: int
    episodes: int = 0
    successes: int = 0


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """How a session was recorded.

    Attributes:
        session_id: Its name and its folder's.
        game: Name of the game.
        env_id: Gymnasium id of the environment, None where it was not made by one.
        env_kwargs: What it was made with (JSON values).
        window: Title of the game's window, None for the built-in game.
        fps: Ticks a second.
        frame: Size and fit of the frames.
        settings: What the recorder was told, for resuming (JSON values).
        vocabulary: The action words in index order.
        chunk_length: Actions in a chunk.
        platform: Operating system and Python it was recorded on.
        anchors: One for each time a recorder opened it, in order.
        closed: Whether the last of them ended in order.
        totals: What it holds; None until it is closed.
    """

    session_id: str
    game: str
    env_id: str | None
    env_kwargs: dict[str, Any]
    window: str | None
    fps: float
    frame: FrameSpec
    settings: dict[str, Any] = field(default_factory=dict)
    vocabulary: tuple[str, ...] = ACTIONS
    chunk_length: int = CHUNK_LENGTH
    platform: str = field(default_factory=lambda: f"{platform.platform()}, Python {platform.python_version()}")
    anchors: tuple[Anchor, ...] = field(default_factory=lambda: (Anchor.now(0),))
    closed: bool = False
    totals: Totals | None = None
    format_version: int = FORMAT_VERSION

    @property
    def frame_size(self) -> tuple[int, int]:
        """Frame width and height in pixels."""
        return self.frame.size

    @property
    def fit(self) -> Fit:
        """How another aspect ratio was fitted into that size."""
        return self.frame.fit

    def differences(self, other: "SessionInfo") -> list[str]:
        """Return what keeps two recorders from sharing a session, a phrase each; empty if nothing does."""
        found = [
            f"{name.replace('_', ' ')} {mine!r}, not {theirs!r}"
            for name in ("game", "env_id", "window", "fps", "vocabulary", "chunk_length")
            if (mine := getattr(self, name)) != (theirs := getattr(other, name))
        ]
        if self.frame != other.frame:
            found.append(f"frame {_describe(self.frame)}, not {_describe(other.frame)}")
        for mine, theirs in ((self.env_kwargs, other.env_kwargs), (self.settings, other.settings)):
            found += [  # with which keys a person is heard changes nothing of what is recorded
                f"{name.replace('_', ' ')} {mine.get(name)!r}, not {theirs.get(name)!r}"
                for name in sorted({*mine, *theirs})
                if mine.get(name) != theirs.get(name) and name != "hotkeys"
            ]
        return list(dict.fromkeys(found))


def write_info(folder: Path, info: SessionInfo) -> None:
    """Write ``session.json``.

    Raises:
        DiskFullError, OSError: As ``write_atomically``; the one that was there is untouched.
    """
    content = {"format_version": info.format_version, **asdict(info)}
    write_atomically(folder / SESSION_FILE, json.dumps(content, indent=1) + "\n")


def read_info(folder: Path) -> SessionInfo:
    """Read ``<folder>/session.json``.

    Raises:
        SessionError: If it is missing, unreadable or of another format version.
    """
    path = folder / SESSION_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        what = f"has no {SESSION_FILE}" if folder.is_dir() else "is not there" if not folder.exists() else "is a file"
        raise SessionError(
            f"{folder} is not a recorded session: it {what}. Give the folder of a session, "
            "or record one with gameenv-record"
        ) from None
    except OSError as error:
        raise SessionError(f"cannot read {path}: {error}") from error
    except ValueError as error:
        raise SessionError(f"{path} is truncated or not JSON ({error}); restore it from a copy") from error
    version = content.get("format_version") if isinstance(content, Mapping) else None
    if version != FORMAT_VERSION:
        raise SessionError(
            f"{path} has format version {version!r}, this program reads {FORMAT_VERSION}; use the version that wrote it"
        )
    try:
        totals = content["totals"]
        return SessionInfo(
            **{
                **{name: content[name] for name in SessionInfo.__slots__},
                "frame": FrameSpec(**content["frame"]),
                "vocabulary": tuple(content["vocabulary"]),
                "anchors": tuple(Anchor(**anchor) for anchor in content["anchors"]),
                "totals": None if totals is None else Totals(**totals),
            }
        )
    except (KeyError, TypeError, GameEnvError) as error:
        raise SessionError(f"{path} lacks a field or has a strange one ({error}); restore it from a copy") from error


def _describe(spec: FrameSpec) -> str:
    return f"{spec.width}x{spec.height} {spec.fit}"
