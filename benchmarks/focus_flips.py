"""How many presses reach another window while the focus flips every 10 to 50 ms: looked at first, and under one grab.

python benchmarks/focus_flips.py               # 2,000 flips each, 2 minutes

The baseline looks at the focus and then presses, as two requests. Ours is what ``Live-v0`` does.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from desktop import desktop, probe_window

from gameenv.desktop.opening import open_sender, open_window_system

FLIPS = Path(__file__).resolve().parent.parent / "tests/gameenv/live/flips.py"
TICK_S = 0.02


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--flips", type=int, default=2_000)
    args = parser.parse_args()
    with desktop(), probe_window("Other", "300x200+1400+700") as other, probe_window("Probe") as probe:
        astray: list[float] = []
        for window in (other, probe):
            threading.Thread(target=note_presses, args=(window, astray if window is other else []), daemon=True).start()
        windows, sender = open_window_system(), open_sender()
        there = {each.title: each.handle for each in windows.windows()}

        def look_then_press() -> bool:
            focused = windows.has_focus(there["Probe"])
            if focused:
                sender.send("w", True)
            return focused

        ways = {
            "looked at first": look_then_press,
            "under one grab": lambda: sender.press_in("w", there["Probe"]),
        }
        for name, press in ways.items():
            astray.clear()
            flips = [sys.executable, str(FLIPS), str(there["Probe"]), str(there["Other"]), str(args.flips)]
            pressed = press_while(subprocess.Popen(flips, stdout=subprocess.DEVNULL), press, sender.send)
            print(f"{name}: {len(astray)} of {pressed} presses went astray in {args.flips} flips", flush=True)
        sender.close()
        windows.close()


def press_while(flips: subprocess.Popen[bytes], press: Callable[[], bool], send: Callable[[str, bool], None]) -> int:
    """Press w and let go of it, 50 times a second, until the flips are over; returns how often it was pressed."""
    pressed = 0
    while flips.poll() is None:
        if press():
            pressed += 1
            time.sleep(TICK_S / 4)
            send("w", False)
        time.sleep(TICK_S * 3 / 4)
    time.sleep(0.2)
    return pressed


def note_presses(window: subprocess.Popen[str], presses: list[float]) -> None:
    """Note every press of w that a window gets, until it is closed."""
    assert window.stdout is not None
    for line in window.stdout:
        said = json.loads(line)
        if said.get("key") == "w" and said["down"]:
            presses.append(said["t_ns"])


if __name__ == "__main__":
    main()
