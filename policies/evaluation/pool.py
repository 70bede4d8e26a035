"""The worker processes from the parent's side: episodes out, results in, the dead replaced.

Knows nothing of what the results mean.
"""

import contextlib
import multiprocessing
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from typing import Any

from gameenv.errors import GameEnvError, InvalidInputError
from gameenv.processes import kill_group, sigint_held_back
from policies.base import Observation
from policies.evaluation import worker
from policies.evaluation.host import Answer
from policies.evaluation.plan import EpisodeJob
from policies.evaluation.results import EpisodeRow
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
class _Worker:
    process: Any
    connection: Connection
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
        self._context = multiprocessing.get_context("spawn")
        self._workers: list[_Worker] = []
        self._lost_starts = 0

    def __enter__(self) -> "WorkerPool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids of the workers that are there."""
        return tuple(each.process.pid for each in self._workers)

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
        while more or any(each.task for each in self._workers):
            requests: list[tuple[_Worker, Observation]] = []
            for each in self._heard():
                try:
                    message = each.connection.recv()
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
                    _send(each, reply)
            yield from self._bury_the_dead()
            more = self._hand_out(waiting, answerer is not None, history)

    def close(self) -> None:
        """Stop every worker: kindly, then not. May be called twice."""
        workers, self._workers = self._workers, []
        for each in workers:
            _send(each, None)
            each.connection.close()
        deadline = time.monotonic() + _GRACE_S
        for each in workers:
            each.process.join(max(0.0, deadline - time.monotonic()))
            _end(each)

    def _hand_out(self, waiting: Iterator[EpisodeJob], remote: bool, history: int) -> bool:
        """Give every idle worker its next job, starting workers up to the number wanted. False when none is left."""
        while idle := self._idle():
            job = next(waiting, None)
            if job is None:
                return False
            each = idle if isinstance(idle, _Worker) else self._start()
            each.task, each.heard_s = EpisodeTask(job, remote, history), time.monotonic()
            _send(each, each.task)
        return True

    def _idle(self) -> _Worker | bool:
        free = next((each for each in self._workers if each.task is None), None)
        return free or len(self._workers) < self._count

    def _start(self) -> _Worker:
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=worker.serve, args=(theirs,), daemon=True, name="gameenv-evaluate worker"
        )
        with sigint_held_back():  # for good: Ctrl-C never reaches a worker
            process.start()
        theirs.close()
        each = _Worker(process, ours)
        self._workers.append(each)
        return each

    def _heard(self) -> list[_Worker]:
        talking = [each.connection for each in self._workers if not each.silent]
        ready = wait(talking, timeout=_LOOK_AROUND_S if len(talking) == len(self._workers) else _LOOK_AGAIN_S)
        return [each for each in self._workers if each.connection in ready]

    def _finish(self, each: _Worker, message: EpisodeResult | EpisodeFailed) -> EpisodeRow:
        assert each.task is not None
        job, each.task = each.task.job, None
        return (
            EpisodeRow.failed(job, message.error) if isinstance(message, EpisodeFailed) else EpisodeRow.of(job, message)
        )

    def _bury_the_dead(self) -> Iterator[EpisodeRow]:
        """Remove the workers whose process is gone or silent; the episode of each is a failure."""
        for each in list(self._workers):
            stalled = each.task is not None and time.monotonic() - each.heard_s > self._stall_s
            if stalled:
                _end(each)
            if each.process.is_alive() or not (stalled or each.silent or not each.connection.poll()):
                continue  # of a process that is gone, the last words are still to be read
            self._workers.remove(each)
            each.connection.close()
            _end(each)
            self._lost_starts += not each.ready
            code = each.process.exitcode
            if self._lost_starts >= _STARTS_LOST:
                raise GameEnvError(
                    f"{_STARTS_LOST} worker processes ended (exit code {code}) before they could play; "
                    "what they printed above says why"
                )
            if each.task is not None:
                why = f"said nothing for {self._stall_s:g} s and was killed" if stalled else f"died (exit code {code})"
                yield EpisodeRow.failed(each.task.job, f"the worker process {why}")


def _end(each: _Worker) -> None:
    """Make sure that a worker is gone, and with it the game it had started, which outlives a worker that is killed.

    A worker leads a session of its own (``worker.serve``), so its process group is it and its game.
    """
    if each.process.is_alive():
        each.process.kill()
    kill_group(each.process.pid)
    each.process.join()


def _send(each: _Worker, message: object) -> None:
    with contextlib.suppress(OSError, ValueError):  # a worker that is gone is found by its process
        each.connection.send(message)
