"""``gameenv-record``: records demonstrations. Reads the arguments, shows progress, prints what was recorded.

Knows nothing of how an episode is played or written.
"""

import contextlib
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rich.console import Console

from gameenv.arena.levels import check_seed, check_split
from gameenv.arena.tasks import check_task
from gameenv.cli import run_command
from gameenv.errors import GameEnvError, InvalidInputError, SessionError, UnknownNameError, require
from gameenv.frames import DEFAULT_SIZE, FrameSpec
from recording.crew import Failure, run_crew
from recording.plan import Plan, share_of
from recording.players import check_player
from recording.progress import Progress
from recording.session import DEFAULT_ROOT, Session, find_sessions
from recording.totals import add_totals, count_totals, describe_totals
from recording.worker import Outcome
from recording.wrapper import new_session_id

PROG = "gameenv-record"
GAMES = ("arena",)
DEFAULT_FRAMES = 36_000
"""One hour at 10 ticks a second, the specification's minimum of training data."""


@dataclass(frozen=True, slots=True)
class Args:
    """Record demonstrations into dataset/raw_playthrough/<session>/.

    Example: gameenv-record --player expert --frames 6000 --workers 2 --session first
    """

    game: str = "arena"
    """The game: arena, the built-in one."""
    player: str = "human"
    """Who plays: expert, the built-in game's scripted player. human is not available yet."""
    tasks: tuple[str, ...] = ("go-to-lantern", "go-to-torch", "open-door", "climb-stairs")
    """The tasks, played in turn; all draws one for each level."""
    split: str = "train"
    """Which levels: train, validation or test. They never share one."""
    seed: int = 0
    """First level number."""
    frames: int | None = None
    """Stop at the end of the episode in which so many ticks are recorded: 36000, one hour, unless --episodes."""
    episodes: int | None = None
    """Stop after so many episodes."""
    noise: float = 0.1
    """Share of the ticks, 0 to 0.5, that the expert spends exploring, so that recoveries are in the data."""
    out: str = DEFAULT_ROOT
    """The folder sessions live in."""
    session: str | None = None
    """Name of the session; by default the UTC time. With several workers, -w0, -w1 ... is added to it."""
    workers: int = 1
    """Processes, each with a session and levels of its own."""
    frame_size: tuple[int, int] = DEFAULT_SIZE
    """Width and height of the frames."""
    resume: bool = False
    """Go on with --session where it stopped, with the next level."""
    reserve_mb: int = 256
    """Megabytes of free disk to leave; recording stops before they are touched."""


def make_plans(args: Args) -> list[Plan]:
    """Return what each worker is to do.

    Raises:
        GameEnvError: If an argument cannot be used; the message says which, and what can.
    """
    if args.game not in GAMES:
        raise UnknownNameError("game", args.game, GAMES)
    check_player(args.player)
    for task in args.tasks:
        check_task(task)
    if not args.tasks or len(set(args.tasks)) != len(args.tasks):
        raise InvalidInputError(f"--tasks needs at least one task and each only once, got {list(args.tasks)}")
    FrameSpec(*args.frame_size)
    frames = DEFAULT_FRAMES if args.frames is None and args.episodes is None else args.frames
    for name, value, least in (
        ("frames", frames, 1),
        ("episodes", args.episodes, 1),
        ("workers", args.workers, 1),
        ("reserve-mb", args.reserve_mb, 0),
    ):
        if value is not None and value < least:
            raise InvalidInputError(f"--{name} must be at least {least}, got {value}")
    if not 0 <= args.noise <= 0.5:
        raise InvalidInputError(f"--noise is a share from 0 to 0.5, got {args.noise}")
    if any(total is not None and total < args.workers for total in (frames, args.episodes)):
        raise InvalidInputError(f"--workers {args.workers} are more than there are frames or episodes to record")
    require("vizdoom", "arena")  # before a session is made that would stay empty
    name = args.session or (_demand_session(args) if args.resume else new_session_id())
    plan = Plan(
        root=args.out,
        session_id=name,
        game=args.game,
        player=args.player,
        tasks=args.tasks,
        split=check_split(args.split),
        seed=check_seed(args.seed),
        noise=args.noise,
        frame_size=args.frame_size,
        frames=frames,
        episodes=args.episodes,
        worker=0,
        workers=args.workers,
        resume=args.resume,
        reserve_bytes=args.reserve_mb * 1_000_000,
    )
    return [
        replace(
            plan,
            session_id=name if args.workers == 1 else f"{name}-w{worker}",
            worker=worker,
            frames=share_of(frames, worker, args.workers),
            episodes=share_of(args.episodes, worker, args.workers),
        )
        for worker in range(args.workers)
    ]


def record(args: Args) -> int:
    """Record as told, print a summary and return the exit code.

    Raises:
        GameEnvError: If an argument cannot be used or a worker failed.
    """
    plans = make_plans(args)
    console = Console(highlight=False)
    signals: list[int] = []
    with _stop_signals(signals), Progress(console, plans) as progress:
        outcomes, failures = run_crew(plans, progress.update, lambda: bool(signals))
    _summarise(console, plans, outcomes)
    if failures and not signals:
        raise GameEnvError(_describe_failures(plans, failures))
    if signals:
        if failures:
            console.print(_describe_failures(plans, failures), markup=False)
        console.print(f"stopped; everything until now is kept. To go on: {_resume_command(args, plans)}", markup=False)
        return 128 + signals[0]
    return 0


def main() -> None:
    """Run the command."""
    run_command(record, Args, PROG)


def _demand_session(args: Args) -> str:
    try:
        known = [path.name for path in find_sessions(args.out)]
    except SessionError:
        known = []
    newest = f" The newest in {args.out} is {known[-1]}." if known else ""
    raise InvalidInputError(f"--resume needs the name of the session to go on with: --session NAME.{newest}")


@contextlib.contextmanager
def _stop_signals(received: list[int]) -> Iterator[None]:
    """Note Ctrl-C and SIGTERM in ``received`` instead of ending at once."""

    def note(number: int, frame: Any) -> None:
        received.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _summarise(console: Console, plans: Sequence[Plan], outcomes: Sequence[Outcome]) -> None:
    parts = []
    new_ticks = sum(outcome.new_ticks for outcome in outcomes)
    for plan in plans:
        path = Path(plan.root) / plan.session_id
        with contextlib.suppress(SessionError):  # a worker that failed before it made one; its failure says why
            session = Session(path)
            parts.append(session.info.totals or count_totals(session))
            state = "" if session.closed else ", not closed"
            console.print(f"{path}: {len(session):,} ticks, {len(session.takes):,} takes{state}", markup=False)
    if len(outcomes) == len(plans) and not new_ticks and all(outcome.finished for outcome in outcomes):
        console.print("nothing to do: the recording is complete already", markup=False)
    totals = add_totals(parts)
    if totals.ticks:
        console.print(describe_totals(totals), markup=False)


def _describe_failures(plans: Sequence[Plan], failures: Sequence[Failure]) -> str:
    if len(plans) == 1:
        return failures[0].reason
    said = "; ".join(
        f"{', '.join(failure.session_id for failure in failures if failure.reason == reason)}: {reason}"
        for reason in dict.fromkeys(failure.reason for failure in failures)
    )
    return f"{len(failures)} of {len(plans)} workers failed. {said}"


def _resume_command(args: Args, plans: Sequence[Plan]) -> str:
    name = plans[0].session_id.removesuffix("-w0") if args.workers > 1 else plans[0].session_id
    given = [] if args.session else [f"--session {name}"]
    return " ".join(["the same command with", *given, "--resume"])


if __name__ == "__main__":
    main()
