"""The engine is a process of its own: how it starts, dies, is interrupted, and is cleaned up after."""

import math
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from gameenv.arena.engine import ownership
from gameenv.arena.engine.engine import Engine, draw_size
from gameenv.arena.engine.ownership import end_processes, make_engine_folder, own_engines, sweep_orphans
from gameenv.arena.engine.slots import SLOT_BYTES
from gameenv.arena.env import ArenaEnv
from gameenv.arena.state import ArenaState
from gameenv.arena.tasks import level
from gameenv.errors import EngineGoneError, GameEnvError, InvalidInputError, MissingExtraError

ROOT = Path(__file__).resolve().parents[3]
on_linux = pytest.mark.skipif(not Path("/proc/self/cwd").exists(), reason="finds engines through /proc")


@pytest.fixture
def env() -> Iterator[ArenaEnv]:
    env = ArenaEnv("open-door", frame_size=(128, 72))
    yield env
    env.close()


@pytest.fixture
def tmp_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of temporary files of this test's own, for it and its children."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def engine_of(env: ArenaEnv, before: set[int]) -> int:
    """The process number of an environment's engine, given those that were there before it."""
    (pid,) = own_engines() - before
    return pid


def wait_until(holds: Callable[[], object], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def step_often(env: ArenaEnv) -> None:
    """Steps in the first or second of which a dead engine is noticed."""
    for _ in range(3):
        env.step(1)


def start(code: str, **options: object) -> subprocess.Popen[str]:
    """Run code in a process and a process group of its own; returns once it has said READY."""
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", code],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        **options,  # pyright: ignore
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "READY\n"
    return process


PLAY = """
import sys, time
from gameenv.arena.env import ArenaEnv
env = ArenaEnv("open-door", frame_size=(128, 72))
env.reset(seed=0)
print("READY")
try:
    while True:
        if env._over: env.reset()
        env.step(1)
except KeyboardInterrupt:
    first = "interrupted"
env.reset(seed=1)  # the engine lives on: what was begun can be ended in order
env.step(1)
env.close()
print(first, "and closed")
"""


@on_linux
def test_a_killed_engine_is_named_and_reset_starts_a_new_one(env: ArenaEnv) -> None:
    before = own_engines()
    first, _ = env.reset(seed=0)
    end_processes({engine_of(env, before)})
    with pytest.raises(EngineGoneError, match=r"engine has ended .* Call reset\(\) to start a new one"):
        step_often(env)
    with pytest.raises(InvalidInputError, match="call reset"):
        env.step(1)
    again, _ = env.reset(seed=0)
    assert np.array_equal(first, again)
    env.step(1)
    assert len(own_engines() - before) == 1


@on_linux
def test_an_engine_that_died_between_episodes_is_replaced_at_reset(env: ArenaEnv) -> None:
    before = own_engines()
    first, _ = env.reset(seed=0)
    end_processes({engine_of(env, before)})
    time.sleep(0.1)
    again, _ = env.reset(seed=0)
    assert np.array_equal(first, again)


@on_linux
def test_an_engine_that_sees_too_little_is_replaced_by_one_for_both_kinds_of_level(env: ArenaEnv) -> None:
    before, engines = own_engines(), list[int]()
    for task in ("go-to-lantern", "open-door", "slip-past-guard", "open-door", "go-to-lantern", "slip-past-guard"):
        env.reset(seed=0, options={"task": task})
        engines.append(engine_of(env, before))
        assert bool(env.state.ceilings) == ("sectors" in env._engine.watches)  # pyright: ignore
    assert engines[2:] == [engines[2]] * 4
    assert len(set(engines)) == 3


@on_linux
def test_an_environment_with_a_killed_engine_closes(env: ArenaEnv, tmp_folder: Path) -> None:
    before = own_engines()
    env.reset(seed=0)
    end_processes({engine_of(env, before)})
    with pytest.raises(EngineGoneError):
        step_often(env)
    env.close()
    env.close()
    assert own_engines() == before
    assert list(tmp_folder.iterdir()) == []


@on_linux
def test_closing_leaves_no_process_and_no_file(env: ArenaEnv, tmp_folder: Path) -> None:
    before = own_engines()
    env.reset(seed=0)
    (folder,) = tmp_folder.iterdir()
    assert folder.name.startswith(f"gameenv-arena-{os.getpid()}-")
    here = Path.cwd()
    env.close()
    assert own_engines() == before
    assert list(tmp_folder.iterdir()) == []
    assert Path.cwd() == here


@pytest.mark.slow
@on_linux
def test_a_script_that_forgets_to_close_leaves_nothing_and_says_nothing(tmp_folder: Path) -> None:
    code = "from gameenv.arena.env import ArenaEnv\nenv = ArenaEnv('all')\nenv.reset()\nenv.step(1)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert (done.stdout, done.stderr) == ("", "")
    assert list(tmp_folder.iterdir()) == []


@on_linux
def test_ctrl_c_in_the_terminal_interrupts_the_owner_and_spares_the_engine(tmp_folder: Path) -> None:
    process = start(PLAY)
    time.sleep(0.2)
    os.killpg(process.pid, signal.SIGINT)
    told, _ = process.communicate(timeout=30)
    assert told == "interrupted and closed\n"
    assert process.returncode == 0
    assert list(tmp_folder.iterdir()) == []


@pytest.mark.slow
@on_linux
def test_ctrl_c_while_the_engine_starts_is_kept_for_the_owner() -> None:
    code = """
import os, signal, threading
from gameenv.arena.env import ArenaEnv
from gameenv.arena.engine.ownership import own_engines
print("READY")
caught = 0
for delay in (0.0, 0.02, 0.05, 0.1):
    env = ArenaEnv("open-door", frame_size=(128, 72))
    try:
        threading.Timer(delay, os.killpg, (0, signal.SIGINT)).start()
        env.reset(seed=0)
        while True:
            env.step(1) if not env._over else env.reset()
    except KeyboardInterrupt:
        caught += 1
    env.close()
print(caught, len(own_engines()), signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))
"""
    process = start(code)
    told, _ = process.communicate(timeout=60)
    assert told == "4 0 False\n"


@pytest.mark.slow
@on_linux
def test_what_a_killed_owner_left_is_swept_when_the_next_engine_starts(env: ArenaEnv, tmp_folder: Path) -> None:
    process = start(PLAY)
    (orphan,) = (pid for pid, parent in ownership._engines() if parent == process.pid)
    (folder,) = tmp_folder.iterdir()
    sweep_orphans()
    assert folder.exists()  # its owner lives
    process.kill()
    process.wait()
    assert Path(f"/proc/{orphan}").exists()  # the engine alone does not notice
    env.reset(seed=0)
    assert not folder.exists()
    wait_until(lambda: orphan not in {pid for pid, _ in ownership._engines()})
    assert len(list(tmp_folder.iterdir())) == 1  # the new engine's


@on_linux
def test_folders_without_an_engine_are_swept_only_when_old_and_ownerless(tmp_folder: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    names = {
        "old and ownerless": f"gameenv-arena-{gone.pid}-aaaaaaaa",
        "young and ownerless": f"gameenv-arena-{gone.pid}-bbbbbbbb",
        "old, owner lives": f"gameenv-arena-{os.getpid()}-cccccccc",
        "old, someone else's": "gameenv-arena-notes",
        "old, like none of ours": f"gameenv-arena-{gone.pid}",
    }
    for what, name in names.items():
        (tmp_folder / name).mkdir()
        (tmp_folder / name / "file").touch()
        if what.startswith("old"):
            two_hours_ago = time.time() - 7200
            os.utime(tmp_folder / name, (two_hours_ago, two_hours_ago))
    sweep_orphans()
    assert {path.name for path in tmp_folder.iterdir()} == set(names.values()) - {names["old and ownerless"]}


def test_every_folder_is_of_its_own(tmp_folder: Path) -> None:
    assert make_engine_folder() != make_engine_folder()


def test_two_environments_play_side_by_side(env: ArenaEnv) -> None:
    other = ArenaEnv("open-door", frame_size=(128, 72))
    for each in (env, other):
        each.reset(seed=2)
    for _ in range(10):
        mine, theirs = (each.step(7)[0] for each in (env, other))
        assert np.array_equal(mine, theirs)
    other.close()
    env.step(1)


def test_an_engine_that_does_not_start_is_an_error_and_leaves_nothing(
    env: ArenaEnv, tmp_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import vizdoom  # noqa: PLC0415

    def refuse(self: object) -> None:
        raise vizdoom.FileDoesNotExistException("no freedoom2.wad")

    monkeypatch.setattr(vizdoom.DoomGame, "init", refuse)
    with pytest.raises(GameEnvError, match=r"did not start: no freedoom2\.wad"):
        env.reset(seed=0)
    assert list(tmp_folder.iterdir()) == []
    monkeypatch.undo()
    env.reset(seed=0)


def test_without_vizdoom_the_command_that_installs_it_is_named(env: ArenaEnv, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vizdoom", None)
    with pytest.raises(MissingExtraError, match=r'-e "\.\[arena\]"'):
        env.reset(seed=0)


def test_frames_are_drawn_at_the_next_size_up() -> None:
    assert draw_size(512, 288) == (512, 288)
    assert draw_size(128, 72) == (256, 144)
    assert draw_size(300, 300) == (640, 360)
    assert draw_size(4000, 4000) == (1920, 1080)


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(level("go-to-lantern", "train", 0), draw_size(128, 72))
    yield engine
    engine.close()


def held(engine: Engine, *words: str, tics: int = 12) -> ArenaState:
    """The state after holding keys from the start of the level, past the tics in which the player still sleeps."""
    engine.open(level("go-to-lantern", "train", 0))
    engine.hold((), 6)
    engine.hold(words, tics)
    return engine.state


def test_one_key_held_is_that_action(engine: Engine) -> None:
    for word in ("w", "left", "none"):
        engine.open(level("go-to-lantern", "train", 0))
        engine.advance("none", 6)
        engine.advance(word, 12)
        assert held(engine, word) == engine.state


def test_keys_held_together_all_act(engine: Engine) -> None:
    still, walking, turning = held(engine), held(engine, "w"), held(engine, "left")
    both = held(engine, "w", "left")
    assert math.dist((still.x, still.y), (walking.x, walking.y)) > 40
    assert math.dist((still.x, still.y), (both.x, both.y)) > 40
    assert (turning.x, turning.y) == (still.x, still.y)
    assert both.angle == turning.angle != still.angle == walking.angle


def test_tic_by_tic_is_as_all_at_once(engine: Engine) -> None:
    at_once = held(engine, "w", "d", "down")
    engine.open(level("go-to-lantern", "train", 0))
    for words in [()] * 6 + [("w", "d", "down")] * 12:
        engine.hold(words, 1)
    assert engine.state == at_once


@pytest.mark.skipif(sys.platform == "win32", reason="names of folders there are shorter than this")
def test_a_long_path_to_the_folder_of_temporary_files(tmp_path: Path) -> None:
    """The engine has crashed on such a one, and Python with it: so it is tried in a process of its own."""
    folder = tmp_path / ("x" * 230)
    folder.mkdir()
    code = (
        "from gameenv.arena.env import ArenaEnv\n"
        "env = ArenaEnv('open-door', frame_size=(128, 72))\nprint(env.reset(seed=1)[1]['level'])\nenv.close()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.stdout.startswith("train/open-door/1"), done.stderr
    assert not list(folder.iterdir())


def test_a_level_that_is_too_long_leaves_no_folder(tmp_folder: Path) -> None:
    too_long = replace(level("open-door", "train", 1), textmap="x" * (SLOT_BYTES + 1))
    with pytest.raises(InvalidInputError, match="at most"):
        Engine(too_long, (160, 120))
    assert not list(tmp_folder.iterdir())
