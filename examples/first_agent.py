"""The whole pipeline on the built-in game: record, label, train, evaluate, report. No download, no GPU.

Runs the public commands one after another and shows each, so that every line can be run by hand. Stopped or killed, the
same command goes on where it was.

    python examples/first_agent.py
    python examples/first_agent.py --frames 6000 --epochs 2 --episodes 4 --out runs/quick    # a look in two minutes
"""

import os
import shlex
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


def main(args: Args) -> int:
    """Run the steps; stops at the first that fails and returns its exit code."""
    out = Path(args.out)
    recordings, segments, report = out / "recordings", out / "segments", out / "report"
    trained = {"bc": out / "bc", **({"bc-shuffled-goals": out / "bc_shuffled_goals"} if args.control else {})}
    steps = [
        (
            f"Record the scripted expert on training levels ({args.frames / 600:.0f} minutes of play)",
            f"recording --game arena --player expert --tasks {' '.join(args.tasks)} --frames {args.frames} "
            f"--workers {args.workers} --session demo --resume --out {recordings}",
        ),
        ("Cut it into clips, name the goals, write samples", f"labeling --root {recordings} --out {segments}"),
    ]
    for name, folder in trained.items():
        shuffle = " --shuffle-goals" if name != "bc" else ""
        steps.append(
            (
                f"Train the convolutional baseline{' on shuffled goals, as a control' if shuffle else ''}",
                f"training --policy bc --data {segments} --out {folder} --epochs {args.epochs} --seed {args.seed}{shuffle}",
            )
        )
    policies = " ".join(["random", *(f"{name}=bc:{folder}" for name, folder in trained.items()), "expert"])
    steps.append(
        (
            "Play levels nobody recorded, with a random player and the expert beside it",
            f"policies.evaluate --policies {policies} --tasks {' '.join(args.tasks)} --split {args.split} "
            f"--episodes {args.episodes} --execute {' '.join(map(str, args.execute))} --workers {args.workers} --out {report}",
        )
    )
    began = time.perf_counter()
    for number, (title, command) in enumerate(steps, start=1):
        print(f"\n[{number}/{len(steps)}] {title}\n    python -m {command}", flush=True)
        start = time.perf_counter()
        done = subprocess.run([sys.executable, "-m", *shlex.split(command, posix=os.name != "nt")], check=False)
        if done.returncode:
            print(f"\nstep {number} ended with exit code {done.returncode}. Run this again to go on from here.")
            return done.returncode
        print(f"    took {time.perf_counter() - start:.0f} s", flush=True)
    print(f"\nAll {len(steps)} steps took {(time.perf_counter() - began) / 60:.1f} minutes.")
    print(f"Report:  {report / 'report.html'}\nPolicy:  bc:{trained['bc']}")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(tyro.cli(Args)))
    except KeyboardInterrupt:
        print("\nstopped; run this again to go on from here")
        sys.exit(130)
