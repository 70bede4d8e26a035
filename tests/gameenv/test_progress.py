"""A bar on a terminal, a line now and then anywhere else."""

import io

from gameenv.console import Console
from gameenv.progress import LINE_PERIOD_S, Progress, track


class Clock:
    """Seconds that pass when a test says so."""

    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def plain() -> Console:
    return Console(file=io.StringIO(), width=200, force_terminal=False)


def terminal() -> Console:
    return Console(file=io.StringIO(), width=200, force_terminal=True, color_system=None)


def said(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_a_line_comes_now_and_then_and_none_at_the_end() -> None:
    clock, console = Clock(), plain()
    with Progress(console, now_s=clock) as progress:
        work = progress.begin("recording", "ticks", 5000)
        for second in range(30):
            clock.now_s = float(second)
            work.update(second * 150)
        clock.now_s += LINE_PERIOD_S
        work.update(5000)
    assert said(console).splitlines() == [
        "recording: 1,500 of 5,000 ticks, 150 ticks a second, 0.4 minutes left",
        "recording: 3,000 of 5,000 ticks, 150 ticks a second, 0.2 minutes left",
    ]


def test_what_was_there_before_took_no_time() -> None:
    clock = Clock()
    progress = Progress(plain(), now_s=clock)
    resumed = progress.begin("training", "steps", 1000)
    resumed.update(400, text="loss 0.312")
    clock.now_s = 10
    resumed.update(500, text="loss 0.298")
    assert resumed.describe() == "500 of 1,000 steps, loss 0.298, 10.0 steps a second, 0.8 minutes left"
    joined = progress.begin("recording", "ticks")
    clock.now_s = 20
    joined.update(350, before=100)
    assert joined.describe() == "350 ticks, 25 ticks a second"


def test_counting_goes_on_from_what_was_done() -> None:
    clock = Clock()
    work = Progress(plain(), now_s=clock).begin("none", "episodes", 100)
    assert work.describe() == "0 of 100 episodes"
    work.update(90)
    clock.now_s = 100
    work.advance()
    work.advance()
    assert work.describe() == "92 of 100 episodes, 6.7 minutes left"
    work.update(100)
    assert work.describe() == "100 of 100 episodes, 0.1 episodes a second"


def test_a_terminal_gets_a_bar_at_once() -> None:
    console = terminal()
    with Progress(console) as progress:
        work = progress.begin("labeling", "sessions", 4)
        work.update(1.5, text="monday, clip 5 of 10")
    assert "labeling" in said(console)
    assert "1 of 4 sessions, monday, clip 5 of 10" in said(console)
    assert "━" in said(console)


def test_names_are_shown_as_they_are() -> None:
    for console in (plain(), terminal()):
        clock = Clock()
        with Progress(console, now_s=clock) as progress:
            work = progress.begin("[red]mine[/e]", "things", 3)
            clock.now_s = LINE_PERIOD_S
            work.update(1, text="Press [/e] now")
        assert "[red]mine[/e]" in said(console)
        assert "Press [/e] now" in said(console)


def test_values_are_tracked_and_the_bar_goes_away() -> None:
    console = terminal()
    assert list(track("abc", "reading", "letters", console)) == ["a", "b", "c"]
    assert "3 of 3 letters" in said(console)
    assert said(console).endswith("\x1b[2K"), "the line is empty again"
    quiet = plain()
    assert list(track([1, 2], "reading", "numbers", quiet)) == [1, 2]
    assert said(quiet) == ""
