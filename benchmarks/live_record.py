"""Recording a 1280x720 window: ticks dropped, share of a core, megabytes a minute.

The arena's own window is recorded while keys are pressed in it; the engine's time is not counted.

    python benchmarks/live_record.py               # a minute each at 10 and at 30 ticks a second
"""

import argparse
import random
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from desktop import desktop

from gameenv.actions import KEYS
from gameenv.arena import tasks
from gameenv.arena.engine.own_window import ArenaWindow
from gameenv.desktop.opening import open_sender
from recording import Session
from recording.totals import count_totals


def record(fps: float, seconds: float) -> str:
    """Record for so long and say how it went."""
    level = tasks.level("go-to-lantern", "train", 0)
    window = ArenaWindow(level)
    window.open(level)
    sender = open_sender()
    frames = round(fps * seconds)
    with tempfile.TemporaryDirectory() as root:
        words = ["--window", "VIZDOOM", "--fps", f"{fps:g}", "--frames", f"{frames}", "--out", root, "--session", "s"]
        began = resource.getrusage(resource.RUSAGE_CHILDREN)
        recorder = subprocess.Popen([sys.executable, "-m", "recording", *words], stdout=subprocess.DEVNULL)
        folder = Path(root) / "s"
        while not (folder / "session.json").exists():
            time.sleep(0.1)
        time.sleep(1)
        sender.send("p", True)
        sender.send("p", False)
        rng = random.Random(0)
        while recorder.poll() is None:
            key = rng.choice(KEYS)
            sender.send(key, True)
            time.sleep(0.2)
            sender.send(key, False)
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        used = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
        session = Session(folder)
        totals = count_totals(session)
        size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    sender.close()
    window.close()
    return (
        f"{fps:g} ticks a second: {totals.ticks} recorded in {totals.takes} takes, {totals.dropped} dropped, "
        f"{totals.late} late; {used / totals.seconds:.0%} of a core, start included; "
        f"{size / totals.seconds * 60 / 1e6:.0f} MB a minute"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=60)
    args = parser.parse_args()
    with desktop():
        for fps in (10, 30):
            print(record(fps, args.seconds), flush=True)


if __name__ == "__main__":
    main()
