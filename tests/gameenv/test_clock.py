import pytest

from gameenv.clock import NS_PER_S, Tick, TickClock, period_ns
from gameenv.errors import InvalidInputError

MS = 1_000_000
LOOK_NS = 2_000
NEAR_NS = 5 * LOOK_NS


class FakeTime:
    """A clock that moves only when someone sleeps, works, or looks (a little a look, so that spinning ends)."""

    def __init__(self, oversleep_ns: int = 0) -> None:
        self.t_ns = 5 * NS_PER_S
        self._oversleep_ns = oversleep_ns

    def now_ns(self) -> int:
        self.t_ns += LOOK_NS
        return self.t_ns

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.t_ns += round(seconds * NS_PER_S) + self._oversleep_ns

    def work(self, ms: float) -> None:
        self.t_ns += round(ms * MS)


def make(fps: float = 10, oversleep_ns: int = 0) -> tuple[TickClock, FakeTime]:
    fake = FakeTime(oversleep_ns)
    return TickClock(fps, now_ns=fake.now_ns, sleep=fake.sleep), fake


def test_ticks_come_at_absolute_deadlines_whatever_the_work_takes() -> None:
    clock, fake = make()
    for index in range(1, 200):
        fake.work(index % 90)
        tick = clock.wait()
        assert (tick.index, tick.late, tick.skipped) == (index, False, 0)
        assert 0 <= tick.t_ns - (clock.start_ns + index * 100 * MS) < NEAR_NS  # no drift


def test_sleeping_too_long_does_not_shift_later_ticks() -> None:
    clock, fake = make(oversleep_ns=400_000)
    for _ in range(99):
        fake.work(10)
        clock.wait()
    tick = clock.wait()
    assert tick.index == 100
    assert abs(tick.t_ns - clock.deadline_ns(100)) < NEAR_NS


@pytest.mark.parametrize("fps", [1, 7, 10, 29.97, 35, 60])
def test_any_rate_keeps_its_average(fps: float) -> None:
    clock, _ = make(fps)
    tick = [clock.wait() for _ in range(1000)][-1]
    assert tick.index == 1000
    assert abs(tick.t_ns - clock.start_ns - 1000 * NS_PER_S / fps) < NEAR_NS


def test_an_overrun_comes_at_once_is_late_and_does_not_move_the_next_deadline() -> None:
    clock, fake = make()
    clock.wait()
    fake.work(130)  # tick 2 was due 30 ms ago
    late = clock.wait()
    assert (late.index, late.late, late.skipped) == (2, True, 0)
    assert late.t_ns - clock.deadline_ns(2) == pytest.approx(30 * MS, abs=NEAR_NS)
    on_time = clock.wait()
    assert (on_time.index, on_time.late) == (3, False)
    assert abs(on_time.t_ns - clock.deadline_ns(3)) < NEAR_NS


def test_ticks_missed_altogether_are_skipped_and_their_numbers_not_reused() -> None:
    clock, fake = make()
    clock.wait()
    fake.work(450)  # ticks 2, 3, 4 and 5 have passed; 5 is the last of them
    tick = clock.wait()
    assert (tick.index, tick.late, tick.skipped) == (5, True, 3)
    following = clock.wait()
    assert (following.index, following.late, following.skipped) == (6, False, 0)


def test_restart_makes_now_tick_zero() -> None:
    clock, fake = make()
    clock.wait()
    fake.work(1000)
    clock.restart()
    tick = clock.wait()
    assert (tick.index, tick.late, tick.skipped) == (1, False, 0)


def test_the_real_clock_keeps_time() -> None:
    clock = TickClock(100)
    ticks = [clock.wait() for _ in range(20)]
    assert isinstance(ticks[0], Tick)
    assert all(tick.t_ns >= clock.deadline_ns(tick.index) for tick in ticks)


@pytest.mark.parametrize("fps", [0, -1, float("nan")])
def test_rates_that_are_none_are_refused(fps: float) -> None:
    with pytest.raises(InvalidInputError, match="fps must be above 0"):
        period_ns(fps)
