"""Shows how far work is: a bar on a terminal, a line now and then anywhere else.

Knows nothing of the work but its name, its unit and how much of it there is.
"""

import time
from collections.abc import Callable, Collection, Iterator
from typing import Self, TypeVar

from rich.progress import BarColumn, TaskID, TextColumn
from rich.progress import Progress as Bars

from gameenv.console import Console

LINE_PERIOD_S = 10.0
"""Seconds from one line to the next, where there is no terminal."""
_STARTS_AFTER_S = 1.0  # before, a speed says nothing
_MANY, _SLOWEST = 20.0, 0.1  # a second: from here on without, and with, a decimal
T = TypeVar("T")


class Progress:
    """Bars below one another, or lines. A context manager.

    Args:
        console: Where to show it.
        transient: Take the bars away at the end.
        now_s: A clock, seconds.
    """

    def __init__(
        self, console: Console, *, transient: bool = False, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._console = console
        self._now_s = now_s
        name, now = (TextColumn(f"{{task.{field}}}", markup=False) for field in ("description", "fields[now]"))
        self._bars = Bars(name, BarColumn(), now, console=console, transient=transient, disable=not console.is_terminal)
        self._next_line_s = now_s() + LINE_PERIOD_S

    def begin(self, name: str, unit: str, total: float | None = None) -> "Work":
        """Begin another piece of work.

        Args:
            name: What is done: "recording".
            unit: What is counted, in the plural: "ticks".
            total: How many there are, None if nobody knows.
        """
        work = Work(self, self._bars.add_task(name, total=total, now=""), name, unit, total)
        self.show(work)
        return work

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def say(self, line: str) -> None:
        """Print a line that stays, above the bars."""
        self._console.print(line)

    def now_s(self) -> float:
        """Seconds on the clock."""
        return self._now_s()

    def show(self, work: "Work") -> None:
        """Show how far a piece of work is, if it is time to."""
        if not self._bars.disable:
            self._bars.update(
                work.task, description=work.name, completed=work.done, total=work.total, now=work.describe()
            )
        elif self._now_s() >= self._next_line_s and not work.is_done:
            self._next_line_s = self._now_s() + LINE_PERIOD_S
            self.say(f"{work.name}: {work.describe()}")


class Work:
    """One piece of work; made by ``Progress.begin``.

    Attributes:
        task: Its number among the bars.
        name, unit, total: As given to ``begin``; all may change on the way.
        done: How much of it is done.
    """

    def __init__(self, progress: Progress, task: TaskID, name: str, unit: str, total: float | None) -> None:
        self.task = task
        self.name = name
        self.unit = unit
        self.total = total
        self.done = 0.0
        self._progress = progress
        self._before: float | None = None
        self._since_s = progress.now_s()
        self._text = ""

    def update(self, done: float, *, before: float | None = None, text: str = "") -> None:
        """Say how far it is.

        Args:
            done: How much is done by now.
            before: How much of that was there before this began: it took no time. What ``update`` is first told if it
                is left out.
            text: What else there is to say.
        """
        if before is not None or self._before is None:
            self._before = done if before is None else before
        self.done, self._text = done, text
        self._progress.show(self)

    def advance(self) -> None:
        """One more is done."""
        self.update(self.done + 1, before=self._before or 0)

    @property
    def is_done(self) -> bool:
        """Whether nothing of it is left."""
        return self.total is not None and self.done >= self.total

    def describe(self) -> str:
        """How far it is, in words: "1,200 of 5,000 ticks, 151 ticks a second, 0.4 minutes left"."""
        of = "" if self.total is None else f" of {_count(self.total)}"
        parts = [f"{_count(self.done)}{of} {self.unit}", self._text]
        seconds = self._progress.now_s() - self._since_s
        if seconds > _STARTS_AFTER_S and (speed := (self.done - (self._before or 0)) / seconds) > 0:
            if speed >= _SLOWEST:
                parts.append(f"{speed:,.{0 if speed >= _MANY else 1}f} {self.unit} a second")
            if self.total is not None and not self.is_done:
                parts.append(f"{(self.total - self.done) / speed / 60:,.1f} minutes left")
        return ", ".join(part for part in parts if part)


def track(values: Collection[T], name: str, unit: str, console: Console) -> Iterator[T]:
    """Give the values one by one and show how many of them are done; the bar goes away at the end.

    Args:
        values: What to go through.
        name, unit: As in ``Progress.begin``.
        console: Where to show it.
    """
    with Progress(console, transient=True) as progress:
        work = progress.begin(name, unit, len(values))
        for value in values:
            yield value
            work.advance()


def _count(amount: float) -> str:
    return f"{int(amount):,}"
