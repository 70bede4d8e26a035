"""A vision part learns what frames show, and a model begins with it."""

import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch

from gameenv.actions import CHUNK_LENGTH
from gameenv.arena.scene import SURFACES, THINGS
from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec
from tests.training.conftest import command
from training import pretrain
from training.sight import WEIGHTS_FILE
from training.sight.stream import UNKNOWN, Mix, make_shard
from training.sight.stream import _chunk as chunk_at
from training.sight.teacher import STATE_FILE

MIX = Mix(FrameSpec(64, 64), ("go-to-torch",), every=16)
SIZES = ("--hidden", "32", "--vision-hidden", "32", "--vision-layers", "2", "--frame-size", "64", "32")


@pytest.fixture(scope="module")
def shard():
    return make_shard(3, MIX)


def test_a_shard_is_a_pure_function_of_its_number(shard):
    again, other = make_shard(3, MIX), make_shard(4, MIX)
    for name in ("frames", "surfaces", "distances", "things", "chunks"):
        assert np.array_equal(getattr(shard, name), getattr(again, name)), name
    assert shard.goals == again.goals
    assert not np.array_equal(shard.frames[:5], other.frames[:5])


def test_a_shard_tells_what_its_frames_show(shard):
    count = len(shard.frames)
    assert shard.frames.shape == (count, 64, 64, 3)
    assert shard.surfaces.shape == shard.distances.shape == (count, 8, 8)
    assert (shard.surfaces[:, 0] == UNKNOWN).all(), "the letterbox's bar"
    assert (shard.surfaces[:, 2:6] < len(SURFACES)).all()
    assert (np.diff(shard.things[:, 0]) >= 0).all()
    assert shard.things[:, 0].max() < count
    assert set(shard.things[:, 1]) <= set(range(len(THINGS)))


def test_only_the_families_that_act_tell_goals_and_actions(shard):
    told = np.array([bool(goal) for goal in shard.goals])
    assert 0 < told.mean() < 0.5
    assert (shard.chunks[~told] == -1).all()
    assert (shard.chunks[told] >= 0).all(axis=1).mean() > 0.3
    assert all("torch" in goal for goal in shard.goals if goal)


def test_a_chunk_is_what_a_labeler_would_make_of_it():
    words, meant = list(range(1, 11)), [True] * 10
    assert list(chunk_at(words, meant, 0, padded=True)) == words[:CHUNK_LENGTH]
    assert list(chunk_at(words, meant, 8, padded=True)) == [9, 10, 0, 0, 0, 0, 0]
    assert (chunk_at(words, meant, 8, padded=False) == -1).all(), "the goal was not reached: nobody knows what comes"
    meant[4] = False
    assert (chunk_at(words, meant, 0, padded=True) == -1).all(), "noise is nobody's intention"


@pytest.mark.slow
def test_the_command_learns_goes_on_and_is_begun_with(segments: Path, tmp_path: Path):
    out = tmp_path / "sight"
    line = ("training.sight", "--frames", "1024", "--batch-size", "16", "--save-steps", "20", "--out", out, *SIZES)
    with subprocess.Popen([sys.executable, "-m", *map(str, line)], stderr=subprocess.DEVNULL) as process:
        while not (out / STATE_FILE).exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    done = command(*line)
    assert done.returncode == 0, done.stderr
    scores = json.loads((out / "sight.json").read_text())["scores"]
    assert scores["surface"] > 0.5
    assert "finished already" in command(*line).stderr
    assert "other settings" in command(*line[:-2], "64", "64").stderr

    model = tmp_path / "model"
    trained = command(
        "training.pretrain", "--vision", out, "--freeze-vision", "--data", segments, "--epochs", "1", "--layers", "1",
        "--batch-size", "8", "--eval-samples", "8", "--device", "cpu", "--out", model, timeout=200,
    )  # fmt: skip
    assert trained.returncode == 0, trained.stderr
    from safetensors.torch import load_file  # noqa: PLC0415 (comes with transformers)

    weights, eyes = load_file(model / "model.safetensors"), torch.load(out / WEIGHTS_FILE, weights_only=True)
    for name, value in eyes.items():
        assert torch.equal(weights[f"model.visual.{name}"], value), "frozen: as it came"


def test_a_vision_part_that_is_not_there_is_said(tmp_path: Path):
    with pytest.raises(InvalidInputError, match="no vision part"):
        pretrain.run(pretrain.Args(vision=str(tmp_path)))
    with pytest.raises(InvalidInputError, match="--vision"):
        pretrain.run(pretrain.Args(freeze_vision=True))
