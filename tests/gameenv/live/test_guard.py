"""The rules of safety, one by one: when a key may be down and who has the control."""

import pytest

from gameenv.actions import KEYS, Action
from gameenv.live.guard import Control, Guard

LATER = 1_000


def guard(control: Control = "agent", focused: bool = True) -> Guard:
    words: dict[str, Action] = {("e" if word == "enter" else word): word for word in KEYS}
    made = Guard(control, words, panic_key="f12", hand_back_key="f11", hotkeys=("p",))
    made.set_focus(focused)
    made.begin()
    made.interrupted = False
    return made


def test_what_is_wanted_is_held_until_its_time_is_over() -> None:
    it = guard()
    it.hold("w", until_ns=100)
    assert it.allowed(99) == ("w",)
    assert it.allowed(100) == ()
    assert it.allowed(50) == (), "a word that was let go of never comes back by itself"


def test_none_holds_nothing() -> None:
    it = guard()
    it.hold("none", LATER)
    assert it.allowed(0) == ()


def test_nothing_is_held_without_the_focus_and_nothing_comes_back_with_it() -> None:
    it = guard()
    it.hold("w", LATER)
    it.set_focus(False)
    assert it.allowed(0) == ()
    assert it.interrupted
    it.hold("a", LATER)
    it.set_focus(True)
    assert it.allowed(0) == ()
    it.hold("d", LATER)
    assert it.allowed(0) == ("d",)


def test_the_panic_key_stops_for_good_whoever_presses_it() -> None:
    for injected in (True, False):
        it = guard()
        it.hold("w", LATER)
        assert it.hear("f12", True, injected) == ("panic", None)
        assert it.panicked
        assert it.allowed(0) == ()
        it.hold("w", LATER)
        assert it.allowed(0) == ()


@pytest.mark.parametrize("key", ["f12", "f11", "p", "w"])
def test_no_key_counts_without_the_focus(key: str) -> None:
    it = guard(focused=False)
    assert it.hear(key, True, False) == ("ignored", None)
    assert (it.panicked, it.control, it.persons) == (False, "agent", frozenset())


def test_a_persons_key_takes_over_and_another_hands_back() -> None:
    it = guard()
    it.hold("w", LATER)
    assert it.hear("a", True, False) == ("took-over", "a")
    assert (it.control, it.interrupted, it.allowed(0)) == ("human", True, ())
    it.hold("w", LATER)
    assert it.allowed(0) == (), "the agent's wishes are not pressed meanwhile"
    assert it.hear("a", False, False) == ("key", "a")
    assert it.hear("f11", True, False) == ("handed-back", None)
    it.hold("w", LATER)
    assert (it.control, it.allowed(0)) == ("agent", ("w",))


def test_the_agents_own_keys_are_never_a_persons() -> None:
    it = guard()
    assert it.hear("w", True, injected=True) == ("ignored", None)
    assert it.control == "agent"


def test_a_person_plays_with_injected_keys_too() -> None:
    it = guard("human")
    assert it.hear("w", True, injected=True) == ("key", "w")
    assert it.hear("e", True, injected=False) == ("key", "enter")
    assert it.persons == {"w", "enter"}


def test_a_repeated_press_and_an_unmatched_release_say_nothing() -> None:
    it = guard("human")
    assert it.hear("w", False, False) == ("ignored", None)
    assert it.hear("w", True, False) == ("key", "w")
    assert it.hear("w", True, False) == ("ignored", None)


def test_losing_the_focus_lets_go_of_the_persons_keys() -> None:
    it = guard("human")
    it.hear("w", True, False)
    it.hear("a", True, False)
    assert it.set_focus(False) == ("w", "a")
    assert it.set_focus(False) == ()
    assert it.hear("w", False, False) == ("ignored", None)
    assert not it.interrupted, "only an agent is interrupted"


def test_hotkeys_are_reported_once_a_press_and_other_keys_never() -> None:
    it = guard("human")
    assert it.hear("p", True, False) == ("hotkey", None)
    assert it.hear("p", False, False) == ("ignored", None)
    assert it.hear("q", True, False) == ("ignored", None)
    assert it.hear("f12", True, False) == ("ignored", None), "there is no agent to stop"


def test_a_new_episode_gives_the_control_back() -> None:
    it = guard()
    it.hear("a", True, False)
    it.begin()
    assert (it.control, it.interrupted) == ("agent", False)
