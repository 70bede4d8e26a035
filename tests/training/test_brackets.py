"""What people type may hold brackets: every command from recording to report says and keeps it as it is."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from tests.labeling.recordings import Ticks, record
from tests.training.conftest import command

GOAL, OTHER = "Press [/e] now", "[b]Open :door:[/b] <i>"
GAME = "DOOM [/1993] <b>"
WALK, TURN = ["w"] * 40, ["left"] * 40


def said(*words: str | Path) -> str:
    """Run a command that must end well; all it says, without the line ends that keep it within the terminal."""
    done: subprocess.CompletedProcess[str] = command(*words)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return " ".join((done.stdout + done.stderr).split())


@pytest.mark.slow
def test_goals_games_paths_and_errors_with_brackets_go_through_every_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "300")
    root = tmp_path / "[/raw] :key:"
    raw, segments, model = root / "raw", root / "[b]segments[/b]", root / "bc"
    for number in range(6):
        stretches = Ticks(WALK, 0, GOAL), Ticks(TURN, 1, OTHER)
        record(raw, f"[b]s{number}", *stretches, game=GAME, settings={"player": "[i]me"})

    listed = said("recording.sessions", "list", "--root", raw)
    assert GAME in listed
    assert "[b]s3" in listed
    assert "[i]me" in listed
    assert "[b]s3" in said("recording.sessions", "check", "[b]s3", "--root", raw)
    said("recording.sessions", "trim", "[b]s5", "--last-take", "--yes", "--root", raw)

    labeled = said("labeling", "--root", raw, "--out", segments, "--labeler", "recorded")
    assert GOAL in labeled
    assert OTHER in labeled
    assert f"written to {segments}" in labeled
    assert {json.loads(path.read_text())["goal"] for path in segments.glob("*/segment.json")} == {GOAL, OTHER}

    trained = said("training", "--policy", "bc", "--data", segments, "--out", model, "--epochs", "1")
    assert f"written to {model} (policy: bc:{model})" in trained

    played = said("policies.play", "--lock-step", "--model", f"bc:{model}", "--goal", GOAL, "--max-steps", "7")
    assert f"{GOAL}: " in played

    (tmp_path / "players.py").write_text(
        f"class Raises:\n    def reset(self, goal, *, seed=None): ...\n"
        f"    def predict(self, observation): raise RuntimeError({OTHER!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")]))
    evaluated = said(
        "policies.evaluation", "--policies", f"bc:{model}", "bad=players:Raises", "--tasks", "go-to-lantern",
        "--episodes", "1", "--frame-size", "64", "36", "--out", root / "run",
    )  # fmt: skip
    assert f"bc:{model}: 1 episodes" in evaluated
    assert f"RuntimeError: {OTHER}" in evaluated
    assert f"The report is {root / 'run' / 'report.html'}" in evaluated
    assert str(root / "run") in said("policies.report", root / "run", "--examples", "1")
    page = (root / "run" / "report.html").read_text(encoding="utf-8")
    assert "RuntimeError: [b]Open :door:[/b] &lt;i&gt;" in page
    assert "<i>" not in page
    assert f"bc:{model}" in page


def test_a_refusal_with_brackets_is_one_line(tmp_path: Path) -> None:
    for words in (
        ("recording", "--player", "[/e]", "--out", tmp_path),
        ("recording.sessions", "list", "--root", tmp_path / "[/e]"),
        ("labeling", "--root", tmp_path / "[/e]"),
        ("training", "--policy", "[/e]"),
        ("policies.play", "--model", "[/e]", "--lock-step"),
        ("policies.evaluation", "--policies", "[/e]"),
        ("policies.report", tmp_path / "[/e]"),
        ("gameenv.arena", "sheet", "--task", "[/e]"),
    ):
        refused = command(*words)
        assert refused.returncode == 1, refused.stdout + refused.stderr
        assert "[/e]" in refused.stderr
        assert "Traceback" not in refused.stderr


def test_a_wrong_argument_with_brackets_is_said_as_it_is(tmp_path: Path) -> None:
    refused = command("policies.play", "--execute", "[/e]")
    assert refused.returncode == 2
    assert "[/e]" in refused.stderr
    assert "Traceback" not in refused.stderr
