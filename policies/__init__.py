"""Whoever acts: the policy protocol, baselines, learned policies, rollouts and evaluation."""

from policies.base import Observation, Policy
from policies.ledger import EpisodeResult
from policies.load import load_policy
from policies.rollout import run_episode

__all__ = ["EpisodeResult", "Observation", "Policy", "load_policy", "run_episode"]
