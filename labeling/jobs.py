"""Labels many sessions, here or in several processes, and yields what became of each.

Labelers that read the recording itself are asked as segments are written. Others are asked about everything first, for
one goal gets one wording only when all of them are known. Importable by the processes it starts, which a ``__main__``
is not. Knows nothing of the command line.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from gameenv.processes import sigint_held_back, worker_pool
from labeling.book import labels_file, tidy
from labeling.build import LabeledSession, check_session, clips_to_ask, label_session
from labeling.choice import CARRIED, Chooser
from labeling.glossary import Glossary, glossary_path
from labeling.labeler import Labeler, SetAside
from labeling.naming.namer import Namer
from labeling.naming.options import DEFAULT_NAMING, NamingOptions
from labeling.rounds import Asked, Given, ask_all, count_goals, word
from labeling.samples import SampleSettings
from labeling.segments import Segment
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
    naming: NamingOptions = DEFAULT_NAMING
    """How a model is asked."""

    def open(self) -> Session:
        """Read the session, with the goals that were said."""
        return Session(self.path).with_edits(self.said)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A clip that got no goal, and why."""

    segment: Segment
    aside: SetAside


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a job: its clips with and without a goal, or why the session was refused.

    Attributes:
        job: Which.
        outcomes: Its clips that have a goal.
        set_aside: Its clips that have none.
        asked: What a labeler that had to be asked said; nothing for one that reads the recording.
        refusal: Why there is nothing of all this.
    """

    job: LabelingJob
    outcomes: tuple[LabeledSession, ...] = ()
    set_aside: tuple[LeftOut, ...] = ()
    asked: tuple[Asked, ...] = ()
    refusal: GameEnvError | None = None


OnClip = Callable[[LabelingJob, int, int], object]


@dataclass(frozen=True, slots=True)
class _Named:
    """A session whose clips were asked about."""

    labeler: Labeler
    asked: tuple[Asked, ...]


def label_all(
    jobs: Sequence[LabelingJob],
    workers: int,
    on_clip: OnClip,
    chooser: Chooser | None = None,
) -> Iterator[Result]:
    """Label each session, ``workers`` of them at a time.

    Args:
        jobs: The sessions; all with one labeler, and one ``out``.
        workers: Processes; 1 labels here.
        on_clip: Called after each clip with how many are done and how many there are, where the work is done here.
        chooser: Gives the sessions their labelers here; made of the jobs where it is left out.

    Raises:
        DiskFullError: If the disk is full.
        GameEnvError: If a model cannot be asked, or a process died (out of memory, say); what is finished stays.
    """
    if min(workers, len(jobs)) <= 1:
        if jobs:
            yield from _label_here(jobs, on_clip, chooser or _chooser(jobs[0]))
        return
    try:
        # a worker may end at any moment without harm, so nobody waits for what it is at
        with worker_pool(min(workers, len(jobs))) as pool:
            with sigint_held_back():
                futures = [pool.submit(_label_one, job) for job in jobs]
            for future in as_completed(futures):
                yield future.result()
    except BrokenProcessPool as error:
        raise GameEnvError(
            "a worker process died, perhaps for want of memory. Finished segments are kept: run the same command again "
            "with fewer --workers."
        ) from error


def _chooser(job: LabelingJob) -> Chooser:
    return Chooser(job.labeler, job.naming, job.out)


def _label_one(job: LabelingJob) -> Result:
    (result,) = _label_here([job], lambda job, done, total: None, _chooser(job))
    return result


def _label_here(jobs: Sequence[LabelingJob], on_clip: OnClip, chooser: Chooser) -> Iterator[Result]:
    with chooser:
        named = [_ask(job, chooser, on_clip) for job in jobs]
        labelers = {each.labeler.name: each.labeler for each in named if isinstance(each, _Named)}
        if any(isinstance(each, Namer) for each in labelers.values()):
            named = _word(jobs[0].out, named)
        for job, each in zip(jobs, named, strict=True):
            yield _write(job, each, chooser, on_clip)
        for name in labelers:
            tidy(labels_file(jobs[0].out, name))


def _ask(job: LabelingJob, chooser: Chooser, on_clip: OnClip) -> _Named | GameEnvError | None:
    """Ask about a session; None where the labeler reads the recording, and is asked as segments are written."""
    try:
        session = job.open()
        labeler = chooser.choose(session)
        if labeler.name in CARRIED:
            return None
        check_session(session, labeler)
        clips = clips_to_ask(session, job.out, job.settings)
        asked = ask_all(clips, labeler, chooser.remember, lambda done, total: on_clip(job, done, total))
        return _Named(labeler, tuple(asked))
    except (InvalidInputError, SessionError) as error:
        return error


def _word(out: Path, named: Sequence[_Named | GameEnvError | None]) -> list[_Named | GameEnvError | None]:
    """Bring what a model named to one wording for each goal."""
    path = glossary_path(out)
    glossary = Glossary.load(path)
    of_models = [each for each in named if isinstance(each, _Named) and isinstance(each.labeler, Namer)]
    glossary.learn(sum((count_goals(each.asked) for each in of_models), Counter()))
    glossary.save(path)
    return [
        _Named(each.labeler, tuple(word(asked, glossary) for asked in each.asked))
        if isinstance(each, _Named) and isinstance(each.labeler, Namer)
        else each
        for each in named
    ]


def _write(job: LabelingJob, named: _Named | GameEnvError | None, chooser: Chooser, on_clip: OnClip) -> Result:
    """Write a session's segments."""
    if isinstance(named, GameEnvError):
        return Result(job, refusal=named)
    try:
        session = job.open()
        if named is None:
            labeler, asked = chooser.choose(session), ()
        else:
            labeler, asked = Given(named.labeler, {each.clip: each.answer for each in named.asked}), named.asked
        left_out: list[LeftOut] = []
        outcomes = label_session(
            session,
            job.out,
            labeler,
            job.settings,
            on_clip=lambda done, total: on_clip(job, done, total),
            on_set_aside=lambda segment, aside: left_out.append(LeftOut(segment, aside)),
        )
        return Result(job, tuple(outcomes), tuple(left_out), asked)
    except (InvalidInputError, SessionError) as error:
        return Result(job, refusal=error)
