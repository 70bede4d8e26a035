"""An imitating network learns from what comes of its play, by the referee's rules, and can be killed."""

import json
import subprocess
import sys
import time
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
import torch
from stable_baselines3.common.env_checker import check_env

from gameenv.actions import ACTIONS, action_index
from gameenv.arena.player.expert import Expert
from gameenv.frames import FrameSpec
from policies import load_policy
from policies.bc import INPUT_SIZE, BCPolicy, build_network
from policies.card import ModelCard
from tests.training.conftest import command
from training.reinforce.actor import AnchoredActor
from training.reinforce.chunk_env import DECISION_COST, ChunkEnv

SPEC = FrameSpec(*INPUT_SIZE)
WORDS = ("go", "lantern", "the", "to")
DECLARES = np.array([0, 0, 0, 1])


@pytest.fixture
def env():
    arena = gym.make("gameenv/Arena-v0", frame_size=(128, 72))
    made = ChunkEnv(arena.unwrapped, ["go-to-lantern"], SPEC, WORDS, execute=3)
    yield made
    made.close()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    card = ModelCard(
        kind="bc", fps=10.0, recorded=FrameSpec(128, 72), trained_tasks=("go-to-lantern",), extra={"words": WORDS}
    )
    BCPolicy(build_network(len(WORDS)), WORDS, card).save(tmp_path / "bc")
    return tmp_path / "bc"


def test_it_is_an_environment_for_stable_baselines3(env):
    check_env(env)


def test_a_right_declaration_is_worth_one_and_ends_the_episode(env):
    _, info = env.reset(seed=5)
    expert = Expert()
    expert.attach(env.env)
    expert.reset("Go to the lantern", seed=0)
    over = False
    while not info["goal_reached"]:
        assert not over
        word = action_index(expert.act()[0])
        _, _, over, _, info = env.step(np.array([word, 0]))
    _, reward, over, _, info = env.step(np.array([0, 1]))
    assert over
    assert info["outcome"] == "success"
    assert reward == pytest.approx(1 - DECISION_COST)


def test_a_wrong_declaration_ends_it_for_nothing(env):
    env.reset(seed=1)
    _, reward, over, _, info = env.step(DECLARES)
    assert over
    assert reward == -DECISION_COST
    assert info["outcome"] == "wrong-declaration"


def test_standing_still_declares_nothing(env):
    env.reset(seed=1)
    for _ in range(4):
        _, reward, over, _, _ = env.step(np.array([0, 0, 0, 0]))
        assert not over
        assert reward == -DECISION_COST


def test_resets_draw_levels_and_the_same_seed_the_same(env):
    first, _ = env.reset(seed=3)
    second, _ = env.reset()
    again, _ = env.reset(seed=3)
    assert not np.array_equal(first["frame"], second["frame"])
    assert np.array_equal(first["frame"], again["frame"])


def test_it_begins_as_the_imitation_and_only_what_is_played_counts(env):
    torch.manual_seed(0)
    network = build_network(len(WORDS)).eval()
    actor = AnchoredActor(env.observation_space, env.action_space, lambda _: 1e-3, imitation=lambda: network)
    seen, _ = env.reset(seed=1)
    obs = {name: torch.from_numpy(value)[None] for name, value in seen.items()}
    pixels = torch.from_numpy(seen["frame"]).permute(2, 0, 1)[None].float() / 255
    words, declares = network(pixels, torch.from_numpy(seen["goal"])[None])
    assert declares is not None
    odds = words[0, :3].log_softmax(-1)
    play, stop = torch.tensor([[1, 2, 3, 0]]), torch.tensor([[1, 2, 3, 1]])
    _, log_probability, entropy = actor.evaluate_actions(obs, play)
    expected = odds[0, 1] + odds[1, 2] + odds[2, 3] + torch.nn.functional.logsigmoid(-declares[0])
    assert log_probability[0].item() == pytest.approx(expected.item(), abs=1e-4)
    assert entropy.abs().max().item() == pytest.approx(0, abs=1e-5), "no divergence yet"
    _, log_probability, _ = actor.evaluate_actions(obs, stop)
    assert log_probability[0].item() == pytest.approx(torch.nn.functional.logsigmoid(declares[0]).item(), abs=1e-4)
    with torch.no_grad():
        actor.network.body[-1].bias += torch.randn(7 * len(ACTIONS))
    _, _, entropy = actor.evaluate_actions(obs, play)
    assert entropy.max().item() < -0.01, "minus the divergence from the imitation"


@pytest.mark.slow
def test_the_command_goes_on_where_it_was_killed_and_leaves_a_model(model: Path, tmp_path: Path):
    out = tmp_path / "rl"
    line = (
        "training.reinforce", "--init", model, "--out", out, "--decisions", "192", "--envs", "2", "--rollout", "32",
        "--batch-size", "32",
    )  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", *map(str, line)], stderr=subprocess.DEVNULL) as process:
        while not (out / "checkpoint.zip").exists():
            assert process.poll() is None
            time.sleep(0.05)
        process.kill()
    done = command(*line)
    assert done.returncode == 0, done.stderr
    curve = [json.loads(row) for row in (out / "curve.jsonl").read_text().splitlines()]
    assert [point["decisions"] for point in curve][-1] == 192
    assert len(curve) == 3, "no rollout twice"
    after = load_policy(f"bc:{out}")
    assert isinstance(after, BCPolicy)
    before = BCPolicy.load(model)
    changed = [
        not torch.equal(a, b) for a, b in zip(after.network.parameters(), before.network.parameters(), strict=True)
    ]
    assert any(changed)
    assert "finished already" in command(*line).stderr
    assert "other settings" in command(*line, "--anchor", "0.5").stderr


def test_bad_input_is_said(model: Path, tmp_path: Path):
    out = str(tmp_path / "rl")
    assert "gameenv.json" in command("training.reinforce", "--init", tmp_path, "--out", out).stderr
    wrong = command("training.reinforce", "--init", model, "--out", out, "--tasks", "go-to-lantrn")
    assert "did you mean" in wrong.stderr.lower()
    assert "--execute" in command("training.reinforce", "--init", model, "--out", out, "--execute", "9").stderr
