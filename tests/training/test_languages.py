"""Goals that are not English, through the commands: recorded, labeled, trained on, played."""

import json
from pathlib import Path

import pytest

from policies.base import Observation
from policies.load import load_policy
from tests.labeling.recordings import Ticks, frame, record
from tests.training.conftest import command

WALK, TURN = ["w"] * 40, ["left"] * 40


@pytest.mark.slow
@pytest.mark.parametrize("goals", [("Иди к фонарю", "Открой дверь"), ("走到灯笼那里", "打开门")])
def test_two_goals_are_told_apart_from_label_to_play(tmp_path: Path, goals: tuple[str, str]) -> None:
    for number in range(6):  # the same frames for both goals: only the words tell what to do
        one, other = Ticks(WALK, 0, goals[0]), Ticks(TURN, 1, goals[1])
        record(
            tmp_path / "raw",
            f"s{number}",
            *((one, other) if number % 2 else (Ticks(TURN, 0, goals[1]), Ticks(WALK, 1, goals[0]))),
        )
    labeled = command("labeling", "--root", tmp_path / "raw", "--out", tmp_path / "segments", "--labeler", "recorded")
    assert labeled.returncode == 0, labeled.stderr
    segment = json.loads(next((tmp_path / "segments").glob("*/segment.json")).read_text(encoding="utf-8"))
    assert segment["goal"] in goals
    trained = command(
        "training", "--policy", "bc", "--data", tmp_path / "segments", "--out", tmp_path / "bc", "--epochs", "12"
    )
    assert trained.returncode == 0, trained.stderr
    assert "no word" not in trained.stderr
    policy = load_policy(f"bc:{tmp_path / 'bc'}")
    said = [policy.predict(Observation(frame(20), goal)).actions[0] for goal in goals]
    assert said == ["w", "left"]
    played = command(
        "policies.play", "--lock-step", "--model", f"bc:{tmp_path / 'bc'}", "--goal", goals[0], "--max-steps", "7",
        "--fps", "10",
    )  # fmt: skip
    assert played.returncode == 0, played.stderr
    assert goals[0] in played.stdout
    assert "knows no word" not in played.stderr
