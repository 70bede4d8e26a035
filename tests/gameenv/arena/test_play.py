"""A person plays the arena's levels in a real window and is told how it went."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import gymnasium as gym
import pytest

import gameenv  # noqa: F401 (registers the environments)
from gameenv.actions import NONE
from gameenv.arena import tasks
from gameenv.arena.engine.ownership import own_engines
from gameenv.arena.play import NEXT_LEVEL_KEY, play_levels
from gameenv.arena.player.expert import Expert
from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.opening import open_sender
from gameenv.errors import DisplayError, InvalidInputError


@pytest.fixture
def sender(display: str) -> Iterator[KeySender]:
    sender = open_sender()
    yield sender
    sender.close()


def make(**kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make(
        "gameenv/ArenaWindow-v0", disable_env_checker=True, window_size=(640, 360), control="human",
        hotkeys=(NEXT_LEVEL_KEY,), **kwargs,
    )  # fmt: skip


class Fingers:
    """Presses real keys, as the expert would."""

    def __init__(self, env: gym.Env[Any, Any], sender: KeySender) -> None:
        self.said: list[str] = []
        self._env, self._sender, self._expert = env, sender, Expert()
        self._down = NONE

    def say(self, text: str) -> None:
        self.said.append(text)
        if text.startswith("goal:"):
            self._expert.attach(self._env)
            self._expert.reset("play")

    def show(self, line: str) -> None:
        word = self._expert.act()[0]
        if word != self._down:
            if self._down != NONE:
                self._sender.send(self._down, False)
            if word != NONE:
                self._sender.send(word, True)
            self._down = word


@pytest.mark.slow
def test_a_person_reaches_and_declares(display: str, sender: KeySender) -> None:
    env = make(split="validation")
    fingers = Fingers(env, sender)
    try:
        attempts = play_levels(env, [("go-to-lantern", seed) for seed in range(2)], fingers.say, fingers.show)
    finally:
        env.close()
    assert [attempt.level.split("/")[2] for attempt in attempts] == ["0", "1"]
    won = [attempt for attempt in attempts if attempt.outcome == "declared"]
    assert won, "it needs more than luck to lose two in a row"
    for attempt in won:
        assert attempt.reached_s is not None
        assert attempt.seconds > attempt.reached_s
    assert sum(said.startswith("goal: ") for said in fingers.said) == 2
    assert any(said.startswith("reached after") for said in fingers.said)
    assert any(said.startswith("declared, and the referee agrees") for said in fingers.said)


@pytest.mark.slow
def test_n_gives_up_and_time_runs_out(display: str, sender: KeySender) -> None:
    env = make(max_steps=15)
    ticks = 0

    def show(line: str) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 3:
            sender.send(NEXT_LEVEL_KEY, True)
            time.sleep(0.03)
            sender.send(NEXT_LEVEL_KEY, False)

    said: list[str] = []
    try:
        attempts = play_levels(env, [("go-to-torch", 1), ("open-door", 1)], said.append, show)
    finally:
        env.close()
    assert [attempt.outcome for attempt in attempts] == ["given up", "out of time"]
    assert [attempt.level for attempt in attempts] == [
        tasks.level("go-to-torch", "train", 1).id,
        tasks.level("open-door", "train", 1).id,
    ]
    assert attempts[1].seconds == pytest.approx(1.5, abs=0.5)
    assert [attempt.reached_s for attempt in attempts] == [None, None]


@pytest.mark.slow
def test_closing_the_window_ends_it(display: str) -> None:
    env = make(notify=lambda text: None)
    said: list[str] = []

    def show(line: str) -> None:
        for engine in own_engines():
            os.kill(engine, signal.SIGKILL)

    try:
        attempts = play_levels(env, [("open-door", 1), ("open-door", 2)], said.append, show)
    finally:
        env.close()
    assert [attempt.outcome for attempt in attempts] == ["closed"]
    assert said[-1] == "the window was closed"
    assert not own_engines()


def test_without_a_display_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
    env = make()
    with pytest.raises(DisplayError, match="DISPLAY"):
        play_levels(env, [("open-door", 1)], print)
    assert not own_engines()


def test_another_environment_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="ArenaWindow"):
        play_levels(gym.make("gameenv/Arena-v0", disable_env_checker=True), [("open-door", 1)], print)
