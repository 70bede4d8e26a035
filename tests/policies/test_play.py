"""``gameenv-play`` through the real command: on a window, on the arena's window, in lock-step."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gameenv.desktop.opening import open_sender
from recording import Session
from tests.gameenv.live.display import Probe, wait_for
from tests.policies.test_bc import make_declaring

CHECKOUT = Path(__file__).parents[2]
POLICIES = '''
import time
import gameenv
from gameenv import ActionChunk

class Walks:
    """Walks for three chunks and says that it is there."""

    def reset(self, goal, *, seed=None):
        self.left = 3

    def predict(self, observation):
        self.left -= 1
        return ActionChunk(("none",) * 7 if self.left < 0 else ("w", "w", "w", "right", "right", "w", "w"))

class Raises(Walks):
    def predict(self, observation):
        if self.left == 1:
            raise RuntimeError("out of ideas")
        return super().predict(observation)

class Hangs(Walks):
    def predict(self, observation):
        if self.left == 1:
            time.sleep(2)
        return super().predict(observation)

class Where(Walks):
    def predict(self, frame, committed=()):
        raise RuntimeError(f"players of {gameenv.__file__}")

class ForEver(Walks):
    def predict(self, observation):
        return ActionChunk(("w",) * 7)
'''


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    (tmp_path / "players.py").write_text(POLICIES)
    path = os.pathsep.join([str(tmp_path), str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])

    def start(*options: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "policies.play", *options],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "COLUMNS": "200", "PYTHONPATH": path},
        )

    return start


Play = Callable[..., "subprocess.Popen[str]"]


def finish(process: "subprocess.Popen[str]") -> tuple[int, str]:
    said, _ = process.communicate(timeout=40)
    return process.returncode, said


def test_the_command_that_is_tested_is_this_checkout_s(play: Play) -> None:
    _, said = finish(play("--model", "players:Where", "--lock-step", "--task", "go-to-lantern"))
    assert f"players of {CHECKOUT / 'gameenv'}" in said


@pytest.mark.slow
def test_goals_are_played_one_after_the_other_on_a_window(probe: Probe, play: Play) -> None:
    code, said = finish(
        play("--model", "players:Walks", "--window", "^Probe$", "--goal", "Go to the lantern", "Open the door")
    )
    assert code == 0, said
    assert "F12" in said
    assert "Go to the lantern: the policy says that the goal is reached (after 28 actions" in said
    assert "Open the door: the policy says" in said
    assert probe.down == []
    assert {key for key, _ in probe.keys} == {"w", "Right"}


@pytest.mark.slow
def test_what_is_played_is_recorded(probe: Probe, play: Play, tmp_path: Path) -> None:
    options = ("--record", "--out", str(tmp_path / "raw"), "--session", "s", "--execute", "3")
    code, said = finish(play("--model", "players:Walks", "--window", "^Probe$", "--goal", "Go", *options))
    assert code == 0, said
    session = Session(tmp_path / "raw" / "s")
    assert session.closed
    assert {row.source for row in session} == {"policy"}
    assert {row.goal for row in session} == {"Go"}
    assert [row.held for row in session][1:4] == [("w",)] * 3


@pytest.mark.slow
def test_a_policy_that_raises_lets_go_of_the_keys(probe: Probe, play: Play) -> None:
    code, said = finish(play("--model", "players:Raises", "--window", "^Probe$", "--goal", "Go"))
    assert code == 1
    assert "players:Raises failed: RuntimeError: out of ideas" in said
    assert "Traceback" not in said
    wait_for(lambda: not probe.down)


@pytest.mark.slow
def test_a_policy_that_hangs_holds_nothing_meanwhile(probe: Probe, play: Play) -> None:
    process = play("--model", "players:Hangs", "--window", "^Probe$", "--goal", "Go")
    code, said = finish(process)
    assert code == 0, said
    presses = [t_ns for (key, down), t_ns in zip(probe.keys, probe.key_times, strict=True) if key == "w" and down]
    releases = [t_ns for (key, down), t_ns in zip(probe.keys, probe.key_times, strict=True) if key == "w" and not down]
    pauses = [(after - before) / 1e9 for before, after in zip(releases, presses[1:], strict=False)]
    assert max(pauses) > 1.5, "it came up while the policy hung"


def test_the_panic_key_ends_it(probe: Probe, play: Play) -> None:
    process = play("--model", "players:ForEver", "--window", "^Probe$", "--goal", "Go")
    wait_for(lambda: probe.down == ["w"])
    sender = open_sender()
    sender.send("f12", True)
    sender.send("f12", False)
    code, said = finish(process)
    sender.close()
    assert code == 0
    assert "stopped: panic-key" in said
    assert "w" not in probe.down


@pytest.mark.slow
def test_a_focus_that_does_not_come(probe: Probe, make_probe: Callable[..., Probe], play: Play) -> None:
    make_probe("Other", "300x200+1000+600")
    code, said = finish(play("--model", "none", "--window", "^Probe$", "--goal", "Go", "--focus-timeout", "0.5"))
    assert code == 1
    assert "Click into its window" in said
    assert "did not get the focus" in said
    assert probe.keys == []


@pytest.mark.slow
def test_the_expert_plays_the_arena_in_its_window(display: str, play: Play) -> None:
    code, said = finish(play("--model", "expert"))
    assert code == 0, said
    assert "the referee agrees" in said


def test_the_arena_without_a_window_or_a_display(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISPLAY", "")
    code, said = finish(play("--model", "expert", "--lock-step", "--task", "open-door"))
    assert code == 0, said
    assert "the referee agrees" in said
    assert "F12" not in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--model", "expert", "--window", "Probe"), "--goal"),
        (("--model", "expert", "--window", "Probe", "--goal", " "), "a goal is a short sentence"),
        (("--model", "none", "--window", "nope", "--goal", "Go"), "no window has title 'nope'"),
        (("--model", "none", "--window", "nope", "--goal", "Go", "--lock-step"), "leave out --window"),
        (("--model", "rndom", "--goal", "Go"), "Did you mean 'random'"),
        (("--model", "models/none-here", "--goal", "Go"), "there is no model folder"),
        (("--model", "none", "--session", "s"), "--record"),
        (("--model", "none", "--execute", "9"), "1 to 7"),
        (("--model", "expert", "--window", "^Probe$", "--goal", "Go"), "built-in arena only"),
    ],
)
def test_what_cannot_be_meant_is_refused(probe: Probe, play: Play, options: tuple[str, ...], says: str) -> None:
    code, said = finish(play(*options))
    assert code == 1
    assert says in said
    assert probe.keys == []


def test_declare_at_overrides_what_the_model_s_card_says(tmp_path: Path, play: Callable[..., "subprocess.Popen[str]"]):
    make_declaring(0.7, "w", chosen=0.5).save(tmp_path / "bc")
    words = ("--lock-step", "--model", f"bc:{tmp_path / 'bc'}", "--max-steps", "14")
    for more, said in (((), "the policy says that the goal is reached"), (("--declare-at", "0.9"), "out of time")):
        playing = play(*words, *more)
        out, _ = playing.communicate(timeout=60)
        assert playing.returncode == 0, out
        assert said in out


def test_a_window_may_be_named_by_its_number_or_its_program(probe: Probe, play: Play) -> None:
    for options in (("--window-id", hex(probe.handle)), ("--process", "python")):
        code, said = finish(play("--model", "players:Walks", *options, "--goal", "Go"))
        assert code == 0, said
        assert "the policy says that the goal is reached" in said
