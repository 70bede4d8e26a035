"""What a person says afterwards about stretches of a recording: the goal, and whether it was reached at their end.

    <root>/<session_id>/goals.json   what was said, in order; the rows stay as they were recorded

So what is said can be taken back, and programs that do not know the file read the recording as it was. Knows nothing of
who asks or of what the rows will be used for.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from gameenv.files import write_atomically
from recording.goals import check_goal
from recording.rows import LABELED, MARK, REACHED, SessionRow

EDITS_FILE = "goals.json"
_VERSION = 1
EVERY_ROW = (0, sys.maxsize)
"""The stretch that is a whole session, however long."""


@dataclass(frozen=True, slots=True)
class GoalEdit:
    """One thing said.

    Attributes:
        goal: The goal of the rows; None leaves it as it is.
        reached: Whether it was reached at the end of each take, or of the part of it that is meant; None leaves it.
        rows: The stretches that are meant: first and last row.
        only_missing: Leave rows alone that have a goal.

    Raises:
        InvalidInputError: If it says nothing, the goal is none, or a stretch is none.
    """

    goal: str | None
    reached: bool | None
    rows: tuple[tuple[int, int], ...]
    only_missing: bool = False

    def __post_init__(self) -> None:
        if self.goal is None and self.reached is None:
            raise InvalidInputError("say a goal, or whether it was reached")
        if self.goal is not None:
            check_goal(self.goal)
        for first, last in self.rows:
            if not 0 <= first <= last:
                raise InvalidInputError(f"a stretch of rows is first-last, such as 0-99; got {first}-{last}")


def apply_edits(rows: Sequence[SessionRow], edits: Sequence[GoalEdit]) -> list[SessionRow]:
    """Return the rows as the edits have them, the later ones last. Rows that are not there are passed over.

    What a person said about is marked in ``info`` (``labeled``), for it wins over whatever a machine says.
    """
    changed = list(rows)
    for edit in edits:
        for first, last in edit.rows:
            stop = min(last + 1, len(changed))
            for index in range(first, stop):
                row = changed[index]
                if edit.only_missing and row.goal is not None:
                    continue
                ends = index + 1 == stop or changed[index + 1].take != row.take
                changed[index] = _edited(row, edit, ends=ends)
    return changed


def _edited(row: SessionRow, edit: GoalEdit, *, ends: bool) -> SessionRow:
    info = {**row.info, LABELED: True}
    if edit.reached and ends:
        info[MARK] = REACHED
    elif edit.reached is False:
        info.pop(MARK, None)
    return replace(row, goal=row.goal if edit.goal is None else edit.goal, info=info)


def read_edits(folder: Path) -> tuple[GoalEdit, ...]:
    """Read a session's edits, the first first; none if nobody said anything.

    Raises:
        SessionError: If the file cannot be read; says what to do.
    """
    path = folder / EDITS_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return ()
    except (OSError, ValueError) as error:
        raise SessionError(f"cannot read {path}: {error}; {_REPAIR}") from error
    try:
        if content["format_version"] != _VERSION:
            raise InvalidInputError(f"format version {content['format_version']}, expected {_VERSION}")
        return tuple(map(_decode, content["edits"]))
    except (KeyError, TypeError, ValueError, GameEnvError) as error:
        raise SessionError(f"{path} is not a file of goals ({type(error).__name__}: {error}); {_REPAIR}") from error


_REPAIR = "restore it from a copy, or delete it: the goals are then those that were recorded"


def _decode(content: Any) -> GoalEdit:
    rows = tuple((int(first), int(last)) for first, last in content["rows"])
    return GoalEdit(content["goal"], content["reached"], rows)


def write_edits(folder: Path, edits: Sequence[GoalEdit]) -> None:
    """Write a session's edits in one step; none removes the file.

    Raises:
        DiskFullError, OSError: As ``write_atomically``; the one that was there is untouched.
    """
    path = folder / EDITS_FILE
    if not edits:
        path.unlink(missing_ok=True)
        return
    said = [{"goal": edit.goal, "reached": edit.reached, "rows": edit.rows} for edit in edits]
    content = {"format_version": _VERSION, "edits": said}
    write_atomically(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def cut_edits(edits: Sequence[GoalEdit], rows: int) -> tuple[GoalEdit, ...]:
    """Return what of the edits is about the first ``rows`` rows."""
    cut = []
    for edit in edits:
        stretches = tuple((first, min(last, rows - 1)) for first, last in edit.rows if first < rows)
        if stretches:
            cut.append(replace(edit, rows=stretches))
    return tuple(cut)
