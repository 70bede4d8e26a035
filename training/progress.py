"""How a training shows how far it is: a bar on a terminal, a line now and then anywhere else.

Knows nothing of networks.
"""

import math
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from training.step_report import StepReport

_LINE_PERIOD_S = 10.0


class TrainingProgress:
    """Shows the decoding of frames, then the training, then the scoring. A context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.fields[now]}"),
            TimeRemainingColumn(),
        )
        self._bar = Progress(*columns, console=console, disable=not console.is_terminal)
        self._next_line = time.monotonic() + _LINE_PERIOD_S

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def decoding(self, total: int) -> Callable[[int], None]:
        """Begin the bar of decoding; returns what to call with the number of frames done."""
        return self._counting("frames", total, "decoded")

    def scoring(self, total: int) -> Callable[[int], None]:
        """Begin the bar of the last look at held-out samples; returns what to call with the number done."""
        return self._counting("held-out samples", total, "answered")

    def _counting(self, name: str, total: int, what: str) -> Callable[[int], None]:
        task = self._bar.add_task(name, total=total, now="")

        def update(done: int) -> None:
            self._show(task, done, total, f"{name}: {done:,} of {total:,} {what}")

        return update

    def training(self, name: str = "training") -> Callable[[StepReport], None]:
        """Begin the bar of training; returns what to call with each point."""
        task = self._bar.add_task(name, total=None, now="")

        def update(point: StepReport) -> None:
            text = f"step {point.step:,} of {point.steps:,}"
            if not math.isnan(point.train_loss):
                text += f", loss {point.train_loss:.3f}"
            if point.validation is not None:
                loss, first = point.validation
                text += f", held out: loss a word {loss:.3f}, first word right {first:.1%}"
                self._console.print(f"{name}: {text}", markup=False)
                return
            left = (point.steps - point.step) * point.seconds_a_step
            text += f", {point.samples_per_s:,.{0 if point.samples_per_s >= 20 else 1}f} samples a second"
            if point.memory_bytes is not None:
                text += f", {point.memory_bytes / 1e9:.1f} GB of GPU memory"
            self._bar.update(task, total=point.steps)
            self._show(task, point.step, point.steps, f"{name}: {text}, {left / 60:.1f} minutes left")

        return update

    def _show(self, task: TaskID, done: int, total: int, line: str) -> None:
        if not self._bar.disable:
            self._bar.update(task, completed=done, total=total, now=line.partition(": ")[2])
        elif time.monotonic() >= self._next_line and done < total:
            self._next_line = time.monotonic() + _LINE_PERIOD_S
            self._console.print(line, markup=False)


def warn(console: Console, text: str) -> None:
    """Say what is wrong and can be lived with."""
    console.print(f"warning: {text}", markup=False)
