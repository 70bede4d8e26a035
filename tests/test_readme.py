"""The README says what is true: its commands, its code and its links."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_ci_runs_the_readmes_test_command():
    (command,) = [line for block in blocks("bash") for line in block.splitlines() if line.endswith("tests/check.py")]
    assert command in (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()


def test_the_loop_runs_as_printed(tmp_path: Path):
    (loop,) = blocks("python")
    ran = subprocess.run(
        [sys.executable, "-c", loop], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert "torch" in ran.stdout.splitlines()[0]


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!http)([^)#]+)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("name", re.findall(r"^(\w+)/ ", README, re.MULTILINE))
def test_the_file_tree_is_real(name: str):
    assert (ROOT / name).is_dir()


def test_the_moving_picture_is_small_and_can_be_drawn_again(tmp_path: Path):
    assert (ROOT / "docs" / "pictures" / "play.gif").stat().st_size <= 2_000_000
    words = ["--levels", "press-switch/5", "--width", "160", "--out", str(tmp_path / "again.gif")]
    script = ROOT / "examples" / "draw_movie.py"
    drawn = subprocess.run(
        [sys.executable, str(script), *words], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert drawn.returncode == 0, drawn.stderr
    with Image.open(tmp_path / "again.gif") as picture:
        assert getattr(picture, "n_frames", 1) > 10
        assert picture.width == 160


@pytest.mark.slow
def test_the_example_runs_end_to_end_and_again(tmp_path: Path):
    line = [
        sys.executable, ROOT / "examples" / "first_agent.py", "--frames", "900", "--epochs", "1", "--episodes", "1",
        "--bc-epochs", "1", "--workers", "2", "--out", tmp_path / "first agent",
    ]  # fmt: skip
    for _ in range(2):  # the second time everything is there already
        ran = subprocess.run(
            [str(word) for word in line], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
            env={**os.environ, "COLUMNS": "100"},
        )  # fmt: skip
        assert ran.returncode == 0, ran.stdout + ran.stderr
    assert (tmp_path / "first agent" / "report" / "report.html").stat().st_size > 10_000
    for model in ("bc", "tuned"):
        assert (tmp_path / "first agent" / model / "gameenv.json").exists()
    played = (tmp_path / "first agent" / "report" / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
    assert {json.loads(line)["policy"] for line in played} == {"random", "bc", "base", "tuned", "expert"}
