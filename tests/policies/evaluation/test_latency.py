"""Seconds a chunk, measured on a real arena."""

import time

from gameenv.actions import ActionChunk
from policies.base import Observation
from policies.evaluation.latency import measure
from policies.evaluation.plan import EnvSpec
from policies.load import load_policy
from tests.policies.evaluation import players

ENV = EnvSpec("gameenv/Arena-v0", "go-to-lantern", "validation", (256, 144))


class Punctual(players.Single):
    """Takes 5 ms, and much longer the first three times, as a model that warms up does."""

    asked = 0

    def predict(self, observation: Observation) -> ActionChunk:
        time.sleep(0.005 if self.asked >= 3 else 0.3)
        self.asked += 1
        return players.TURN


def test_it_measures_what_a_chunk_takes_once_warm() -> None:
    policy = Punctual()
    measured = measure(policy, ENV, seed=0, frames=20)
    assert (measured.n, policy.asked) == (20, 23)
    assert measured.p50_s is not None
    assert measured.p95_s is not None
    assert measured.mean_s is not None
    assert 0.005 <= measured.p50_s <= measured.p95_s
    assert measured.mean_s < 0.04, "the three slow ones would make it 0.05 at least"
    assert measured.p95_s < 0.3


def test_it_goes_on_with_the_next_level_where_an_episode_ends() -> None:
    assert measure(load_policy("none"), ENV, seed=0, frames=300).n == 300


def test_a_policy_that_needs_the_environment_gets_it() -> None:
    assert measure(load_policy("expert"), ENV, seed=0, frames=5).error is None


def test_replies_that_cannot_be_read_are_timed_and_errors_are_told() -> None:
    assert measure(load_policy("tests.policies.evaluation.players:Slow"), ENV, seed=0, frames=2).n == 2
    broken = measure(players.Raising(), ENV, seed=1)
    assert (broken.n, broken.p50_s) == (0, None)
    assert str(broken.error).startswith("ValueError: odd levels")
