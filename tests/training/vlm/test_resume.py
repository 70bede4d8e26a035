"""A training that is killed ends where an unbroken one does: to the bit on a CPU with the same number of threads."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from safetensors.torch import load_file

from tests.training.vlm.conftest import arguments, words_of
from training.args import Args
from training.vlm.checkpoints import is_whole, newest

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


def weights(folder: Path) -> dict[str, Any]:
    return load_file(str(folder / "adapter_model.safetensors"))


def summary(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "training_summary.json").read_text())


def same(one: Path, other: Path) -> bool:
    mine, theirs = weights(one), weights(other)
    return mine.keys() == theirs.keys() and all(torch.equal(mine[name], theirs[name]) for name in mine)


@pytest.fixture(scope="module")
def killed(segments: Path, base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What SIGKILL leaves in the second epoch."""
    out = tmp_path_factory.mktemp("killed") / "model"
    line = [sys.executable, "-m", "training", *words_of(arguments(segments, base, out))]
    running = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ONE_THREAD)
    deadline = time.monotonic() + 120
    while not is_whole(out / "checkpoints" / "checkpoint-10"):
        assert running.poll() is None, running.communicate()[1]
        assert time.monotonic() < deadline, "no checkpoint within two minutes"
        time.sleep(0.005)
    running.send_signal(signal.SIGKILL)
    running.communicate(timeout=30)
    assert not (out / "gameenv.json").exists()
    return out


@pytest.fixture
def broken(killed: Path) -> Path:
    """A copy to go on with, in its own place: a folder's path is in its checkpoints."""
    kept = killed.with_name("kept")
    if not kept.exists():
        shutil.copytree(killed, kept)
    shutil.rmtree(killed)
    shutil.copytree(kept, killed)
    return killed


def test_goes_on_from_the_newest_checkpoint(
    broken: Path, tuned: Path, segments: Path, base: Path, tune: Callable[[Args], str]
) -> None:
    assert "going on from checkpoint-1" in tune(arguments(segments, base, broken))
    assert summary(broken)["resumed_from_step"] >= 10
    assert same(broken, tuned)
    for name in ("training_curve", "validation_curve", "accuracy", "best_step"):
        assert summary(broken)[name] == summary(tuned)[name]


def test_goes_on_from_an_older_one_and_passes_over_one_that_was_cut_short(
    broken: Path, tuned: Path, segments: Path, base: Path, tune: Callable[[Args], str]
) -> None:
    last = newest(broken / "checkpoints")
    assert last is not None
    file = last / "optimizer.pt"
    file.write_bytes(file.read_bytes()[:-100])
    before = newest(broken / "checkpoints")
    assert before is not None
    assert before != last
    said = tune(arguments(segments, base, broken, checkpoint=str(before)))
    assert f"going on from {before.name}" in said
    assert same(broken, tuned)


def test_killed_at_the_very_end_it_only_writes_what_is_missing(
    broken: Path, tuned: Path, segments: Path, base: Path, tune: Callable[[Args], str]
) -> None:
    args = arguments(segments, base, broken)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("training.vlm.outcome.write_summary", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            tune(args)
    tune(arguments(segments, base, broken))
    assert summary(broken)["resumed_from_step"] == summary(broken)["steps"]
    assert same(broken, tuned)


def test_two_processes_that_accelerate_launches_train_as_one(
    segments: Path, base: Path, tmp_path: Path, tune: Callable[[Args], str]
) -> None:
    """The same samples a step, in two halves; without dropout, whose dice each process throws for itself.

    ``--multi_gpu`` is how accelerate starts several processes; on a CPU they talk by gloo.
    """
    alone = arguments(segments, base, tmp_path / "one", dropout=0.0, epochs=1)
    tune(alone)
    halves = words_of(arguments(segments, base, tmp_path / "two", accumulation=2, epochs=1))
    launch = [sys.executable, "-m", "accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--module"]
    line = [*launch, "training", *halves, "--dropout", "0", "--device", "cpu"]
    done = subprocess.run(line, capture_output=True, text=True, timeout=240, env=ONE_THREAD, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("written to") == 1
    assert "cpu x 2" in done.stderr
    one, two = weights(tmp_path / "one"), weights(tmp_path / "two")
    moved = max(float(one[name].abs().max()) for name in one if "lora_B" in name)
    assert max(float((one[name] - two[name]).abs().max()) for name in one) < 0.01 * moved
    assert summary(tmp_path / "two")["accuracy"]["samples"] == summary(tmp_path / "one")["accuracy"]["samples"]
