"""Whoever acts: the policy protocol, baselines, learned policies, rollouts and evaluation."""

from policies.base import Policy
from policies.load import load_policy
from policies.rollout import EpisodeResult, run_episode

__all__ = ["EpisodeResult", "Policy", "load_policy", "run_episode"]
