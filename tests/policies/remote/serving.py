"""Policies to be served, servers of them in a process of their own, and strangers with raw sockets."""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from gameenv.actions import Action, ActionChunk
from gameenv.errors import InvalidReply
from policies.base import Observation, Policy
from policies.options import ModelOptions, RemoteOptions, ServerOptions
from policies.remote.service import DEFAULT_LIMITS, About, Limits, PolicyServer
from tests.gameenv.live.display import wait_for

CHECKOUT = Path(__file__).parents[3]
TOKEN = "a-token-of-tests"
TESTED = About("test")
PATIENT = ModelOptions(remote=RemoteOptions(remote_reconnect_s=60))
HASTY = ModelOptions(remote=RemoteOptions(remote_reconnect_s=0.5), server=ServerOptions(timeout_s=1, first_timeout_s=1))


class Echo:
    """Says what it was shown: words by the frame's brightness, ``committed``, ``played`` and ``earlier``."""

    batches = True
    history = 2

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.pause_s = 0.0

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        pass

    def predict(self, observation: Observation) -> ActionChunk:
        self.sizes.append(1)
        return self._chunk(observation)

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        self.sizes.append(len(observations))
        return [self._chunk(each) for each in observations]

    def _chunk(self, observation: Observation) -> ActionChunk:
        time.sleep(self.pause_s)
        if observation.goal == "raise":
            raise RuntimeError("out of ideas")
        if observation.goal == "mumble":
            raise InvalidReply("no words")
        bright: Action = "w" if observation.frame.mean() > 100 else "s"
        earlier = ("up",) * len(observation.earlier)
        words = [bright, *earlier, *observation.played[-2:], "a", "a", "a", "a", "a", "a", "a"]
        return ActionChunk.of([*observation.committed, *words][:7])


class Counts:
    """Remembers: says how many chunks of this episode came before, beginning with the seed."""

    def __init__(self) -> None:
        self._count = 0

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self._count = (seed or 0) % 5

    def predict(self, observation: Observation) -> ActionChunk:
        words = [*observation.committed, *["w"] * self._count, *["a"] * 7]
        self._count = (self._count + 1) % 6
        return ActionChunk.of(words[:7])


class Streams(Echo):
    """Publishes its words one by one, slowly."""

    def predict_stream(self, observation: Observation) -> Iterator[Action]:
        for word in self._chunk(observation).actions:
            time.sleep(0.05)
            yield word


@contextlib.contextmanager
def served(
    make: Callable[[], Policy], limits: Limits = DEFAULT_LIMITS, about: About = TESTED
) -> Iterator[PolicyServer]:
    """A server in this process."""
    with PolicyServer(make, about, TOKEN, limits=limits) as server:
        yield server


def metric(server_http: str, line: str) -> float:
    """A number of ``/metrics``, 0 where it has not been counted yet."""
    text = urllib.request.urlopen(f"{server_http}/metrics", timeout=10).read().decode()
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def health(server_http: str) -> tuple[int, str]:
    """Status and body of ``/healthz``."""
    try:
        with urllib.request.urlopen(f"{server_http}/healthz", timeout=10) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def free_port() -> int:
    """A port that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return bound.getsockname()[1]


class Command:
    """``gameenv-serve`` as a user runs it, in a folder."""

    def __init__(self, folder: Path, *options: str, token: str | None = TOKEN) -> None:
        path = os.pathsep.join([str(folder), str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONPATH": path, "HOME": str(folder)}
        environment.pop("GAMEENV_TOKEN", None)
        if token is not None:
            environment["GAMEENV_TOKEN"] = token
        self._said = folder / f"serve-{time.monotonic_ns()}.txt"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "policies.remote", *options],
                stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT, cwd=folder, env=environment,
            )  # fmt: skip

    @property
    def said(self) -> str:
        """What it has printed so far."""
        return self._said.read_text()

    def wait_until_serving(self) -> str:
        """Wait until it listens; returns its address."""
        wait_for(lambda: "healthz" in self.said or self.process.poll() is not None)
        found = re.search(r" at (remotes?://\S+)", self.said)
        assert found, self.said
        return found[1]

    def kill(self) -> None:
        """SIGKILL."""
        self.process.kill()
        self.process.wait(20)

    def close(self) -> None:
        """End it; may be called twice."""
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
