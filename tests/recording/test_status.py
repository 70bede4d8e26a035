"""The recorder's line: what is being recorded, for which goal, in which take, for how long."""

import io

import pytest

from gameenv.console import Console
from recording import RecordingWrapper
from recording.status import Status


@pytest.fixture
def line(make_env, tmp_path):
    """Plays ticks and returns what the line says after them."""

    def live(info):
        info.update(skipped=0, problem=None, focused=info["tick"] not in away)

    away: set[int] = set()
    console = Console(file=io.StringIO(), force_terminal=True, width=200)
    with (
        RecordingWrapper(make_env(change=live), tmp_path, "s", reserve_bytes=0) as recorder,
        Status(console, "p", sound=False) as status,
    ):
        _, info = recorder.reset()

        def play(ticks, *, paused=False, focused=True):
            nonlocal info
            recorder.paused = paused
            if not focused:
                away.update(range(info["tick"] + 1, info["tick"] + ticks + 1))
            for _ in range(ticks):
                *_, info = recorder.step(0)
                status.update(info, recorder, "Open the door (1 of 2)")
            return str(status.line)

        yield play


def test_it_says_the_state_the_goal_the_take_and_the_time(line):
    said = line(64)
    assert said.startswith("RECORDING  Open the door (1 of 2)  take 0 0:06, 0:06 in all  ")
    assert line(20, paused=True).startswith("paused     Open the door (1 of 2)  take 1, 0:06 in all  ")
    assert line(1).startswith("resuming   Open the door (1 of 2)  take 1, 0:06 in all  ")
    assert line(31).startswith("RECORDING  Open the door (1 of 2)  take 1 0:03, 0:09 in all  ")
    assert line(3, focused=False).startswith("no focus   Open the door (1 of 2)  take 2, ")
    assert line(700).startswith("RECORDING  Open the door (1 of 2)  take 2 1:09, 1:19 in all  ")
