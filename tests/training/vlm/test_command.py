"""``gameenv-train --policy vlm``: a folder that plays, and every way that it can be asked for wrongly."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from gameenv.errors import GameEnvError, InvalidInputError, UnknownNameError
from labeling import load_samples
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from policies import load_policy
from policies.base import Observation
from policies.conformance import check_policy
from policies.vlm.loading import ADAPTER_WEIGHTS, find_source, load_maker, load_weights
from policies.vlm.policy import VLMPolicy
from tests.labeling.recordings import Ticks, holds_from, record
from tests.training.vlm.conftest import GOALS, arguments
from training.args import Args, BcOptions, VlmOptions
from training.options import ConductOptions, ReplyOptions
from training.vlm.model import merge

pytestmark = pytest.mark.slow

FRAMES = list(np.random.default_rng(0).integers(0, 256, (6, 32, 64, 3), np.uint8))
Tune = Callable[[Args], str]


@pytest.fixture
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


@pytest.fixture
def trained_on(segments: Path, base: Path) -> tuple[Path, Path]:
    return segments, base


def answers(folder: Path) -> list[object]:
    policy = load_policy(str(folder))
    assert isinstance(policy, VLMPolicy)
    return list(policy.predict_batch([Observation(frame, GOALS[0]) for frame in FRAMES]))


def test_its_path_alone_is_a_policy(tuned: Path, base: Path) -> None:
    check_policy(load_policy(str(tuned)))
    assert answers(tuned) != answers(base)
    card = json.loads((tuned / "gameenv.json").read_text())
    assert (card["kind"], card["base_model"], card["fps"]) == ("vlm", str(base), 10.0)
    assert (card["seen"]["width"], card["seen"]["height"]) == (64, 32)
    assert (card["recorded"]["width"], card["recorded"]["height"]) == (32, 16)


def test_leaves_what_is_to_be_read_and_nothing_unfinished(tuned: Path) -> None:
    names = {path.name for path in tuned.iterdir()}
    assert {"training_summary.json", "loss.png", "accuracy.png", "adapter_model.safetensors"} <= names
    assert not names & {"checkpoints", "cache", "run.json"}
    summary = json.loads((tuned / "training_summary.json").read_text())
    assert summary["steps"] == summary["training_curve"][-1]["step"]
    assert summary["training_curve"][-1]["loss"] < summary["training_curve"][0]["loss"]
    best = min(summary["validation_curve"], key=lambda point: point["loss_a_word_among_the_twelve"])
    assert (summary["best_step"], summary["accuracy"]["loss"]) == (best["step"], best["loss_a_word_among_the_twelve"])
    assert summary["accuracy"]["samples"] == summary["scored_samples"] == summary["validation_samples"]
    assert summary["accuracy"]["copied"] is not None
    assert summary["settings"]["lora"] == {"rank": 16, "alpha": 16, "dropout": 0.05, "vision": True}


def test_the_accuracy_is_that_of_the_policy_that_was_saved(tuned: Path, segments: Path) -> None:
    """Its first words on held-out samples, asked for one by one from what is on disk."""
    from training.data import load_data  # noqa: PLC0415

    data = load_data(str(segments), 0.25, 0, 2)
    policy = load_policy(str(tuned))
    right = 0
    for sample in data.validation:
        from gameenv.frames import load_frame  # noqa: PLC0415

        right += policy.predict(Observation(load_frame(sample.image), sample.goal))[0] == sample.chunk[0]
    summary = json.loads((tuned / "training_summary.json").read_text())
    assert summary["accuracy"]["by_slot"][0] == pytest.approx(right / len(data.validation))


def test_running_it_again_has_nothing_to_do_but_to_merge(segments: Path, base: Path, tuned: Path, tune: Tune) -> None:
    said = tune(arguments(segments, base, tuned, merge=True))
    assert "already trained" in said
    assert answers(tuned / "merged") == answers(tuned)
    with pytest.raises(InvalidInputError, match="nothing to merge"):
        merge(tuned / "merged", tuned / "again")


@pytest.mark.parametrize("stored", [False, True])
def test_four_bits_are_trained_and_merged_into_whole_numbers(
    trained_on: tuple[Path, Path], tmp_path: Path, tune: Tune, stored: bool
) -> None:
    """A whole base that is brought to 4 bits, and one that is stored so, as the specification's is."""
    pytest.importorskip("bitsandbytes")
    segments, base = trained_on
    if stored:
        base = store_in_four_bits(base, tmp_path / "base")
    out = tmp_path / "four"
    options: dict[str, Any] = {"loss_on": "words", "repeat_weight": 0.5, "eval_samples": 4}
    tune(arguments(segments, base, out, four_bit=None if stored else True, epochs=1, merge=True, **options))
    config = json.loads((out / "merged" / "config.json").read_text())
    assert "quantization_config" not in config
    merged, beside = load_policy(str(out / "merged")), load_policy(str(out))
    assert isinstance(merged, VLMPolicy)
    assert isinstance(beside, VLMPolicy)
    assert bool(getattr(beside.model, "is_quantized", False)) == stored
    weight = "model.language_model.layers.0.mlp.up_proj.weight"
    assert merged.model.state_dict()[weight].dtype == torch.float32
    assert answers(out / "merged") == answers(out)


def store_in_four_bits(base: Path, folder: Path) -> Path:
    source = find_source(str(base))
    load_weights(source, "cpu", torch.float32, True).save_pretrained(folder)
    maker = load_maker(source)
    maker.tokenizer.save_pretrained(folder)
    maker.image_processor.save_pretrained(folder)
    shutil.copy(base / "gameenv.json", folder)
    return folder


@pytest.mark.parametrize("size", [(64, 32), (16, 16)])
def test_a_damaged_frame_is_left_out_whether_frames_are_cached_or_not(
    base: Path, tmp_path: Path, tune: Tune, size: tuple[int, int]
) -> None:
    raw, segments, out = tmp_path / "raw", tmp_path / "segments", tmp_path / "tuned"
    for number in range(6):
        ticks = Ticks(["w"] * 10 + ["right"] * 10, goal=GOALS[number % 2], reached=holds_from(16, 20))
        label_session(record(raw, f"s{number}", ticks), segments, Referee(), SampleSettings())
    total = len(load_samples(segments))
    spoilt = load_samples(segments)[7].image
    spoilt.write_bytes(b"\xff\xd8" + bytes(100) + b"\xff\xd9")
    args = arguments(segments, base, out, epochs=1, frame_size=size)
    said = " ".join(tune(args).split())
    assert f"1 of {total} frames in {segments} cannot be read: {spoilt}. Their samples are left out." in said
    summary = json.loads((out / "training_summary.json").read_text())
    assert summary["training_samples"] + summary["validation_samples"] == total - 1


def test_another_model_or_training_is_not_overwritten(segments: Path, base: Path, tuned: Path, tmp_path: Path) -> None:
    from gameenv.console import Console  # noqa: PLC0415
    from training.vlm import run as command  # noqa: PLC0415

    quiet = Console(quiet=True)
    with pytest.raises(InvalidInputError, match="holds another model"):
        command.run(arguments(segments, base, tuned, seed=5), quiet, quiet)
    (tmp_path / "run.json").write_text('{"settings": {"seed": 3}, "dataset_id": "x"}')
    (tmp_path / "checkpoints" / "checkpoint-2").mkdir(parents=True)
    with pytest.raises(InvalidInputError, match=r"another training.* seed=3 \(now 0\)"):
        command.run(arguments(segments, base, tmp_path), quiet, quiet)
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.tex").write_text("x")
    with pytest.raises(InvalidInputError, match=r"other things \(thesis.tex\)"):
        command.run(arguments(segments, base, other), quiet, quiet)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"base": "models/gone"}, "models/gone is neither a folder here nor"),
        ({"checkpoint": "checkpoint-9"}, "not a whole checkpoint of this training; there are: none"),
        ({"report_to": "trackio"}, "pip install trackio"),
        ({"backend": "unsloth"}, "use --backend trl"),
        ({"device": "cuda"}, "device 'cuda' cannot be used here"),
        ({"dropout": 1.0}, "a dropout from 0 to below 1"),
        ({"accumulation": 0}, "--accumulation is at least 1"),
        ({"repeat_weight": 0.0}, "--repeat-weight is above 0"),
        ({"batch_size": 5000}, "Record more, or lower --batch-size"),
        ({"data": "nowhere"}, "Run gameenv-label first"),
    ],
)
@pytest.mark.usefixtures("offline")
def test_what_cannot_be_used(
    trained_on: tuple[Path, Path], tmp_path: Path, tune: Tune, change: dict[str, object], says: str
) -> None:
    segments, base = trained_on
    rest = {name: value for name, value in change.items() if name not in ("data", "base")}
    data, model = Path(str(change.get("data", segments))), Path(str(change.get("base", base)))
    with pytest.raises(GameEnvError, match=says):
        tune(arguments(data, model, tmp_path / "out", **rest))
    assert not (tmp_path / "out" / "gameenv.json").exists()


def test_an_adapter_is_no_base(segments: Path, tuned: Path, tmp_path: Path, tune: Tune) -> None:
    with pytest.raises(InvalidInputError, match="is an adapter"):
        tune(arguments(segments, tuned, tmp_path / "out"))


def test_options_of_the_other_policy_are_refused() -> None:
    with pytest.raises(InvalidInputError, match="--jitter belongs to --policy bc"):
        Args(bc=BcOptions(jitter=0.1)).check()
    with pytest.raises(InvalidInputError, match="--loss-on belongs to --policy vlm"):
        Args(policy="bc", vlm=VlmOptions(reply=ReplyOptions(loss_on="words"))).check()
    with pytest.raises(InvalidInputError, match="--save-steps is at least 1, got 0"):
        Args(vlm=VlmOptions(conduct=ConductOptions(save_steps=0))).check()
    with pytest.raises(InvalidInputError, match="--evaluations is at least 1, got 0"):
        Args(vlm=VlmOptions(conduct=ConductOptions(evaluations=0))).check()
    with pytest.raises(UnknownNameError, match="Did you mean 'vlm'"):
        Args(policy="vml").check()


def test_missing_frames_are_counted_listed_and_refused_above_one_percent(
    segments: Path, base: Path, tmp_path: Path, tune: Tune
) -> None:
    spoilt = Path(shutil.copytree(segments, tmp_path / "segments"))
    for frame in sorted((spoilt / "s1_seg0000").glob("*.jpg"))[:3]:
        frame.unlink()
    with pytest.raises(InvalidInputError, match=r"3 of \d+ frames .* are missing.*: .*frame_0000.jpg.*More than 1%"):
        tune(arguments(spoilt, base, tmp_path / "out"))


def test_an_adapter_is_gone_on_from(segments: Path, base: Path, tuned: Path, tmp_path: Path, tune: Tune) -> None:
    plain = arguments(segments, base, tmp_path / "again", epochs=1, learning_rate=1e-12)
    args = replace(plain, init=str(tuned), vlm=replace(plain.vlm, base=VlmOptions().base))
    tune(args)
    assert find_source(str(tmp_path / "again")).base == find_source(str(tuned)).base
    first, second = (load_file(folder / ADAPTER_WEIGHTS[0]) for folder in (tuned, tmp_path / "again"))
    assert first.keys() == second.keys()
    assert all(torch.allclose(first[name], second[name], atol=1e-6) for name in first)
    assert answers(tuned) == answers(tmp_path / "again")
    with pytest.raises(InvalidInputError, match="leave out --rank"):
        tune(replace(args, out=str(tmp_path / "x"), vlm=replace(args.vlm, rank=8)))
    with pytest.raises(InvalidInputError, match="goes on from an adapter"):
        tune(replace(args, out=str(tmp_path / "x"), init=str(base)))
