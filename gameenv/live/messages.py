"""What a live environment and its watchdog process say to each other. Knows nothing of how it is carried."""

from dataclasses import dataclass
from typing import Any, Literal, Protocol

from gameenv.actions import Action
from gameenv.desktop.screen import Problem
from gameenv.frames import FrameSpec
from gameenv.live.guard import Control

EndReason = Literal["window-closed", "focus-lost", "panic-key", "watchdog-ended", "listener-died", "screen-lost"]


class Channel(Protocol):
    """What carries them: a connection of ``multiprocessing.connection``, of whatever kind the system has."""

    def send(self, obj: Any, /) -> None:
        """Send a message."""
        ...

    def recv(self) -> Any:
        """Receive the next message; EOFError once the other end is gone."""
        ...

    def poll(self, timeout: float | None = 0.0, /) -> bool:
        """Whether there is one, or there will be within the time-out in seconds."""
        ...

    def close(self) -> None:
        """Hang up."""
        ...


@dataclass(frozen=True, slots=True)
class WatchSettings:
    """What a watchdog process works on.

    Attributes:
        handle: The window.
        fps: Ticks a second.
        control: Who plays.
        bound: The key of each word.
        frame: The size frames are brought to.
        panic_key, hand_back_key, hotkeys: See ``gameenv.live.guard.Guard``.
        reset_key: Pressed on ``TapResetKey``; None if the game has none.
        ring: Name of the shared frames.
        owner_pid: The process that all this is for.
    """

    handle: int
    fps: float
    control: Control
    bound: dict[str, str]
    frame: FrameSpec
    panic_key: str
    hand_back_key: str
    hotkeys: tuple[str, ...]
    reset_key: str | None
    ring: str
    owner_pid: int


@dataclass(frozen=True, slots=True)
class Ready:
    """The process is at work.

    Attributes:
        left_behind: Words whose keys an earlier run had left down; they are up now.
    """

    left_behind: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WatchdogFailed:
    """The process could not begin."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Begin:
    """Let go of all keys; this moment is tick 0, which is grabbed at once."""

    command: int


@dataclass(frozen=True, slots=True)
class Hold:
    """Hold this word until the next tick, then grab."""

    command: int
    word: Action


@dataclass(frozen=True, slots=True)
class TapResetKey:
    """Press the reset key and let go of it, if the game has the focus."""

    command: int


@dataclass(frozen=True, slots=True)
class Grab:
    """A tick has come and its frame lies in the ring.

    Attributes:
        command: Number of the last ``Begin`` or ``Hold`` that came before it.
        number: The frame's number in the ring.
        tick: The tick's number since ``Begin``.
        t_ns: Monotonic time of the grab.
        lateness_ns: How long after the tick's deadline that was.
        skipped: Ticks since the grab before this one that were not grabbed.
        late: It came after its deadline, or ticks were skipped.
        held: Words down at the grab.
        events: Presses and releases since the grab before: (time, word, whether it went down).
    """

    command: int
    number: int
    tick: int
    t_ns: int
    lateness_ns: int
    skipped: int
    late: bool
    focused: bool
    new_frame: bool
    held: tuple[Action, ...]
    events: tuple[tuple[int, Action, bool], ...]
    hotkeys: tuple[str, ...]
    control: Control
    interrupted: bool
    problem: Problem | None


@dataclass(frozen=True, slots=True)
class WatchEnded:
    """The process has let go of all keys and ends."""

    reason: EndReason
    text: str
