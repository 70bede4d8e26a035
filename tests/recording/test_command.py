"""The real command on the real arena, interrupted in every way."""

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError, MissingExtraError
from recording import Session
from recording.__main__ import Args, make_plans, record

pytest.importorskip("vizdoom")

REPOSITORY = Path(__file__).parents[2]
SMALL = ("--player", "expert", "--frame-size", "64", "36", "--tasks", "go-to-lantern", "climb-stairs")


def command(*args):
    return [sys.executable, "-m", "recording", *SMALL, *map(str, args)]


def run(folder, *args, **options):
    return subprocess.run(
        command("--out", "raw", *args), cwd=folder, capture_output=True, text=True, check=False, timeout=120, **options
    )


@contextlib.contextmanager
def started(folder, *args):
    """The command running in the background, in a process group of its own."""
    process = subprocess.Popen(
        command("--out", "raw", *args),
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with contextlib.suppress(subprocess.TimeoutExpired):  # an engine of a killed worker keeps the pipe open
            process.communicate(timeout=20)


def wait_for_ticks(path, count):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            if (path / "steps.jsonl").read_bytes().count(b"\n") >= count:
                return
        time.sleep(0.02)
    pytest.fail(f"{path} did not reach {count} ticks")


def worker_pid(path):
    return int((path / ".lock").read_text())


def is_alive(pid):
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    return False


def group_is_empty(pgid):
    for _ in range(100):
        try:
            os.killpg(pgid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def without_times(row):
    return (row.held, row.events, row.source, row.goal, row.t_ns, row.info)


@pytest.mark.slow
def test_it_records_whole_episodes_and_says_what(tmp_path):
    done = run(tmp_path, "--frames", 60, "--session", "one")
    assert done.returncode == 0, done.stderr
    session = Session(tmp_path / "raw" / "one")
    assert session.closed
    assert len(session) >= 60
    assert all(session[take.stop - 1].info.get("ended") for take in session.takes)
    assert [row.info["episode"] for row in session[:: len(session) - 1]] == [0, len(session.takes) - 1]
    assert [session[take.start].info["level"].split("/")[1:3] for take in session.takes[:3]] == [
        ["go-to-lantern", "0"],
        ["climb-stairs", "0"],
        ["go-to-lantern", "1"],
    ][: len(session.takes)]
    assert session[0].goal
    assert f"{len(session):,} ticks" in done.stdout
    assert "success" in done.stdout
    assert re.search(r"^  w +\d+", done.stdout, re.MULTILINE)
    assert session.info.settings["tasks"] == ["go-to-lantern", "climb-stairs"]
    assert session.info.totals is not None
    assert session.info.totals.actions == dict(
        Counter({word: session.info.totals.actions[word] for word in session.info.vocabulary})
    )


@pytest.mark.slow
def test_the_same_arguments_give_the_same_recording(tmp_path):
    for name in ("one", "two"):
        assert run(tmp_path, "--episodes", 3, "--session", name, "--noise", 0.3).returncode == 0
    one, two = (Session(tmp_path / "raw" / name) for name in ("one", "two"))
    assert [without_times(row) for row in one] == [without_times(row) for row in two]
    assert {row.source for row in one} == {"expert", "noise"}


@pytest.mark.slow
def test_workers_share_the_levels(tmp_path):
    done = run(tmp_path, "--episodes", 6, "--session", "team", "--workers", 2)
    assert done.returncode == 0, done.stderr
    levels = [
        [session[take.start].info["level"] for take in session.takes]
        for session in (Session(tmp_path / "raw" / f"team-w{worker}") for worker in range(2))
    ]
    assert [len(part) for part in levels] == [3, 3]
    assert not set(levels[0]) & set(levels[1])


@pytest.mark.slow
def test_ctrl_c_closes_every_session_and_leaves_no_process(tmp_path):
    with started(tmp_path, "--session", "team", "--workers", 2) as process:
        folders = [tmp_path / "raw" / f"team-w{worker}" for worker in range(2)]
        for folder in folders:
            wait_for_ticks(folder, 10)
        workers = [worker_pid(folder) for folder in folders]
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert err == ""
    assert "--resume" in out
    for folder, worker in zip(folders, workers, strict=True):
        assert Session(folder).closed
        assert group_is_empty(worker), "the worker and its engines are gone"


@pytest.mark.slow
def test_a_killed_worker_is_reported_and_loses_nothing(tmp_path):
    with started(tmp_path, "--session", "team", "--workers", 2, "--frames", 200) as process:
        folders = [tmp_path / "raw" / f"team-w{worker}" for worker in range(2)]
        for folder in folders:
            wait_for_ticks(folder, 10)
        victim = worker_pid(folders[1])
        os.kill(victim, signal.SIGKILL)
        _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert "team-w1" in err
    assert "SIGKILL" in err
    assert "Traceback" not in err
    assert Session(folders[0]).closed
    assert len(Session(folders[0])) >= 100, "the other worker does its share"
    assert not Session(folders[1]).closed
    assert len(Session(folders[1])) >= 10
    assert group_is_empty(victim), "its engines are gone too"

    again = run(tmp_path, "--session", "team", "--workers", 2, "--frames", 200, "--resume")
    assert again.returncode == 0, again.stderr
    session = Session(folders[1])
    assert session.closed
    assert len(session) >= 100
    numbers = [session[take.start].info["episode"] for take in session.takes]
    assert numbers == sorted(set(numbers)), "it went on with the next level"


@pytest.mark.slow
def test_a_killed_command_closes_its_sessions(tmp_path):
    with started(tmp_path, "--session", "one") as process:
        folder = tmp_path / "raw" / "one"
        wait_for_ticks(folder, 10)
        worker = worker_pid(folder)
        process.kill()
        process.wait()
        assert group_is_empty(worker)
    assert Session(folder).closed


@pytest.mark.slow
def test_resuming(tmp_path):
    assert run(tmp_path, "--episodes", 2, "--session", "one").returncode == 0
    path = tmp_path / "raw" / "one"
    before = path.joinpath("steps.jsonl").read_bytes()

    twice = run(tmp_path, "--episodes", 2, "--session", "one")
    assert twice.returncode == 1
    assert "exists already" in twice.stderr

    complete = run(tmp_path, "--episodes", 2, "--session", "one", "--resume")
    assert complete.returncode == 0
    assert "complete already" in complete.stdout
    assert path.joinpath("steps.jsonl").read_bytes() == before

    other = run(tmp_path, "--episodes", 3, "--session", "one", "--resume", "--noise", 0.2, "--seed", 4)
    assert other.returncode == 1
    assert "noise 0.1, not 0.2" in other.stderr
    assert "seed 0, not 4" in other.stderr

    more = run(tmp_path, "--episodes", 3, "--session", "one", "--resume")
    assert more.returncode == 0, more.stderr
    assert path.joinpath("steps.jsonl").read_bytes().startswith(before)
    straight = run(tmp_path, "--episodes", 3, "--session", "straight")
    assert straight.returncode == 0
    rows = [[without_times(row) for row in Session(tmp_path / "raw" / name)] for name in ("one", "straight")]
    assert rows[0] == rows[1], "stopped between two episodes, it is as if it had never stopped"


@pytest.mark.slow
def test_a_second_recorder_on_the_same_session_is_refused(tmp_path):
    with started(tmp_path, "--session", "one"):
        wait_for_ticks(tmp_path / "raw" / "one", 3)
        second = run(tmp_path, "--session", "one", "--resume")
    assert second.returncode == 1
    assert "another recorder" in second.stderr


@pytest.mark.parametrize(
    ("args", "says"),
    [
        (("--player", "human"), "--player expert"),
        (("--tasks", "go-to-lantrn"), "Did you mean 'go-to-lantern'"),
        (("--reserve-mb", 10**9), "kept in reserve"),
        (("--out", "/proc/nowhere"), "cannot write"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_1(tmp_path, args, says):
    done = run(tmp_path, "--episodes", 1, *args)
    assert done.returncode == 1
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_without_arguments_it_wants_a_desktop_for_a_person(tmp_path):
    nowhere = {**os.environ, "DISPLAY": "", "WAYLAND_DISPLAY": "", "XDG_SESSION_TYPE": ""}
    done = subprocess.run(
        [sys.executable, "-m", "recording"], cwd=tmp_path, env=nowhere, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "DISPLAY is not set" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_killed_at_random_moments_it_loses_at_most_one_tick(tmp_path):
    script = REPOSITORY / "benchmarks" / "recorder_kill.py"
    done = subprocess.run(
        [sys.executable, str(script), "--kills", "4", "--most-seconds", "0.5"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 of 4 sessions opened" in done.stdout


def test_session_json_is_complete_json_at_any_time(tmp_path):
    with started(tmp_path, "--session", "one"):
        path = tmp_path / "raw" / "one"
        wait_for_ticks(path, 3)
        assert json.loads((path / "session.json").read_text())["closed"] is False


def test_without_the_game_nothing_is_made(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "vizdoom", None)
    with pytest.raises(MissingExtraError, match=r"pip install .*\[arena\]"):
        record(Args(player="expert", frames=10, out=str(tmp_path / "raw")))
    assert not (tmp_path / "raw").exists()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("goal", ["Jump", "one two three four five six seven eight nine", ""])
def test_a_goal_that_cannot_be_labeled_is_refused_before_recording(goal: str) -> None:
    with pytest.raises(InvalidInputError, match="a goal is 2 to 6 words"):
        make_plans(Args(window="Probe", goal=(goal,)))
