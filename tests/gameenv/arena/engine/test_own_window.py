"""The arena in a window of its own: real keys, real picture, the referee's truth."""

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.utils.env_checker import check_env

import gameenv  # noqa: F401 (registers the environments)
from gameenv.actions import action_index
from gameenv.arena import tasks
from gameenv.arena.engine.own_window import ArenaWindow
from gameenv.arena.engine.ownership import own_engines
from gameenv.arena.engine.slots import SLOT_BYTES
from gameenv.arena.player.expert import Expert
from gameenv.arena.player.legs.lurk import Lurk
from gameenv.arena.state import ArenaState
from gameenv.arena.window_env import ArenaWindowEnv
from gameenv.arena.world.geometry import PLAYER_START, Thing, textmap
from gameenv.arena.world.sentry import STRIDE_TICS
from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.opening import open_sender
from gameenv.errors import DisplayError, EngineGoneError, InvalidInputError, UnknownNameError
from tests.gameenv.live.display import wait_for

pytestmark = pytest.mark.slow

LEVEL = tasks.level("go-to-lantern", "validation", 3)


@pytest.fixture
def window(display: str) -> Iterator[ArenaWindow]:
    window = ArenaWindow(LEVEL, (640, 360))
    window.open(LEVEL)
    yield window
    window.close()
    window.close()


@pytest.fixture
def sender(display: str) -> Iterator[KeySender]:
    sender = open_sender()
    yield sender
    sender.close()


def moved(before: ArenaState, after: ArenaState) -> bool:
    return abs(after.x - before.x) + abs(after.y - before.y) > 8


CHANGES: dict[str, Callable[[ArenaState, ArenaState], bool]] = {
    "w": moved,
    "s": moved,
    "a": moved,
    "d": moved,
    "left": lambda before, after: 5 < (after.angle - before.angle) % 360 < 180,
    "right": lambda before, after: 5 < (before.angle - after.angle) % 360 < 180,
    "up": lambda before, after: after.pitch < before.pitch - 3,
    "down": lambda before, after: after.pitch > before.pitch + 3,
    "space": lambda before, after: after.z > before.z + 4,
}


@pytest.mark.parametrize("key", CHANGES)
def test_each_key_does_its_thing(window: ArenaWindow, sender: KeySender, key: str) -> None:
    before = window.state
    sender.send(key, True)
    try:
        wait_for(lambda: CHANGES[key](before, window.state))
    finally:
        sender.send(key, False)


def test_no_other_key_does_anything(window: ArenaWindow, sender: KeySender) -> None:
    window.open(LEVEL)
    before = window.state
    for key in ("e", "f", "q", "p", "f5", "shift", "ctrl"):
        sender.send(key, True)
        sender.send(key, False)
    wait_for(lambda: window.state is not before)
    after = window.state
    assert (after.x, after.y, after.angle, after.pitch) == (before.x, before.y, before.angle, before.pitch)


def test_an_open_level_is_where_it_begins(window: ArenaWindow, sender: KeySender) -> None:
    start = window.state
    sender.send("w", True)
    wait_for(lambda: moved(start, window.state))
    sender.send("w", False)
    for _ in range(3):
        window.open(LEVEL)
        now = window.state
        assert (now.x, now.y, now.angle) == (start.x, start.y, start.angle)


def test_its_guard_walks_and_catches(window: ArenaWindow) -> None:
    made = tasks.level("slip-past-guard", "validation", 0)
    (lurk,) = (leg for leg in made.route if isinstance(leg, Lurk))
    behind = lurk.beat.pose((lurk.beat.strides - 4) * STRIDE_TICS)
    guard = lurk.beat.thing(lurk.beat.strides - 1, back=False)  # about to turn
    made.plan.things[:] = [guard, Thing(PLAYER_START, round(behind.x), round(behind.y))]
    window.open(replace(made, textmap=textmap(made.plan)))
    (first,) = window.state.actors
    assert window.state.health == 100
    wait_for(lambda: window.state.actors[0].angle != first.angle)
    wait_for(lambda: window.state.health <= 0)
    window.open(LEVEL)
    assert window.state.health == 100
    assert window.state.actors == ()


def test_the_engine_is_killed_and_nothing_is_left(display: str) -> None:
    window = ArenaWindow(LEVEL, (640, 360))
    window.open(LEVEL)
    (engine,) = own_engines()
    os.kill(engine, signal.SIGKILL)
    wait_for(lambda: not window.is_open)
    with pytest.raises(EngineGoneError, match="ended"):
        _ = window.state
    with pytest.raises(EngineGoneError):
        window.open(LEVEL)
    window.close()
    assert not own_engines()


def test_two_windows_do_not_mix(window: ArenaWindow) -> None:
    other = ArenaWindow(tasks.level("open-door", "validation", 1), (640, 360))
    try:
        other.open(tasks.level("open-door", "validation", 1))
        assert other.handle != window.handle
        assert (other.state.x, other.state.y) != (window.state.x, window.state.y)
    finally:
        other.close()
    assert window.is_open


def make(**kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make("gameenv/ArenaWindow-v0", disable_env_checker=True, window_size=(640, 360), **kwargs)


def test_it_passes_gymnasiums_own_check(display: str) -> None:
    env = make(task="go-to-lantern", fps=20)
    try:
        check_env(env.unwrapped, skip_render_check=True)
    finally:
        env.close()
    assert not own_engines()


@pytest.mark.parametrize("task", tasks.TASKS)
def test_the_expert_wins_through_screen_and_keys(display: str, task: str) -> None:
    env = make(task=task, split="validation")
    expert = Expert()
    try:
        won = 0
        for seed in range(3):
            _, info = env.reset(seed=seed)
            assert not info["goal_reached"]
            expert.attach(env)
            expert.reset(info["goal"], seed=seed)
            over, reward = False, 0.0
            while not over:
                _, reward, terminated, truncated, info = env.step(action_index(expert.act()[0]))
                over = terminated or truncated
            won += reward == 1.0
            assert info["level"] == tasks.level(task, "validation", seed).id
            if won:
                break
        assert won, "it needs more than luck to lose three in a row"
    finally:
        env.close()


def test_a_window_that_was_closed_truncates_and_comes_back(display: str) -> None:
    env = make(task="go-to-lantern", notify=lambda text: None)
    try:
        env.reset(seed=1)
        (engine,) = own_engines()
        os.kill(engine, signal.SIGKILL)
        info = wait_for(lambda: (step := env.step(action_index("w")))[3] and step[4])
        assert info["truncated_because"] == "window-closed"
        assert info["level"] == tasks.level("go-to-lantern", "train", 1).id
        _, info = env.reset(seed=2)
        assert info["level"] == tasks.level("go-to-lantern", "train", 2).id
        env.step(0)
    finally:
        env.close()


def test_a_person_wins_by_taking_the_hands_off(display: str, sender: KeySender) -> None:
    env = make(task="go-to-lantern", control="human", max_steps=20)
    try:
        env.reset(seed=0)
        sender.send("left", True)
        _, _, _, _, info = env.step(0)
        while "left" not in info["held"]:
            _, _, _, truncated, info = env.step(0)
            assert not truncated
        sender.send("left", False)
        reward, terminated, over = 0.0, False, False
        while not over:
            _, reward, terminated, over, info = env.step(0)
        assert (reward, terminated) == (0.0, False), "out of time, not won: the goal does not hold"
    finally:
        env.close()


def test_wrong_arguments(display: str) -> None:
    for wrong, error in (
        ({"task": "fly"}, UnknownNameError),
        ({"split": "tset"}, UnknownNameError),
        ({"max_steps": 0}, InvalidInputError),
        ({"fps": 0}, InvalidInputError),
    ):
        with pytest.raises(error):
            ArenaWindowEnv(**wrong)  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="1280x720"):
        ArenaWindow(LEVEL, (123, 45))
    with pytest.raises(InvalidInputError, match="reset"):
        ArenaWindowEnv().step(0)
    assert not own_engines()


@pytest.mark.parametrize("cause", ["a level that is too long", "no desktop"])
def test_a_window_that_does_not_open_leaves_nothing(
    display: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before, level = own_engines(), LEVEL
    if cause == "no desktop":
        monkeypatch.setenv("DISPLAY", ":4242")
    else:
        level = replace(LEVEL, textmap="x" * (SLOT_BYTES + 1))
    with pytest.raises((DisplayError, InvalidInputError)):
        ArenaWindow(level, (640, 360))
    assert own_engines() == before
    assert not list(tmp_path.iterdir())
