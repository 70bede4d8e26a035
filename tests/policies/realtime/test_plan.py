"""What is planned, promised, replaced and played: the bookkeeping alone."""

import pytest

from gameenv.actions import Action, ActionChunk
from policies.realtime.plan import Plan

FORWARD = ActionChunk.of(["w"] * 7)
TURN = ActionChunk.of(["w", "w", "w", "left", "left", "left", "left"])
DONE = ActionChunk.of(["none"] * 7)


def play(plan: Plan, ticks: int) -> list[Action]:
    return [plan.next()[0] for _ in range(ticks)]


def test_an_answer_goes_on_from_what_was_promised():
    plan = Plan()
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    play(plan, 2)
    promise = plan.promise(3)
    assert promise.words == ("w", "w", "w")
    play(plan, 3)
    assert plan.take(promise, TURN.actions, TURN)
    assert play(plan, 4) == ["left"] * 4
    assert plan.unplanned == 0


def test_a_late_answer_is_still_good_for_the_ticks_to_come():
    plan = Plan("hold")
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    promise = plan.promise(3)
    play(plan, 5)
    assert plan.take(promise, TURN.actions, TURN)
    assert len(plan) == 2
    promise = plan.promise(1)
    play(plan, 7)
    assert not plan.take(promise, TURN.actions, TURN), "nothing of it is to come"


def test_an_answer_to_a_promise_that_was_not_kept_is_no_use():
    plan = Plan()
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    promise = plan.promise(2)
    plan.clear()
    play(plan, 2)
    assert not plan.take(promise, TURN.actions, TURN)


def test_in_a_gap_the_last_movement_is_held_counted_and_promised():
    plan = Plan("hold")
    assert plan.promise(2).words == (), "there is none yet"
    play(plan, 2)
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    play(plan, 6)
    promise = plan.promise(4)
    assert promise.words == ("w", "w", "w", "w"), "one is planned, the last of them held"
    assert play(plan, 4) == ["w"] * 4
    assert (plan.waited, plan.unplanned) == (2, 3)
    assert plan.take(promise, TURN.actions, TURN)
    assert play(plan, 3) == ["left"] * 3


@pytest.mark.parametrize("word", ["none", "space", "c", "enter"])
def test_what_is_done_once_is_not_held(word: Action):
    plan = Plan("hold")
    chunk = ActionChunk.of(["w"] * 6 + [word])
    plan.take(plan.promise(0), chunk.actions, chunk)
    play(plan, 6)
    promise = plan.promise(3)
    assert promise.words == (word,)
    assert play(plan, 3) == [word, "none", "none"]


def test_where_nothing_is_held_the_words_of_the_answer_wait():
    plan = Plan("none")
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    play(plan, 5)
    promise = plan.promise(4)
    assert promise.words == ("w", "w")
    assert play(plan, 4) == ["w", "w", "none", "none"]
    assert plan.take(promise, TURN.actions, TURN)
    assert play(plan, 5) == ["w", "left", "left", "left", "left"]
    assert plan.unplanned == 2


def test_an_answer_that_takes_as_long_as_a_chunk_is_waited_for():
    plan = Plan("hold")
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    play(plan, 7)
    promise = plan.promise(9)
    assert promise.words == ()
    assert play(plan, 9) == ["none"] * 9
    assert plan.take(promise, TURN.actions, TURN)
    assert play(plan, 7) == list(TURN.actions)


def test_words_that_come_one_by_one_leave_the_old_plan_behind_them():
    plan = Plan()
    plan.take(plan.promise(0), FORWARD.actions, FORWARD)
    promise = plan.promise(1)
    play(plan, 1)
    assert plan.take(promise, ("w", "left", "left"), None)
    assert play(plan, 4) == ["left", "left", "w", "w"]


def test_a_declaration_is_played_whole_and_said_at_its_end():
    plan = Plan()
    first = ActionChunk.of(["w", "none", "none", "none", "none", "none", "none"])
    plan.take(plan.promise(0), first.actions, first)
    play(plan, 1)
    promise = plan.promise(3)
    play(plan, 3)
    assert plan.take(promise, DONE.actions, DONE)
    assert plan.declared() is None
    play(plan, 4)
    assert plan.declared() is DONE


def test_fillers_are_never_part_of_a_declaration():
    plan = Plan()
    promise = plan.promise(3)
    play(plan, 3)
    assert plan.take(promise, DONE.actions, DONE)
    play(plan, 6)
    assert plan.declared() is None
    play(plan, 1)
    assert plan.declared() is DONE, "all seven that the policy said have been played"


def test_a_declaration_that_comes_after_something_else_was_done_is_none():
    plan = Plan()
    first = ActionChunk.of(["none", "none", "w", "w", "w", "w", "w"])
    plan.take(plan.promise(0), first.actions, first)
    promise = plan.promise(2)
    play(plan, 3)
    assert not plan.take(promise, DONE.actions, DONE)


@pytest.mark.parametrize("count", [1, 3, 7])
def test_replacing_plays_a_chunk_from_its_first_word(count: int):
    plan = Plan()
    plan.replace(TURN, count)
    assert len(plan) == count
    plan.replace(DONE, count)
    assert len(plan) == 7
    play(plan, 7)
    assert plan.declared() is DONE
