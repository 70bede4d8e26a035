"""A small real dataset: the expert recorded in the arena, labeled."""

import subprocess
import sys
from pathlib import Path

import pytest


def command(*words: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    """Run one of the project's modules as a user would."""
    line = [sys.executable, "-m", *map(str, words)]
    return subprocess.run(line, capture_output=True, text=True, timeout=timeout, check=False)


def record_and_label(folder: Path, split: str, frames: int) -> Path:
    raw, segments = folder / "raw", folder / "segments"
    recorded = command(
        "recording", "--player", "expert", "--tasks", "go-to-torch", "--split", split, "--frames", str(frames),
        "--frame-size", "128", "72", "--noise", "0", "--out", raw,
    )  # fmt: skip
    assert recorded.returncode == 0, recorded.stderr
    labeled = command("labeling", "--root", raw, "--out", segments)
    assert labeled.returncode == 0, labeled.stderr
    return segments


@pytest.fixture(scope="session")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return record_and_label(tmp_path_factory.mktemp("dataset"), "train", 600)
