"""The benchmark that replays reduced recordings of a player with two hands, on a few levels."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "chords.py"


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory) -> str:
    command = [sys.executable, str(SCRIPT), "--split", "train", "--episodes", "6"]
    command += ["--tasks", "go-to-torch", "open-door", "crawl-vent"]
    folder = tmp_path_factory.mktemp("chords")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert list(folder.iterdir()) == [], "it leaves no files"
    return done.stdout


def median_off(output: str, levels: str, replay: str) -> float:
    """Median distance between the ends, map units, from the table."""
    (row,) = (line for line in output.splitlines() if line.startswith(f"| {levels} | {replay} |"))
    return float(row.split("|")[3].split("[")[0])


def test_the_player_with_two_hands_uses_both_and_gets_there(output: str) -> None:
    assert "6 reached their goals" in output
    two_keys = re.search(r"two keys or more in (\d+)%", output)
    assert two_keys
    assert int(two_keys[1]) >= 20


def test_the_recorded_keys_at_their_times_end_where_the_original_did(output: str) -> None:
    assert "6 replayed to the same place" in output
    assert median_off(output, "all", "all keys, at their times") == 0


def test_one_word_a_tick_ends_elsewhere_and_further_than_all_keys(output: str) -> None:
    whole = median_off(output, "all", "all keys, whole ticks")
    assert 0 < whole < median_off(output, "all", "error diffusion")
    assert whole < median_off(output, "all", "fixed priority")


def test_every_family_has_both_methods(output: str) -> None:
    for family in ("go-to-torch", "open-door", "crawl-vent"):
        for method in ("error diffusion", "fixed priority"):
            assert median_off(output, family, method) > 0
    assert output.count("Wilcoxon p = ") == 4


def test_test_levels_are_refused() -> None:
    command = [sys.executable, str(SCRIPT), "--split", "test"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "validation" in done.stdout + done.stderr
