"""Frozen sets of levels: written, read, made again, and what is said when anything differs."""

import hashlib
import json
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from gameenv.arena import levels, sets, tasks
from gameenv.arena.sets import ENGINE, FOLDER, LEVELS, SETS, Args, LevelSet, level_set, run, write_set
from gameenv.arena.tasks import TASKS, level
from gameenv.errors import InvalidInputError, MissingExtraError, UnknownNameError

NAME = "arena-val-v1"
COUNT = 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("level_sets")
    write_set(NAME, made, levels=COUNT)
    return made


def change(folder: Path, to: Path, **changes: Any) -> LevelSet:
    """The set with other values in its file."""
    content = json.loads((folder / f"{NAME}.json").read_text(encoding="utf-8"))
    to.mkdir(exist_ok=True)
    (to / f"{NAME}.json").write_text(json.dumps({**content, **changes}), encoding="utf-8")
    return level_set(NAME, to)


@pytest.mark.slow
@pytest.mark.parametrize("name", SETS)
def test_the_levels_of_a_shipped_set_are_made_the_same_here(name: str) -> None:
    if not (FOLDER / f"{name}.json").exists():
        pytest.skip(f"{name} has not been written yet")
    shipped = level_set(name)
    assert shipped.verify() == ()
    assert shipped.split == SETS[name]
    assert shipped.size == LEVELS
    assert set(shipped.tasks) == set(TASKS)


def test_a_set_has_every_family_and_the_hash_of_each_level(folder: Path) -> None:
    found = level_set(NAME, folder)
    assert found.tasks == tuple(TASKS)
    assert found.size == COUNT
    assert (found.split, found.generator_version) == ("validation", levels.GENERATOR_VERSION)
    assert found.engine_version == metadata.version(ENGINE)
    assert found.engine_difference is None
    assert list(found.textmaps) == [(task, seed) for task in TASKS for seed in range(COUNT)]
    for (task, seed), digest in found.textmaps.items():
        made = level(task, "validation", seed)
        assert digest == hashlib.sha256(made.textmap.encode()).hexdigest()
        assert found.goals[task, seed] == made.goal
    assert found.verify() == ()


def test_the_two_sets_share_no_level(folder: Path, tmp_path: Path) -> None:
    write_set("arena-test-v1", tmp_path, levels=COUNT)
    test = level_set("arena-test-v1", tmp_path)
    assert test.split == "test"
    assert not set(test.textmaps.values()) & set(level_set(NAME, folder).textmaps.values())


def test_levels_that_are_made_otherwise_are_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = list(TASKS)[:2]
    found = level_set(NAME, folder)

    def lower(rng: Any) -> Any:
        draft = TASKS[first](rng)
        draft.plan.regions[0] = replace(draft.plan.regions[0], floor=-8)
        return draft

    def reworded(rng: Any) -> Any:
        draft = TASKS[second](rng)
        return replace(draft, goal=f"{draft.goal} now")

    changed = MappingProxyType({**TASKS, first: lower, second: reworded})
    monkeypatch.setattr(tasks, "TASKS", changed)
    assert found.verify() == (
        f"{first}: the geometry of level 0, 1, 2 differs",
        f"{second}: the goal of level 0, 1, 2 differs",
    )
    assert found.verify([first], count=1) == (f"{first}: the geometry of level 0 differs",)
    assert found.verify(list(TASKS)[2:]) == ()


def test_a_long_list_of_levels_is_cut_short(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    task = next(iter(TASKS))
    monkeypatch.setattr(sets, "TASKS", {task: TASKS[task]})
    write_set(NAME, tmp_path, levels=7)
    found = change(tmp_path, tmp_path / "other", goals={task: ["Sing"] * 7})
    assert found.verify() == (f"{task}: the goal of level 0, 1, 2, 3, 4 and 2 more differs",)


def test_another_generator_is_named_first(folder: Path, tmp_path: Path) -> None:
    found = change(folder, tmp_path, generator_version=999)
    assert found.verify() == (f"the levels are made by generator 999, this one is {levels.GENERATOR_VERSION}",)


def test_a_family_that_is_gone_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone, *others = TASKS
    monkeypatch.setattr(sets, "TASKS", {task: TASKS[task] for task in others})
    assert level_set(NAME, folder).verify() == (f"{gone}: there is no such family here",)


def test_another_engine_is_named(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    difference = change(folder, tmp_path, engine_version="0.9").engine_difference
    assert difference is not None
    assert f"written with vizdoom 0.9, this is {metadata.version(ENGINE)}" in difference
    monkeypatch.setattr(sets, "ENGINE", "an-engine-that-nobody-made")
    with pytest.raises(MissingExtraError, match=r"\[arena\]"):
        sets.engine_version()


def test_a_written_set_is_not_written_over_unless_forced(folder: Path, tmp_path: Path) -> None:
    change(folder, tmp_path, engine_version="0.9")
    with pytest.raises(InvalidInputError, match="a published set never changes"):
        write_set(NAME, tmp_path, levels=COUNT)
    assert level_set(NAME, tmp_path).engine_version == "0.9"
    write_set(NAME, tmp_path, levels=COUNT, force=True)
    assert level_set(NAME, tmp_path).engine_version != "0.9"
    assert [path.name for path in tmp_path.iterdir()] == [f"{NAME}.json"]


def test_names_and_missing_files_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'arena-val-v1'"):
        level_set("arena-val-1", tmp_path)
    with pytest.raises(UnknownNameError, match="Did you mean 'arena-val-v1'"):
        write_set("arena-val-1", tmp_path)
    with pytest.raises(InvalidInputError, match="--write"):
        level_set(NAME, tmp_path)


def test_damaged_files_are_named(folder: Path, tmp_path: Path) -> None:
    task = next(iter(TASKS))
    path = tmp_path / f"{NAME}.json"
    for changes in (
        {"format_version": 2},
        {"split": "tset"},
        {"textmaps": {}},
        {"textmaps": {task: "AAAA"}},
        {"textmaps": {task: "?"}},
        {"goals": []},
    ):
        with pytest.raises(InvalidInputError, match=rf"cannot read the level set .*{NAME}"):
            change(folder, tmp_path, **changes)
    for text in ("{", "[]", "{}"):
        path.write_text(text)
        with pytest.raises(InvalidInputError, match="cannot read the level set"):
            level_set(NAME, tmp_path)


@pytest.mark.slow
def test_the_command_verifies_and_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    task = next(iter(TASKS))
    monkeypatch.setattr(sets, "TASKS", {task: TASKS[task]})  # 400 levels are enough to make
    assert run(Args(write=True), tmp_path) == 0
    assert sorted(path.stem for path in tmp_path.iterdir()) == sorted(SETS)
    assert run(Args(), tmp_path) == 0
    assert capsys.readouterr().out.count("200 levels of 1 families, all as written") == 4
    with pytest.raises(InvalidInputError, match="never changes"):
        run(Args(write=True), tmp_path)
    monkeypatch.setattr(sets, "GENERATOR_VERSION", 999)
    assert run(Args(), tmp_path) == 1
    assert "this one is 999" in capsys.readouterr().out
    with pytest.raises(InvalidInputError, match="--force goes with --write"):
        run(Args(force=True), tmp_path)
