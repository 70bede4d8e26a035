"""A model's server on this machine, and recordings for it to look at."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from labeling.__main__ import main
from recording.session import Session
from tests.labeling.recordings import Ticks, record
from tests.policies.server.stub import StubServer, say, serving


def form(goal: object = "Go to the lantern", **fields: Any) -> str:
    """A good answer."""
    content = {
        "changes": "It comes nearer.",
        "goal": goal,
        "completed": False,
        "confidence": 0.9,
        "evidence": "A light.",
    }
    return json.dumps({**content, **fields})


def replies(text: object, **more: Any) -> Callable[[dict[str, Any]], tuple[int, str]]:
    """A server that always says the same."""
    return lambda question: (200, say(text, **more))


@pytest.fixture
def server() -> Iterator[StubServer]:
    pytest.importorskip("httpx")
    with serving(replies(form())) as stub:
        yield stub


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder with one recording of five clips, whose goal nobody knows; in the last nothing is pressed."""
    record(
        tmp_path / "dataset" / "raw_playthrough",
        "s",
        Ticks([*["w"] * 80, *["d"] * 40, *["a+w"] * 40, *["none"] * 40], goal=None, reached=()),
    )
    return tmp_path


@pytest.fixture
def session(home: Path) -> Session:
    return Session(home / "dataset" / "raw_playthrough" / "s")


@dataclass(frozen=True, slots=True)
class Done:
    """How the command ended."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def run(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run ``gameenv-label`` in ``home``, in this process."""

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
