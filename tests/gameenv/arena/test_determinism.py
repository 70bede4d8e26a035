import hashlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gameenv.actions import action_index
from gameenv.arena.env import ArenaEnv
from gameenv.arena.tasks import ALL

MakeArena = Callable[..., ArenaEnv]
WALK = """
import hashlib, random
import gymnasium as gym, gameenv
env = gym.make("gameenv/Arena-v0", task="all", split="train", frame_size=(128, 72))
dice, digest, steps, seed = random.Random(5), hashlib.sha256(), 0, 0
while steps < 1000:
    frame, info = env.reset(seed=seed)
    seed, over = seed + 1, False
    digest.update(frame.tobytes() + repr(info).encode())
    while not over and steps < 1000:
        frame, reward, terminated, truncated, info = env.step(dice.randrange(12))
        digest.update(frame.tobytes() + repr((reward, terminated, truncated, info)).encode())
        steps, over = steps + 1, terminated or truncated
print(digest.hexdigest())
env.close()
"""


@pytest.mark.slow
def test_two_processes_see_the_same_thousand_steps() -> None:
    root = Path(__file__).resolve().parents[3]
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", WALK], cwd=root, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    told = [run.communicate(timeout=120) for run in runs]
    assert told[0][0] == told[1][0]
    assert len(told[0][0].strip()) == 64
    assert told[0][1] == told[1][1] == ""  # and the engine disturbs no progress bar


def test_a_level_plays_the_same_whatever_was_open_before(make_arena: MakeArena) -> None:
    def play(env: ArenaEnv, seed: int) -> str:
        digest = hashlib.sha256(env.reset(seed=seed)[0].tobytes())
        for word in ("left", "w", "w", "enter", "d", "space", "c", "up") * 3:
            frame, *_, info = env.step(action_index(word))
            digest.update(frame.tobytes() + repr(info).encode())
        return digest.hexdigest()

    env = make_arena(ALL)
    alone = {seed: play(env, seed) for seed in range(4)}
    for seed in (3, 3, 0, 2, 1, 0, 3):
        assert play(env, seed) == alone[seed]
