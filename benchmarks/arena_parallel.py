"""Steps a second of one ``gameenv/Arena-v0`` and of several side by side, each in a process of its own.

Random actions, resets included, all families. The claim is the sum over the environments; medians of rounds in which
the numbers of environments take turns.

    python benchmarks/arena_parallel.py
"""

import multiprocessing
import os
import statistics
import time
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from random import Random
from typing import Any

import gymnasium as gym

import gameenv  # noqa: F401 (registers the arena)
from gameenv.actions import ACTIONS
from gameenv.cli import parse


@dataclass(frozen=True, slots=True)
class Args:
    """Measure environments side by side."""

    counts: tuple[int, ...] = (1, 2, 4, 8)
    """How many at once."""
    seconds: float = 10.0
    """How long each round lasts."""
    rounds: int = 5
    """Rounds of each."""
    size: tuple[int, int] = (512, 288)
    """Frame size."""


def play(number: int, args: Args, begin: Barrier, counts: Any) -> None:
    """Step until the time is up; the count goes to ``counts[number]``."""
    env: Any = gym.make("gameenv/Arena-v0", frame_size=args.size)
    dice, seed, steps = Random(number), number * 1000, 0
    env.reset(seed=seed)
    begin.wait()
    end = time.perf_counter() + args.seconds
    while time.perf_counter() < end:
        _, _, terminated, truncated, _ = env.step(dice.randrange(len(ACTIONS)))
        steps += 1
        if terminated or truncated:
            seed += 1
            env.reset(seed=seed)
    env.close()
    counts[number] = steps


def measure(count: int, args: Args) -> float:
    """Steps a second of so many environments together."""
    context = multiprocessing.get_context("spawn")
    begin, counts = context.Barrier(count), context.Array("q", count)
    players = [context.Process(target=play, args=(number, args, begin, counts)) for number in range(count)]
    for player in players:
        player.start()
    for player in players:
        player.join()
    return sum(counts[:]) / args.seconds


def main(args: Args) -> None:
    """Measure and print."""
    found: dict[int, list[float]] = {count: [] for count in args.counts}
    for _ in range(args.rounds):
        for count in args.counts:
            found[count].append(measure(count, args))
    print(f"{os.cpu_count()} cores, frames {args.size[0]}x{args.size[1]}, {args.rounds} rounds of {args.seconds:g} s")
    for count, speeds in found.items():
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        print(f"{count} side by side: {statistics.median(speeds):,.0f} steps a second together ({spread})")


if __name__ == "__main__":
    main(parse(Args))
