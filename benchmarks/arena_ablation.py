"""What each of the twelve actions is good for: the expert's success in every family with one action taken away.

The word that is taken away does nothing when it is pressed; the expert does not know, and tries. Validation levels.

    python benchmarks/arena_ablation.py
    python benchmarks/arena_ablation.py --levels 10 --tasks crawl-vent jump-ledge
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
from rich.table import Table

from gameenv.actions import ACTIONS, NONE, Action, action_index
from gameenv.arena.player.expert import Expert
from gameenv.arena.tasks import TASKS
from gameenv.cli import parse
from gameenv.console import Console
from gameenv.processes import sigint_held_back, worker_pool
from gameenv.progress import Progress

Counts = dict[Action, int]


@dataclass(frozen=True, slots=True)
class Args:
    """Take the actions away from the expert one by one."""

    levels: int = 40
    """Of each family, for each action."""
    tasks: tuple[str, ...] = tuple(TASKS)
    """Families."""
    workers: int = 2
    """Processes."""


def play(task: str, levels: int, missing: Action | None) -> tuple[str, Action | None, int, Counts]:
    """Successes without an action (or with all), and how often each word was played."""
    env: Any = gym.make("gameenv/Arena-v0", task=task, split="validation", frame_size=(256, 144))
    expert, successes, words = Expert(), 0, Counter[Action]()
    expert.attach(env)
    for seed in range(levels):
        _, info = env.reset(seed=seed)
        expert.reset(info["goal"], seed=seed)
        over, reward = False, 0.0
        while not over:
            word = expert.act()[0]
            words[word] += 1
            _, reward, terminated, truncated, _ = env.step(action_index(NONE if word == missing else word))
            over = terminated or truncated
        successes += reward == 1.0
    env.close()
    return task, missing, successes, dict(words)


def main(args: Args) -> None:
    """Play, and print two tables."""
    keys: list[Action] = [word for word in ACTIONS if word != NONE]
    removed: list[Action | None] = [None, *keys]
    found: dict[tuple[str, Action | None], tuple[int, Counts]] = {}
    with Progress(Console(stderr=True), transient=True) as progress, worker_pool(args.workers) as pool:
        bar = progress.begin("playing", "keys of families", len(args.tasks) * (len(keys) + 1))
        with sigint_held_back():
            jobs = [pool.submit(play, task, args.levels, missing) for task in args.tasks for missing in removed]
        for job in jobs:
            task, missing, successes, words = job.result()
            found[task, missing] = successes, words
            bar.advance()
    console = Console(width=140)
    table = Table("family", "all twelve", *(f"no {word}" for word in keys), title="expert's success, %")
    for task in args.tasks:
        shares = [f"{100 * found[task, missing][0] / args.levels:.0f}" for missing in removed]
        table.add_row(task, *shares)
    console.print(table)
    table = Table("family", *ACTIONS, title="what the expert presses, % of its ticks")
    for task in args.tasks:
        words = found[task, None][1]
        table.add_row(task, *(f"{100 * words.get(word, 0) / sum(words.values()):.1f}" for word in ACTIONS))
    console.print(table)


if __name__ == "__main__":
    main(parse(Args))
