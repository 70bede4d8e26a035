"""What ``gameenv-label`` does besides labeling.

Foretells what it would ask, carries questions to a batch engine and answers back, and scores a labeler where the truth
is known. Knows nothing of the command line.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from labeling.book import LABELS_DIR
from labeling.build import check_session, clips_to_ask
from labeling.choice import AUTO, CARRIED, SERVER, VLM, Chooser
from labeling.glossary import Glossary, glossary_path
from labeling.jobs import LabelingJob, OnClip
from labeling.labeler import Clip
from labeling.naming.namer import Namer
from labeling.naming.pending import Estimate, Imported, Pending, estimate, export_requests, import_answers, pending
from labeling.naming.replies import REPLIES_FILE, Replies
from labeling.referee import Referee
from labeling.rounds import ask_all, word
from labeling.score import Judged, Score, judge, save, score_file, task_of
from labeling.segments import cut


def foretell(jobs: Sequence[LabelingJob], chooser: Chooser) -> Estimate:
    """What labeling would ask, without asking.

    Raises:
        InvalidInputError: If no session would be shown to a model.
        ServerError: If the model's name has to be asked for and the server does not answer.
    """
    clips, namer = _clips_for_model(jobs, chooser)
    return estimate(len(clips), _pending(clips, namer, chooser), namer)


def carry_out(jobs: Sequence[LabelingJob], chooser: Chooser, path: Path) -> int:
    """Write the questions without a reply as OpenAI batch requests; returns how many.

    Raises:
        InvalidInputError: If no session would be shown to a model, or the file's folder is not there.
        ServerError: As ``foretell``.
    """
    if not path.parent.is_dir():
        raise InvalidInputError(f"there is no folder {path.parent} to write {path.name} into")
    clips, namer = _clips_for_model(jobs, chooser)
    return export_requests(path, _pending(clips, namer, chooser), namer)


def carry_in(out: Path, path: Path) -> Imported:
    """Read a batch's answers into the replies kept in ``out``.

    Raises:
        InvalidInputError: If the file cannot be read, or has no answer in it.
    """
    replies = Replies(out / LABELS_DIR / REPLIES_FILE)
    try:
        return import_answers(path, replies)
    finally:
        replies.close()


def score_all(jobs: Sequence[LabelingJob], chooser: Chooser, on_clip: OnClip) -> Score:
    """Score the jobs' labeler on the sessions that the referee knows, and write the score beside the labels.

    Raises:
        InvalidInputError: If no labeler was named, or none of the sessions carries the truth.
        GameEnvError: If the labeler cannot be asked.
    """
    spec, model = jobs[0].labeler, jobs[0].naming.model
    if spec == AUTO:
        if not model:
            raise InvalidInputError("name who is to be scored: --labeler or --model; auto would be the referee itself")
        spec = SERVER if "://" in model else VLM
    referee, glossary = Referee(), Glossary.load(glossary_path(jobs[0].out))
    judged: list[Judged] = []
    objection = ""
    labeler = None
    for job in jobs:
        session = job.open()
        labeler = chooser.named(spec)
        objection = referee.objection(session) or labeler.objection(session) or ""
        if objection or not len(session):
            continue
        clips = [Clip(session, segment) for segment in cut(session, job.settings.seconds)]
        remember = (lambda each: each) if labeler.name in CARRIED else chooser.remember
        asked = ask_all(clips, labeler, remember, lambda done, total, job=job: on_clip(job, done, total))
        for clip, truth, each in zip(clips, referee.label(clips), asked, strict=True):
            judged.append(Judged(task_of(clip), truth, word(each, glossary)))
    if not judged or labeler is None:
        raise InvalidInputError(
            f"none of the {len(jobs)} sessions carries the truth to score by ({objection or 'they are empty'}); record "
            "some in the built-in game: gameenv-record --player expert"
        )
    score = judge(judged, labeler.name, labeler.version)
    save(score, score_file(jobs[0].out, labeler.name))
    return score


def _clips_for_model(jobs: Sequence[LabelingJob], chooser: Chooser) -> tuple[list[Clip], Namer]:
    """The clips that a model would be asked about, and the model."""
    clips: list[Clip] = []
    problem: GameEnvError | None = None
    for job in jobs:
        try:
            session = job.open()
            labeler = chooser.choose(session)
            if isinstance(labeler, Namer):
                check_session(session, labeler)
                clips += clips_to_ask(session, job.out, job.settings)
        except (InvalidInputError, SessionError) as error:
            problem = error
    if chooser.namer is None:
        raise problem or InvalidInputError(
            "no session needs a model, each carries its goals; --labeler server asks one"
        )
    return clips, chooser.namer


def _pending(clips: Sequence[Clip], namer: Namer, chooser: Chooser) -> Iterator[Pending]:
    for attempt in range(namer.options.passes):
        asked = namer.again(attempt) if attempt else namer
        yield from pending(clips, asked, chooser.remember(asked))
