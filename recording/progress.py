"""How a recording shows how far it is: a bar on a terminal, a line now and then anywhere else.

Knows nothing of what is recorded.
"""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress import Task as BarTask
from rich.text import Text

from recording.schedule import Schedule

_LINE_PERIOD_S = 10.0


class Progress:
    """Adds up the ticks of all workers. A context manager.

    Args:
        console: Where to show it.
        plans: One a worker, in the order ``update`` counts them.
    """

    def __init__(self, console: Console, plans: Sequence[Schedule]) -> None:
        self._console = console
        self._ticks: list[int | None] = [None] * len(plans)
        self._at_start = 0
        targets = [plan.frames for plan in plans if plan.frames is not None]
        self._target = sum(targets) if targets else None
        self._bar: Bar | None = None
        self._started = self._next_line = time.monotonic()
        if console.is_terminal:
            columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn("recording"), BarColumn()]
            columns += [MofNCompleteColumn(), TextColumn("ticks"), _Speed(), TimeRemainingColumn()]
            self._bar = Bar(*columns, console=console)
            self._task = self._bar.add_task("recording", total=self._target)

    def update(self, position: int, ticks: int) -> None:
        """Worker ``position`` has so many ticks in its session now."""
        if self._ticks[position] is None:
            self._at_start += ticks
        self._ticks[position] = ticks
        done = sum(count or 0 for count in self._ticks)
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif time.monotonic() >= self._next_line:
            self._next_line = time.monotonic() + _LINE_PERIOD_S
            self._print_line(done)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def _print_line(self, done: int) -> None:
        seconds = time.monotonic() - self._started
        speed = (done - self._at_start) / seconds if seconds > 1 else 0.0
        text = f"recording: {done:,}" + (f" of {self._target:,}" if self._target else "") + " ticks"
        if speed:
            text += f", {speed:.0f} a second"
            if self._target:
                text += f", {max(0, self._target - done) / speed / 60:.1f} minutes left"
        self._console.print(text, markup=False)


class _Speed(ProgressColumn):
    def render(self, task: BarTask) -> Text:
        """Return the ticks a second as text."""
        return Text(f"{task.speed:.0f}/s" if task.speed else "")
