"""``gameenv-sessions``: lists recordings, checks them, sets their goals, and deletes the last take of one.

Knows nothing of how they were recorded or of what they will be used for.
"""

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, TypeAlias

import tyro
from PIL import Image
from rich.table import Table

from gameenv.actions import KEYS, Action
from gameenv.cli import run_command
from gameenv.clock import NS_PER_S
from gameenv.console import Console
from gameenv.errors import InvalidInputError, SessionError, UnknownNameError
from gameenv.files import replacing
from gameenv.frames import UNREADABLE, is_whole
from gameenv.home import PathText
from gameenv.progress import track
from recording.edits import cut_edits, read_edits, write_edits
from recording.info import write_info
from recording.lock import lock_session
from recording.rows import SessionRow
from recording.session import DEFAULT_ROOT, STEPS_FILE, Session, find_sessions
from recording.set_goal import Goal, set_goal
from recording.totals import count_totals, describe, describe_goals

PROG = "gameenv-sessions"
_BLACK = 8  # brightest value of a frame that counts as black
_FROZEN_S = 5.0
_CAMERA = ("up", "down", "left", "right")
_FEW_SECONDS = 60.0  # in less, an unused key means nothing


@dataclass(frozen=True, slots=True)
class List:
    """List the recordings.

    For example:
        gameenv-sessions list
    """

    root: PathText = DEFAULT_ROOT
    """The folder sessions live in."""


@dataclass(frozen=True, slots=True)
class Check:
    """Check recordings: what they hold and what is wrong.

    For example:
        gameenv-sessions check SESSION
    """

    sessions: tyro.conf.Positional[tuple[PathText, ...]] = ()
    """Their names; all, if none is given."""
    root: PathText = DEFAULT_ROOT
    """The folder sessions live in."""


@dataclass(frozen=True, slots=True)
class Trim:
    """Delete the last take of a recording for good.

    For example:
        gameenv-sessions trim SESSION --last-take
    """

    session: tyro.conf.Positional[PathText]
    """Its name."""
    last_take: bool = False
    """Needed, so that nothing is deleted by a slip."""
    yes: bool = False
    """Do not ask."""
    root: PathText = DEFAULT_ROOT
    """The folder sessions live in."""


Command: TypeAlias = (
    Annotated[List, tyro.conf.subcommand("list")]
    | Annotated[Check, tyro.conf.subcommand("check")]
    | Annotated[Goal, tyro.conf.subcommand("goal")]
    | Annotated[Trim, tyro.conf.subcommand("trim")]
)


def run(command: List | Check | Goal | Trim) -> int:
    """Do what a command says and return the exit code.

    Raises:
        GameEnvError: If a session does not exist or cannot be read.
    """
    console = Console()
    if isinstance(command, List):
        return _list(command, console)
    if isinstance(command, Check):
        names = command.sessions or tuple(path.name for path in find_sessions(command.root))
        wrong = [name for name in names if _check(_find(command.root, name), console)]
        return 1 if wrong else 0
    if isinstance(command, Goal):
        for line in set_goal(command, _find(command.root, command.session)):
            console.print(line)
        return 0
    return _trim(command, console)


def main() -> None:
    """Run the command."""
    run_command(run, Command, PROG)  # type: ignore[arg-type]


def find_faults(session: Session, unreadable: Sequence[int], black: Sequence[int]) -> list[str]:
    """Say what is wrong with a recording, a sentence each.

    Args:
        session: The recording.
        unreadable: Rows whose frame is no image.
        black: Rows whose frame is black.
    """
    totals = count_totals(session)
    faults = []
    if not len(session):
        return ["it holds nothing"]
    if unreadable:
        first = session[unreadable[0]].frame
        faults.append(f"{len(unreadable):,} frames cannot be read, or are cut short; the first is {first}")
    if black:
        share = len(black) / len(session)
        faults.append(f"{len(black):,} frames ({share:.1%}) are black: play in a window or borderless")
    if totals.dropped > len(session) / 1000:
        faults.append(f"{totals.dropped:,} ticks were dropped: close other programs, or record at fewer --fps")
    if seconds := _frozen_seconds(session):
        faults.append(f"the picture stood still for {seconds:.0f} s in all, in stretches of over {_FROZEN_S:.0f} s")
    if totals.seconds >= _FEW_SECONDS and not _pressed(session).intersection(_CAMERA):
        faults.append("no camera key (up, down, left, right) was ever pressed: a policy would never look around")
    return faults


def _pressed(session: Session) -> set[Action]:
    pressed: set[Action] = {event.word for row in session for event in row.events if event.down}
    for row in session:
        pressed.update(row.held)
    return pressed


def trim_last_take(path: Path) -> tuple[int, int]:
    """Delete the last take of a session. A kill at any moment leaves it readable, with or without the take.

    Args:
        path: The session's folder.

    Returns:
        How many ticks were deleted, and how many are left.

    Raises:
        SessionError: If it is being recorded, holds nothing, or has another vocabulary; nothing is deleted then.
    """
    lock = lock_session(path)
    try:
        session = Session(path)
        if not session.takes:
            raise SessionError(f"{path} holds no take that could be deleted")
        keep = session.takes[-1].start
        totals = count_totals(session[:keep])  # before anything is deleted: it may be refused
        write_info(path, replace(session.info, closed=False, totals=None))
        write_edits(path, cut_edits(read_edits(path), keep))  # or they would be about what is recorded next
        _keep_lines(path / STEPS_FILE, keep)
        for row in session[keep:]:
            (path / row.frame).unlink(missing_ok=True)
        write_info(path, replace(session.info, closed=True, totals=totals))
        return len(session) - keep, keep
    except OSError as error:
        raise SessionError(f"cannot trim {path}: {error}") from error
    finally:
        lock.close()


def _keep_lines(path: Path, count: int) -> None:
    with replacing(path) as scratch, path.open("rb") as source, scratch.open("wb") as target:
        for _ in range(count):
            target.write(source.readline())


def _list(command: List, console: Console) -> int:
    paths = find_sessions(command.root)
    table = Table("session", "game", "player", "minutes", "ticks", "takes", "MB", "state")
    for path in paths:
        try:
            session = Session(path)
            totals = session.info.totals or count_totals(session)
        except SessionError as error:
            table.add_row(path.name, *[""] * 6, f"unreadable: {error}")
            continue
        megabytes = sum(file.stat().st_size for file in path.rglob("*") if file.is_file()) / 1e6
        table.add_row(
            path.name,
            session.info.game,
            str(session.info.settings.get("player", "")),
            f"{totals.seconds / 60:.1f}",
            f"{totals.ticks:,}",
            f"{totals.takes:,}",
            f"{megabytes:,.0f}",
            "" if session.closed else "not closed",
        )
    console.print(table if paths else f"no sessions in {command.root}")
    return 0


def _check(path: Path, console: Console) -> bool:
    """Print what a session holds and what is wrong with it; whether something is."""
    session = Session(path)
    console.print(describe(session))
    for line in describe_goals(session):
        console.print(line)
    unreadable, black = [], []
    for row in track(session, "checking", "frames", console):
        brightness = _brightness(path / row.frame)
        if brightness is None:
            unreadable.append(row.index)
        elif brightness < _BLACK:
            black.append(row.index)
    faults = find_faults(session, unreadable, black)
    for fault in faults:
        console.print(f"! {fault}", style="yellow")
    if missing := [key for key in KEYS if key not in _pressed(session)]:
        console.print(f"never pressed: {', '.join(missing)}; fine if the game does not need them")
    if not faults:
        console.print("nothing wrong", style="green")
    return bool(faults)


def _brightness(path: Path) -> int | None:
    """The brightest value of an image, looked at in an eighth of its size; None if it is none or cut short."""
    if not is_whole(path):
        return None
    with contextlib.suppress(*UNREADABLE), Image.open(path) as image:
        image.draft("L", (image.width // 8, image.height // 8))
        extrema = image.convert("L").getextrema()
        return int(extrema[1])  # type: ignore[arg-type]
    return None


def _frozen_seconds(rows: Sequence[SessionRow]) -> float:
    total = stretch = 0.0
    for row in rows:
        if row.new_frame:
            total += stretch if stretch > _FROZEN_S else 0.0
            stretch = 0.0
        stretch += (row.end_t_ns - row.t_ns) / NS_PER_S
    return total + (stretch if stretch > _FROZEN_S else 0.0)


def _trim(command: Trim, console: Console) -> int:
    path = _find(command.root, command.session)
    if not command.last_take:
        raise InvalidInputError("say what to delete: --last-take")
    session = Session(path)
    if not session.takes:
        raise SessionError(f"{path} holds no take that could be deleted")
    take = session.takes[-1]
    seconds = (session[take.stop - 1].end_t_ns - session[take.start].t_ns) / NS_PER_S
    console.print(f"the last take of {path}: {len(take):,} ticks, {seconds:.1f} s")
    if not command.yes and not _agreed(console, "delete it for good? [y/N] "):
        console.print("nothing was deleted")
        return 0
    gone, left = trim_last_take(path)
    console.print(f"deleted {gone:,} ticks, {left:,} are left; if it was labeled before, run gameenv-label again")
    return 0


def _agreed(console: Console, question: str) -> bool:
    """Whether a person says yes.

    Raises:
        InvalidInputError: If there is nobody to ask.
    """
    try:
        return console.input(question).strip().lower() in ("y", "yes")
    except EOFError:
        raise InvalidInputError("there is no terminal to ask on; add --yes to delete without being asked") from None


def _find(root: str, name: str) -> Path:
    known = {path.name: path for path in find_sessions(root)}
    if name in known:
        return known[name]
    if (Path(name) / "session.json").is_file():
        return Path(name)
    if not known:
        raise SessionError(f"there are no sessions in {root}; record one with gameenv-record")
    raise UnknownNameError("session", name, known)


if __name__ == "__main__":
    main()
