import json
import subprocess
import sys
from pathlib import Path

import pytest
from datasets import load_from_disk

from gameenv.actions import ACTIONS
from gameenv.errors import MissingExtraError
from gameenv.frames import load_frame
from labeling import load_samples, to_hf_dataset
from labeling.build import label_session
from labeling.referee import Referee
from tests.labeling.recordings import Ticks, holds_from, record

WORDS = [ACTIONS[1 + index % 11] for index in range(100)]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    session = record(tmp_path / "raw", "a", Ticks(WORDS, reached=holds_from(95, 100)))
    label_session(session, tmp_path / "out", Referee())
    return tmp_path / "out"


def test_every_text_equals_the_one_in_the_samples_file(root: Path):
    lines = [
        json.loads(line)["messages"]
        for path in sorted(root.glob("*/samples.jsonl"))
        for line in path.read_text().splitlines()
    ]
    rows = to_hf_dataset(root).remove_columns("images")
    assert len(rows) == len(lines) == 100
    for row, (user, assistant) in zip(rows.to_list(), lines, strict=True):
        assert row["prompt"][0]["role"] == "user"
        assert row["prompt"][0]["content"] == [
            {"type": "image", "text": None},
            {"type": "text", "text": user["content"][1]["text"]},
        ]
        assert row["completion"] == [
            {"role": "assistant", "content": [{"type": "text", "text": assistant["content"]}]},
        ]


def test_pictures_are_paths_until_a_row_is_read(root: Path):
    dataset = to_hf_dataset(root)
    assert dataset.data.nbytes < 100_000
    images = dataset[17]["images"]
    assert len(images) == 1
    assert images[0].size == (32, 16)
    assert abs(load_frame(load_samples(root)[17].image).astype(int) - images[0].convert("RGB")).max() == 0


def test_a_split_can_be_turned_too(root: Path):
    samples = load_samples(root)
    assert len(to_hf_dataset(samples[:10])) == 10


def test_trl_fills_the_picture_in(root: Path):
    """The rule of TRL 1.14's ``prepare_multimodal_messages``: an image part without a key ``image`` is filled."""
    row = to_hf_dataset(root)[0]
    parts = row["prompt"][0]["content"]
    assert sum(part["type"] == "image" and "image" not in part for part in parts) == len(row["images"])
    assert all("image" not in part for part in parts)


def test_saved_and_loaded_again_it_is_the_same(root: Path, tmp_path: Path):
    dataset = to_hf_dataset(root)
    dataset.save_to_disk(tmp_path / "saved")
    again = load_from_disk(tmp_path / "saved")
    assert again.remove_columns("images")[:] == dataset.remove_columns("images")[:]


def test_a_missing_extra_names_the_command(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(MissingExtraError, match=r"\.\[train\]"):
        to_hf_dataset(root)


def test_importing_labeling_loads_nothing_heavy():
    heavy = "{'torch', 'transformers', 'datasets', 'mss', 'pynput', 'vizdoom', 'pandas', 'pyarrow'}"
    code = f"import sys, labeling, labeling.__main__; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
