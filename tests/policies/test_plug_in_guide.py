"""``docs/plug-in-a-policy.md`` does what it says: its files, its snippets and its command are run."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import policies
from gameenv.actions import ActionChunk
from policies.conformance import check_policy

GUIDE = (Path(policies.__file__).parents[1] / "docs" / "plug-in-a-policy.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", GUIDE, flags=re.DOTALL)


def run(tmp_path: Path, *command: str) -> str:
    done = subprocess.run([sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_the_guide_works_as_written(tmp_path: Path) -> None:
    _, shortest, policy, check, play = blocks("python")
    assert len(shortest.splitlines()) < 10
    names: dict[str, Any] = {"ActionChunk": ActionChunk}
    exec(shortest, names)  # the guide's own snippet
    check_policy(names["Straight"]())
    command, watch, *_ = blocks("bash")
    assert policy.startswith("# bright.py\n")
    (tmp_path / "bright.py").write_text(policy)
    assert run(tmp_path, "-c", check) == ""
    assert "lantern" in run(tmp_path, "-c", play).lower()

    program, *options = command.replace("--episodes 20", "--episodes 2").split()
    assert program == "gameenv-evaluate"
    # Not through "python -m", which would put the current directory on the path; a console script does not.
    entry = "import sys; sys.path.remove(''); from policies.evaluation.__main__ import main; main()"
    printed = run(tmp_path, "-c", entry, *options, "--no-report")
    assert "mine" in printed
    summary = json.loads((tmp_path / "runs" / "bright" / "summary.json").read_text())
    (mine,) = [row for row in summary["results"] if (row["policy"], row["task"]) == ("mine", "all")]
    assert (mine["n"], mine["errors"]) == (2, 0)

    program, *options = watch.splitlines()[0].split()
    assert program == "gameenv-play"
    entry = "import sys; sys.path.remove(''); from policies.play import main; main()"
    assert "the lantern: " in run(tmp_path, "-c", entry, *options, "--lock-step", "--max-steps", "20")
