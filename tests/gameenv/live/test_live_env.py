"""The contract of ``gameenv/Live-v0``, on a real window."""

import os
from collections.abc import Callable

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from gameenv.actions import ACTIONS, KEYS, action_index
from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.live.env import LiveEnv
from tests.conftest import keys_down
from tests.gameenv.live.display import Probe, wait_for
from tests.gameenv.live.probe import BASE, COLOURS

Make = Callable[..., LiveEnv]
NAMES = {"up": "Up", "down": "Down", "left": "Left", "right": "Right", "enter": "Return"}


def middle(frame: np.ndarray) -> tuple[int, ...]:
    return tuple(int(value) for value in frame[frame.shape[0] // 2, frame.shape[1] // 2])


def test_it_passes_gymnasiums_own_check(probe: Probe) -> None:
    env = gym.make("gameenv/Live-v0", window="Probe", fps=30)
    try:
        check_env(env.unwrapped, skip_render_check=True)
    finally:
        env.close()


@pytest.mark.slow
def test_each_action_presses_its_key_and_the_frame_shows_it(probe: Probe, make_env: Make) -> None:
    env = make_env()
    frame, info = env.reset(options={"goal": "Go to the lantern"})
    assert frame.shape == (288, 512, 3)
    assert frame.dtype == np.uint8
    assert (info["goal"], info["tick"], info["held"], middle(frame)) == ("Go to the lantern", 0, (), BASE)
    for word in KEYS:
        frame, reward, terminated, truncated, info = env.step(action_index(word))
        assert (reward, terminated, truncated) == (0.0, False, False)
        assert info["held"] == (word,)
        assert middle(frame) == COLOURS[NAMES.get(word, word)], word
    env.step(0)
    wait_for(lambda: not probe.down)
    assert [key for key, down in probe.keys if down] == [NAMES.get(word, word) for word in KEYS]
    assert probe.synthetic == 0


def test_equal_actions_hold_the_key_without_letting_go(probe: Probe, make_env: Make) -> None:
    env = make_env()
    env.reset()
    events = []
    for _ in range(6):
        _, _, _, _, info = env.step(action_index("w"))
        events += info["key_events"]
    env.step(0)
    assert [(word, down) for _, word, down in events] == [("w", True)]
    wait_for(lambda: probe.keys and not probe.down)
    assert [key for key in probe.keys if not key[1]] == [("w", False)]


@pytest.mark.slow
def test_ticks_come_at_absolute_deadlines(probe: Probe, make_env: Make) -> None:
    env = make_env(fps=20)
    _, first = env.reset()
    infos = [env.step(0)[4] for _ in range(30)]
    ticks = [info["tick"] for info in infos]
    assert ticks == sorted(set(ticks))
    assert all(info["lateness_ns"] >= 0 for info in infos)
    for info in infos:
        due = first["t_ns"] - first["lateness_ns"] + info["tick"] * 50_000_000
        assert abs(info["t_ns"] - info["lateness_ns"] - due) < 1000


def test_thinking_skips_ticks_and_the_key_comes_up_after_one_of_grace(probe: Probe, make_env: Make) -> None:
    env = make_env()
    env.reset()
    env.step(action_index("w"))
    wait_for(lambda: probe.keys[-1:] == [("w", False)])
    held_s = (probe.key_times[-1] - probe.key_times[0]) / 1e9
    assert 0.1 < held_s < 0.45
    _, _, _, _, info = env.step(0)
    assert info["skipped"] >= 1
    assert info["late"]
    assert [(word, down) for _, word, down in info["key_events"]] == [("w", False)]


def test_a_rebound_word_presses_its_key(probe: Probe, make_env: Make) -> None:
    env = make_env(keys={"enter": "e"})
    env.reset()
    frame, _, _, _, info = env.step(action_index("enter"))
    assert info["held"] == ("enter",)
    assert middle(frame) == COLOURS["e"]
    env.step(0)


@pytest.mark.parametrize(("size", "fit"), [((512, 288), "letterbox"), ((128, 96), "stretch"), ((64, 64), "letterbox")])
def test_the_frame_is_of_one_shape_whatever_the_window_does(
    probe: Probe, make_env: Make, size: tuple[int, int], fit: str
) -> None:
    env = make_env(frame_size=size, fit=fit)
    shape = (size[1], size[0], 3)
    assert env.reset()[0].shape == shape
    for command in ("resize 300 500", "move 700 300", "resize 1000 200", "move -100 -50"):
        probe.tell(command)
        frame = env.step(0)[0]
        assert frame.shape == shape
        assert frame in env.observation_space


def test_the_window_is_followed(probe: Probe, make_env: Make) -> None:
    env = make_env(fit="stretch")
    env.reset()
    probe.tell("move 900 500")
    probe.tell("resize 800 400")
    env.step(0)
    frame = env.step(0)[0]
    assert (frame == BASE).all()


def test_the_observation_is_freshly_owned(probe: Probe, make_env: Make) -> None:
    env = make_env(render_mode="rgb_array")
    frame, _ = env.reset()
    frame[:] = 7
    shown = env.render()
    assert shown is not None
    assert middle(shown) == BASE
    before = env.step(0)[0]
    kept = before.copy()
    for _ in range(3):
        env.step(action_index("w"))
    assert (before == kept).all()
    env.step(0)


def test_the_reset_hook_is_called_with_all_keys_up(probe: Probe, make_env: Make) -> None:
    called = []
    env = make_env(reset_hook=lambda env: called.append(keys_down(os.environ["DISPLAY"])))
    env.reset()
    env.step(action_index("w"))
    wait_for(lambda: probe.down == ["w"])
    _, info = env.reset()
    assert called == [[], []]
    assert info["tick"] == 0


@pytest.mark.parametrize(
    ("kwargs", "error", "says"),
    [
        ({"window": ""}, InvalidInputError, "title"),
        ({"fps": 0}, InvalidInputError, "ticks a second"),
        ({"fps": 1000}, InvalidInputError, "ticks a second"),
        ({"control": "agnet"}, UnknownNameError, "agent"),
        ({"keys": {"entr": "e"}}, UnknownNameError, "enter"),
        ({"keys": {"enter": "mouse1"}}, UnknownNameError, "key"),
        ({"keys": {"enter": "w"}}, InvalidInputError, "both bound"),
        ({"keys": {"enter": "f12"}}, InvalidInputError, "hotkey"),
        ({"frame_size": (8, 8)}, InvalidInputError, "16"),
        ({"frame_size": (64, 64, 3)}, InvalidInputError, "width, height"),
        ({"fit": "crop"}, UnknownNameError, "letterbox"),
        ({"focus_timeout_s": -1}, InvalidInputError, "focus_timeout_s"),
        ({"panic_key": "p"}, InvalidInputError, "of its own"),
        ({"render_mode": "human"}, InvalidInputError, "rgb_array"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_starts(
    kwargs: dict[str, object], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        LiveEnv(**{"window": "Probe", **kwargs})  # pyright: ignore[reportArgumentType]


def test_a_wrong_action_is_refused_and_presses_nothing(probe: Probe, make_env: Make) -> None:
    env = make_env()
    with pytest.raises(InvalidInputError, match="reset"):
        env.step(0)
    env.reset()
    for wrong in (12, -1, "w", None, 1.5):
        with pytest.raises(InvalidInputError, match=str(len(ACTIONS) - 1)):
            env.step(wrong)  # pyright: ignore[reportArgumentType]
    env.step(0)
    assert probe.keys == []


@pytest.mark.slow
def test_a_person_plays_and_every_tick_is_reported(probe: Probe, make_env: Make) -> None:
    from gameenv.desktop.opening import open_sender  # noqa: PLC0415

    env = make_env(control="human", fps=20)
    env.reset()
    sender = open_sender()
    env.step(0)
    sender.send("w", True)
    seen = []
    held = []
    for number in range(12):
        if number == 5:
            sender.send("w", False)
        _, _, _, _, info = env.step(action_index("a"))
        seen += [(word, down) for _, word, down in info["key_events"]]
        held.append(info["held"])
    sender.close()
    assert seen == [("w", True), ("w", False)]
    assert ("w",) in held
    assert held[-1] == ()
    assert ("a", True) not in probe.keys, "nothing is ever pressed for a person"
