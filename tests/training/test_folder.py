"""Whose folder it is: empty, this training's, another's, somebody's."""

from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from training.folder import OutFolder

MINE = {"settings": {"seed": 0, "size": (64, 32)}, "dataset_id": "a"}
OTHER = {"settings": {"seed": 1, "size": (64, 32)}, "dataset_id": "a"}


def folder(path: Path, identity: dict[str, object] = MINE) -> OutFolder:
    return OutFolder(path, identity, "checkpoints", ("cache",))


def begin(path: Path, identity: dict[str, object] = MINE) -> None:
    folder(path, identity).claim()
    (path / "checkpoints" / "checkpoint-1").mkdir(parents=True)


def test_an_unfinished_training_goes_on_and_another_does_not_take_its_place(tmp_path: Path):
    begin(tmp_path)
    assert not folder(tmp_path).is_finished(overwrite=False)
    with pytest.raises(InvalidInputError, match=r"not finished: its settings is seed=0 \(now 1\)"):
        folder(tmp_path, OTHER).is_finished(overwrite=False)
    assert not folder(tmp_path).is_finished(overwrite=True)
    assert (tmp_path / "checkpoints").exists(), "the same training goes on even so"
    assert not folder(tmp_path, OTHER).is_finished(overwrite=True)
    assert not (tmp_path / "checkpoints").exists()


def test_a_claim_without_progress_binds_nobody(tmp_path: Path):
    folder(tmp_path, OTHER).claim()
    (tmp_path / "cache").mkdir()
    assert not folder(tmp_path).is_finished(overwrite=False)


def test_files_of_a_model_that_is_being_written_again_are_not_strange(tmp_path: Path):
    (tmp_path / "gameenv.json").write_text("{}")
    (tmp_path / "training_summary.json").write_text("{}")
    (tmp_path / "weights.pt").write_text("x")
    with pytest.raises(InvalidInputError, match="holds another model"):
        folder(tmp_path).is_finished(overwrite=False)
    assert not folder(tmp_path).is_finished(overwrite=True)
    assert not (tmp_path / "gameenv.json").exists()
    assert not folder(tmp_path).is_finished(overwrite=False), "killed here, the same command goes on"


def test_a_file_or_somebodys_folder_is_left_alone(tmp_path: Path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InvalidInputError, match="is not a folder"):
        folder(tmp_path / "file").is_finished(overwrite=True)
    with pytest.raises(InvalidInputError, match=r"other things \(file\)"):
        folder(tmp_path).is_finished(overwrite=True)
