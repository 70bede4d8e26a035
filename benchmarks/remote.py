"""A policy over loopback against the same policy in process, and many clients on one server.

Claim: the way there and back costs at most 5 ms a chunk (median), and 16 clients on one server are all answered.
The server is the real command in a process of its own; the frames are those of the built-in game. Run:

    python benchmarks/remote.py --model bc:models/bc --clients 16
"""

import os
import re
import secrets
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
import numpy as np
import tyro

import gameenv  # noqa: F401 (registers the environments)
from gameenv.actions import ActionChunk
from policies import Observation, Policy, load_policy
from policies.options import ModelOptions, RemoteOptions
from policies.remote.address import TOKEN

BLOCK, REST_S = 25, 0.5


@dataclass(frozen=True)
class Args:
    """Measure what a connection costs."""

    model: str = "models/arena-base"
    """Who plays, here and there."""
    chunks: int = 200
    """Questions of each kind."""
    clients: int = 16
    """Clients at once in the load test."""
    seconds: float = 10.0
    """How long they ask."""


def main() -> None:
    args = tyro.cli(Args)
    seen = observations()
    os.environ[TOKEN] = secrets.token_urlsafe(16)
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said.txt"
        command = [sys.executable, "-m", "policies.remote", "--model", args.model, "--port", "0"]
        with said.open("w") as out, subprocess.Popen(command, stdout=out, stderr=out) as server:
            try:
                address = wait_until_serving(said, server)
                near, far = load_policy(args.model), load_policy(address)
                exact = load_policy(address, ModelOptions(remote=RemoteOptions(remote_lossless=True)))
                compare({"in process": near, "loopback, JPEG": far, "loopback, PNG": exact}, seen, args.chunks)
                load_test(address, seen, args.clients, args.seconds)
            finally:
                server.terminate()


def observations() -> list[Observation]:
    """Frames of the built-in game."""
    seen = []
    env = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="validation")
    for seed in range(4):
        frame, info = env.reset(seed=seed)
        for word in (1, 1, 7, 7, 8):
            seen.append(Observation(frame, info["goal"]))
            frame, *_, info = env.step(word)
    env.close()
    return seen


def wait_until_serving(said: Path, server: "subprocess.Popen[bytes]") -> str:
    while not (found := re.search(r" at (remote://\S+)", said.read_text())):
        if server.poll() is not None:
            raise SystemExit(said.read_text())
        time.sleep(0.1)
    return found[1]


def compare(policies: dict[str, Policy], seen: list[Observation], chunks: int) -> None:
    """Ask them by turns, a block each, so that whatever else the machine does meets all of them.

    Between blocks all rest: the threads of a model that has just answered here keep a core busy for a while, which
    would be counted to the one in the other process.
    """
    taken: dict[str, list[float]] = {name: [] for name in policies}
    said: dict[str, list[ActionChunk]] = {name: [] for name in policies}
    for start in range(0, chunks, BLOCK):
        for name, policy in policies.items():
            time.sleep(REST_S)
            policy.predict(seen[0])
            for number in range(start, min(start + BLOCK, chunks)):
                began = time.perf_counter()
                said[name].append(policy.predict(seen[number % len(seen)]))
                taken[name].append(1000 * (time.perf_counter() - began))
    base = np.percentile(taken["in process"], 50)
    for name, times in taken.items():
        p50, p95, p99 = np.percentile(times, (50, 95, 99))
        same = sum(here == there for here, there in zip(said["in process"], said[name], strict=True))
        print(
            f"{name:<16} p50 {p50:7.2f} ms  p95 {p95:7.2f}  p99 {p99:7.2f}  overhead p50 {p50 - base:6.2f} ms"
            f"  same chunk {same}/{chunks}"
        )


def load_test(address: str, seen: list[Observation], clients: int, seconds: float) -> None:
    """So many clients ask as fast as they are answered."""
    taken: list[list[float]] = [[] for _ in range(clients)]
    failed: list[str] = []
    policies = [load_policy(address) for _ in range(clients)]
    end = time.perf_counter() + seconds

    def play(number: int) -> None:
        place = number
        while (began := time.perf_counter()) < end:
            try:
                policies[number].predict(seen[place % len(seen)])
            except Exception as error:
                failed.append(str(error))
                return
            taken[number].append(1000 * (time.perf_counter() - began))
            place += 1

    threads = [threading.Thread(target=play, args=(number,)) for number in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    times = np.concatenate([np.array(each) for each in taken])
    p50, p95, p99 = np.percentile(times, (50, 95, 99))
    counts = [len(each) for each in taken]
    print(
        f"{clients} clients: {len(times) / seconds:.0f} chunks a second, p50 {p50:.1f} ms  p95 {p95:.1f}  "
        f"p99 {p99:.1f}; {min(counts)} to {max(counts)} chunks a client, {len(failed)} failed"
    )


if __name__ == "__main__":
    main()
