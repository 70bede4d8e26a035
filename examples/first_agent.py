"""The whole pipeline on the built-in game: record, label, train, evaluate, report. No download, no GPU.

Runs the public commands one after another and shows each, so that every line can be run by hand. Stopped or killed, the
same command goes on where it was.

    python examples/first_agent.py
    python examples/first_agent.py --frames 6000 --epochs 2 --episodes 4 --out runs/quick    # a look in two minutes
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import tyro


@dataclass(frozen=True)
class Args:
    """Record demonstrations, label them, train a policy, and measure it on levels it never saw."""

    out: str = "runs/first_agent"
    """Where everything goes."""
    tasks: tuple[str, ...] = ("go-to-lantern", "go-to-torch", "open-door", "climb-stairs")
    """Task families to record and to play."""
    frames: int = 90_000
    """Ticks to record: 10 are a second of play."""
    epochs: int = 5
    """Times the training sees each sample."""
    episodes: int = 50
    """Levels a task family to play with each policy."""
    execute: tuple[int, ...] = (3,)
    """How many of the seven actions are played before the policy looks again."""
    split: str = "validation"
    """Levels to play; never the ones recorded. Keep test for results you publish."""
    seed: int = 0
    """Of the training."""
    control: bool = False
    """Also train the control on shuffled goals: what it reaches, it reaches without reading the goal."""
    workers: int = os.cpu_count() or 1
    """Processes that record and play."""


Step = tuple[str, list[str]]


def plan(args: Args) -> list[Step]:
    """What is done, as (title, words after ``python -m``)."""
    out = Path(args.out)
    recordings, segments = str(out / "recordings"), str(out / "segments")
    models = {"bc": out / "bc", **({"bc-shuffled-goals": out / "bc_shuffled_goals"} if args.control else {})}
    workers = ["--workers", str(args.workers)]
    record = [
        "recording",
        "--game",
        "arena",
        "--player",
        "expert",
        "--tasks",
        *args.tasks,
        "--frames",
        str(args.frames),
    ]
    steps = [
        (
            f"Record the scripted expert on training levels ({args.frames / 600:.0f} minutes of play)",
            [*record, *workers, "--session", "demo", "--resume", "--out", recordings],
        ),
        (
            "Cut it into clips, name the goals, write samples",
            ["labeling", "--root", recordings, "--out", segments, *workers],
        ),
    ]
    for name, folder in models.items():
        words = ["training", "--policy", "bc", "--data", segments, "--out", str(folder)]
        words += ["--epochs", str(args.epochs), "--seed", str(args.seed)]
        if name == "bc":
            steps.append(("Train the convolutional baseline", words))
        else:
            steps.append(("Train it on shuffled goals, as a control", [*words, "--shuffle-goals"]))
    policies = ["random", *(f"{name}=bc:{folder}" for name, folder in models.items()), "expert"]
    evaluate = ["policies.evaluate", "--policies", *policies, "--tasks", *args.tasks, "--split", args.split]
    evaluate += ["--episodes", str(args.episodes), "--execute", *map(str, args.execute)]
    steps.append(
        (
            "Play levels nobody recorded, with a random player and the expert beside it",
            [*evaluate, *workers, "--out", str(out / "report")],
        )
    )
    return steps


def run(words: list[str]) -> int:
    """Run one command to its end and return its exit code; Ctrl-C reaches it too, and it is given time to close."""
    process = subprocess.Popen([sys.executable, "-m", *words])
    try:
        return process.wait()
    except KeyboardInterrupt:
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=20)
        raise
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait()


def main(args: Args) -> int:
    """Run the steps; stops at the first that fails and returns its exit code."""
    steps = plan(args)
    began = time.perf_counter()
    for number, (title, words) in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] {title}\n    python -m {shlex.join(words)}", flush=True)
        start = time.perf_counter()
        code = run(words)
        if code:
            print(f"\nstep {number} ended with exit code {code}. Run this again to go on from here.")
            return code
        print(f"    took {time.perf_counter() - start:.0f} s", flush=True)
    print(f"\nAll {len(steps)} steps took {(time.perf_counter() - began) / 60:.1f} minutes.")
    print(f"Report:  {Path(args.out) / 'report' / 'report.html'}\nPolicy:  bc:{Path(args.out) / 'bc'}")
    return 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of `finally`, so that the running step ends too
    try:
        sys.exit(main(tyro.cli(Args)))
    except KeyboardInterrupt:
        print("\nstopped; run this again to go on from here")
        sys.exit(130)
