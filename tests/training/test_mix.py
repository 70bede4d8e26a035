"""Several folders of samples, drawn in proportion, and a ``bc`` network that is gone on from."""

from pathlib import Path

import numpy as np
import pytest

from gameenv.errors import InvalidInputError
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from policies.bc import BCPolicy
from tests.labeling.recordings import Ticks, holds_from, record
from tests.training.conftest import command
from training.data import Part, load_mix, parse_parts


def folder(root: Path, name: str, sessions: int, goal: str, fps: float = 10.0) -> Path:
    for number in range(sessions):
        words = (["w"] * 12 + ["right"] * 8)[number % 3 :] + ["none"] * 8
        ticks = Ticks(words, goal=goal, reached=holds_from(len(words) - 8, len(words)))
        raw = record(root / f"{name}-raw", f"{name}{number}", ticks, fps=fps)
        label_session(raw, root / name, Referee(), SampleSettings())
    return root / name


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return folder(tmp_path, "old", 6, "Go to the lantern")


@pytest.fixture
def new(tmp_path: Path) -> Path:
    return folder(tmp_path, "new", 2, "Open the door")


def test_each_folder_has_its_share(old: Path, new: Path):
    said: list[str] = []
    data = load_mix([Part(str(old), 75), Part(str(new), 25)], 0.2, 0, 1, said.append)
    share = np.mean([sample.session_id.startswith("new") for sample in data.training])
    assert share == pytest.approx(0.25, abs=0.01)
    mine = [sample for sample in data.training if sample.session_id.startswith("old")]
    assert len(mine) == len(set(mine)), "the larger folder's samples come up once"
    theirs = [sample for sample in data.training if sample.session_id.startswith("new")]
    assert len(theirs) > len(set(theirs))
    assert "times an epoch" in said[-1]
    assert str(new) in said[-1]
    assert {sample.session_id[:3] for sample in data.validation} == {"old", "new"}
    assert not {sample.session_id for sample in data.training} & {sample.session_id for sample in data.validation}


def test_folders_that_differ_are_not_mixed(old: Path, tmp_path: Path):
    other = folder(tmp_path, "slow", 2, "Open the door", fps=5.0)
    with pytest.raises(InvalidInputError, match="fps differ"):
        load_mix([Part(str(old), 1), Part(str(other), 1)], 0.2, 0, 1)


@pytest.mark.parametrize("text", ["old", "old:", ":3", "old:much", "old:0", "old:-1", "old:inf", "old:nan"])
def test_what_is_no_part_is_said(text: str):
    with pytest.raises(InvalidInputError, match="--mix takes folders"):
        parse_parts([text])


def test_a_windows_drive_is_part_of_the_folder_s_name():
    assert parse_parts([r"C:\old:80", "new:20"]) == [Part(r"C:\old", 80.0), Part("new", 20.0)]
    with pytest.raises(InvalidInputError, match="twice"):
        parse_parts(["old:1", "old:2"])


@pytest.mark.slow
def test_a_network_is_gone_on_from_and_learns_new_words(old: Path, new: Path, tmp_path: Path):
    plain = ("training", "--policy", "bc", "--epochs", "1", "--batch-size", "16", "--validation", "0.2")
    first = command(*plain, "--data", old, "--out", tmp_path / "first")
    assert first.returncode == 0, first.stderr
    mixed = ("--mix", f"{old}:60", f"{new}:40", "--init", tmp_path / "first")
    second = command(*plain, *mixed, "--learning-rate", "1e-9", "--out", tmp_path / "second")
    assert second.returncode == 0, second.stderr
    before, after = BCPolicy.load(tmp_path / "first"), BCPolicy.load(tmp_path / "second")
    assert set(before.words) < set(after.words)
    frames = list(np.random.default_rng(0).integers(0, 256, (4, 36, 64, 3), np.uint8))
    goals = ["Go to the lantern"] * 4
    assert np.allclose(before.answer(frames, goals)[0], after.answer(frames, goals)[0], atol=1e-3)
    assert "--no-declaration-head" in command(*plain, *mixed, "--no-declaration-head", "--out", tmp_path / "x").stderr
    refused = command(*plain, *mixed, "--data", old, "--out", tmp_path / "x").stderr
    assert "leave out --data" in refused
