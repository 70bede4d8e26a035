"""How soon a key is up after the program that holds it was killed with SIGKILL.

python benchmarks/key_release.py               # 50 kills
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time

from desktop import desktop, percentile, probe_window

PLAYER = """
import gymnasium as gym, gameenv
env = gym.make("gameenv/Live-v0", window="^Probe$", disable_env_checker=True)
env.reset()
while True:
    env.step(1)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=50)
    args = parser.parse_args()
    took = []
    with desktop(), probe_window() as probe:
        assert probe.stdout is not None
        for number in range(args.kills):
            player = subprocess.Popen([sys.executable, "-c", PLAYER])
            heard: dict[str, object] = {}
            while not (heard.get("key") == "w" and heard.get("down")):
                heard = json.loads(probe.stdout.readline())
            time.sleep(0.11 + number % 10 / 100)  # at every point of a tick
            killed = time.monotonic_ns()
            os.kill(player.pid, signal.SIGKILL)
            while not (heard.get("key") == "w" and heard.get("down") is False and int(str(heard["t_ns"])) >= killed):
                heard = json.loads(probe.stdout.readline())
            took.append((int(str(heard["t_ns"])) - killed) / 1e6)
            player.wait()
    within = sum(each <= 50 for each in took)
    print(
        f"{within} of {len(took)} released within 50 ms: p50 {percentile(took, 50):.1f} ms, "
        f"p99 {percentile(took, 99):.1f} ms, max {max(took):.1f} ms"
    )


if __name__ == "__main__":
    main()
