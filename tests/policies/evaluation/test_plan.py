"""What an evaluation may ask for."""

from pathlib import Path

import pytest

from gameenv.arena import sets
from gameenv.arena.tasks import TASKS
from gameenv.errors import InvalidInputError, UnknownNameError
from policies.evaluation.plan import EvaluationPlan
from policies.load import NamedSpec

RANDOM, NONE = NamedSpec("random", "random"), NamedSpec("none", "none")


def plan(**changes: object) -> EvaluationPlan:
    asked: dict = {"policies": (RANDOM,), "tasks": ("go-to-lantern",), "split": "test", "episodes": 2}
    return EvaluationPlan(**{**asked, **changes})


def test_every_policy_plays_the_same_levels() -> None:
    asked = plan(policies=(RANDOM, NONE), tasks=("go-to-lantern", "climb-stairs"), execute=(7, 1), seed=5)
    first, second = list(asked.jobs(RANDOM)), list(asked.jobs(NONE))
    assert [(job.execute, job.env.task, job.seed) for job in first] == [
        (job.execute, job.env.task, job.seed) for job in second
    ]
    assert {job.seed for job in first} == {5, 6}
    assert asked.size == len(first) + len(second) == 16
    assert len({job.key for job in first + second}) == 16


def test_all_is_every_task() -> None:
    assert plan(tasks=("all",)).tasks == tuple(TASKS)


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"tasks": ("go-to-lanten",)}, UnknownNameError, "Did you mean 'go-to-lantern'"),
        ({"split": "tset"}, UnknownNameError, "Did you mean 'test'"),
        ({"tasks": ()}, InvalidInputError, "--tasks"),
        ({"policies": ()}, InvalidInputError, "--policies"),
        ({"execute": ()}, InvalidInputError, "--execute"),
        ({"execute": (7, 7)}, InvalidInputError, "twice"),
        ({"tasks": ("all", "go-to-lantern")}, InvalidInputError, "twice"),
        ({"execute": (0,)}, InvalidInputError, "1 to 7"),
        ({"execute": (8,)}, InvalidInputError, "1 to 7"),
        ({"episodes": 0}, InvalidInputError, "at least 1"),
        ({"seed": -1}, InvalidInputError, "seed"),
        ({"frame_size": (8, 8)}, InvalidInputError, "frame size"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is(change: dict, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        plan(**change)


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A small set, without the first family."""
    monkeypatch.setattr(sets, "FOLDER", tmp_path)
    monkeypatch.setattr(sets, "TASKS", dict(list(TASKS.items())[1:]))
    sets.write_set("arena-test-v1", levels=3)
    return "arena-test-v1"


def test_a_frozen_set_gives_its_first_levels_and_its_families(frozen: str) -> None:
    asked = plan(levels=frozen, tasks=("all",))
    assert asked.tasks == tuple(TASKS)[1:]
    assert [job.seed for job in asked.jobs(RANDOM)] == [0, 1] * len(asked.tasks)
    assert {job.env.split for job in asked.jobs(RANDOM)} == {"test"}


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"levels": "arena-tset-v1"}, UnknownNameError, "Did you mean 'arena-test-v1'"),
        ({"levels": "arena-val-v1"}, InvalidInputError, "has not been written yet"),
        ({"episodes": 4}, InvalidInputError, "has 3 levels of each task, got --episodes 4"),
        ({"seed": 1}, InvalidInputError, "got --seed 1; leave it out"),
        ({"split": "validation"}, InvalidInputError, "made of test levels, got --split validation"),
        ({"tasks": tuple(TASKS)[:1]}, UnknownNameError, "unknown task of arena-test-v1"),
    ],
)
def test_what_a_frozen_set_does_not_have_is_refused(
    frozen: str, change: dict, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        plan(**{"levels": frozen, "tasks": tuple(TASKS)[1:2], **change})
