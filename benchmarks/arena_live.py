"""The expert on the same levels in lock-step and live: through the window's picture and the keyboard, in real time.

python benchmarks/arena_live.py                # 25 validation levels of each task
"""

import argparse

import gymnasium as gym
from desktop import desktop, percentile

from gameenv import ACTIONS
from gameenv.arena.player.expert import Expert
from gameenv.arena.tasks import TASKS


def play(env_id: str, task: str, levels: int) -> tuple[int, list[float]]:
    """Successes, and how late each tick came in ms."""
    env = gym.make(env_id, task=task, split="validation", disable_env_checker=True)
    expert = Expert()
    successes, late = 0, []
    for seed in range(levels):
        _, info = env.reset(seed=seed)
        expert.attach(env)
        expert.reset(info["goal"], seed=seed)
        over = False
        reward = 0.0
        while not over:
            _, reward, terminated, truncated, info = env.step(ACTIONS.index(expert.act()[0]))
            late.append(info.get("lateness_ns", 0) / 1e6)
            over = terminated or truncated
        successes += float(reward) == 1.0
    env.close()
    return successes, late


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--levels", type=int, default=25, help="of each task")
    args = parser.parse_args()
    sums = [0, 0]
    late: list[float] = []
    with desktop():
        for task in TASKS:
            lock_step, _ = play("gameenv/Arena-v0", task, args.levels)
            live, ticks = play("gameenv/ArenaWindow-v0", task, args.levels)
            late += ticks
            sums = [sums[0] + lock_step, sums[1] + live]
            print(f"{task:14} lock-step {lock_step:3} of {args.levels}   live {live:3} of {args.levels}", flush=True)
    print(f"live / lock-step: {sums[1]} / {sums[0]} = {sums[1] / sums[0]:.1%}")
    print(f"lateness of {len(late)} ticks: p50 {percentile(late, 50):.2f} ms  p99 {percentile(late, 99):.2f} ms")


if __name__ == "__main__":
    main()
