"""A small model from nothing: it learns, by either optimizer, and goes on where it was killed."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec
from policies import load_policy
from policies.conformance import check_policy
from tests.training.vlm.conftest import options_of
from training import pretrain
from training.data import load_data
from training.options import ReplyOptions, SampleOptions
from training.step_report import StepReport
from training.vlm.batches import Examples, FrameFiles
from training.vlm.checkpoints import newest
from training.vlm.muon import build_optimizer
from training.vlm.settings import VLMSettings
from training.vlm.trainer import Conduct, FittedVLM, fit

SPEC = FrameSpec(64, 32)


def arguments(segments: Path, out: Path, **more: Any) -> pretrain.Args:
    sizes = {"hidden": 32, "vision_hidden": 32, "vision_layers": 2, "frame_size": SPEC.size, "batch_size": 8, **more}
    samples = SampleOptions(**{"data": str(segments), "validation": 0.25, **options_of(SampleOptions, sizes)})
    reply = ReplyOptions(**{"loss_on": "words", **options_of(ReplyOptions, sizes)})
    return pretrain.Args(out=str(out), samples=samples, reply=reply, **sizes)


def settings(**more: Any) -> VLMSettings:
    plain: dict[str, Any] = {"base": "new", "lora": None, "epochs": 2, "batch_size": 8, "accumulation": 1}
    plain |= {"processes": 1, "learning_rate": 1.5e-3, "warmup": 0.1, "weight_decay": 0.0, "frame_size": SPEC.size}
    return VLMSettings(**{**plain, "four_bit": False, "backend": "trl", "seed": 0, "target": "words", **more})


def train(segments: Path, folder: Path, stop_at: int | None = None, **more: Any) -> tuple[dict[str, Any], FittedVLM]:
    data = load_data(str(segments), 0.25, 0, 8)
    samples = [*data.training, *data.validation]
    files = FrameFiles([sample.image for sample in samples])
    goals, chunks = [sample.goal for sample in samples], [sample.chunk for sample in samples]
    examples = Examples(files, goals, chunks, len(data.training))
    learner = pretrain.build_learner(arguments(segments, folder), data, SPEC)
    conduct = Conduct(folder, "cpu", save_steps=2, evaluations=1, gradient_checkpointing=False)

    def look(point: StepReport) -> None:
        if point.step == stop_at:
            raise KeyboardInterrupt

    checkpoint = newest(conduct.checkpoints) if conduct.checkpoints.exists() else None
    fitted = fit(learner, examples, settings(**more), conduct, checkpoint=checkpoint, on_progress=look)
    return {name: value.clone() for name, value in learner.model.state_dict().items()}, fitted


@pytest.mark.slow
def test_leaves_a_model_that_plays(segments: Path, tmp_path: Path) -> None:
    out = tmp_path / "small"
    assert pretrain.run(arguments(segments, out, epochs=6, optimizer="muon", vision_epochs=2)) == 0
    policy = load_policy(str(out))
    check_policy(policy)
    summary = json.loads((out / "training_summary.json").read_text())
    curve = [point["loss_a_word_among_the_twelve"] for point in summary["validation_curve"]]
    assert curve[-1] < 0.8 * curve[0]
    assert json.loads((out / "gameenv.json").read_text())["base_model"] is None
    assert not (out / "checkpoints").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"optimizer": "muon", "word_dropout": 0.5, "prefix_dropout": 0.5}], ids=["adamw", "muon"]
)
def test_interrupted_it_ends_where_an_unbroken_one_does(
    segments: Path, tmp_path: Path, options: dict[str, Any]
) -> None:
    whole, _ = train(segments, tmp_path / "whole", **options)
    with pytest.raises(KeyboardInterrupt):
        train(segments, tmp_path / "broken", stop_at=11, **options)
    resumed, fitted = train(segments, tmp_path / "broken", **options)
    assert 0 < fitted.resumed_from < 11
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)


def test_muon_has_the_matrices_inside_and_both_rates_follow_the_schedule(segments: Path, tmp_path: Path) -> None:
    data = load_data(str(segments), 0.25, 0, 8)
    model = pretrain.build_learner(arguments(segments, tmp_path), data, SPEC).model
    optimizer = build_optimizer(model, settings(optimizer="muon"))
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    matrices = {names[id(parameter)] for parameter in optimizer.param_groups[0]["params"]}
    assert any("q_proj" in name for name in matrices)
    assert not [name for name in matrices if "embed" in name or "lm_head" in name or "norm" in name]
    count = sum(len(group["params"]) for group in optimizer.param_groups)
    assert count == len(names), "every weight is in one of the two"
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 0.5)
    assert [group["lr"] for group in optimizer.param_groups] == [0.01, *[7.5e-4] * (len(optimizer.param_groups) - 1)]
    optimizer.load_state_dict(optimizer.state_dict())
    optimizer.step()
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == 0.01


def test_after_loading_a_schedule_moves_the_rates_that_are_used(segments: Path, tmp_path: Path) -> None:
    data = load_data(str(segments), 0.25, 0, 8)
    model = pretrain.build_learner(arguments(segments, tmp_path), data, SPEC).model
    optimizer = build_optimizer(model, settings(optimizer="muon"))
    optimizer.load_state_dict(optimizer.state_dict())
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}

    def step(rate: float) -> list[str]:
        """Take a step at this rate; returns the weights that moved since the beginning."""
        for group in optimizer.param_groups:
            group["lr"] = rate
        for parameter in model.parameters():
            parameter.grad = torch.ones_like(parameter)
        optimizer.step()
        return [name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])]

    assert step(0.0) == []
    assert step(0.01) == list(before)


def test_sizes_that_cannot_be_built(segments: Path, tmp_path: Path) -> None:
    for wrong in (
        {"hidden": 100},
        {"vision_layers": 1},
        {"validation": 2.0},
        {"vision_epochs": -1},
        {"word_dropout": 2},
        {"prefix_dropout": -0.1},
    ):
        with pytest.raises(InvalidInputError):
            pretrain.run(arguments(segments, tmp_path / "out", **wrong))
