"""The guide to recording your own game, command by command: from goals to labels, without any model."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from labeling import load_samples
from labeling.segment_folder import SegmentRecord, read_record, segment_folders
from recording import Session
from recording.rows import MARK, REACHED
from tests.labeling.recordings import Ticks, record

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "live-games.md").read_text(encoding="utf-8")
MODULES = {"gameenv-sessions": "recording.sessions", "gameenv-label": "labeling"}


def block(heading: str, language: str = "bash") -> str:
    """The first block of a language below a heading."""
    return re.split(rf"^#+ {heading}$", GUIDE, flags=re.MULTILINE)[1].split(f"```{language}\n")[1].split("```")[0]


def commands(heading: str) -> list[list[str]]:
    """The commands of a block but for those that need a window or learn."""
    lines = [shlex.split(line, comments=True) for line in block(heading).splitlines()]
    return [line for line in lines if line[0] in MODULES]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with what the guide has a person record: each take ends with a second of standing still."""
    raw = tmp_path / "dataset" / "raw_playthrough"
    takes = []
    for number in range(8):
        goal = ("Open the door", "Climb the stairs")[number % 2]
        play = {"take": number, "goal": goal, "reached": (), "source": "human"}
        takes += [Ticks(["w"] * 20 + ["none"] * 9, **play), Ticks(["none"], info={MARK: REACHED}, **play)]
    record(raw, "evening", *takes, fps=10.0)
    record(raw, "yesterday", Ticks(["d"] * 30, goal=None, reached=(), source="human"))
    return tmp_path


def run(home: Path, words: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-m", MODULES[words[0]], *words[1:]],
        cwd=home, input="y\n", capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode in ((0, 1) if words[1] == "check" else (0,)), done.stderr
    return done.stdout


def labels(home: Path, session: str = "evening") -> list[SegmentRecord]:
    return [read_record(folder) for folder in segment_folders(home / "dataset" / "labeled_segments", session)]


def test_from_a_recording_to_labels(home: Path) -> None:
    said = {words[1]: run(home, words) for words in commands("Record your own game")}
    assert "take 0: Open the door, reached" in said["check"]
    assert "take 1: Climb the stairs, reached" in said["check"]
    found = labels(home)
    assert [each.goal for each in found[2:7]] == ["Open the door", *["Open the gate"] * 3, "Open the door"]
    assert all(each.completed for each in found)
    samples = load_samples(home / "dataset" / "labeled_segments")
    assert sum(sample.chunk.done for sample in samples) == 10 * len(found), "standing still after the goal is reached"


def test_goals_set_afterwards(home: Path) -> None:
    for words in commands("Goals afterwards"):
        run(home, words)
    session = Session(home / "dataset" / "raw_playthrough" / "evening")
    assert {row.goal for row in session} == {"Open the door", "Climb the stairs"}
    assert [row.index for row in session if row.goal == "Climb the stairs"] == list(range(120, 181))
    assert len(session.takes) == 7, "the last one is deleted"
    (home / "goals.csv").write_text(block("Goals afterwards", "csv"))
    run(home, ["gameenv-label", "--goals", "goals.csv", "--goal", "Look around here"])
    assert [each.goal for each in labels(home, "yesterday")] == ["Find a way out"]
    assert [each.completed for each in labels(home) if each.goal == "Open the door"][:3] == [True] * 3
    last = labels(home)[-1]
    assert (last.goal, last.completed) == ("Open the door", True)
