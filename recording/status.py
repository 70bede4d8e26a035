"""What a person sees and hears while being recorded: one live line, a sound when recording starts and stops.

Knows nothing of windows, sessions or signals.
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

    def update(self, info: dict[str, Any], *, recording: bool, ticks: int, folder: Path, frame: Path) -> None:
        """Show the state after a tick.

        Args:
            info: The environment's.
            recording: Whether ticks are being written.
            ticks: How many the session holds.
            folder: The session's, to know what its disk has left.
            frame: The last frame written, to know how fast that goes.
        """
        self._times.append(info["t_ns"])
        while self._times[-1] - self._times[0] > _RATE_S * NS_PER_S:
            self._times.popleft()
        if recording:
            self.dropped += info["skipped"]
        if self._updates % _DISK_EVERY == 0:
            self._disk = self._describe_disk(folder, frame)
        self._updates += 1
        state = "RECORDING" if recording and info["focused"] else "paused" if info["focused"] else "no focus"
        parts = [
            state.ljust(9),
            f"{self.rate:4.1f} fps",
            f"{ticks:,} ticks",
            f"{self.dropped:,} dropped",
            f"keys: {' '.join(info['held']) or '-'}".ljust(20),
            self._disk,
        ]
        if info["problem"]:
            parts.append(info["problem"])
        style = "bold red" if state == "RECORDING" else "yellow" if state == "no focus" else ""
        self._live.update(Text("  ".join(parts), style=style, no_wrap=True, overflow="ellipsis"))

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
