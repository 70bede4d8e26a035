"""Kills a training with SIGKILL at random moments, again and again, and compares what comes out with an unbroken one.

The same command is started after every kill and goes on where it can. From the moment when the model is there, a time
is drawn up to what the unbroken training took from there to its end: kills fall into steps, into the writing of
checkpoints and behind the last step. A training that ends first is compared, and another is begun. One thread, so that
equal means equal to the bit.

    python benchmarks/train_kill.py --kills 20
"""

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from gameenv.cli import parse
from policies.vlm import tiny
from training.vlm.checkpoints import newest, step_of

_READY = "weights to train"
_LAST_WORDS_S = 3.0  # scoring and writing, behind the last step


@dataclass(frozen=True, slots=True)
class Args:
    """Kill a training at random moments."""

    kills: int = 20
    """How often."""
    frames: int = 300
    """Ticks to record for it."""
    seed: int = 0
    """Of the moments."""


def main(args: Args) -> None:
    """Print each kill, and whether what came out equals the unbroken training's."""
    rng = random.Random(args.seed)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        prepare(root, args.frames)
        finish(root, "unbroken")
        about = json.loads((root / "unbroken" / "training_summary.json").read_text())
        whole_s = about["training_seconds"] + _LAST_WORDS_S
        print(f"unbroken: {about['training_seconds']} s in {about['steps']} steps")
        kills = trainings = 0
        same = True
        while kills < args.kills:
            out = root / f"killed{trainings}"
            trainings += 1
            here = 0
            while kills < args.kills and kill(root, out, rng.uniform(0, whole_s)):
                kills += 1
                here += 1
                found = newest(out / "checkpoints") if (out / "checkpoints").is_dir() else None
                print(f"kill {kills}: {0 if found is None else step_of(found)} steps kept")
            finish(root, out.name)
            equal = weights(out) == weights(root / "unbroken")
            same = same and equal
            print(f"training {trainings}, killed {here} times: {'the same weights' if equal else 'OTHER WEIGHTS'}")
        print(
            f"{kills} kills in {trainings} trainings: {'all' if same else 'NOT all'} ended in the unbroken one's bits"
        )


def prepare(root: Path, frames: int) -> None:
    """A few levels of the expert, labeled, and a tiny base."""
    record = ["recording", "--player", "expert", "--tasks", "go-to-torch", "--frames", str(frames)]
    run([*record, "--frame-size", "64", "32", "--out", str(root / "raw")])
    run(["labeling", "--root", str(root / "raw"), "--out", str(root / "segments")])
    tiny.save_tiny(root / "base", hidden=64, vision_hidden=64, vision_layers=2)


def line(root: Path, out: str) -> list[str]:
    """The training, as a command."""
    words = ["-m", "training", "--data", str(root / "segments"), "--base", str(root / "base"), "--out", str(root / out)]
    words += ["--epochs", "2", "--save-steps", "5", "--frame-size", "64", "32", "--eval-samples", "20"]
    return [sys.executable, *words]


def finish(root: Path, out: str) -> None:
    """Run it to the end."""
    subprocess.run(line(root, out), env=environment(), check=True, capture_output=True)


def kill(root: Path, out: Path, after_s: float) -> bool:
    """Start it and kill it; False if it had ended by itself."""
    running = subprocess.Popen(
        line(root, out.name), env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    assert running.stderr is not None
    if not any(_READY in said for said in running.stderr):
        return False
    try:
        running.communicate(timeout=after_s)
    except subprocess.TimeoutExpired:
        running.send_signal(signal.SIGKILL)
        running.communicate()
        return True
    return False


def environment() -> dict[str, str]:
    """One thread."""
    return {**os.environ, "OMP_NUM_THREADS": "1"}


def run(words: list[str]) -> None:
    """Run one of the project's commands."""
    subprocess.run([sys.executable, "-m", *words], check=True, capture_output=True)


def weights(folder: Path) -> bytes:
    """The adapter, to the bit."""
    return (folder / "adapter_model.safetensors").read_bytes()


if __name__ == "__main__":
    main(parse(Args))
