"""``gameenv-record``: records demonstrations. Reads the arguments, shows progress, prints what was recorded.

Knows nothing of how an episode is played or written.
"""

import contextlib
import signal
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import gymnasium as gym

from gameenv import ARENA_WINDOW_ID, LIVE_ID
from gameenv.arena.levels import check_split
from gameenv.arena.tasks import TASKS, check_task
from gameenv.cli import run_command
from gameenv.clock import DEFAULT_FPS, pause
from gameenv.console import Console
from gameenv.desktop.keyboard import parse_keys
from gameenv.desktop.window import choose_window
from gameenv.errors import GameEnvError, InvalidInputError, SessionError, UnknownNameError, require
from gameenv.frames import DEFAULT_SIZE, Fit, FrameSpec
from gameenv.home import PathText
from gameenv.progress import Progress
from gameenv.whole import check_seed
from recording.agenda import Agenda, read_goals
from recording.crew import Failure, run_crew
from recording.goals import check_goal
from recording.loop import RecordedSession
from recording.person import NEXT_LEVEL_KEY, PersonKeys, record_person, wait_for_window
from recording.players import HUMAN, check_player
from recording.schedule import Schedule, share_of
from recording.session import DEFAULT_ROOT, Session, find_sessions
from recording.status import Status
from recording.totals import add_totals, count_totals, describe, describe_totals
from recording.wrapper import new_session_id

PROG = "gameenv-record"
GAMES = ("arena",)
DEFAULT_FRAMES = 36_000
"""One hour at 10 ticks a second, the specification's minimum of training data."""


@dataclass(frozen=True, slots=True)
class Args:
    """Record demonstrations into dataset/raw_playthrough/<session>/.

    A person, in any game's window, and in the built-in game:
        gameenv-record --window "The Dark Mod"
        gameenv-record --window "The Dark Mod" --goal "Climb the stairs" "Open the door"
        gameenv-record

    The built-in game's scripted player:
        gameenv-record --player expert --frames 6000 --workers 2 --session first
    """

    window: str | None = None
    """Record the window with this title, or part of one, or regular expression; without it, the built-in game."""
    process: str | None = None
    """... whose program's file name is or has this in it."""
    window_id: str | None = None
    """... or with this number, as gameenv-doctor --windows lists it."""
    game: str = "arena"
    """The game's name, for the record: arena is the built-in one; with --window any, by default the window's."""
    player: str = "human"
    """Who plays: human, in a live window, or expert, the built-in game's scripted player."""
    tasks: tuple[str, ...] = tuple(TASKS)
    """The tasks, played in turn; all draws one for each level."""
    split: str = "train"
    """Which levels: train, validation or test. They never share one."""
    seed: int = 0
    """First level number."""
    frames: int | None = None
    """Stop when so many ticks are recorded, the expert at the end of the episode. By default the expert stops at 36000,
    one hour, and a person with Ctrl-C."""
    episodes: int | None = None
    """Stop after so many episodes."""
    noise: float = 0.1
    """Share of the ticks, 0 to 0.5, that the expert spends exploring, so that recoveries are in the data."""
    out: PathText = DEFAULT_ROOT
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
    fps: float = DEFAULT_FPS
    """Ticks a second, for a person."""
    keys: tuple[str, ...] = ()
    """Words whose key is another in this game: enter=e c=ctrl."""
    fit: Fit = "letterbox"
    """How a window of another aspect ratio is fitted into the frame, for a person."""
    hotkey: str = "p"
    """The key that starts and stops recording a person."""
    goal: tuple[str, ...] = ()
    """What the person is about, in 2 to 6 words: "Climb the stairs". Several are gone through in order, over and over;
    each begins a take of its own."""
    goal_file: Path | None = None
    """... from a text file with a goal on each line."""
    reached_key: str = "f8"
    """The key that says, in any game's window, that the goal is reached, and goes on to the next."""
    next_key: str = "f7"
    """The key that goes on to the next goal without that."""
    stop_means_reached: bool = False
    """Whoever stops recording by the hotkey says that the goal is reached."""
    sound: bool = True
    """Whether starting and stopping is heard."""
    wait: bool = False
    """Wait until the window is there."""


_DEFAULTS = {field.name: field.default for field in fields(Args)}
_A_PERSONS_STEPS = 6_000
"""Ten minutes at 10 ticks a second: a person may think, start late, or look around."""


def make_plans(args: Args) -> list[Schedule]:
    """Return what each worker is to do.

    Raises:
        GameEnvError: If an argument cannot be used; the message says which, and what can.
    """
    if args.game not in GAMES and not _is_live(args):
        raise UnknownNameError("game", args.game, GAMES)
    check_player(args.player)
    for goal in args.goal:
        check_goal(goal)  # not only when it is labeled, an hour later
    for task in args.tasks:
        check_task(task)
    if not args.tasks or len(set(args.tasks)) != len(args.tasks):
        raise InvalidInputError(f"--tasks needs at least one task and each only once, got {list(args.tasks)}")
    FrameSpec(*args.frame_size)
    person = args.player == HUMAN
    _check_mixed(args, person)
    frames = DEFAULT_FRAMES if args.frames is None and args.episodes is None and not person else args.frames
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
    if not _is_live(args):
        require("vizdoom", "arena")  # before a session is made that would stay empty
    name = args.session or (_demand_session(args) if args.resume else new_session_id())
    plan = Schedule(
        root=args.out,
        session_id=name,
        game=(args.window or args.process or args.window_id or args.game) if args.game in GAMES else args.game,
        player=args.player,
        tasks=() if _is_live(args) else args.tasks,
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
    if args.player == HUMAN:
        return _record_person(args, plans[0])
    console = Console()
    signals: list[int] = []
    with _stop_signals(signals), Progress(console) as progress:
        outcomes, failures = run_crew(plans, _count_ticks(progress, plans), lambda: bool(signals))
    _summarise(console, plans, outcomes)
    if failures and not signals:
        raise GameEnvError(_describe_failures(plans, failures))
    if signals:
        if failures:
            console.print(_describe_failures(plans, failures))
        console.print(f"stopped; everything until now is kept. To go on: {_resume_command(args, plans)}")
        return 128 + signals[0]
    return 0


def _count_ticks(progress: Progress, plans: Sequence[Schedule]) -> Callable[[int, int], None]:
    """Show the ticks of all workers as one number; returns what to call with a worker's number and its ticks."""
    targets = [plan.frames for plan in plans if plan.frames is not None]
    work = progress.begin("recording", "ticks", sum(targets) or None)
    before: dict[int, int] = {}
    now: dict[int, int] = {}

    def update(worker: int, ticks: int) -> None:
        before.setdefault(worker, ticks)  # what a session that is gone on with holds already
        now[worker] = ticks
        work.update(sum(now.values()), before=sum(before.values()))

    return update


def _record_person(args: Args, plan: Schedule) -> int:
    console = Console()
    signals: list[int] = []
    kwargs: dict[str, Any] = {
        "fps": args.fps,
        "control": "human",
        "keys": parse_keys(args.keys),
        "frame_size": args.frame_size,
        "fit": args.fit,
        "disable_env_checker": True,
    }
    goals = _goals(args)
    keys = _keys(args, len(goals))
    # One goal is a text and none is null, as in sessions of before there could be several.
    settings: dict[str, Any] = {"player": HUMAN, "goal": list(goals) if len(goals) > 1 else goals[0] if goals else None}
    if _is_live(args):
        env = gym.make(
            LIVE_ID,
            window=choose_window(args.window, args.process, args.window_id),
            process=args.process,
            hotkeys=keys.all,
            **kwargs,
        )
    else:
        settings |= {"tasks": list(plan.tasks), "split": plan.split, "seed": plan.seed}
        env = gym.make(
            ARENA_WINDOW_ID, task=plan.tasks[0], split=plan.split, hotkeys=(*keys.all, NEXT_LEVEL_KEY),
            max_steps=_A_PERSONS_STEPS, **kwargs,
        )  # fmt: skip
    with _stop_signals(signals), Status(console, args.hotkey, sound=args.sound) as status:
        env.unwrapped.notify = status.say  # type: ignore[attr-defined]
        if args.wait:
            status.say(f"waiting for the window {plan.game!r}; Ctrl-C ends")
            wait_for_window(env, lambda: pause(1.0), lambda: bool(signals))
        if signals:
            env.close()
            return 128 + signals[0]
        ended = record_person(
            env, plan, status, keys=keys, agenda=Agenda(goals), settings=settings, should_stop=lambda: bool(signals)
        )
    if ended.path is None:
        console.print("nothing was recorded, so no session is kept")
    else:
        console.print(describe(Session(ended.path)))
        if not ended.finished and plan.frames is not None:
            console.print(f"to go on: the same command with --session {plan.session_id} --resume")
    return 0 if ended.reason in (None, "window-closed") else 1


def _goals(args: Args) -> tuple[str, ...]:
    """The goals that were given, from the command line and the file.

    Raises:
        InvalidInputError: If the file holds none, or one that cannot be labeled.
    """
    return args.goal + (() if args.goal_file is None else read_goals(args.goal_file))


def _keys(args: Args, goals: int) -> PersonKeys:
    """What the person presses to be heard; the built-in game knows by itself when a goal is reached.

    Raises:
        InvalidInputError: If one key says two things.
    """
    if not _is_live(args):
        return PersonKeys(args.hotkey)
    keys = PersonKeys(args.hotkey, args.reached_key, args.next_key if goals > 1 else None, args.stop_means_reached)
    if len(set(keys.all)) < len(keys.all):
        raise InvalidInputError(f"--hotkey, --reached-key and --next-key are three keys; got {', '.join(keys.all)}")
    return keys


def _is_live(args: Args) -> bool:
    return args.window is not None or args.process is not None or args.window_id is not None


def _check_mixed(args: Args, person: bool) -> None:
    """Refuse options that mean nothing together.

    Raises:
        InvalidInputError: Names the two.
    """
    if _is_live(args) and not person:
        raise InvalidInputError(
            "the expert plays the built-in game only; leave out --window, --process and --window-id"
        )
    given = {name for name in ("workers", "noise", "episodes") if getattr(args, name) != _DEFAULTS[name]}
    if person and given:
        raise InvalidInputError(f"--{min(given)} is for --player expert; a person plays one window, without it")
    if not _is_live(args) and args.wait:
        raise InvalidInputError("--wait is for --window; the built-in game opens its own")
    if not _is_live(args) and (args.stop_means_reached or len(_goals(args)) > 1):
        raise InvalidInputError(
            "several --goal and --stop-means-reached are for --window; each level of the built-in game has a goal of "
            "its own, and the game knows when it is reached"
        )
    if not person and _goals(args):
        raise InvalidInputError("--goal is for a person; the expert plays for each level's own")
    if person:
        _keys(args, len(_goals(args)))


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


def _summarise(console: Console, plans: Sequence[Schedule], outcomes: Sequence[RecordedSession]) -> None:
    parts = []
    new_ticks = sum(outcome.new_ticks for outcome in outcomes)
    for plan in plans:
        path = Path(plan.root) / plan.session_id
        with contextlib.suppress(SessionError):  # a worker that failed before it made one; its failure says why
            session = Session(path)
            parts.append(session.info.totals or count_totals(session))
            state = "" if session.closed else ", not closed"
            console.print(f"{path}: {len(session):,} ticks, {len(session.takes):,} takes{state}")
    if len(outcomes) == len(plans) and not new_ticks and all(outcome.finished for outcome in outcomes):
        console.print("nothing to do: the recording is complete already")
    totals = add_totals(parts)
    if totals.ticks:
        console.print(describe_totals(totals))


def _describe_failures(plans: Sequence[Schedule], failures: Sequence[Failure]) -> str:
    if len(plans) == 1:
        return failures[0].reason
    said = "; ".join(
        f"{', '.join(failure.session_id for failure in failures if failure.reason == reason)}: {reason}"
        for reason in dict.fromkeys(failure.reason for failure in failures)
    )
    return f"{len(failures)} of {len(plans)} workers failed. {said}"


def _resume_command(args: Args, plans: Sequence[Schedule]) -> str:
    name = plans[0].session_id.removesuffix("-w0") if args.workers > 1 else plans[0].session_id
    given = [] if args.session else [f"--session {name}"]
    return " ".join(["the same command with", *given, "--resume"])


if __name__ == "__main__":
    main()
