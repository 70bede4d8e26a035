"""What is trained is what is played."""

from pathlib import Path
from typing import Any
from unittest.mock import Mock

import numpy as np
import pytest
import torch

from gameenv.console import Console
from gameenv.frames import FrameSpec, fit_frame, load_frame
from gameenv.progress import Progress
from labeling import load_samples
from policies import load_policy
from policies.base import Observation
from policies.vlm.policy import VLMPolicy
from tests.training.vlm.conftest import SPEC
from tests.training.vlm.test_pretrain import settings
from training.data import load_data
from training.vlm.batches import IGNORED, ROW, Collator, Examples, FrameFiles
from training.vlm.course import make_examples, open_frames
from training.vlm.job import Team, VLMTraining
from training.vlm.trainer import Conduct


@pytest.fixture(scope="module")
def policy(base: Path) -> VLMPolicy:
    found = load_policy(str(base))
    assert isinstance(found, VLMPolicy)
    return found


@pytest.fixture(scope="module")
def examples(segments: Path) -> Examples:
    samples = load_samples(segments)
    files = FrameFiles([sample.image for sample in samples])
    return Examples(files, [sample.goal for sample in samples], [sample.chunk for sample in samples], len(samples))


@pytest.mark.slow
def test_a_batch_holds_the_prompt_and_the_pixels_that_the_policy_feeds(policy: VLMPolicy, examples: Examples) -> None:
    rows = [0, 30, 61]  # both goals, so that one row is filled up
    batch: Any = Collator(policy.maker, examples)([{ROW: row} for row in rows])
    fed: list[dict[str, Any]] = []
    hook = policy.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: fed.append(kwargs), with_kwargs=True
    )
    patches = 0
    for place, row in enumerate(rows):
        fed.clear()
        policy.predict(Observation(examples.frames[row], examples.goals[row]))
        played = fed[0]
        count = len(played["pixel_values"])
        assert torch.equal(batch["pixel_values"][patches : patches + count], played["pixel_values"])
        assert torch.equal(batch["image_grid_thw"][place], played["image_grid_thw"][0])
        patches += count
        seen = batch["attention_mask"][place].bool()
        ids, positions = batch["input_ids"][place][seen], batch["position_ids"][:, place][:, seen]
        prompt = len(ids) - (batch["logits_to_keep"] - 1)
        skeleton = prompt + len(policy.maker.reply.prefix)
        assert torch.equal(ids[:skeleton], played["input_ids"][0, :skeleton])
        assert torch.equal(positions[:, :skeleton], played["position_ids"][:, 0, :skeleton])
    hook.remove()


def test_labels_are_the_reply_or_its_words(policy: VLMPolicy, examples: Examples) -> None:
    tokenizer = policy.maker.tokenizer
    batch: Any = Collator(policy.maker, examples)([{ROW: 3}])
    (labels,) = batch["labels"].tolist()
    assert labels[0] == IGNORED
    reply = '{"actions": ["' + '", "'.join(examples.chunks[3]) + '"]}<|im_end|>'
    assert tokenizer.decode(labels[1:]) == reply
    assert labels[1:] == batch["input_ids"][0, -len(labels) + 1 :].tolist()

    words: Any = Collator(policy.maker, examples, "words")([{ROW: 3}])
    (labels,) = words["labels"].tolist()
    counted = [label for label in labels if label != IGNORED]
    assert tokenizer.convert_ids_to_tokens(counted) == list(examples.chunks[3])


def test_frames_are_brought_to_what_the_model_sees(policy: VLMPolicy, examples: Examples) -> None:
    inputs = Collator(policy.maker, examples).inputs(5)
    frame = fit_frame(load_frame(examples.frames._paths[5]), SPEC)  # pyright: ignore[reportAttributeAccessIssue]
    np.testing.assert_array_equal(inputs.pixels, policy.maker.make(frame, examples.goals[5]).pixels)


def test_frames_that_are_shrunk_for_the_model_are_those_it_would_make_of_them(segments: Path, tmp_path: Path) -> None:
    spec = FrameSpec(16, 16)
    data = load_data(str(segments), 0.25, 0, 2)
    quiet = Console(quiet=True)
    conduct = Conduct(tmp_path, "cpu")
    job = VLMTraining(Mock(), data, spec, settings(frame_size=spec.size), conduct, Team("cpu"), quiet, quiet)
    with Progress(quiet) as progress:
        frames, damaged = open_frames(job, progress)
    assert not damaged
    examples = make_examples(job, frames)
    assert list((tmp_path / "cache").glob("*.npy"))
    samples = [*data.training, *data.validation]
    for row in (0, len(samples) - 1):
        np.testing.assert_array_equal(examples.frames[row], fit_frame(load_frame(samples[row].image), spec))
        assert (examples.goals[row], examples.chunks[row]) == (samples[row].goal, samples[row].chunk)


def test_shuffled_goals_leave_the_held_out_ones_alone(segments: Path, tmp_path: Path) -> None:
    data = load_data(str(segments), 0.25, 0, 2)
    quiet = Console(quiet=True)
    job = VLMTraining(
        Mock(), data, SPEC, settings(shuffle_goals=True), Conduct(tmp_path, "cpu"), Team("cpu"), quiet, quiet
    )
    with Progress(quiet) as progress:
        examples = make_examples(job, open_frames(job, progress)[0])
    cut = examples.training
    assert examples.goals[:cut] != [sample.goal for sample in data.training]
    assert sorted(examples.goals[:cut]) == sorted(sample.goal for sample in data.training)
    assert examples.goals[cut:] == [sample.goal for sample in data.validation]
