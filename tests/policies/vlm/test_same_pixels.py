"""A model that looks at small frames sees in play what it sees in evaluation, and is recorded at the recorded size."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gameenv.frames import DEFAULT_SIZE, Frame
from policies.evaluation.__main__ import Args as EvaluateArgs
from policies.evaluation.__main__ import evaluate
from policies.play import Args as PlayArgs
from policies.play import play
from policies.vlm.inputs import InputMaker
from recording import Session

BASE = str(Path(__file__).resolve().parents[3] / "models" / "arena-base")
TASK, SEED = "go-to-lantern", 1


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[Frame]:
    """Every frame that a model is shown, as its image processor gets it."""
    frames: list[Frame] = []
    plain = InputMaker.pixels

    def pixels(self: InputMaker, frame: Frame) -> Any:
        frames.append(frame.copy())
        return plain(self, frame)

    monkeypatch.setattr(InputMaker, "pixels", pixels)
    return frames


def test_play_and_evaluation_show_the_model_the_same_pixels_and_play_the_same_actions(
    tmp_path: Path, seen: list[Frame]
) -> None:
    played = PlayArgs(
        model=BASE, lock_step=True, task=TASK, seed=SEED, record=True, session="s", out=str(tmp_path / "raw")
    )
    assert play(played) == 0
    in_play = list(seen)
    seen.clear()
    asked = EvaluateArgs((BASE,), (TASK,), seed=SEED, episodes=1, workers=1, out=tmp_path / "out", report=False)
    evaluate(asked)
    assert len(in_play) > 5
    assert {frame.shape for frame in in_play} == {(96, 128, 3)}
    for mine, theirs in zip(in_play, seen, strict=False):
        assert np.array_equal(mine, theirs)
    (row,) = [json.loads(line) for line in (tmp_path / "out" / "episodes.jsonl").read_text().splitlines()]
    session = Session(tmp_path / "raw" / "s")
    assert session.frame(0).shape == (DEFAULT_SIZE[1], DEFAULT_SIZE[0], 3)
    held = [each.held for each in session][1:]
    assert held == [() if word == "none" else (word,) for word in row["actions"]][: len(held)]
    assert row["steps"] - len(held) <= 1
