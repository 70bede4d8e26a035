"""The model that comes with the repository is what its page says: small, whole, and able to play what it learned."""

from pathlib import Path

import gymnasium as gym
import pytest

import gameenv  # noqa: F401 (registers the environments)
from policies import load_policy, run_episode
from policies.card import ModelCard
from policies.conformance import check_policy
from policies.vlm.policy import VLMPolicy

ROOT = Path(__file__).resolve().parents[3]
BASE = ROOT / "models" / "arena-base"
LEARNED = ("go-to-lantern", "go-to-torch", "open-door")


@pytest.fixture(scope="module")
def policy() -> VLMPolicy:
    found = load_policy(str(BASE))
    assert isinstance(found, VLMPolicy)
    return found


def test_is_small_enough_for_a_repository() -> None:
    assert sum(file.stat().st_size for file in BASE.iterdir()) < 12e6


@pytest.mark.slow
def test_keeps_the_contract_and_says_what_it_learned(policy: VLMPolicy) -> None:
    check_policy(policy)
    assert sorted(ModelCard.load(BASE).trained_tasks) == sorted(LEARNED)
    assert policy.model.config.model_type == "qwen3_vl"


@pytest.mark.parametrize("word", ["switch", "posters", "vent", "ledge", "stairs", "guard"])
def test_has_a_token_for_the_words_of_tasks_it_never_saw(policy: VLMPolicy, word: str) -> None:
    assert len(policy.maker.tokenizer(f" {word}", add_special_tokens=False)["input_ids"]) == 1


@pytest.mark.slow
def test_reaches_lights_on_levels_it_never_saw(policy: VLMPolicy) -> None:
    env = gym.make("gameenv/Arena-v0", task="go-to-torch", split="validation")
    reached = [run_episode(env, policy, seed=seed, execute=3).reached for seed in range(12)]
    env.close()
    assert sum(reached) >= 3, "the random player reaches about one in fifty"
