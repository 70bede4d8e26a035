"""What a person sees and hears while being recorded: one live line, a sound when recording starts and stops.

Knows nothing of windows or signals, and changes nothing.
"""

import contextlib
import shutil
import sys
from collections import deque
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from rich.live import Live
from rich.text import Text

from gameenv.clock import NS_PER_S
from gameenv.console import Console
from recording.rows import frame_name
from recording.wrapper import RecordingWrapper

_RATE_S = 3
_DISK_EVERY = 20  # updates between two looks at the disk


class Status:
    """The line, for as long as it is open.

    Args:
        console: Where to show it.
        hotkey: What starts and stops recording.
        sound: Whether starting and stopping is heard.
    """

    def __init__(self, console: Console, hotkey: str, *, sound: bool = True) -> None:
        self._console = console
        self._hotkey = hotkey.upper()
        self._sound = sound
        self._live = Live(console=console, refresh_per_second=4, transient=True)
        self._times: deque[int] = deque()
        self._updates = 0
        self._disk = ""
        self._take: int | None = None
        self._take_began_ns = 0
        self.line = Text()
        """What is shown."""
        self.dropped = 0
        """Ticks without a grab while recording."""

    def say(self, text: str) -> None:
        """Show a line that stays."""
        self._console.print(text)

    def switched(self, recording: bool) -> None:
        """Say and sound that recording began or ended."""
        self.say(f"recording: {self._hotkey} stops" if recording else f"paused: {self._hotkey} starts")
        if not self._sound:
            return
        if sys.platform == "win32":
            import winsound  # noqa: PLC0415 (Windows only)

            with contextlib.suppress(RuntimeError):
                winsound.Beep(880 if recording else 440, 120)
        else:
            self._console.bell()

    def update(self, info: dict[str, Any], recorder: RecordingWrapper, goal: object) -> None:
        """Show the state after a tick.

        Args:
            info: The environment's.
            recorder: What writes it down.
            goal: What the person is about, as it is shown.
        """
        recording, ticks = not recorder.paused, recorder.writer.ticks
        self._times.append(info["t_ns"])
        while self._times[-1] - self._times[0] > _RATE_S * NS_PER_S:
            self._times.popleft()
        if recording:
            self.dropped += info["skipped"]
        if self._updates % _DISK_EVERY == 0:
            self._disk = self._describe_disk(recorder.path, recorder.path / frame_name(max(0, ticks - 1)))
        self._updates += 1
        if recorder.take != self._take:
            self._take, self._take_began_ns = recorder.take, info["t_ns"]
        take = f"take {recorder.writer.takes}" if self._take is None else f"take {self._take}"
        elapsed = "" if self._take is None else f" {_clock((info['t_ns'] - self._take_began_ns) / NS_PER_S)}"
        state = _state(recording, info["focused"], self._take)
        parts = [
            state.ljust(9),
            str(goal),
            f"{take}{elapsed}, {_clock(ticks / recorder.writer.info.fps)} in all",
            f"{self.rate:4.1f} fps",
            f"{ticks:,} ticks",
            f"{self.dropped:,} dropped",
            f"keys: {' '.join(info['held']) or '-'}".ljust(20),
            self._disk,
        ]
        if info["problem"]:
            parts.append(info["problem"])
        style = "bold red" if state == "RECORDING" else "yellow" if state == "no focus" else ""
        self.line = Text("  ".join(parts), style=style, no_wrap=True, overflow="ellipsis")
        self._live.update(self.line)

    @property
    def rate(self) -> float:
        """Grabs a second, over the last few."""
        span = self._times[-1] - self._times[0] if self._times else 0
        return (len(self._times) - 1) * NS_PER_S / span if span else 0.0

    def _describe_disk(self, folder: Path, frame: Path) -> str:
        with contextlib.suppress(OSError):
            free = shutil.disk_usage(folder).free
            text = f"{free / 1e9:.1f} GB left"
            with contextlib.suppress(OSError):
                per_minute = frame.stat().st_size * self.rate * 60
                if per_minute:
                    text += f", {per_minute / 1e6:.0f} MB/min: {free / per_minute / 60:,.0f} h"
            return text
        return ""

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()


def _state(recording: bool, focused: bool, take: int | None) -> str:
    if not focused:
        return "no focus"
    if not recording:
        return "paused"
    return "resuming" if take is None else "RECORDING"


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(int(seconds), 60)
    return f"{minutes}:{seconds:02d}"
