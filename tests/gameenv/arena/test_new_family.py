"""A task family is one file: written into the package, it is found by everything."""

import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
FAMILY = '''"""Walk to the candelabra, among other lights."""

from random import Random

from gameenv.arena.levels import LevelDraft
from gameenv.arena.tasks.go_to_prop import draft
from gameenv.arena.world import decor

NAME = "go-to-candelabra"
PLACE = 9


def build(rng: Random) -> LevelDraft:
    """A room with the candelabra and another light."""
    wanted = next(light for light in decor.OTHER_LIGHTS if light.name == "candelabra")
    return draft(rng, wanted, [decor.LANTERN], wanted.name)
'''
PLAY = """
import gymnasium as gym
from gameenv import ARENA_ID
from gameenv.actions import action_index
from gameenv.arena.player.expert import Expert
from gameenv.arena.tasks import TASKS, check_task
from recording.__main__ import Args
print(*TASKS)
assert Args().tasks == tuple(TASKS)
env, expert, over = gym.make(ARENA_ID, task="go-to-candelabra", frame_size=(64, 36)), Expert(), False
expert.attach(env)
_, info = env.reset(seed=1)
expert.reset(info["goal"])
while not over:
    _, reward, terminated, truncated, info = env.step(action_index(expert.act()[0]))
    over = terminated or truncated
print(info["level"], info["goal"], reward)
env.close()
"""


def test_a_family_is_one_file(tmp_path: Path) -> None:
    for package in ("gameenv", "recording"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "gameenv/arena/tasks/go_to_candelabra.py").write_text(FAMILY)

    def run(*command: str) -> list[str]:
        done = subprocess.run(
            [sys.executable, *command], cwd=tmp_path, env={"PYTHONPATH": str(tmp_path), "COLUMNS": "200"},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    families, played = run("-c", PLAY)
    assert families.split()[-2:] == ["slip-past-guard", "go-to-candelabra"]
    assert played.split()[0] == "train/go-to-candelabra/1/g2"
    assert played.endswith("the candelabra 1.0")
    assert any("go-to-candelabra" in line for line in run("-m", "gameenv.arena", "list", "--levels", "2"))
