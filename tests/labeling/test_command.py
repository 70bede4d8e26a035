"""``gameenv-label`` as a user runs it."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gameenv.files import LOCK_FILE, FileLock
from labeling import load_samples
from labeling.__main__ import main
from labeling.segment_folder import read_record, segment_folders
from recording.session import Session
from tests.labeling.recordings import Ticks, holds_from, record


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with two recordings where the plain command looks for them."""
    raw = tmp_path / "dataset" / "raw_playthrough"
    record(raw, "monday", Ticks(["w"] * 50 + ["none"] * 10, reached=holds_from(50, 60)))
    record(raw, "tuesday", Ticks(["d"] * 50, goal="Open the door", noise=[45]))
    return tmp_path


@dataclass(frozen=True, slots=True)
class Done:
    """How the command ended."""

    returncode: int
    stdout: str
    stderr: str


Run = Callable[..., Done]


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run the command in ``home`` with some arguments; in this process, for starting another takes a second."""

    def run_here(*arguments: str) -> Done:
        monkeypatch.chdir(home)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setattr(sys, "argv", ["gameenv-label", *arguments])
        capsys.readouterr()
        with pytest.raises(SystemExit) as ended:
            main()
        captured = capsys.readouterr()
        return Done(int(ended.value.code or 0), captured.out, captured.err)

    return run_here


def test_the_plain_command_labels_everything_and_sums_up(home: Path, run: Run):
    done = run()
    assert done.returncode == 0, done.stderr
    assert len(load_samples(home / "dataset/labeled_segments")) == 60 + 50 - 7 - 4
    text = done.stdout
    assert "4 segments (4 built now), 1 of them end with their goal reached" in text
    assert "99 samples; 11 rows have none:" in text
    assert "7: an exploring (noise) action among the seven" in text
    assert "4: the take ends before the seven are complete" in text
    assert "Go to the lantern" in text
    assert [line.split()[:2] for line in text.splitlines() if line.startswith(("w ", "d ", "none "))] == [
        ["none", "10"],
        ["w", "50"],
        ["d", "50"],
    ]
    assert "of disk beyond the recordings" in text
    again = run()
    assert "4 segments (4 there already)" in again.stdout


def test_sessions_can_be_named(home: Path, run: Run):
    done = run("--sessions", "tuesday", "--seconds", "2", "--tail", "none", "--chords", "priority")
    assert done.returncode == 0, done.stderr
    assert {sample.session_id for sample in load_samples(home / "dataset/labeled_segments")} == {"tuesday"}
    assert len(segment_folders(home / "dataset/labeled_segments")) == 3


def test_several_workers_give_the_same_result(home: Path, run: Run):
    assert run("--out", "one").returncode == 0
    assert run("--out", "two", "--workers", "2").returncode == 0
    files = [
        {path.relative_to(home / out): path.read_bytes() for path in (home / out).rglob("*.json*")}
        for out in ("one", "two")
    ]
    assert files[0] == files[1]
    assert len(files[0]) == 8


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--sessions", "mondy"), "unknown session in dataset/raw_playthrough 'mondy'. Did you mean 'monday'?"),
        (("--labeler", "refere"), "unknown labeler 'refere'. Did you mean 'referee'?"),
        (("--chords", "prioritty"), "unknown chord method 'prioritty'. Did you mean 'priority'?"),
        (("--seconds", "0"), "a clip's seconds must be above 0"),
        (("--workers", "0"), "--workers is at least 1"),
        (("--root", "nowhere"), "there is no folder nowhere"),
    ],
)
def test_wrong_arguments_are_one_line(home: Path, run: Run, arguments: tuple[str, ...], said: str):
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (home / "dataset" / "labeled_segments").exists()


def test_a_refused_session_is_named_and_the_others_are_labeled(home: Path, run: Run):
    raw = home / "dataset/raw_playthrough"
    record(raw, "empty")
    record(raw, "live", Ticks(["w"] * 40, goal=None, reached=()))
    (raw / "monday" / "steps.jsonl").write_text('{"index": 0, "t_\n' * 3)
    done = run()
    assert done.returncode == 0, "so that a training that waits for it goes on"
    assert "refused monday: " in done.stderr
    assert "line 1 is not JSON" in done.stderr
    assert "refused empty: the session empty is empty" in done.stderr
    assert "refused live: no labeler can label the session live" in done.stderr
    assert {sample.session_id for sample in load_samples(home / "dataset/labeled_segments")} == {"tuesday"}
    assert run("--strict").returncode == 1


def test_nothing_labeled_is_an_error(home: Path, run: Run):
    shutil.rmtree(home / "dataset/raw_playthrough/tuesday")
    shutil.rmtree(home / "dataset/raw_playthrough/monday")
    assert "there are no sessions" in run().stderr
    record(home / "dataset/raw_playthrough", "empty")
    done = run()
    assert done.returncode == 1
    assert "gameenv-label: the session empty is empty" in done.stderr
    record(home / "dataset/raw_playthrough", "empty-too")
    done = run()
    assert done.returncode == 1
    assert "nothing was labeled: all 2 sessions were refused" in done.stderr


def test_copies_of_a_session_are_refused(home: Path, run: Run):
    raw = home / "dataset/raw_playthrough"
    shutil.copytree(raw / "monday", raw / "monday-copy")
    done = run()
    assert done.returncode == 1
    assert "copies of one session" in done.stderr


def test_a_second_labeler_in_one_folder_is_refused(home: Path, run: Run):
    out = home / "dataset/labeled_segments"
    out.mkdir(parents=True)
    with FileLock(out / LOCK_FILE):
        done = run()
    assert done.returncode == 1
    assert f"another gameenv-label (process {os.getpid()}) is writing" in done.stderr
    assert run().returncode == 0


def test_an_out_that_cannot_be_a_folder_is_one_line(home: Path, run: Run):
    (home / "file").write_text("")
    done = run("--out", "file")
    assert done.returncode == 1
    assert "gameenv-label: cannot write to file: " in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("seconds", ["0", "inf", "nan"])
def test_seconds_that_are_no_length_are_refused(run: Run, seconds: str):
    done = run("--seconds", seconds)
    assert done.returncode == 1
    assert "a clip's seconds must be above 0" in done.stderr


def test_ctrl_c_keeps_what_is_finished(home: Path, run: Run):
    """The labeler is slowed down so that the signal comes in the middle."""
    script = (
        "import os, time; link = os.link\n"
        "def slow(*args):\n    time.sleep(0.01)\n    link(*args)\n"
        "os.link = slow\n"
        "from labeling.__main__ import main\nmain()"
    )
    record(home / "dataset/raw_playthrough", "long", Ticks(["w"] * 2000))
    out = home / "dataset/labeled_segments"
    command = [sys.executable, "-c", script, "--sessions", "long"]
    path = {"PYTHONPATH": str(Path(__file__).parents[2])}
    process = subprocess.Popen(command, cwd=home, stderr=subprocess.PIPE, text=True, env={**os.environ, **path})
    deadline = time.monotonic() + 60
    while not list(out.glob("long_seg*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; what was finished is kept" in errors
    assert "Traceback" not in errors
    finished = len(segment_folders(out))
    assert 1 <= finished < 50
    assert not list(out.glob(".part*"))
    done = run("--sessions", "long")
    assert f"50 segments ({50 - finished} built now, {finished} there already)" in done.stdout


def test_help_shows_the_specification_s_defaults_and_an_example(run: Run):
    done = run("--help")
    assert done.returncode == 0
    for text in ("dataset/raw_playthrough", "dataset/labeled_segments", "4.0", "    gameenv-label --sessions"):
        assert text in done.stdout


def test_the_recording_is_not_changed(home: Path, run: Run):
    raw = home / "dataset/raw_playthrough/monday"
    before = {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()}
    assert run().returncode == 0
    assert {path: path.read_bytes() for path in raw.rglob("*") if path.is_file()} == before
    assert len(Session(raw)) == 60


def test_keep_every_links_only_the_frames_of_its_samples(home: Path, run: Run) -> None:
    done = run("--keep-every", "10", "--sessions", "monday")
    assert done.returncode == 0, done.stderr
    assert "left out by --keep-every" in done.stdout
    out = home / "dataset" / "labeled_segments"
    shutil.rmtree(home / "dataset" / "raw_playthrough")  # what is kept does not need it
    rows = {sample.row: sample.chunk.actions[0] for sample in load_samples(out)}
    assert rows == {0: "w", 10: "w", 20: "w", 30: "w", 40: "w", 50: "none"}
    assert len(list(out.glob("*/*.jpg"))) == 6


OWN = """
from labeling.labeler import Label, SetAside

class Own:
    name, version = "own", "1"

    def objection(self, session):
        return None

    def label(self, clips):
        for clip in clips:
            if clip.segment.number:
                yield SetAside("unclear", self.name, self.version)
            else:
                yield Label("Walk on", self.name, self.version, 0.9, False, {})
"""


def test_one_s_own_labeler_is_named_by_its_module_and_what_it_sets_aside_is_counted(home: Path, run: Run) -> None:
    (home / "own_labeler.py").write_text(OWN)
    done = run("--labeler", "own_labeler:Own")
    assert done.returncode == 0, done.stderr
    assert "2 segments (2 built now)" in done.stdout
    assert "2 clips are set aside, and nothing is trained on them:" in done.stdout
    assert "  2: nobody could tell from the pictures what the player was after" in done.stdout
    assert {sample.goal for sample in load_samples(home / "dataset/labeled_segments")} == {"Walk on"}
    assert "no module 'own_labelr'" in run("--labeler", "own_labelr:Own").stderr


def test_a_person_says_the_goals_on_the_command_line_or_in_a_table(home: Path, run: Run) -> None:
    raw, out = home / "dataset/raw_playthrough", home / "dataset/labeled_segments"
    live = record(
        raw, "live", *(Ticks(["w"] * 40, take=take, goal=None, reached=(), source="human") for take in range(3))
    )
    before = {path: path.read_bytes() for path in live.path.rglob("*") if path.is_file()}
    assert "gameenv-label --goal" in run("--sessions", "live").stderr
    (home / "goals.csv").write_text("session,take,goal,reached\nlive,1,Open the door,yes\nmonday,0,Find a way out,\n")
    done = run("--goals", "goals.csv")
    assert done.returncode == 0, done.stderr
    assert "2: nobody said what it is about" in done.stdout
    goals = {(record.session_id, record.take): record for record in map(read_record, segment_folders(out))}
    assert (goals["live", 1].goal, goals["live", 1].completed) == ("Open the door", True)
    assert goals["monday", 0].goal == "Find a way out"
    assert goals["tuesday", 0].labeler == "referee"
    assert ("live", 0) not in goals
    done = run("--goals", "goals.csv", "--goal", "Climb the stairs", "--workers", "2")
    assert "nobody said" not in done.stdout
    assert [read_record(folder).goal for folder in segment_folders(out, "live")] == [
        "Climb the stairs",
        "Open the door",
        "Climb the stairs",
    ]
    assert {path: path.read_bytes() for path in live.path.rglob("*") if path.is_file()} == before
    assert "a goal is 2 to 6 words" in run("--goal", "Jump").stderr
    (home / "goals.csv").write_text("session,goal\nlive,Jump\n")
    assert "gameenv-label: goals.csv, line 2: a goal is 2 to 6 words" in run("--goals", "goals.csv").stderr
