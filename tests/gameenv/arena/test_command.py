"""gameenv-arena as it is typed: what it prints, writes and refuses, and how it is stopped."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image

from gameenv.arena import tasks
from gameenv.processes import kill_group
from tests.gameenv.live.display import PATIENCE_S, wait_for

LINE = [sys.executable, "-m", "gameenv.arena"]
ROOT = Path(__file__).resolve().parents[3]


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*LINE, *words], capture_output=True, text=True, timeout=PATIENCE_S, check=False, cwd=ROOT,
        env={**os.environ, "COLUMNS": "200", **environment},
    )  # fmt: skip


class Running:
    """The command in a process group of its own."""

    def __init__(self, folder: Path, *words: str) -> None:
        self._said = folder / "said.txt"
        with self._said.open("w") as said:  # a pipe would wait for engines
            self.process = subprocess.Popen(
                [*LINE, *words], stdout=said, stderr=subprocess.STDOUT, start_new_session=True, cwd=ROOT,
                env={**os.environ, "COLUMNS": "200", "PYTHONUNBUFFERED": "1"},
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._said.read_text()

    @property
    def engines(self) -> list[int]:
        """The engines that are children of the command."""
        threads = Path(f"/proc/{self.process.pid}/task").glob("*/children")
        children = [pid for thread in threads for pid in thread.read_text().split()]
        return [int(pid) for pid in children if "vizdoom" in Path(f"/proc/{pid}/comm").read_text()]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    made: list[Running] = []

    def begin(*words: str) -> Running:
        made.append(Running(tmp_path, *words))
        return made[-1]

    yield begin
    for each in made:
        kill_group(each.process.pid)
        each.process.wait(PATIENCE_S)


def test_list_names_every_family() -> None:
    done = run("list", "--levels", "3")
    assert done.returncode == 0, done.stderr
    for task in tasks.TASKS:
        assert task in done.stdout
    assert "train levels 0 to 2 of each" in done.stdout


@pytest.mark.slow
def test_sheet_writes_a_png_and_says_how_the_expert_did(tmp_path: Path) -> None:
    out = tmp_path / "deep" / "sheet.png"
    done = run(
        "sheet", "--task", "open-door", "--count", "2", "--expert", "--frame-size", "256", "144", "--out", str(out)
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["the expert reached 2 of 2 goals", f"{out}: 2 levels"]
    assert Image.open(out).format == "PNG"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sheet", "--task", "opn-door"), "Did you mean 'open-door'?"),
        (("sheet", "--split", "tset"), "Did you mean 'test'?"),
        (("sheet", "--count", "0"), "from 1 to 100, got 0"),
        (("sheet", "--count", "101"), "from 1 to 100, got 101"),
        (("sheet", "--seed", "-1"), "from 0"),
        (("sheet", "--columns", "0"), "at least 1, got 0"),
        (("sheet", "--out", "pyproject.toml/x.png"), "cannot write"),
        (("sheet", "--out", "sheet.jpg"), "sheet.png"),
        (("list", "--levels", "0"), "at least 1, got 0"),
        (("list", "--split", "tset"), "Did you mean 'test'?"),
        (("play", "--task", "fly"), "unknown task 'fly'"),
        (("play", "--count", "0"), "at least 1, got 0"),
        (("play",), "there is no display"),
    ],
)
def test_what_cannot_be_done_is_one_line_and_code_1(words: tuple[str, ...], says: str) -> None:
    done = run(*words, DISPLAY="", WAYLAND_DISPLAY="", XDG_SESSION_TYPE="")
    assert done.returncode == 1
    assert done.stdout == ""
    assert says in done.stderr
    assert done.stderr.count("\n") == 1


def test_ctrl_c_in_the_middle_of_a_sheet_leaves_nothing(tmp_path: Path, start: Callable[..., Running]) -> None:
    command = start("sheet", "--count", "100", "--expert", "--out", str(tmp_path / "sheets" / "sheet.png"))
    wait_for(lambda: command.engines)
    (engine,) = command.engines
    os.killpg(command.process.pid, signal.SIGINT)  # as a terminal does: to the engine, too
    assert command.process.wait(PATIENCE_S) == 130
    assert command.said == "gameenv-arena: stopped\n"
    assert list((tmp_path / "sheets").iterdir()) == []
    wait_for(lambda: not Path(f"/proc/{engine}").exists())


PLAY = ("play", "--task", "open-door", "--window-size", "640", "360")


@pytest.mark.slow
def test_play_counts_levels_and_runs_out_of_time(display: str, start: Callable[..., Running]) -> None:
    command = start(*PLAY, "--seed", "3", "--count", "2", "--max-steps", "8")
    assert command.process.wait(PATIENCE_S) == 0
    lines = command.said.splitlines()
    assert [line for line in lines if "train/open-door/3/g" in line and line.startswith("goal: ")]
    assert [line for line in lines if "train/open-door/4/g" in line and line.startswith("goal: ")]
    assert sum(line.startswith("out of time after 0.8 s") for line in lines) == 2
    assert lines[-1] == "2 levels, 0 won"


@pytest.mark.slow
def test_ctrl_c_ends_play_and_its_window(display: str, start: Callable[..., Running]) -> None:
    command = start(*PLAY)
    wait_for(lambda: "goal: " in command.said)
    (engine,) = command.engines
    os.killpg(command.process.pid, signal.SIGINT)
    assert command.process.wait(PATIENCE_S) == 130
    assert command.said.rstrip().endswith("gameenv-arena: stopped")
    assert "Traceback" not in command.said
    wait_for(lambda: not Path(f"/proc/{engine}").exists())


@pytest.mark.slow
def test_closing_the_window_ends_play_in_order(display: str, start: Callable[..., Running]) -> None:
    command = start(*PLAY)
    wait_for(lambda: "goal: " in command.said)
    (engine,) = command.engines
    os.kill(engine, signal.SIGKILL)
    assert command.process.wait(PATIENCE_S) == 0
    assert "the window was closed" in command.said
    assert command.said.splitlines()[-1] == "1 level, 0 won"
