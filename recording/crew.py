"""The processes of a recording: starts one worker a session, hears how far each is, and stops them all together.

Each worker leads a process group, so a Ctrl-C in the terminal reaches only this process, which asks the workers to
close their sessions; and what a killed worker leaves running (the game's engines) can be ended with it. A worker
whose parent is gone closes its session too. Knows nothing of the terminal.
"""

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.synchronize import Event

from gameenv.errors import GameEnvError
from gameenv.processes import Worker, settle_in, sigint_held_back
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
class _Recorder:
    position: int
    plan: Schedule
    worker: Worker


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
    stop = multiprocessing.get_context("spawn").Event()
    recorders: list[_Recorder] = []
    outcomes: list[RecordedSession] = []
    failures: list[Failure] = []
    try:
        with sigint_held_back():  # or a Ctrl-C could come between the start of one and its place in the list
            for position, plan in enumerate(plans):
                worker = Worker(_work, plan, stop, name=plan.session_id, daemon=False)
                recorders.append(_Recorder(position, plan, worker))
        busy = list(recorders)
        while busy:
            if should_stop():
                stop.set()
            wait([each.worker.connection for each in busy], timeout=_REPORT_PERIOD_S)
            for each in list(busy):
                message = _hear(each)
                if isinstance(message, int):
                    on_progress(each.position, message)
                    continue
                if message is not None:
                    busy.remove(each)
                if isinstance(message, RecordedSession):
                    outcomes.append(message)
                elif isinstance(message, Failure):
                    failures.append(message)
    finally:
        stop.set()
        deadline = time.monotonic() + _STOP_S
        for each in recorders:
            each.worker.end(max(0.0, deadline - time.monotonic()))
    return outcomes, failures


def _hear(recorder: _Recorder) -> int | RecordedSession | Failure | None:
    """Return what a worker last said: its ticks or its end; None if it said nothing."""
    # Asked before the pipe, so that the last words of a worker that ends in between are not missed. The pipe's
    # own end would not tell: an engine that outlives its worker may hold a copy of it.
    process, pipe = recorder.worker.process, recorder.worker.connection
    exit_code = process.exitcode
    message = None
    try:
        while pipe.poll():
            message = pipe.recv()
            if not isinstance(message, int):
                return message
    except (EOFError, OSError):
        process.join(_STOP_S)
        exit_code = process.exitcode
        return Failure(recorder.plan.session_id, _how_it_died(exit_code))
    if exit_code is not None:
        return Failure(recorder.plan.session_id, _how_it_died(exit_code))
    return message


def _work(pipe: Connection, plan: Schedule, stop: Event) -> None:
    """A worker's whole life."""
    settle_in(pipe)
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
