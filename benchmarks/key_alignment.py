"""From a key to the frame that shows it, and whether row t of a recording shows the effect of action t in row t+1.

A probe window fills itself with a colour of its own for each key while that is down.

    python benchmarks/key_alignment.py
"""

import argparse
import random
import tempfile

import gymnasium as gym
import numpy as np
from desktop import desktop, drain, percentile, probe_colours, probe_window

from gameenv import ACTIONS
from recording import RecordingWrapper, Session

FAST_FPS = 60


def middle(frame: np.ndarray) -> np.ndarray:
    return frame[frame.shape[0] // 2, frame.shape[1] // 2].astype(int)


def latencies(presses: int) -> list[float]:
    """Milliseconds from a key's press to the grab of the first frame that shows it, at 60 grabs a second."""
    env = gym.make("gameenv/Live-v0", window="^Probe$", fps=FAST_FPS, disable_env_checker=True)
    env.reset()
    colours = probe_colours()
    found = []
    for number in range(presses):
        word = ACTIONS[1 + number % 11]
        frame, _, _, _, info = env.step(ACTIONS.index(word))
        pressed = next(t_ns for t_ns, key, down in info["key_events"] if down and key == word)
        while not np.array_equal(middle(frame), colours[word]):
            if info["t_ns"] - pressed > 1e9:
                raise SystemExit(f"the effect of {word!r} was not seen within a second")
            frame, _, _, _, info = env.step(ACTIONS.index(word))
        found.append((info["t_ns"] - pressed) / 1e6)
        env.step(0)
    env.close()
    return found


def aligned_rows(steps: int, fps: float) -> tuple[int, int]:
    """Rows whose successor shows their action, of all rows that have a successor."""
    colours = probe_colours()
    rng = random.Random(1)
    with tempfile.TemporaryDirectory() as root:
        env = gym.make("gameenv/Live-v0", window="^Probe$", fps=fps, disable_env_checker=True)
        recorder = RecordingWrapper(env, root, "s", "probe", "policy")
        recorder.reset()
        played = [rng.choice(ACTIONS) for _ in range(steps)]
        for word in played:
            recorder.step(ACTIONS.index(word))
        recorder.close()
        session = Session(recorder.path)
        good = 0
        for row, word in zip(session[:-1], played, strict=False):
            shown = middle(session.frame(row.index + 1))
            good += int(np.abs(shown - colours[word]).max() <= 6)  # JPEG
        return good, len(session) - 1


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presses", type=int, default=300)
    parser.add_argument("--steps", type=int, default=600)
    args = parser.parse_args()
    with desktop(), probe_window() as probe:
        drain(probe)
        found = latencies(args.presses)
        print(
            f"from a key to the first frame with it, at {FAST_FPS} grabs a second: p50 {percentile(found, 50):.1f} ms  "
            f"p99 {percentile(found, 99):.1f} ms"
        )
        good, rows = aligned_rows(args.steps, 10)
        print(f"row t+1 shows action t at 10 ticks a second: {good} of {rows} ({good / rows:.2%})")


if __name__ == "__main__":
    main()
