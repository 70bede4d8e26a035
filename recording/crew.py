"""The processes of a recording: starts one worker a session, hears how far each is, and stops them all together.

Each worker leads a process group, so a Ctrl-C in the terminal reaches only this process, which asks the workers to
close their sessions; and what a killed worker leaves running (the game's engines) can be ended with it. A worker
whose parent is gone closes its session too. Knows nothing of the terminal.
"""

import contextlib
import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnProcess
from multiprocessing.synchronize import Event

from gameenv.errors import GameEnvError
from gameenv.processes import kill_group, sigint_held_back
from recording.loop import RecordedSession, record_plan
from recording.schedule import Schedule

_REPORT_PERIOD_S = 0.2
_STOP_S = 20.0
"""Time a worker has to close its session before it is ended by force; what it wrote is readable all the same."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A worker that did not end in order, and why, in words for a person."""

    session_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Worker:
    position: int
    plan: Schedule
    process: SpawnProcess
    pipe: Connection


def run_crew(
    plans: Sequence[Schedule], on_progress: Callable[[int, int], object], should_stop: Callable[[], bool]
) -> tuple[list[RecordedSession], list[Failure]]:
    """Record all plans at once, each in a process of its own, and return when every process is gone.

    Args:
        plans: One a worker.
        on_progress: Called with a plan's position and its session's number of ticks, a few times a second.
        should_stop: Asked often; once it says True all workers close their sessions.

    Returns:
        The outcomes of those that ended in order, and the failures of the others.
    """
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    workers: list[_Worker] = []
    outcomes: list[RecordedSession] = []
    failures: list[Failure] = []
    try:
        with sigint_held_back():
            for position, plan in enumerate(plans):
                ours, theirs = context.Pipe(duplex=False)
                process = context.Process(target=_work, args=(plan, theirs, stop), name=plan.session_id)
                process.start()
                theirs.close()
                workers.append(_Worker(position, plan, process, ours))
        busy = list(workers)
        while busy:
            if should_stop():
                stop.set()
            wait([worker.pipe for worker in busy], timeout=_REPORT_PERIOD_S)
            for worker in list(busy):
                message = _hear(worker)
                if isinstance(message, int):
                    on_progress(worker.position, message)
                    continue
                if message is not None:
                    busy.remove(worker)
                if isinstance(message, RecordedSession):
                    outcomes.append(message)
                elif isinstance(message, Failure):
                    failures.append(message)
    finally:
        stop.set()
        _end(workers)
    return outcomes, failures


def _hear(worker: _Worker) -> int | RecordedSession | Failure | None:
    """Return what a worker last said: its ticks or its end; None if it said nothing."""
    # Asked before the pipe, so that the last words of a worker that ends in between are not missed. The pipe's
    # own end would not tell: an engine that outlives its worker may hold a copy of it.
    exit_code = worker.process.exitcode
    message = None
    try:
        while worker.pipe.poll():
            message = worker.pipe.recv()
            if not isinstance(message, int):
                return message
    except (EOFError, OSError):
        worker.process.join(_STOP_S)
        exit_code = worker.process.exitcode
        return Failure(worker.plan.session_id, _how_it_died(exit_code))
    if exit_code is not None:
        return Failure(worker.plan.session_id, _how_it_died(exit_code))
    return message


def _work(plan: Schedule, pipe: Connection, stop: Event) -> None:
    """A worker's whole life."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the engines inherit this
    if hasattr(os, "setpgid"):
        os.setpgid(0, 0)
        os.set_inheritable(pipe.fileno(), False)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    parent_gone = False
    next_report = 0.0

    def report(ticks: int) -> None:
        nonlocal parent_gone, next_report
        if parent_gone or time.monotonic() < next_report:
            return
        next_report = time.monotonic() + _REPORT_PERIOD_S
        try:
            pipe.send(ticks)
        except OSError:
            parent_gone = True

    try:
        result: RecordedSession | Failure = record_plan(plan, report, lambda: parent_gone or stop.is_set())
    except GameEnvError as error:
        result = Failure(plan.session_id, str(error))
    except Exception as error:
        result = Failure(plan.session_id, f"{type(error).__name__}: {error}")
    with contextlib.suppress(OSError):
        pipe.send(result)
    pipe.close()


def _how_it_died(exit_code: int | None) -> str:
    how = f"ended unexpectedly (exit code {exit_code})"
    if exit_code is not None and exit_code < 0:
        with contextlib.suppress(ValueError):
            how = f"was killed ({signal.Signals(-exit_code).name})"
    return f"its process {how}; what it recorded is kept, go on with --resume"


def _end(workers: Sequence[_Worker]) -> None:
    """Wait until every worker is gone, with force after a while, and end what they left running."""
    deadline = time.monotonic() + _STOP_S
    for worker in workers:
        worker.process.join(max(0.0, deadline - time.monotonic()))
        if worker.process.is_alive():
            worker.process.kill()
            worker.process.join()
        if worker.process.pid is not None:
            kill_group(worker.process.pid)
        worker.pipe.close()
