"""Ticks on the monotonic clock: absolute deadlines, so an overrun is counted and never shifts later ticks.

The only place in the project that sleeps. Knows nothing of what is done in a tick.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass

from gameenv.errors import InvalidInputError

NS_PER_S = 1_000_000_000
DEFAULT_FPS = 10
_SPIN_NS = 500_000  # the operating system's sleep may overshoot by this much; the rest is spun


@dataclass(frozen=True, slots=True)
class Tick:
    """One tick that has come: its number, when it came, and whether it or one before it was missed."""

    index: int
    t_ns: int
    late: bool
    skipped: int


now_ns: Callable[[], int] = time.perf_counter_ns
"""The monotonic clock of everything here, in nanoseconds. On Linux and macOS it is the one of ``time.monotonic_ns``,
which on Windows moves in steps of 15.6 ms until Python 3.13."""


def pause(seconds: float) -> None:
    """Do nothing for a while, where something outside is waited for that cannot say when it is done."""
    time.sleep(seconds)


def period_ns(fps: float) -> float:
    """Nanoseconds in a tick.

    Raises:
        InvalidInputError: If ``fps`` is not above zero.
    """
    if not fps > 0:
        raise InvalidInputError(f"fps must be above 0, got {fps}")
    return NS_PER_S / fps


class TickClock:
    """Waits for tick after tick at ``start + index * period``.

    Args:
        fps: Ticks a second; any rate.
        now_ns: Monotonic time source in nanoseconds.
        sleep: Sleeps for so many seconds.
    """

    def __init__(
        self,
        fps: float = DEFAULT_FPS,
        now_ns: Callable[[], int] = now_ns,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.period_ns = period_ns(fps)
        self._now_ns = now_ns
        self._sleep = sleep
        self.restart()

    def restart(self) -> None:
        """Make this moment tick 0."""
        self.start_ns = self._now_ns()
        self.index = 0

    def deadline_ns(self, index: int) -> int:
        """Monotonic time at which tick ``index`` is due."""
        return self.start_ns + round(index * self.period_ns)

    @property
    def next_deadline_ns(self) -> int:
        """When the tick is due that ``wait`` would return next, if it is still to come."""
        return self.deadline_ns(self.index + 1)

    def wait(self) -> Tick:
        """Wait for the next tick that is still to come and return it.

        If the next deadline has passed already, the tick comes at once and is ``late``; deadlines that passed
        altogether are ``skipped`` and their numbers are not used again.
        """
        now = self._now_ns()
        elapsed = int((now - self.start_ns) // self.period_ns)
        due = self.index + 1
        skipped = max(0, elapsed - due)
        self.index = due + skipped
        deadline = self.deadline_ns(self.index)
        late = now > deadline
        while (left := deadline - self._now_ns()) > 0:
            if left > _SPIN_NS:
                self._sleep((left - _SPIN_NS) / NS_PER_S)
        return Tick(self.index, self._now_ns(), late, skipped)
