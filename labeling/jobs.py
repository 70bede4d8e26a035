"""Labels many sessions, here or in several processes, and yields what became of each.

Importable by the processes it starts, which a ``__main__`` is not. Knows nothing of the command line.
"""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from gameenv.processes import sigint_held_back, worker_pool
from labeling.build import LabeledSession, label_session
from labeling.choice import choose_labeler
from labeling.labeler import SetAside
from labeling.samples import SampleSettings
from recording.edits import GoalEdit
from recording.session import Session


@dataclass(frozen=True, slots=True)
class LabelingJob:
    """One session to label."""

    path: Path
    out: Path
    labeler: str
    settings: SampleSettings
    said: tuple[GoalEdit, ...] = ()
    """What a person says about it beside what the session holds."""

    def open(self) -> Session:
        """Read the session, with the goals that were said."""
        return Session(self.path).with_edits(self.said)


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: its clips with and without a goal, or why the session was refused."""

    job: LabelingJob
    outcomes: tuple[LabeledSession, ...] = ()
    set_aside: tuple[SetAside, ...] = ()
    refusal: GameEnvError | None = None


def label_all(
    jobs: Sequence[LabelingJob], workers: int, on_clip: Callable[[LabelingJob, int, int], object]
) -> Iterator[Result]:
    """Label each session, ``workers`` of them at a time.

    Args:
        jobs: The sessions.
        workers: Processes; 1 labels here.
        on_clip: Called after each clip with how many are done and how many there are, where the work is done here.

    Raises:
        DiskFullError: If the disk is full.
        GameEnvError: If a process died (out of memory, say); finished segments stay.
    """
    if min(workers, len(jobs)) <= 1:
        for job in jobs:
            yield _label(job, on_clip)
        return
    try:
        # a worker may end at any moment without harm, so nobody waits for what it is at
        with worker_pool(min(workers, len(jobs))) as pool:
            with sigint_held_back():
                futures = [pool.submit(_label, job) for job in jobs]
            for future in as_completed(futures):
                yield future.result()
    except BrokenProcessPool as error:
        raise GameEnvError(
            "a worker process died, perhaps for want of memory. Finished segments are kept: run the same command again "
            "with fewer --workers."
        ) from error


def _label(
    job: LabelingJob, on_clip: Callable[[LabelingJob, int, int], object] = lambda job, done, total: None
) -> Result:
    try:
        session = job.open()
        labeler = choose_labeler(job.labeler, session)
        set_aside: list[SetAside] = []
        outcomes = label_session(
            session,
            job.out,
            labeler,
            job.settings,
            on_clip=lambda done, total: on_clip(job, done, total),
            on_set_aside=lambda segment, aside: set_aside.append(aside),
        )
        return Result(job, tuple(outcomes), tuple(set_aside))
    except (InvalidInputError, SessionError) as error:
        return Result(job, refusal=error)
