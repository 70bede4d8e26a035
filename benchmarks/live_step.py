"""What a live step costs beyond its tick, and how late ticks come.

Part one: everything a step does beyond waiting (find the window, change the key, grab, resize), against the way of the
specification's agent: xdotool subprocesses to find the window and to press keys, mss for each frame.
Part two: how late ticks come at 10 Hz, on the machine as it is and with every core kept busy by another program.

    python benchmarks/live_step.py                 # 10 minutes for each half of part two
    python benchmarks/live_step.py --minutes 0.5
"""

import argparse
import shutil
import subprocess
import sys
import time

import gymnasium as gym
import mss
from desktop import busy_cores, desktop, drain, percentile, probe_window
from PIL import Image

import gameenv

KEYS = ("w", "a", "s", "d")


def ours(steps: int) -> list[float]:
    """Milliseconds of each step beyond its tick: from the call until the key has been sent, and from the tick's
    deadline until the frame is there."""
    env = gym.make("gameenv/Live-v0", window="^Probe$", disable_env_checker=True)
    env.reset()
    costs = []
    for number in range(steps):
        called = time.monotonic_ns()
        _, _, _, _, info = env.step(gameenv.ACTIONS.index(KEYS[number % len(KEYS)]))
        done = time.monotonic_ns()
        pressed = max(t_ns for t_ns, _, _ in info["key_events"])
        deadline = info["t_ns"] - info["lateness_ns"]
        costs.append((pressed - called + done - deadline) / 1e6)
    env.close()
    return costs


def theirs(steps: int) -> list[float]:
    """The same work as the specification's agent does it."""
    costs = []
    for number in range(steps):
        began = time.monotonic_ns()
        window = run("xdotool", "search", "--name", "^Probe$").split()[-1]
        if number:
            run("xdotool", "keyup", KEYS[(number - 1) % len(KEYS)])
        run("xdotool", "keydown", KEYS[number % len(KEYS)])
        shell = run("xdotool", "getwindowgeometry", "--shell", window)
        place = dict(line.split("=") for line in shell.split())
        with mss.MSS() as screen:
            region = {name.lower(): int(place[name]) for name in ("WIDTH", "HEIGHT")}
            shot = screen.grab({"left": int(place["X"]), "top": int(place["Y"]), **region})
        Image.frombytes("RGB", shot.size, shot.bgra, "raw", "BGRX").resize((512, 288))
        costs.append((time.monotonic_ns() - began) / 1e6)
        time.sleep(max(0.0, 0.1 - costs[-1] / 1000))
    run("xdotool", "keyup", KEYS[(steps - 1) % len(KEYS)])
    return costs


def run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def lateness(minutes: float) -> tuple[list[float], int, float]:
    """Milliseconds each tick came after its deadline, ticks skipped, and how far the last deadline is from where the
    first one says it must be, in ms."""
    env = gym.make("gameenv/Live-v0", window="^Probe$", disable_env_checker=True)
    _, info = env.reset()
    start = info["t_ns"] - info["lateness_ns"]
    late, skipped = [], 0
    for number in range(round(minutes * 600)):
        _, _, _, truncated, info = env.step(number // 5 % 12)
        if truncated:
            raise SystemExit(f"truncated: {info['truncated_because']}")
        late.append(info["lateness_ns"] / 1e6)
        skipped += info["skipped"]
    env.close()
    drift = (info["t_ns"] - info["lateness_ns"] - start) / 1e6 - info["tick"] * 100
    return late, skipped, drift


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=200, help="steps of part one")
    parser.add_argument("--minutes", type=float, default=10.0, help="minutes of each half of part two")
    parser.add_argument("--idle-minutes", type=float, help="minutes of its first half, if other than --minutes")
    args = parser.parse_args()
    with desktop(), probe_window() as probe:
        drain(probe)
        if shutil.which("xdotool"):
            both = {"ours": ours(args.steps), "xdotool": theirs(args.steps)}
            for name, costs in both.items():
                print(f"beyond the tick, {name:8}{quantiles(costs)}")
            ratios = [percentile(both["xdotool"], p) / percentile(both["ours"], p) for p in (50, 99)]
            print(f"ratio: p50 {ratios[0]:.1f}, p99 {ratios[1]:.1f}", flush=True)
        else:
            print("part one needs xdotool: apt-get install xdotool", file=sys.stderr)
        report("as it is", args.minutes if args.idle_minutes is None else args.idle_minutes)
        with busy_cores():
            report("all cores busy", args.minutes)


def quantiles(values: list[float]) -> str:
    return f" p50 {percentile(values, 50):.2f} ms  p99 {percentile(values, 99):.2f} ms"


def report(name: str, minutes: float) -> None:
    late, skipped, drift = lateness(minutes)
    print(
        f"lateness, {name}:{quantiles(late)}  max {max(late):.2f} ms, "
        f"{len(late)} ticks, {skipped} skipped, drift {drift:.3f} ms",
        flush=True,
    )


if __name__ == "__main__":
    main()
