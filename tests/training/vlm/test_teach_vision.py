"""The first stage of making a model: its vision part learns to see, through a kill to the bit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.frames import FrameSpec
from policies.vlm import tiny
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker
from training.step_report import StepReport
from training.vlm.batches import Examples
from training.vlm.model import Learner
from training.vlm.settings import VLMSettings
from training.vlm.teach_vision import FILE, VisionTeacher
from training.vlm.trainer import Conduct

LEFT, RIGHT = ActionChunk.of(["left"] * 7), ActionChunk.of(["right"] * 7)


def learner() -> Learner:
    tokenizer = tiny.build_tokenizer()
    model = tiny.build_model(tiny.build_config(tokenizer, hidden=64, vision_hidden=64, vision_layers=2))
    speed_up_vision(model)
    return Learner(model, InputMaker(tokenizer, tiny.build_image_processor(), FrameSpec(64, 32)), None)


def examples(count: int = 80) -> Examples:
    """A bright half that is to be turned to, or away from, as the goal says."""
    frames = np.random.default_rng(0).integers(0, 40, (count, 32, 64, 3), np.uint8)
    sides = np.arange(count) % 2
    frames[sides == 0, :, :32] += 200
    frames[sides == 1, :, 32:] += 200
    away = np.arange(count) // 2 % 2
    chunks = [RIGHT if side != turn else LEFT for side, turn in zip(sides, away, strict=True)]
    return Examples(frames, ["Turn away" if turn else "Turn to the light" for turn in away], chunks, count - 16)


def settings(epochs: int) -> VLMSettings:
    return VLMSettings(
        base="a new one", lora=None, epochs=1, batch_size=16, accumulation=1, processes=1, learning_rate=1.5e-3,
        warmup=0.1, weight_decay=0.0, frame_size=(64, 32), four_bit=False, backend="trl", seed=0, optimizer="muon",
        vision_epochs=epochs,
    )  # fmt: skip


def conduct(folder: Path) -> Conduct:
    return Conduct(folder, "cpu", save_steps=5, eval_samples=16)


def weights(taught: Learner) -> dict[str, Any]:
    return taught.model.state_dict()


@pytest.mark.slow
def test_learns_what_picture_and_goal_say_together(tmp_path: Path) -> None:
    new = learner()
    before = {name: value.clone() for name, value in weights(new).items()}
    points: list[StepReport] = []
    loss, first = VisionTeacher(new, examples(), settings(30), conduct(tmp_path)).teach(points.append)
    assert first == 1.0
    assert loss < 0.3 < np.log(len(ACTIONS))
    assert points[-1].step == points[-1].steps == 120
    assert points[-1].validation == (loss, first)
    changed = {name for name, value in weights(new).items() if not torch.equal(value, before[name])}
    assert changed
    assert all(".visual." in name for name in changed), "the text part is for the second stage"
    frames = [examples().frames[row] for row in range(64)]
    made = [new.maker.pixels(frame) for frame in frames]
    pixels, grids = torch.from_numpy(np.concatenate([each for each, _ in made])), torch.tensor([g for _, g in made])
    with torch.inference_mode():
        seen = new.model.model.visual(pixels, grid_thw=grids)
    assert 0.5 < seen.pooler_output.std().item() < 2
    assert all(not side.any() for side in seen.deepstack_features)


def test_goes_on_to_the_bit_after_a_kill(tmp_path: Path) -> None:
    whole, cut = learner(), learner()
    VisionTeacher(whole, examples(), settings(3), conduct(tmp_path / "whole")).teach()

    def kill(point: StepReport) -> None:
        if point.step == 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        VisionTeacher(cut, examples(), settings(3), conduct(tmp_path / "cut")).teach(kill)
    cut = learner()
    assert (conduct(tmp_path / "cut").checkpoints / FILE).exists()
    points: list[StepReport] = []
    VisionTeacher(cut, examples(), settings(3), conduct(tmp_path / "cut")).teach(points.append)
    assert points[0].step == 6
    assert all(torch.equal(value, weights(cut)[name]) for name, value in weights(whole).items())
