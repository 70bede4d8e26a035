import pytest

from gameenv.arena.tasks import TASKS
from gameenv.errors import UnknownNameError
from recording.__main__ import DEFAULT_FRAMES, Args, make_plans
from recording.players import check_player

FOUR = ("go-to-lantern", "go-to-torch", "open-door", "climb-stairs")


def test_no_two_workers_play_one_level_and_together_they_play_all():
    for workers in (1, 2, 3):
        plans = make_plans(Args(player="expert", tasks=FOUR, workers=workers, episodes=24, seed=5))
        levels = [
            (plan.episode(number).task, plan.episode(number).seed)
            for plan in plans
            for number in range(plan.episodes or 0)
        ]
        assert len(set(levels)) == len(levels) == 24
        if workers < 3:  # 8 episodes each do not divide into laps of 4 tasks evenly over 3 workers' numbers
            assert {seed for _, seed in levels} == set(range(5, 11))
        assert {task for task, _ in levels} == set(FOUR)


def test_every_family_is_played_by_default():
    assert Args().tasks == tuple(TASKS)


def test_shares_add_up():
    plans = make_plans(Args(player="expert", workers=3, frames=100, session="s"))
    assert [plan.frames for plan in plans] == [34, 33, 33]
    assert [plan.session_id for plan in plans] == ["s-w0", "s-w1", "s-w2"]
    assert make_plans(Args(player="expert", session="s"))[0].session_id == "s"


def test_without_a_limit_it_records_the_specifications_hour():
    assert make_plans(Args(player="expert"))[0].frames == DEFAULT_FRAMES == 36_000
    assert make_plans(Args(player="expert", episodes=3))[0].frames is None


def test_a_person_and_the_expert_can_play():
    assert [check_player(name) for name in ("human", "expert")] == ["human", "expert"]
    with pytest.raises(UnknownNameError, match="Did you mean 'expert'"):
        check_player("exprt")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"tasks": ("go-to-lantrn",)}, "Did you mean 'go-to-lantern'"),
        ({"tasks": ()}, "at least one task"),
        ({"tasks": ("open-door", "open-door")}, "each only once"),
        ({"split": "tain"}, "Did you mean 'train'"),
        ({"game": "doom"}, "unknown game 'doom'"),
        ({"frames": 0}, "--frames must be at least 1"),
        ({"episodes": -1}, "--episodes must be at least 1"),
        ({"workers": 0}, "--workers must be at least 1"),
        ({"noise": 0.9}, "0 to 0.5"),
        ({"seed": -1}, "seed"),
        ({"frame_size": (4, 4)}, "at least 16x16"),
        ({"workers": 4, "episodes": 2}, "more than there are"),
        ({"resume": True}, "--session NAME"),
    ],
)
def test_arguments_that_cannot_be_used_say_so(changes, says, tmp_path):
    with pytest.raises(ValueError, match=says):
        make_plans(Args(**{"player": "expert", "out": str(tmp_path), **changes}))
