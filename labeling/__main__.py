"""The command ``gameenv-label``: recordings in, labeled segments out.

Parses, shows progress and sums up; the work is in ``labeling.build``.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, NoReturn

import tyro

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, SessionError, UnknownNameError, require
from gameenv.files import LOCK_FILE, FileLock, LockedError
from gameenv.home import PathText
from gameenv.progress import Progress
from labeling.choice import AUTO, MODELS, Chooser
from labeling.errands import carry_in, carry_out, foretell, score_all
from labeling.jobs import LabelingJob, Result, label_all
from labeling.label_file import read_label_file
from labeling.naming.options import DEFAULT_NAMING, NamingOptions
from labeling.report import write_report
from labeling.samples import SampleSettings, Tail
from labeling.score import score_file, show
from labeling.segment_folder import DEFAULT_ROOT as DEFAULT_OUT
from labeling.segments import DEFAULT_SECONDS
from labeling.tally import Summary
from recording import chords
from recording.edits import EVERY_ROW, GoalEdit
from recording.info import read_info
from recording.session import DEFAULT_ROOT, find_sessions


@dataclass(frozen=True, slots=True)
class Args:
    """Cut recordings into clips, name the goal of each, and write training samples.

    For example:
        gameenv-label --sessions 2026-05-01_10-00 --tail none
        gameenv-label --sessions 2026-05-01_10-00 --goal "Open the door"
        gameenv-label --goals goals.csv
        gameenv-label --model http://localhost:8000/v1 --passes 2 --report
    """

    sessions: tuple[str, ...] = ()
    """Names of sessions under --root; all of them if none is named."""
    root: PathText = DEFAULT_ROOT
    """Where the recordings are (gameenv-record's folder)."""
    out: PathText = DEFAULT_OUT
    """Where the labeled segments go. On the recordings' file system frames take no space: they are linked."""
    labeler: str = AUTO
    """Who names the goals: referee (the arena's own truth), recorded (what gameenv-record --goal was given), server (a
    vision-language model behind an address), vlm (a Qwen3-VL here), or auto: the first of these that a session has,
    else the model that --model names. package.module:factory names one of your own."""
    goal: str | None = None
    """The goal, in 2 to 6 words, of whatever was recorded without one."""
    goals: Path | None = None
    """A label file, a CSV with the columns session, take (3 or 3-5) or rows (120-180), goal, reached (yes or no). What
    it says wins over every labeler, and over what was recorded."""
    seconds: float = DEFAULT_SECONDS
    """Length of a clip."""
    tail: Tail = "next"
    """What follows a clip's end. next: none (the action) only where the goal was reached, else what the player really
    did next. none: always the action none, the specification's plain rule."""
    chords: str = chords.DEFAULT
    """How several held keys become one action a tick: error-diffusion or priority."""
    keep_every: int = 1
    """Make one sample of every so many rows: samples of more levels in the same room. Frames of the others are not
    linked, so once the recordings are deleted they take no disk."""
    workers: int = 1
    """Sessions labeled at the same time, by labelers that ask no model."""
    strict: bool = False
    """End with exit code 1 if any session was refused; without it only if all were."""
    report: bool = False
    """Write labels/report.html beside the segments: goals with film strips of their clips, what is doubtful first."""
    score: bool = False
    """Score the labeler on recordings of the built-in game, where the referee knows the truth; writes no segment."""
    dry_run: bool = False
    """Print how many questions a model would be asked, their tokens, time and cost, and ask none."""
    export_requests: Path | None = None
    """Write the questions that have no answer yet to this file, as OpenAI batch requests, and ask none."""
    import_answers: Path | None = None
    """Read what a batch engine answered to them first, then label."""
    naming: Annotated[NamingOptions, tyro.conf.arg(name="")] = DEFAULT_NAMING


def run(args: Args) -> int:
    """Label the sessions and print a summary.

    Returns:
        0, or with ``strict`` 1 if a session was refused (each is named, with the reason; the others are labeled).

    Raises:
        GameEnvError: If nothing could be labeled.
    """
    settings = SampleSettings(args.seconds, args.tail, args.chords, args.keep_every)
    if args.workers < 1:
        raise InvalidInputError(f"--workers is at least 1, got {args.workers}")
    chooser = Chooser(args.labeler, args.naming, Path(args.out))
    if args.workers > 1 and (args.labeler in MODELS or args.naming.model):
        raise InvalidInputError(
            "--workers is for labelers that read the recording; a model is asked by one process, which has several "
            "questions --in-flight (a server) or in a --batch (a model here)"
        )
    paths = _find(Path(args.root), args.sessions)
    said = _said(args)
    jobs = [LabelingJob(path, Path(args.out), args.labeler, settings, said(path), args.naming) for path in paths]
    console = Console(stderr=True, soft_wrap=True)
    if args.report:
        require("jinja2", "evaluate")  # before hours of asking, not after
    with _only_labeler(Path(args.out)):
        if args.import_answers:
            console.print(str(carry_in(Path(args.out), args.import_answers)))
        if args.dry_run or args.export_requests or args.score:
            with chooser:
                _do_errand(args, jobs, chooser, console)
            return 0
        return _label(args, jobs, chooser, console)


def _do_errand(args: Args, jobs: list[LabelingJob], chooser: Chooser, console: Console) -> None:
    out = Console(soft_wrap=True)
    if args.dry_run:
        out.print(foretell(jobs, chooser).describe(args.naming.price_per_million))
    elif args.export_requests:
        count = carry_out(jobs, chooser, args.export_requests)
        out.print(f"{count} requests written to {args.export_requests}")
    else:
        with Progress(console) as progress:
            work = progress.begin("scoring", "sessions", len(jobs))
            score = score_all(jobs, chooser, lambda job, done, total: work.update(jobs.index(job) + done / total))
        show(score, out)
        out.print(f"written to {score_file(Path(args.out), score.labeler)}")


def _label(args: Args, jobs: list[LabelingJob], chooser: Chooser, console: Console) -> int:
    summary = Summary()
    refused: list[Result] = []
    results: list[Result] = []
    with Progress(console) as progress:
        work = progress.begin("labeling", "sessions", len(jobs))

        def show_clip(job: LabelingJob, done: int, total: int) -> None:
            work.update(jobs.index(job) + done / total, before=0, text=f"{job.path.name}, clip {done} of {total}")

        for finished, result in enumerate(label_all(jobs, args.workers, show_clip, chooser), start=1):
            work.update(finished, before=0)
            results += [result] if args.report else []
            summary.add(result.outcomes)
            summary.add_asked(result.asked)
            summary.add_set_aside(each.aside for each in result.set_aside)
            if result.refusal:
                refused.append(result)
                if len(jobs) > 1:
                    console.print(f"refused {result.job.path.name}: {result.refusal}")
    if len(jobs) == 1 and refused and refused[0].refusal:
        raise refused[0].refusal
    if len(refused) == len(jobs):
        raise SessionError(f"nothing was labeled: all {len(jobs)} sessions were refused, each for the reason above")
    for path, count in chooser.unreadable.items():
        console.print(f"{count} lines of {path} cannot be read: they stay there, and their clips were asked about anew")
    summary.show(Console(soft_wrap=True))
    Console(soft_wrap=True).print(f"written to {args.out}")
    if args.report:
        Console(soft_wrap=True).print(f"report: {write_report(Path(args.out), results)}")
    if refused:
        console.print(f"{len(refused)} of {len(jobs)} sessions were refused, for the reasons above")
    return 1 if refused and args.strict else 0


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "gameenv-label")


def _said(args: Args) -> Callable[[Path], tuple[GoalEdit, ...]]:
    """What a person says on the command line and in the label file about a session.

    Raises:
        InvalidInputError: If it cannot be meant.
    """
    rest = () if args.goal is None else (GoalEdit(args.goal, None, (EVERY_ROW,), only_missing=True),)
    known = {path.name: path for path in find_sessions(args.root)}
    said = {} if args.goals is None else read_label_file(args.goals, known)
    return lambda path: (*said.get(path.name, ()), *rest)


def _find(root: Path, names: Sequence[str]) -> list[Path]:
    """The sessions to label.

    Raises:
        SessionError: If there is none.
        UnknownNameError: If a named one is not there.
        InvalidInputError: If two of them are copies of one session.
    """
    found = {path.name: path for path in find_sessions(root)}
    if not found:
        raise SessionError(f"there are no sessions in {root}; record one with gameenv-record")
    for name in names:
        if name not in found:
            raise UnknownNameError(f"session in {root}", name, found)
    paths = [found[name] for name in dict.fromkeys(names)] if names else list(found.values())
    owner: dict[str, Path] = {}
    for path in paths:
        with suppress(SessionError):  # refused by name when its turn comes
            other = owner.setdefault(read_info(path).session_id, path)
            if other != path:
                raise InvalidInputError(
                    f"{other} and {path} are copies of one session, which would be labeled twice. Name one of them "
                    "with --sessions, or delete one."
                )
    return paths


@contextmanager
def _only_labeler(out: Path) -> Iterator[None]:
    """Keep a second labeler out of the folder: each would clean up the other's unfinished segments."""
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidInputError(f"cannot write to {out}: {error}. Name another --out") from error
    try:
        lock = FileLock(out / LOCK_FILE)
    except LockedError as holder:
        raise SessionError(
            f"another gameenv-label{holder} is writing {out}; wait for it, or use another --out"
        ) from None
    except PermissionError as error:
        raise InvalidInputError(f"cannot write to {out}: {error}. Name another --out") from error
    except OSError as error:
        raise InvalidInputError(f"cannot lock {out} ({error}). Name an --out on a disk that has file locks") from error
    with lock:
        yield


if __name__ == "__main__":
    main()
