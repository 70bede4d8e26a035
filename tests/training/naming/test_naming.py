"""A model learns the labeler's own question from clips that are named, and then names clips."""

import json
from pathlib import Path

import pytest
import torch

from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec
from labeling.build import label_session
from labeling.naming.options import NamingOptions
from labeling.referee import Referee
from labeling.samples import SampleSettings
from policies.vlm import tiny
from policies.vlm.loading import find_source, load_maker
from tests.labeling.recordings import Ticks, holds_from, record
from tests.training.conftest import command
from training.data import load_data
from training.naming.lessons import Schoolbook, load_lessons
from training.vlm.batches import IGNORED

GOALS = ("Go to the lantern", "Open the door")
KEYS = (["w"] * 12, ["enter"] * 12)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("naming")
    for number in range(10):
        words = KEYS[number % 2] + ["none"] * 8
        ticks = Ticks(words, goal=GOALS[number % 2], reached=holds_from(12, 20))
        label_session(record(root / "raw", f"s{number}", ticks), root / "segments", Referee(), SampleSettings())
    return root


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return tiny.save_tiny(folder, frame=FrameSpec(64, 32), hidden=64, vision_hidden=32, vision_layers=2)


def test_a_lesson_is_the_labeler_s_question_with_its_answer(recordings: Path, base: Path):
    data = load_data(str(recordings / "segments"), 0.2, 0, 1)
    lessons = load_lessons(data, recordings / "raw", pytest.fail)
    assert {each.clip.session.info.session_id for each in lessons.validation}.isdisjoint(
        each.clip.session.info.session_id for each in lessons.training
    )
    maker = load_maker(find_source(str(base)))
    book = Schoolbook(lessons.training, maker, NamingOptions())
    batch = book([{"lesson": 0}, {"lesson": 1}])
    for row, lesson in enumerate(lessons.training[:2]):
        ids, labels = batch["input_ids"][row], batch["labels"][row]
        assert torch.equal(ids[labels != IGNORED], labels[labels != IGNORED])
        said = maker.tokenizer.decode(ids[batch["attention_mask"][row] == 1])
        assert "First say what changes" in said
        assert said.endswith(f"{lesson.answer}<|im_end|>")
        assert json.loads(lesson.answer)["goal"] == lesson.goal
        assert maker.tokenizer.decode(labels[labels != IGNORED]).startswith('", "goal": "')


@pytest.mark.slow
def test_what_was_learned_names_clips(recordings: Path, base: Path, tmp_path: Path):
    out = tmp_path / "namer"
    line = (
        "training.naming", "--base", base, "--data", recordings / "segments", "--recordings", recordings / "raw",
        "--validation", "0.2", "--epochs", "30", "--batch-size", "4", "--learning-rate", "1e-2", "--save-steps", "10",
        "--device", "cpu", "--rank", "32", "--alpha", "64", "--out", out,
    )  # fmt: skip
    done = command(*line)
    assert done.returncode == 0, done.stderr
    assert "held out: loss a token" in done.stderr
    assert "has learned these clips already" in command(*line).stderr
    assert not (out / "checkpoints").exists()
    labeled = command(
        "labeling", "--root", recordings / "raw", "--out", tmp_path / "named", "--labeler", "vlm", "--model", out,
        "--min-confidence", "0", timeout=200,
    )  # fmt: skip
    assert labeled.returncode == 0, labeled.stderr + labeled.stdout
    named = [json.loads(path.read_text()) for path in (tmp_path / "named").glob("*/segment.json")]
    assert len(named) == 10
    assert {each["goal"] for each in named} <= set(GOALS), "a base of random weights learns the form and the wording"
    assert {each["labeler"] for each in named} == {"vlm"}


def test_recordings_that_are_gone_are_said(recordings: Path, tmp_path: Path):
    data = load_data(str(recordings / "segments"), 0.2, 0, 1)
    said: list[str] = []
    with pytest.raises(InvalidInputError, match="--recordings"):
        load_lessons(data, tmp_path, said.append)
    assert "are left out" in said[0]
