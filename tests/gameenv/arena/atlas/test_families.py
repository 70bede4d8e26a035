"""The list of families says what their levels show."""

import pytest

from gameenv.arena import tasks
from gameenv.arena.atlas.families import look_at_family
from gameenv.arena.world.geometry import PLAYER_START
from gameenv.errors import UnknownNameError


def test_phrasings_things_and_limits_are_the_levels_own() -> None:
    family = look_at_family("open-door", "train", 12)
    levels = [tasks.level("open-door", "train", seed) for seed in range(12)]
    assert set(family.goals) == {level.goal for level in levels}
    counts = [len([thing for thing in level.plan.things if thing.kind != PLAYER_START]) for level in levels]
    assert family.things == (min(counts), max(counts))
    assert 5 < family.limits_s[0] < family.limits_s[1] < 120
    assert len(look_at_family("open-door", "train", 1).goals) == 1


def test_success_is_what_the_condition_says_with_its_numbers() -> None:
    (near,) = look_at_family("go-to-torch", "train", 3).success
    assert "within 80 map units" in near
    assert "must hold" in near
    (opened,) = look_at_family("open-door", "train", 3).success
    assert "door" in opened
    assert "once is enough" in opened


@pytest.mark.parametrize("task", tasks.TASKS)
def test_every_family_can_be_listed(task: str) -> None:
    family = look_at_family(task, "validation", 3)
    assert family.goals
    assert all("``" not in said and len(said) > 30 for said in family.success)


def test_a_family_or_split_that_does_not_exist_is_refused() -> None:
    with pytest.raises(UnknownNameError):
        look_at_family("fly", "train", 1)
    with pytest.raises(UnknownNameError):
        look_at_family("open-door", "tset", 1)
