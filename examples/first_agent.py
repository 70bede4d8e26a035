"""The whole pipeline on the built-in game: record, label, tune, evaluate, report. No download, no GPU.

Runs the public commands one after another and shows each, so that every line can be run by hand. Stopped or killed, the
same command goes on where it was.

    python examples/first_agent.py
    python examples/first_agent.py --frames 3000 --epochs 1 --episodes 4 --out runs/quick    # a look in two minutes
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gameenv.cli import parse
from gameenv.home import PathText


@dataclass(frozen=True)
class Args:
    """Record demonstrations, label them, tune the small model of this repository, and measure what it learned.

    The model, models/arena-base, was trained on three task families (go-to-lantern, go-to-torch, open-door). It learns
    others here. Beside it play a random player, a small convolutional policy trained on the same samples, the model as
    it was, and the scripted expert.
    """

    out: PathText = "runs/first_agent"
    """Where everything goes."""
    tasks: tuple[str, ...] = ("press-switch", "check-posters")
    """Task families to record and to play."""
    frames: int = 48_000
    """Ticks to record: 10 are a second of play."""
    base: PathText = "models/arena-base"
    """What is tuned."""
    epochs: int = 2
    """Times the tuning sees each sample."""
    bc_epochs: int = 5
    """Times the convolutional policy sees each."""
    episodes: int = 30
    """Levels a task family to play with each policy."""
    execute: tuple[int, ...] = (3,)
    """How many of the seven actions are played before the policy looks again."""
    split: str = "validation"
    """Levels to play; never the ones recorded. Keep test for results you publish."""
    levels: str | None = None
    """Play a frozen set's levels instead: arena-val-v1 or arena-test-v1."""
    seeds: tuple[int, ...] = (0,)
    """Trainings, one for each."""
    control: bool = False
    """Also tune on shuffled goals: what that one reaches, it reaches without reading the goal."""
    workers: int = os.cpu_count() or 1
    """Processes that record and play."""


Step = tuple[str, list[str]]
TUNING = ("--batch-size", "32", "--accumulation", "1", "--learning-rate", "2e-3", "--loss-on", "words")
TUNING += ("--dropout", "0", "--word-dropout", "0.5", "--evaluations", "1")
"""For a model of two million weights; the defaults are for one of eight billion."""


def plan(args: Args) -> list[Step]:
    """What is done, as (title, words after ``python -m``)."""
    out = Path(args.out)
    recordings, segments, workers = str(out / "recordings"), str(out / "segments"), ("--workers", str(args.workers))
    record = ["recording", "--game", "arena", "--player", "expert", "--tasks", *args.tasks, *workers]
    record += ["--frames", str(args.frames), "--session", "demo", "--resume", "--out", recordings]
    steps: list[Step] = [
        (f"Record the scripted expert on training levels ({args.frames / 600:.0f} minutes of play)", record),
        ("Cut it into clips, name the goals, write samples", ["labeling", "--root", recordings, "--out", segments]),
    ]
    steps[-1][1].extend(workers)
    policies = ["random", f"base={args.base}"]

    def train(title: str, name: str, kind: str, words: list[str]) -> None:
        steps.append((title, ["training", "--data", segments, "--out", str(out / name), *words]))
        policies.append(f"{name}={kind}{out / name}")

    for seed in args.seeds:
        end, chosen = (f"_seed{seed}" if seed else ""), ["--seed", str(seed)]
        bc = ["--policy", "bc", "--epochs", str(args.bc_epochs), *chosen]
        train("Train the convolutional baseline", f"bc{end}", "bc:", bc)
        tuning = ["--base", args.base, "--epochs", str(args.epochs), *TUNING, *chosen]
        train("Tune the base: a LoRA adapter", f"tuned{end}", "", tuning)
        if args.control and seed == min(args.seeds):
            shuffled = [*tuning, "--shuffle-goals"]
            train("Tune the base on shuffled goals, as a control", "tuned_on_shuffled_goals", "", shuffled)
    evaluate = ["policies.evaluation", "--policies", *policies, "expert", "--tasks", *args.tasks]
    evaluate += ["--levels", args.levels] if args.levels else ["--split", args.split]
    evaluate += ["--episodes", str(args.episodes), "--execute", *map(str, args.execute), *workers]
    steps.append(("Play levels nobody recorded", [*evaluate, "--out", str(out / "report")]))
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
    print(f"Report: {Path(args.out) / 'report' / 'report.html'}")
    return 0


def run_until_told(work: Callable[[], int]) -> NoReturn:
    """Run to the end, or to Ctrl-C or a polite kill; either way the running step ends too."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # by way of `finally` in `run`
    try:
        sys.exit(work())
    except KeyboardInterrupt:
        print("\nstopped; run this again to go on from here")
        sys.exit(130)


if __name__ == "__main__":
    run_until_told(lambda: main(parse(Args)))
