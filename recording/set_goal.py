"""``gameenv-sessions goal``: sets the goals of a recording afterwards, says what changed, and takes it back.

Knows nothing of how they are kept (``recording.edits``) or of what they are for.
"""

from dataclasses import dataclass
from pathlib import Path

import tyro

from gameenv.errors import InvalidInputError, SessionError
from gameenv.home import PathText
from recording.edits import GoalEdit, read_edits, write_edits
from recording.goals import check_goal
from recording.lock import lock_session
from recording.rows import SessionRow
from recording.session import DEFAULT_ROOT, Session
from recording.stretches import find_rows


@dataclass(frozen=True, slots=True)
class Goal:
    """Say what the takes of a recording are about, and whether it was reached.

    For example:
        gameenv-sessions goal SESSION --takes 3-5 "Open the door"
        gameenv-sessions goal SESSION --takes 4 --reached
        gameenv-sessions goal SESSION --undo

    What was recorded stays on disk as it was; what is said later wins, and can be taken back.
    """

    session: tyro.conf.Positional[str]
    """Its name."""
    goal: tyro.conf.Positional[str] = ""
    """The goal, in 2 to 6 words; without it, only whether it was reached is said."""
    takes: str | None = None
    """Which takes, such as 3, 3-5 or 3-5,8; without it and --rows, all of them."""
    rows: str | None = None
    """... or which rows (ticks), such as 120-180."""
    reached: tyro.conf.FlagCreatePairsOff[bool] = False
    """The goal was reached at the end of each of these takes (or of the rows)."""
    not_reached: tyro.conf.FlagCreatePairsOff[bool] = False
    """It was not, whatever was said before."""
    undo: tyro.conf.FlagCreatePairsOff[bool] = False
    """Take back what was said last."""
    root: PathText = DEFAULT_ROOT
    """The folder sessions live in."""


def set_goal(command: Goal, path: Path) -> list[str]:
    """Do it in one step, and return what changed, a line each. It can be taken back.

    Args:
        command: What is said.
        path: The session's folder.

    Raises:
        SessionError: If the session is being recorded, or cannot be read or written; it is untouched then.
        InvalidInputError: If what is said cannot be meant: no such take, no goal ...
    """
    if command.reached and command.not_reached:
        raise InvalidInputError("--reached and --not-reached contradict each other")
    said = (command.goal, command.takes, command.rows, command.reached, command.not_reached)
    if command.undo and any(said):
        raise InvalidInputError("--undo takes back what was said last; it goes with nothing else")
    lock = lock_session(path)
    try:
        before, edits = Session(path), read_edits(path)
        if command.undo:
            if not edits:
                raise InvalidInputError(f"nothing to undo: nobody set a goal of {path} afterwards")
            edits = edits[:-1]
        else:
            goal = check_goal(command.goal) if command.goal else None
            reached = True if command.reached else False if command.not_reached else None
            edits = (*edits, GoalEdit(goal, reached, find_rows(before, command.takes, command.rows)))
        write_edits(path, edits)
        after = Session(path)
    except OSError as error:
        raise SessionError(f"cannot set the goals of {path}: {error}") from error
    finally:
        lock.close()
    return _describe_changes(before, after)


def _describe_changes(before: Session, after: Session) -> list[str]:
    """Say for each stretch of a take what was said of it and what is now."""
    lines = []
    for take in before.takes:
        changes = [_change(before[index], after[index]) for index in range(take.start, take.stop)]
        first = take.start
        for index in range(take.start + 1, take.stop + 1):
            if index < take.stop and changes[index - take.start][:2] == changes[first - take.start][:2]:
                continue
            was, now, _ = changes[first - take.start]
            marks = [text for *_, text in changes[first - take.start : index - take.start] if text]
            if was != now or marks:
                goal = now if was == now else f"{was} -> {now}"
                lines.append(f"take {take.number}, rows {first}-{index - 1}: {'; '.join([goal, *marks])}")
            first = index
    return lines or ["nothing changed: it was so already"]


def _change(before: SessionRow, after: SessionRow) -> tuple[str, str, str]:
    """The goal before and now, and what changed about its being reached."""
    mark = "" if before.reached == after.reached else "reached" if after.reached else "not reached any more"
    return before.goal or "no goal", after.goal or "no goal", mark
