"""A word is a place on the keyboard, whatever the layout types there: on a real X server, layout by layout."""

import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from gameenv.actions import KEYS, action_index
from gameenv.desktop.keyboard import KEY_NAMES
from gameenv.desktop.opening import open_listener, open_sender, typed_by
from gameenv.desktop.places import EXTENDED, SCAN_CODES
from gameenv.doctor.desktop import check_layout
from gameenv.live.env import LiveEnv
from tests.gameenv.desktop.test_x11 import hear
from tests.gameenv.live.display import Probe, demand, wait_for

if sys.platform != "linux":
    pytest.skip("X11 only", allow_module_level=True)

LAYOUTS = ("us", "fr", "de", "ru", "gr", "us(dvorak)", "ru,us", "us,ru")
SetLayout = Callable[[str], None]
CODES = {word: 8 + SCAN_CODES[word] for word in KEYS if SCAN_CODES[word] < EXTENDED}
CODES |= {"up": 111, "left": 113, "right": 114, "down": 116}
"""Written out once more on purpose: keycodes of a PC's keyboard."""
W = CODES["w"]
assert W == 25


@pytest.fixture
def set_layout(display: str) -> Iterator[SetLayout]:
    demand("setxkbmap")

    def set_layout(name: str) -> None:
        subprocess.run(["setxkbmap", "-layout", name], check=True)

    yield set_layout
    set_layout("us")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_key_is_pressed_and_heard_at_its_place(probe: Probe, set_layout: SetLayout, layout: str) -> None:
    set_layout(layout)
    listener, sender = open_listener(KEY_NAMES), open_sender()
    for key in KEY_NAMES:
        sender.send(key, True)
        sender.send(key, False)
    heard = hear(listener, 2 * len(KEY_NAMES))
    assert [each.key for each in heard if each.down] == list(KEY_NAMES)
    wait_for(lambda: len(probe.codes) >= 2 * len(KEY_NAMES))
    pressed = [code for code, down in probe.codes if down]
    assert {word: pressed[KEY_NAMES.index(word)] for word in KEYS} == CODES
    listener.close()
    sender.close()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_persons_key_is_heard_by_its_place(probe: Probe, set_layout: SetLayout, layout: str) -> None:
    from Xlib import X, display  # noqa: PLC0415

    set_layout(layout)
    listener = open_listener([*KEYS, "p"])
    connection = display.Display()
    for code in (*CODES.values(), 33):
        for event in (X.KeyPress, X.KeyRelease):
            connection.xtest_fake_input(event, code)
    connection.sync()
    assert [each.key for each in hear(listener, 24) if each.down] == [*CODES, "p"]
    connection.close()
    listener.close()


def test_the_layout_is_switched_while_a_key_is_down(
    probe: Probe, set_layout: SetLayout, make_env: Callable[..., LiveEnv]
) -> None:
    env = make_env()
    env.reset()
    for layout in ("fr", "ru", "us(dvorak)", "us"):
        info = env.step(action_index("w"))[4]
        assert info["held"] == ("w",)
        set_layout(layout)
        info = [env.step(action_index("w"))[4] for _ in range(2)][-1]
        assert (info["held"], info["control"]) == (("w",), "agent")
        assert env.step(0)[4]["held"] == ()
    wait_for(lambda: probe.codes.count((W, False)) >= 4)
    assert {code for code, _ in probe.codes} == {W}


@pytest.mark.parametrize(
    ("layout", "typed"),
    [
        ("us", {"w": "w", "q": "q", "1": "1"}),
        ("fr", {"w": "z", "a": "q", "q": "a", "1": "&"}),
        ("de", {"w": "w", "z": "y", "y": "z"}),
        ("us(dvorak)", {"w": ",", "s": "o", "c": "j"}),
        ("ru", {"w": "ц", "a": "ф", "c": "\u0441"}),
        ("ru,us", {"w": "ц", "space": " ", "left": "left"}),
        ("us,ru", {"w": "w"}),
        ("gr", {"w": "ς", "a": "\u03b1"}),
    ],
)
def test_what_a_key_types_is_told(display: str, set_layout: SetLayout, layout: str, typed: dict[str, str]) -> None:
    set_layout(layout)
    assert typed_by(list(typed)) == typed


def test_the_doctor_says_which_key_each_word_is(display: str, set_layout: SetLayout) -> None:
    assert check_layout().level == "green"
    set_layout("fr")
    french = check_layout()
    assert french.level == "yellow"
    assert "w is the key that types 'z'" in french.text
    assert french.remedy.endswith("--keys w=z a=q")
    set_layout("ru")
    russian = check_layout()
    assert "w is the key that types 'ц'" in russian.text
    assert "--keys" not in russian.remedy


def test_a_server_that_numbers_keys_otherwise_is_asked_for_the_letter(probe: Probe, set_layout: SetLayout) -> None:
    """As old VNC servers do, which number keys by what they type."""
    from Xlib import display  # noqa: PLC0415

    connection = display.Display()
    space, w = (connection.get_keyboard_mapping(code, 1)[0] for code in (65, 25))
    try:
        connection.change_keyboard_mapping(65, [list(w)])
        connection.change_keyboard_mapping(25, [list(space)])
        connection.sync()
        sender, listener = open_sender(), open_listener(["w", "space"])
        for key in ("w", "space"):
            sender.send(key, True)
            sender.send(key, False)
        assert [each.key for each in hear(listener, 4) if each.down] == ["w", "space"]
        assert [code for code, down in probe.codes if down] == [65, 25]
        sender.close()
        listener.close()
    finally:
        connection.change_keyboard_mapping(65, [list(space)])
        connection.change_keyboard_mapping(25, [list(w)])
        connection.sync()
        connection.close()
