"""A person is recorded through a real window: P, taps, focus, kills, full disks."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.opening import open_sender
from gameenv.processes import kill_group
from recording import Session
from recording.chords import METHODS
from tests.gameenv.live.display import PATIENCE_S, Probe, wait_for

pytestmark = pytest.mark.slow

MakeProbe = Callable[..., Probe]


@pytest.fixture
def sender(display: str) -> Iterator[KeySender]:
    sender = open_sender()
    yield sender
    sender.close()


class Recorder:
    """gameenv-record in a process of its own."""

    def __init__(self, root: Path, *options: str, session: str = "s") -> None:
        self.folder = root / session
        with tempfile.NamedTemporaryFile(
            dir=root, suffix=".txt", delete=False
        ) as said:  # a pipe would wait for engines
            self._said = Path(said.name)
            self.process = subprocess.Popen(
                [sys.executable, "-m", "recording", "--out", str(root), "--session", session, "--no-sound", *options],
                stdout=said,
                stderr=subprocess.STDOUT,
                env={**os.environ, "COLUMNS": "200"},
                start_new_session=True,
            )

    def wait_until_open(self) -> None:
        wait_for(lambda: self.process.poll() is not None or "starts and stops" in self._said.read_text())
        time.sleep(0.2)  # the first grabs

    @property
    def rows(self) -> int:
        steps = self.folder / "steps.jsonl"
        return steps.read_bytes().count(b"\n") if steps.exists() else 0

    @property
    def said(self) -> str:
        return self._said.read_text()

    def stop(self, number: signal.Signals = signal.SIGINT) -> str:
        self.process.send_signal(number)
        return self.output()

    def output(self) -> str:
        self.process.wait(PATIENCE_S)
        return self._said.read_text()


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Callable[..., Recorder]]:
    made: list[Recorder] = []

    def start(*options: str, session: str = "s") -> Recorder:
        made.append(Recorder(tmp_path, *options, session=session))
        return made[-1]

    yield start
    for each in made:
        kill_group(each.process.pid)  # the arena's engine, too
        each.process.wait(PATIENCE_S)


def press(sender: KeySender, key: str, seconds: float = 0.03) -> None:
    sender.send(key, True)
    time.sleep(seconds)
    sender.send(key, False)


def test_p_starts_and_stops_and_each_start_is_a_take(
    probe: Probe, record: Callable[..., Recorder], sender: KeySender
) -> None:
    recorder = record("--window", "^Probe$", "--goal", "Go to the lantern")
    recorder.wait_until_open()
    press(sender, "w", 0.3)
    assert recorder.rows == 0, "nothing is recorded before P"
    for take in range(2):
        before = recorder.rows
        press(sender, "p")
        wait_for(lambda before=before: recorder.rows >= before + 3)
        sender.send("shift", True)
        sender.send("w", True)
        time.sleep(0.3)
        sender.send("shift", False)
        time.sleep(0.9)  # long enough for the X server's auto-repeat
        sender.send("w", False)
        press(sender, "space")
        time.sleep(0.4)
        press(sender, "p")
        time.sleep(0.3)
        assert recorder.process.poll() is None, take
    said = recorder.stop()
    assert recorder.process.returncode == 0
    assert said.count("recording: P stops") == 2
    session = Session(recorder.folder)
    assert session.closed
    assert [take.number for take in session.takes] == [0, 1]
    assert {row.goal for row in session} == {"Go to the lantern"}
    assert {row.source for row in session} == {"human"}
    for take in session.takes:
        rows = session[take.start : take.stop]
        events = [(event.word, event.down) for row in rows for event in row.events]
        assert events == [("w", True), ("w", False), ("space", True), ("space", False)]
        assert rows[-1].held == ()
        for method in METHODS.values():
            words = method(rows)
            assert "space" in words, "a tap however short is in the label"
            assert words.count("w") >= 8
    assert session.info.totals is not None
    assert b'"p"' not in (recorder.folder / "steps.jsonl").read_bytes(), "hotkeys are never recorded"


def test_a_window_may_be_named_by_its_number(probe: Probe, record: Callable[..., Recorder], sender: KeySender) -> None:
    recorder = record("--window-id", str(probe.handle), "--goal", "Go to the lantern")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 3)
    recorder.stop()
    assert Session(recorder.folder).info.game == str(probe.handle)


def test_a_title_and_a_goal_may_hold_brackets(
    make_probe: Callable[..., Probe], record: Callable[..., Recorder], sender: KeySender
) -> None:
    title, goal = "DOOM [/1993] :key:", "Press [/e] now"
    make_probe(title)
    recorder = record("--window", title, "--goal", goal, "--wait")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 3)
    said = recorder.stop()
    assert f"waiting for the window {title!r}" in said
    session = Session(recorder.folder)
    assert session.info.game == title
    assert {row.goal for row in session} == {goal}


def test_goals_are_gone_through_by_keys_and_marked_as_reached(
    probe: Probe, record: Callable[..., Recorder], sender: KeySender
) -> None:
    recorder = record("--window", "^Probe$", "--goal", "Open the door", "--goal", "Climb the stairs", "Find a way out")
    recorder.wait_until_open()
    press(sender, "f8")
    wait_for(lambda: "nothing is being recorded, so nothing is marked" in recorder.said)
    press(sender, "p")
    for key, goal in (("f8", "Climb the stairs (2 of 3)"), ("f7", "Find a way out (3 of 3)"), ("f8", None)):
        before = recorder.rows
        wait_for(lambda before=before: recorder.rows >= before + 5)
        press(sender, key)
        if goal:
            wait_for(lambda goal=goal: f"goal: {goal}" in recorder.said)
    wait_for(lambda: "paused: P starts" in recorder.said)  # behind the last goal
    rows = recorder.rows
    time.sleep(0.4)
    assert recorder.rows == rows
    press(sender, "p")
    wait_for(lambda: recorder.rows >= rows + 3)
    recorder.process.kill()  # what was said until now is written, as every tick is
    recorder.process.wait()
    session = Session(recorder.folder)
    goals = [session[take.start].goal for take in session.takes]
    assert goals == ["Open the door", "Climb the stairs", "Find a way out", "Open the door"]
    for take, reached in zip(session.takes, (True, False, True, False), strict=True):
        rows_of_it = session[take.start : take.stop]
        assert {row.goal for row in rows_of_it} == {rows_of_it[0].goal}
        assert [row.reached for row in rows_of_it] == [False] * (len(take) - 1) + [reached]
    written = (recorder.folder / "steps.jsonl").read_text()
    assert not any(key in written for key in ('"f7"', '"f8"', '"p"')), "hotkeys are never recorded"


def test_stop_means_reached_and_the_line_says_where_one_is(
    probe: Probe, record: Callable[..., Recorder], sender: KeySender, tmp_path: Path
) -> None:
    (tmp_path / "goals.txt").write_text("Open the door\nClimb the stairs\n")
    options = ("--window", "^Probe$", "--goal-file", str(tmp_path / "goals.txt"), "--stop-means-reached")
    recorder = record(*options)
    recorder.wait_until_open()
    for take in range(3):
        before = recorder.rows
        press(sender, "p")
        wait_for(lambda before=before: recorder.rows >= before + 4)
        press(sender, "p")
        wait_for(lambda take=take: recorder.said.count("paused: P starts") > take)
    said = recorder.stop()
    assert said.count("reached: Open the door (1 of 2)") == 2
    session = Session(recorder.folder)
    assert [session[take.stop - 1].reached for take in session.takes] == [True] * 3
    assert [session[take.start].goal for take in session.takes] == [
        "Open the door",
        "Climb the stairs",
        "Open the door",
    ]
    again = record(*options, "--resume", "--hotkey", "o")  # with another key than before
    again.wait_until_open()
    assert f"going on after {len(session)} ticks, 3 takes" in again.stop()


def test_losing_the_focus_ends_the_take_and_nothing_is_recorded_meanwhile(
    probe: Probe, make_probe: MakeProbe, record: Callable[..., Recorder], sender: KeySender
) -> None:
    recorder = record("--window", "^Probe$")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 3)
    other = make_probe("Other", "300x200+1000+600")
    time.sleep(0.4)
    rows = recorder.rows
    press(sender, "w", 0.3)
    assert recorder.rows <= rows + 1
    other.close()
    probe.focus()
    wait_for(lambda: recorder.rows >= rows + 3)
    recorder.stop()
    session = Session(recorder.folder)
    assert len(session.takes) == 2
    assert all(row.focused for row in session)
    assert not [event for row in session for event in row.events], "what was typed elsewhere is nobody's business"


def test_a_closed_window_ends_the_recording_in_order(
    probe: Probe, record: Callable[..., Recorder], sender: KeySender
) -> None:
    recorder = record("--window", "^Probe$")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 3)
    probe.close()
    said = recorder.output()
    assert recorder.process.returncode == 0
    assert "closed" in said
    assert Session(recorder.folder).closed


def test_kill_9_loses_at_most_the_last_tick(probe: Probe, record: Callable[..., Recorder], sender: KeySender) -> None:
    recorder = record("--window", "^Probe$")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 5)
    recorder.process.kill()
    recorder.process.wait()
    session = Session(recorder.folder)
    assert not session.closed
    assert len(session) >= recorder.rows - 1 >= 4


def test_nothing_recorded_leaves_no_session(probe: Probe, record: Callable[..., Recorder]) -> None:
    recorder = record("--window", "^Probe$")
    recorder.wait_until_open()
    said = recorder.stop()
    assert "nothing was recorded" in said
    assert not recorder.folder.exists()


def test_two_recorders_of_one_window(probe: Probe, record: Callable[..., Recorder], sender: KeySender) -> None:
    first, second = record("--window", "^Probe$"), record("--window", "^Probe$", session="t")
    first.wait_until_open()
    second.wait_until_open()
    same = record("--window", "^Probe$", "--resume")
    assert "another recorder" in same.output()
    press(sender, "p")
    wait_for(lambda: min(first.rows, second.rows) >= 5)
    for recorder in (first, second):
        recorder.stop()
        session = Session(recorder.folder)
        assert session.closed
        assert session.info.totals is not None
        assert session.info.totals.dropped == 0


def test_frames_ends_it_and_resume_goes_on(probe: Probe, record: Callable[..., Recorder], sender: KeySender) -> None:
    for total in (5, 9):
        recorder = record("--window", "^Probe$", "--frames", str(total), *(["--resume"] if total == 9 else []))
        recorder.wait_until_open()
        press(sender, "p")
        recorder.output()
        assert recorder.process.returncode == 0
        assert len(Session(recorder.folder)) == total


def test_the_window_is_not_there_and_is_waited_for(
    display: str, make_probe: MakeProbe, record: Callable[..., Recorder]
) -> None:
    absent = record("--window", "^Probe$")
    assert "no window has title" in absent.output()
    assert absent.process.returncode == 1
    assert not absent.folder.exists()
    waiting = record("--window", "^Probe$", "--wait")
    time.sleep(1.0)
    assert waiting.process.poll() is None
    make_probe()
    wait_for((waiting.folder / "session.json").exists)
    waiting.stop()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--window", "x", "--player", "expert"), "built-in game only"),
        (("--window", "x", "--workers", "2"), "--workers is for --player expert"),
        (("--episodes", "3"), "--episodes is for --player expert"),
        (("--wait",), "--wait is for --window"),
        (("--window", "x", "--keys", "enter"), "word=key"),
        (("--window", "x", "--keys", "enter=w"), "both bound"),
        (("--window", "x", "--hotkey", "w"), "hotkey"),
        (("--window", "x", "--hotkey", "escape"), "key"),
        (("--window", "x", "--fps", "0"), "ticks a second"),
        (("--window", "("), "no window has title"),
        (("--window", "x", "--reached-key", "p"), "are three keys"),
        (("--window", "x", "--goal", "Open the door", "Jump"), "a goal is 2 to 6 words"),
        (("--window", "x", "--goal-file", "nowhere.txt"), "cannot read the goals in nowhere.txt"),
        (("--goal", "Open the door", "Climb the stairs"), "are for --window"),
        (("--stop-means-reached",), "are for --window"),
        (("--player", "expert", "--goal", "Open the door"), "--goal is for a person"),
    ],
)
def test_what_cannot_be_meant_is_refused(
    display: str, record: Callable[..., Recorder], options: tuple[str, ...], says: str
) -> None:
    recorder = record(*options)
    assert says in recorder.output()
    assert recorder.process.returncode == 1
    assert not recorder.folder.exists()


def test_the_arena_opens_a_window_for_a_person(
    display: str, record: Callable[..., Recorder], sender: KeySender
) -> None:
    recorder = record("--tasks", "go-to-lantern", "open-door")
    recorder.wait_until_open()
    press(sender, "p")
    wait_for(lambda: recorder.rows >= 3)
    press(sender, "left", 0.5)
    press(sender, "n")
    rows = recorder.rows
    wait_for(lambda: recorder.rows >= rows + 8)
    said = recorder.stop()
    assert said.count("goal: ") == 2
    session = Session(recorder.folder)
    tasks = [row.info["task"] for row in session]
    assert (tasks[0], tasks[-1]) == ("go-to-lantern", "open-door")
    first = session[: tasks.index("open-door")]
    assert first[0].info["player"]["angle"] != first[-1].info["player"]["angle"]
    assert all("left" in method(first) for method in METHODS.values())
    assert session.info.settings["player"] == "human"
