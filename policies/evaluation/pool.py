"""The worker processes from the parent's side: episodes out, results in, the dead replaced.

Knows nothing of what the results mean.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait

from gameenv.errors import GameEnvError, InvalidInputError
from gameenv.processes import Worker, sigint_held_back
from policies.base import Observation
from policies.evaluation import worker
from policies.evaluation.host import Answer
from policies.evaluation.plan import EpisodeJob
from policies.evaluation.results import NO_SERVER, RAISED, EpisodeRow
from policies.evaluation.worker import EpisodeFailed, EpisodeTask
from policies.rollout import EpisodeResult

Answerer = Callable[[Sequence[Observation]], Sequence[Answer]]
STALL_S = 600.0
"""A worker that says nothing for so long is taken for dead. Any that plays says something every few seconds."""
_LOOK_AROUND_S = 0.5
_LOOK_AGAIN_S = 0.01
_GRACE_S = 3.0
_STARTS_LOST = 3


@dataclass(eq=False, slots=True)
class _Player:
    """A worker, what it is at, and when it was last heard of."""

    worker: Worker
    task: EpisodeTask | None = None
    ready: bool = False
    silent: bool = False
    heard_s: float = 0.0


class WorkerPool:
    """So many worker processes, from ``__enter__`` to ``close``.

    Args:
        count: How many.
        stall_s: Seconds of silence after which a worker with an episode is killed and replaced.

    Raises:
        InvalidInputError: If ``count`` is below 1.
    """

    def __init__(self, count: int, stall_s: float = STALL_S) -> None:
        if count < 1:
            raise InvalidInputError(f"workers must be at least 1, got {count}")
        self._count = count
        self._stall_s = stall_s
        self._players: list[_Player] = []
        self._lost_starts = 0

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are there."""
        return tuple(each.worker.pid for each in self._players)

    def run(
        self, jobs: Iterable[EpisodeJob], answerer: Answerer | None = None, history: int = 0
    ) -> Iterator[EpisodeRow]:
        """Play every job and yield its row as it ends, in any order.

        Args:
            jobs: Episodes of one policy.
            answerer: Answers for a policy that lives in this process; None lets each worker load its own.
            history: How many earlier frames that policy asks for.

        Raises:
            GameEnvError: If workers die before they can play anything.
        """
        waiting = iter(jobs)
        more = self._hand_out(waiting, answerer is not None, history)
        while more or any(each.task for each in self._players):
            requests: list[tuple[_Player, Observation]] = []
            for each in self._heard():
                try:
                    message = each.worker.connection.recv()
                except (EOFError, OSError):
                    each.silent = True  # its process has ended or is about to; that is looked at below
                    continue
                each.heard_s = time.monotonic()
                if isinstance(message, Observation):
                    requests.append((each, message))
                elif isinstance(message, EpisodeResult | EpisodeFailed):
                    yield self._finish(each, message)
                elif message == worker.READY:
                    each.ready, self._lost_starts = True, 0
            if requests and answerer:
                for (each, _), reply in zip(requests, answerer([request for _, request in requests]), strict=True):
                    each.heard_s = time.monotonic()
                    each.worker.send(reply)
            yield from self._bury_the_dead()
            more = self._hand_out(waiting, answerer is not None, history)

    def close(self) -> None:
        """Stop every worker: kindly, then not. May be called twice."""
        players, self._players = self._players, []
        for each in players:
            each.worker.send(None)
        deadline = time.monotonic() + _GRACE_S
        for each in players:
            each.worker.end(max(0.0, deadline - time.monotonic()))

    def _hand_out(self, waiting: Iterator[EpisodeJob], remote: bool, history: int) -> bool:
        """Give every idle worker its next job, starting workers up to the number wanted. False when none is left."""
        while idle := self._idle():
            job = next(waiting, None)
            if job is None:
                return False
            each = idle if isinstance(idle, _Player) else self._start()
            each.task, each.heard_s = EpisodeTask(job, remote, history), time.monotonic()
            each.worker.send(each.task)
        return True

    def _idle(self) -> _Player | bool:
        free = next((each for each in self._players if each.task is None), None)
        return free or len(self._players) < self._count

    def _start(self) -> _Player:
        with sigint_held_back():  # or a Ctrl-C could come between its start and its place in the list
            each = _Player(Worker(worker.serve, name="gameenv-evaluate worker", daemon=True))
            self._players.append(each)
        return each

    def _heard(self) -> list[_Player]:
        talking = [each.worker.connection for each in self._players if not each.silent]
        ready = wait(talking, timeout=_LOOK_AROUND_S if len(talking) == len(self._players) else _LOOK_AGAIN_S)
        return [each for each in self._players if each.worker.connection in ready]

    def _finish(self, each: _Player, message: EpisodeResult | EpisodeFailed) -> EpisodeRow:
        assert each.task is not None
        job, each.task = each.task.job, None
        if isinstance(message, EpisodeResult):
            return EpisodeRow.of(job, message)
        return EpisodeRow.failed(job, message.error, NO_SERVER if message.no_server else RAISED)

    def _bury_the_dead(self) -> Iterator[EpisodeRow]:
        """Remove the workers whose process is gone or silent; the episode of each is a failure."""
        for each in list(self._players):
            stalled = each.task is not None and time.monotonic() - each.heard_s > self._stall_s
            if stalled:
                each.worker.process.kill()
                each.worker.process.join()
            if each.worker.process.is_alive() or not (stalled or each.silent or not each.worker.connection.poll()):
                continue  # of a process that is gone, the last words are still to be read
            self._players.remove(each)
            each.worker.end()
            self._lost_starts += not each.ready
            code = each.worker.process.exitcode
            if self._lost_starts >= _STARTS_LOST:
                raise GameEnvError(
                    f"{_STARTS_LOST} worker processes ended (exit code {code}) before they could play; "
                    "what they printed above says why"
                )
            if each.task is not None:
                why = f"said nothing for {self._stall_s:g} s and was killed" if stalled else f"died (exit code {code})"
                yield EpisodeRow.failed(each.task.job, f"the worker process {why}")
