"""Bindings, and the keyboard that holds exactly what it is told to."""

from collections.abc import Collection

import pytest

from gameenv.actions import KEYS
from gameenv.desktop.keyboard import KEY_NAMES, Keyboard, bind_keys, parse_keys
from gameenv.errors import InvalidInputError, UnknownNameError

WINDOW = 7


class Sent:
    """A sender that notes what it is given and can fail."""

    def __init__(self) -> None:
        self.events: list[tuple[str, bool]] = []
        self.fails = False
        self.focused = True
        self.left: tuple[str, ...] = ()
        self.closed = 0

    def send(self, key: str, down: bool) -> None:
        self.events.append((key, down))
        if self.fails:
            raise OSError("gone")

    def press_in(self, key: str, handle: int) -> bool:
        assert handle == WINDOW
        if self.focused:
            self.send(key, True)
        return self.focused

    def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
        return tuple(key for key in keys if key in self.left)

    def close(self) -> None:
        self.closed += 1


def test_every_word_has_its_own_key_by_default() -> None:
    assert bind_keys() == {word: word for word in KEYS}
    assert set(KEYS) <= set(KEY_NAMES)


def test_words_can_be_bound_to_other_keys_and_swapped() -> None:
    bound = bind_keys({"enter": "e", "w": "s", "s": "w"})
    assert (bound["enter"], bound["w"], bound["s"]) == ("e", "s", "w")


@pytest.mark.parametrize(
    ("keys", "error", "says"),
    [
        ({"enter": "w"}, InvalidInputError, "both bound to 'w'"),
        ({"enter": "f12"}, InvalidInputError, "hotkey"),
        ({"none": "e"}, UnknownNameError, "word to bind"),
        ({"entre": "e"}, UnknownNameError, "Did you mean 'enter'"),
        ({"enter": "E"}, UnknownNameError, "unknown key"),
        ({"enter": "escape"}, UnknownNameError, "unknown key"),
    ],
)
def test_what_cannot_be_bound_is_refused(keys: dict[str, str], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        bind_keys(keys, reserved=("f12",))


def test_bindings_are_read_from_a_command_line() -> None:
    assert parse_keys(("enter=e", "c=ctrl")) == {"enter": "e", "c": "ctrl"}
    for wrong in ("enter", "=e", "enter="):
        with pytest.raises(InvalidInputError, match="word=key"):
            parse_keys((wrong,))


def test_only_the_difference_is_sent_releases_first() -> None:
    sent = Sent()
    keyboard = Keyboard(sent, bind_keys({"enter": "e"}), WINDOW)
    assert keyboard.hold(["w"]) == (("w", True),)
    assert keyboard.hold(["w"]) == ()
    assert keyboard.hold(["enter", "a"]) == (("w", False), ("enter", True), ("a", True))
    assert keyboard.held == ("enter", "a")
    keyboard.close()
    assert sent.events == [("w", True), ("w", False), ("e", True), ("a", True), ("e", False), ("a", False)]
    assert (keyboard.held, sent.closed) == ((), 1)


def test_a_press_that_fails_half_way_is_not_forgotten() -> None:
    sent = Sent()
    keyboard = Keyboard(sent, bind_keys(), WINDOW)
    sent.fails = True
    with pytest.raises(OSError, match="gone"):
        keyboard.hold(["w"])
    sent.fails = False
    keyboard.release_all()
    assert sent.events[-1] == ("w", False)


def test_nothing_but_the_bound_keys_can_be_pressed() -> None:
    sent = Sent()
    keyboard = Keyboard(sent, bind_keys(), WINDOW)
    for word in ("f4", "none", "W", ""):
        with pytest.raises(UnknownNameError):
            keyboard.hold([word])
    assert sent.events == []


def test_everything_is_let_go_of_whoever_pressed_it() -> None:
    sent = Sent()
    Keyboard(sent, bind_keys({"enter": "e"}), WINDOW).let_go_of_all()
    assert {key for key, down in sent.events if not down} == {*KEYS, "e"} - {"enter"}
    assert not [key for key, down in sent.events if down]


def test_what_the_focus_does_not_let_through_stays_up_and_is_tried_again() -> None:
    sent = Sent()
    keyboard = Keyboard(sent, bind_keys(), WINDOW)
    sent.focused = False
    assert keyboard.hold(["w"]) == ()
    assert (keyboard.held, sent.events) == ((), [])
    sent.focused = True
    assert keyboard.hold(["w"]) == (("w", True),)
    sent.focused = False
    assert keyboard.hold(["a"]) == (("w", False),), "a key comes up whatever has the focus"


def test_keys_that_were_left_down_come_up_and_are_named_by_their_words() -> None:
    sent = Sent()
    keyboard = Keyboard(sent, bind_keys({"enter": "e"}), WINDOW)
    sent.left = ("e", "left", "f4")
    assert keyboard.let_go_of_left_behind() == ("left", "enter")
    assert sorted(sent.events) == [("e", False), ("left", False)]
