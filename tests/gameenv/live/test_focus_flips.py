"""Keys while the focus flips every 10 to 50 ms: not one press reaches the other window."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from gameenv.actions import action_index
from gameenv.live.env import LiveEnv
from tests.gameenv.live.display import Probe

FLIPS = 300
"""``benchmarks/focus_flips.py`` does 2,000, and the same without the grab of the server beside it."""
PROGRAM = Path(__file__).with_name("flips.py")


def test_no_press_reaches_another_window(make_probe: Callable[..., Probe], make_env: Callable[..., LiveEnv]) -> None:
    other, probe = make_probe("Other", "300x200+1000+600", focus=False), make_probe()
    env = make_env(fps=50, notify=lambda text: None)
    env.reset()
    flips = subprocess.Popen([sys.executable, str(PROGRAM), str(probe.handle), str(other.handle), str(FLIPS)])
    pressed = 0
    while flips.poll() is None:
        for word in ("w", "none"):
            pressed += sum(down for _, _, down in env.step(action_index(word))[4]["key_events"])
    assert flips.returncode == 0
    assert [key for key, down in other.keys if down] == []
    assert [down for _, down in probe.keys].count(True) >= min(pressed, FLIPS // 10), "it was pressing all the while"
