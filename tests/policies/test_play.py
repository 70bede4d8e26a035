"""``gameenv-play`` through the real command: on a window, on the arena's window, in lock-step."""

import contextlib
import os
import select
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from gameenv.desktop.keyboard import KeySender
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
        words = ("none",) * 7 if self.left < 0 else ("w", "w", "w", "right", "right", "w", "w")
        return ActionChunk((*observation.committed, *words)[:7])

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
        return ActionChunk((*observation.committed, *("w",) * 7)[:7])

class Thinks(ForEver):
    def predict(self, observation):
        time.sleep(0.25)
        return super().predict(observation)

class HangsOnce(ForEver):
    def predict(self, observation):
        self.left -= 1
        if self.left == 0:
            time.sleep(1.5)
        return super().predict(observation)
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


def pauses(probe: Probe, key: str) -> list[float]:
    """Seconds that a key was up between two presses; what the server repeats while it is down is next to nothing."""
    events = [(t_ns, down) for (name, down), t_ns in zip(probe.keys, probe.key_times, strict=True) if name == key]
    presses = [t_ns for t_ns, down in events if down]
    releases = [t_ns for t_ns, down in events if not down]
    return [(after - before) / 1e9 for before, after in zip(releases, presses[1:], strict=False)]


def test_the_command_that_is_tested_is_this_checkout_s(play: Play) -> None:
    _, said = finish(play("--model", "players:Where", "--lock-step", "--task", "go-to-lantern"))
    assert f"players of {CHECKOUT / 'gameenv'}" in said


@pytest.mark.slow
def test_goals_are_played_one_after_the_other_on_a_window(probe: Probe, play: Play) -> None:
    goals = ("--goal", "Go to the lantern", "Open the door")
    code, said = finish(play("--model", "players:Walks", "--window", "^Probe$", *goals, "--stop-and-think"))
    assert code == 0, said
    assert "F12" in said
    assert "Go to the lantern: the policy says that the goal is reached (after 28 actions" in said
    assert "Open the door: the policy says" in said
    assert probe.down == []
    assert {key for key, _ in probe.keys} == {"w", "Right"}


@pytest.mark.slow
def test_what_is_played_is_recorded(probe: Probe, play: Play, tmp_path: Path) -> None:
    options = ("--record", "--out", str(tmp_path / "raw"), "--session", "s", "--execute", "3")
    code, said = finish(play("--model", "players:Walks", "--window", "^Probe$", "--goal", "Go there", *options))
    assert code == 0, said
    session = Session(tmp_path / "raw" / "s")
    assert session.closed
    assert {row.source for row in session} == {"policy"}
    assert {row.goal for row in session} == {"Go there"}
    held = [row.held for row in session]
    begun = held.index(("w",))
    assert held[begun : begun + 3] == [("w",)] * 3
    assert begun <= 3, "soon after the first answer"


@pytest.mark.slow
def test_a_policy_that_raises_lets_go_of_the_keys(probe: Probe, play: Play) -> None:
    code, said = finish(play("--model", "players:Raises", "--window", "^Probe$", "--goal", "Go"))
    assert code == 1
    assert "players:Raises failed: RuntimeError: out of ideas" in said
    assert "Traceback" not in said
    wait_for(lambda: not probe.down)


@pytest.mark.slow
def test_a_policy_that_hangs_holds_nothing_meanwhile(probe: Probe, play: Play) -> None:
    code, said = finish(play("--model", "players:Hangs", "--window", "^Probe$", "--goal", "Go", "--stop-and-think"))
    assert code == 0, said
    assert max(pauses(probe, "w")) > 1.5, "it came up while the policy hung"


@pytest.mark.slow
@pytest.mark.parametrize("thinking", ["ahead", "stop"])
def test_a_policy_that_thinks_ahead_never_stands_still(probe: Probe, play: Play, thinking: str) -> None:
    options = ("--max-steps", "40", *(("--stop-and-think",) if thinking == "stop" else ()))
    code, said = finish(play("--model", "players:Thinks", "--window", "^Probe$", "--goal", "Go", *options))
    assert code == 0, said
    stood = sum(pause > 0.05 for pause in pauses(probe, "w"))
    if thinking == "ahead":
        assert stood <= 2, "what a loaded machine may add"
        assert "an answer took 3 ticks" in said or "an answer took 4 ticks" in said
    else:
        assert stood >= 4, "after every chunk"
        assert "an answer took" not in said


@pytest.mark.slow
def test_what_was_planned_is_played_and_then_nothing_while_a_policy_hangs(probe: Probe, play: Play) -> None:
    options = ("--max-steps", "60", "--execute", "3")
    code, said = finish(play("--model", "players:HangsOnce", "--window", "^Probe$", "--goal", "Go", *options))
    assert code == 0, said
    assert "nothing was planned on" in said
    assert 0.5 < max(pauses(probe, "w")) < 2.0, "it walked on for what was left of its chunk, and again when it could"


def test_the_panic_key_ends_it(probe: Probe, play: Play) -> None:
    process = play("--model", "players:ForEver", "--window", "^Probe$", "--goal", "Go")
    wait_for(lambda: probe.down == ["w"])
    sender = open_sender()
    sender.send("f12", True)
    sender.send("f12", False)
    code, said = finish(process)
    sender.close()
    assert code == 130, "a person stopped it, as with Ctrl-C"
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
        (("--model", "none", "--window", "^Probe$", "--record", "--goal", "Jump"), "a goal is 2 to 6 words"),
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


class Terminal:
    """gameenv-play at a terminal."""

    def __init__(self, folder: Path, *options: str) -> None:
        import pty  # noqa: PLC0415 (not on Windows)

        self._ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "policies.play", *options],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=folder, start_new_session=True,
            env={**os.environ, "COLUMNS": "300", "PYTHONPATH": os.pathsep.join([str(folder), *sys.path])},
        )  # fmt: skip
        os.close(theirs)
        self._said = b""
        self.everything = b""

    def wait_until_said(self, text: str) -> None:
        """Wait for a text, and forget it and what came before."""

        def is_said() -> bool:
            if select.select([self._ours], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):  # it has ended
                    said = os.read(self._ours, 65536)
                    self._said += said
                    self.everything += said
            return text.encode() in self._said

        try:
            wait_for(is_said)
        except AssertionError:
            raise AssertionError(f"{text!r} was not said, but {self._said.decode(errors='replace')}") from None
        self._said = self._said.partition(text.encode())[2]

    def type(self, text: str) -> None:
        os.write(self._ours, text.encode())

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._ours)


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    (tmp_path / "players.py").write_text(POLICIES + "\nprint('the model is loaded')\n")
    with contextlib.ExitStack() as opened:

        def start(*options: str) -> Terminal:
            return opened.enter_context(contextlib.closing(Terminal(tmp_path, *options)))

        yield start


def tap(sender: KeySender, key: str) -> None:
    sender.send(key, True)
    sender.send(key, False)


def test_whatever_ends_a_goal_the_next_is_asked_for_and_the_model_stays(
    make_probe: Callable[..., Probe], terminal: Callable[..., Terminal]
) -> None:
    probe, sender = make_probe(), open_sender()
    play = terminal("--model", "players:ForEver", "--window", "^Probe$", "--goal", "Go there", "Press [/e] now")
    play.wait_until_said("the model is loaded")
    wait_for(lambda: probe.down == ["w"])
    tap(sender, "f12")
    play.wait_until_said("Go there: stopped: panic-key")
    play.wait_until_said("next goal (Enter goes on with 'Press [/e] now', Ctrl-D ends): ")
    assert probe.down == []
    play.type("\n")
    wait_for(lambda: probe.down == ["w"])
    probe.close()
    play.wait_until_said("Press [/e] now: stopped: window-closed")
    play.wait_until_said("next goal (Enter ends): ")
    play.type("Climb the stairs\n")
    play.wait_until_said("no window has title '^Probe$'")
    play.wait_until_said("next goal (Enter ends): ")
    again = make_probe()
    play.type("Climb the stairs\n")
    wait_for(lambda: again.down == ["w"])
    tap(sender, "f12")
    play.wait_until_said("Climb the stairs: stopped: panic-key")
    play.wait_until_said("next goal (Enter ends): ")
    play.type("\n")
    assert play.process.wait(30) == 130
    assert play.everything.count(b"the model is loaded") == 1
    sender.close()


def test_a_goal_that_is_typed_must_be_one_that_can_be_labeled_where_it_is_recorded(
    probe: Probe, terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    options = ("--record", "--out", str(tmp_path / "raw"), "--session", "s")
    play = terminal("--model", "players:Walks", "--window", "^Probe$", *options)
    play.wait_until_said("next goal (Enter ends): ")
    play.type("Jump\n")
    play.wait_until_said("a goal is 2 to 6 words on one line")
    play.wait_until_said("next goal (Enter ends): ")
    play.type("Jump over it\n")
    play.wait_until_said("Jump over it: the policy says that the goal is reached")
    play.wait_until_said("next goal (Enter ends): ")
    play.type("\n")
    assert play.process.wait(30) == 0
    assert {row.goal for row in Session(tmp_path / "raw" / "s")} == {"Jump over it"}


def test_goals_that_were_not_played_are_named(probe: Probe, play: Play) -> None:
    process = play("--model", "players:ForEver", "--window", "^Probe$", "--goal", "Go", "Press [/e] now", "--wait")
    wait_for(lambda: probe.down == ["w"])
    probe.close()
    code, said = finish(process)
    assert code == 1, "as it is when the window is closed before"
    assert "Go: stopped: window-closed" in said
    assert "not played: Press [/e] now" in said


def test_other_keys_may_stop_and_hand_back(probe: Probe, play: Play) -> None:
    keys = ("--panic-key", "f8", "--hand-back-key", "f7")
    process = play("--model", "players:ForEver", "--window", "^Probe$", "--goal", "Go", *keys)
    wait_for(lambda: probe.down == ["w"])
    sender = open_sender()
    tap(sender, "f12")
    wait_for(lambda: ("65481", False) in probe.keys)
    assert process.poll() is None, "F12 is the game's now"
    tap(sender, "f8")
    code, said = finish(process)
    sender.close()
    assert code == 130
    assert "F8 in the game stops at once; any game key of yours takes over, F7 hands back" in said
    assert (str(0xFFC5), True) not in probe.keys, "F8 is not pressed in the game"


def test_the_window_is_waited_for_and_the_game_reset(
    make_probe: Callable[..., Probe], display: str, play: Play
) -> None:
    options = ("--wait", "--reset-key", "f9", "--reset-wait", "0.3")
    process = play("--model", "players:Walks", "--window", "^Probe$", "--goal", "Go", "Open the door", *options)
    assert process.stdout is not None
    while "waiting for the window" not in process.stdout.readline():
        assert process.poll() is None
    probe = make_probe()
    code, said = finish(process)
    assert code == 0, said
    f9 = str(0xFFC6)
    assert probe.keys[0] == (f9, True)
    assert probe.keys.count((f9, True)) == probe.keys.count((f9, False)) == 2, "before each goal"
    presses = [t_ns for (key, down), t_ns in zip(probe.keys, probe.key_times, strict=True) if down][:2]
    assert presses[1] - presses[0] > 0.3e9


@pytest.mark.skipif(sys.platform == "win32", reason="closes it as a Unix shell does")
def test_a_closed_standard_input_is_nobody_to_ask(probe: Probe, tmp_path: Path, play: Play) -> None:
    (tmp_path / "players.py").write_text(POLICIES)
    command = f"{sys.executable} -m policies.play --model players:Walks --window '^Probe$' --goal Go <&-"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "the policy says that the goal is reached" in done.stdout
