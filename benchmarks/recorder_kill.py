"""Kills the recorder with SIGKILL at random moments and reads what is left.

The recorder says over a pipe that a tick is over the moment the game has shown the next frame, before it writes
anything; what it said and did not keep is lost. Run: python benchmarks/recorder_kill.py [--kills 50]
"""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from gameenv.errors import SessionError
from recording import Session

SESSION = "killed"


@dataclass(frozen=True, slots=True)
class Kill:
    """What one killed recorder had played and what it left."""

    played: int
    kept: int | None
    seconds: float
    error: str


class Announcer(gym.Wrapper[Any, Any, Any, Any]):
    """Sends a byte for every tick that is over, before the recorder hears of it."""

    def __init__(self, env: gym.Env[Any, Any], fd: int) -> None:
        super().__init__(env)
        self._fd = fd

    def step(self, action: Any) -> Any:
        result = self.env.step(action)
        os.write(self._fd, b".")
        return result


def record(root: str, fd: int, seed: int) -> None:
    """The child: the real recorder's loop on the real arena, until it is killed."""
    from recording import loop  # noqa: PLC0415 (the parent needs neither)
    from recording.schedule import Schedule  # noqa: PLC0415

    os.set_inheritable(fd, False)
    make = gym.make
    loop.gym.make = lambda *args, **kwargs: Announcer(make(*args, **kwargs), fd)
    tasks = ("go-to-lantern", "climb-stairs")
    size = (512, 288)
    plan = Schedule(
        root,
        SESSION,
        "arena",
        "expert",
        tasks,
        "train",
        seed,
        0.1,
        size,
        10**9,
        None,
        0,
        1,
        resume=False,
        reserve_bytes=0,
    )
    loop.record_plan(plan)


def kill_once(seed: int, most_seconds: float) -> Kill:
    """Start a recorder, kill it at a random moment after its first tick, and open its session."""
    root = tempfile.mkdtemp(prefix="recorder-kill-")
    ours, theirs = os.pipe()
    command = [sys.executable, __file__, "--child", root, str(theirs), str(seed)]
    process = subprocess.Popen(command, pass_fds=(theirs,), start_new_session=True, cwd=root, stdout=subprocess.DEVNULL)
    os.close(theirs)
    try:
        played = len(os.read(ours, 1))
        delay = random.Random(seed).uniform(0.0, most_seconds)
        deadline = time.monotonic() + delay
        os.set_blocking(ours, False)
        while time.monotonic() < deadline:
            with contextlib.suppress(BlockingIOError):
                played += len(os.read(ours, 65536))
            time.sleep(max(0.0, min(0.002, deadline - time.monotonic())))
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.set_blocking(ours, True)
        while more := os.read(ours, 65536):
            played += len(more)
        try:
            return Kill(played, len(Session(Path(root) / SESSION)), delay, "")
        except SessionError as error:
            return Kill(played, None, delay, str(error))
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        os.close(ours)
        shutil.rmtree(root, ignore_errors=True)


def main() -> None:
    """Print a table, one line a kill, and the worst of it; exit 1 if a session did not open or lost more than one."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--most-seconds", type=float, default=1.0, help="longest time from the first tick to the kill")
    args = parser.parse_args()
    print("kill  after_s  ticks_played  ticks_kept  lost")
    kills = []
    for seed in range(args.kills):
        kill = kill_once(seed, args.most_seconds)
        kills.append(kill)
        lost = "-" if kill.kept is None else kill.played - kill.kept
        print(
            f"{seed:>4}  {kill.seconds:>7.3f}  {kill.played:>12}  {kill.kept!s:>10}  {lost:>4}  {kill.error}".rstrip()
        )
    opened = [kill for kill in kills if kill.kept is not None]
    worst = max((kill.played - (kill.kept or 0) for kill in opened), default=0)
    torn = sum(kill.played != kill.kept for kill in opened)
    print(
        f"\n{len(opened)} of {len(kills)} sessions opened; at most {worst} tick lost each; {torn} lost their last tick"
    )
    sys.exit(0 if len(opened) == len(kills) and worst <= 1 else 1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        record(sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    else:
        main()
