"""How long a chunk takes when nothing else runs: one frame at a time, in this process, workers idle.

Knows nothing of success. The frames are those of an episode that the policy itself plays.
"""

from contextlib import closing
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

import gameenv  # noqa: F401 (registers the environment ids)
from gameenv.errors import ServerError
from policies.base import Policy
from policies.evaluation.plan import EnvSpec
from policies.evaluation.worker import describe
from policies.rollout import run_episode

FRAMES = 30
WARM_UP = 3


@dataclass(frozen=True, slots=True)
class Latency:
    """Seconds that ``predict`` took over ``n`` frames; None where the policy or the environment raised.

    Attributes:
        n: Frames measured.
        mean_s, p50_s, p95_s, p99_s: Seconds a chunk.
        error: What raised, None if nothing did.
    """

    n: int
    mean_s: float | None
    p50_s: float | None
    p95_s: float | None
    p99_s: float | None
    error: str | None = None


def measure(policy: Policy, spec: EnvSpec, seed: int, frames: int = FRAMES) -> Latency:
    """Time ``predict`` on ``frames`` frames of the episodes from ``seed`` on, after a few that warm it up.

    A reply that cannot be read is timed like any other. What the policy or the environment raises ends the
    measurement and is told in the result.

    Raises:
        ServerError: If the policy's server is not there.
    """
    try:
        with closing(spec.make()) as env:
            taken = _time_chunks(policy, env, seed, WARM_UP + frames)[WARM_UP:]
    except ServerError:
        raise
    except Exception as error:
        return Latency(0, None, None, None, None, describe(error))
    p50, p95, p99 = (round(float(value), 6) for value in np.percentile(taken, (50, 95, 99)))
    return Latency(len(taken), round(float(np.mean(taken)), 6), p50, p95, p99)


def _time_chunks(policy: Policy, env: gym.Env[Any, Any], seed: int, count: int) -> list[float]:
    taken: list[float] = []
    while len(taken) < count:
        taken += run_episode(env, policy, seed=seed, execute=1, max_steps=count - len(taken)).chunk_seconds
        seed += 1
    return taken[:count]
