"""A worker process: owns one environment and plays the episodes it is told, one at a time.

A policy that batches lives in the parent; ``RemotePolicy`` stands for it here. Any other policy is loaded here. It
knows nothing of results or of the other workers.

Parent to worker: ``EpisodeTask``; the answer to a request (a chunk's words, or ``Refused``); None to stop.
Worker to parent: ``READY`` once; ``Observation``; ``ALIVE`` now and then; ``EpisodeResult`` or ``EpisodeFailed`` last.
"""

import contextlib
import os
import sys
import time
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any, Literal

import gymnasium as gym

import gameenv  # noqa: F401 (registers the environment ids)
from gameenv.actions import ActionChunk
from gameenv.errors import InvalidReply, ServerError
from gameenv.processes import settle_in
from policies.base import Observation, Policy
from policies.evaluation.plan import EnvSpec, EpisodeJob
from policies.ledger import EpisodeResult
from policies.load import load_policy
from policies.realtime import run_paced
from policies.rollout import run_episode

READY, ALIVE = "ready", "alive"
_ALIVE_PERIOD_S = 5.0


@dataclass(frozen=True, slots=True)
class EpisodeTask:
    """An episode to play.

    Attributes:
        job: What to play.
        remote: Whether the policy answers from the parent.
        history: How many earlier frames that policy asks for.
    """

    job: EpisodeJob
    remote: bool
    history: int = 0


@dataclass(frozen=True, slots=True)
class Refused:
    """The policy in the parent raised: a reply that cannot be read, for want of its server, or anything else."""

    error: str
    why: Literal["invalid-reply", "no-server", "raised"]


@dataclass(frozen=True, slots=True)
class EpisodeFailed:
    """The episode raised; for want of the policy's server, it says nothing about the policy."""

    error: str
    no_server: bool


class RemotePolicyError(Exception):
    """The policy in the parent raised; the message is what it said."""


class RemoteServerError(ServerError):
    """The policy in the parent has lost its server; the message is what it said."""


class RemotePolicy:
    """A policy that lives in the parent process.

    It has no seed: a policy that batches has no memory, and so nothing that an episode could begin anew.

    Args:
        parent: The way to it.
        history: How many earlier frames it asks for.
    """

    def __init__(self, parent: Connection, history: int = 0) -> None:
        self._parent = parent
        self.history = history

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode."""

    def predict(self, observation: Observation) -> ActionChunk:
        """Ask the parent and wait.

        Raises:
            InvalidReply: If the policy's reply could not be read.
            RemoteServerError: If its server was not there.
            RemotePolicyError: If the policy raised anything else.
            EOFError: If the parent is gone.
        """
        self._parent.send(observation)
        answer = self._parent.recv()
        if isinstance(answer, Refused):
            raise _REMOTE[answer.why](answer.error)
        return ActionChunk(answer)


_REMOTE = {"invalid-reply": InvalidReply, "no-server": RemoteServerError, "raised": RemotePolicyError}


def describe(error: BaseException) -> str:
    """One line: what was raised, what it said, and the place in the code."""
    if isinstance(error, RemotePolicyError | RemoteServerError):
        return str(error)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    frames = traceback.extract_tb(error.__traceback__)
    return f"{text} ({os.path.basename(frames[-1].filename)}:{frames[-1].lineno})" if frames else text


def serve(parent: Connection) -> None:
    """Play what the parent sends until it says stop or is gone. The body of the process."""
    settle_in(parent)
    with contextlib.closing(_Player(parent)) as player, contextlib.suppress(EOFError, BrokenPipeError, ConnectionError):
        parent.send(READY)
        while (task := parent.recv()) is not None:
            parent.send(player.play(task))


class _Player:
    """The environment and the policies that this process keeps between episodes."""

    def __init__(self, parent: Connection) -> None:
        self._parent = parent
        self._env: gym.Env[Any, Any] | None = None
        self._spec: EnvSpec | None = None
        self._policies: dict[str, Policy] = {}
        self._said_alive_s = time.monotonic()

    def play(self, task: EpisodeTask) -> object:
        """Play an episode; anything that it raises is its result."""
        try:
            policy = RemotePolicy(self._parent, task.history) if task.remote else self._policy(task.job)
            env = self._open(task.job.env)
            return self._run(env, policy, task.job)
        except (EOFError, BrokenPipeError, ConnectionError) as error:
            if self._parent.closed or not self._parent_lives():
                raise
            return self._give_up(error)
        except Exception as error:
            return self._give_up(error)

    def _run(self, env: gym.Env[Any, Any], policy: Policy, job: EpisodeJob) -> EpisodeResult:
        observers = [self._say_alive]
        if job.pace is None:
            return run_episode(env, policy, seed=job.seed, execute=job.execute, observers=observers)
        return run_paced(env, policy, job.pace, job.env.fps, job.execute, job.seed, observers=observers)[0]

    def close(self) -> None:
        """Close the environment; may be called twice."""
        env, self._env, self._spec = self._env, None, None
        if env is not None:
            with contextlib.suppress(Exception):  # whatever is wrong with it was reported when it was played
                env.close()

    def _give_up(self, error: Exception) -> EpisodeFailed:
        self.close()  # the next episode gets a fresh environment
        return EpisodeFailed(describe(error), isinstance(error, ServerError))

    def _policy(self, job: EpisodeJob) -> Policy:
        spec = job.policy.spec
        if spec not in self._policies:
            self._policies.clear()
            self._policies[spec] = load_policy(spec, job.model)
            if "torch" in sys.modules:
                sys.modules["torch"].set_num_threads(1)  # the other workers have cores of their own to fill
        return self._policies[spec]

    def _open(self, spec: EnvSpec) -> gym.Env[Any, Any]:
        if self._env is None or self._spec != spec:
            self.close()
            self._env, self._spec = spec.make(), spec
        return self._env

    def _say_alive(self, *_: object) -> None:
        if time.monotonic() - self._said_alive_s > _ALIVE_PERIOD_S:
            self._said_alive_s = time.monotonic()
            self._parent.send(ALIVE)

    def _parent_lives(self) -> bool:
        try:
            self._parent.send(ALIVE)
        except (OSError, ValueError):
            return False
        return True
