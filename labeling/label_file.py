"""A label file: goals of takes or rows of recordings, as a person writes them into a table.

    session,take,goal,reached
    evening,0-2,Open the door,yes
    evening,3,Climb the stairs,

Columns are ``session``, ``goal``, and as far as needed ``take`` (3, 3-5 or 3-5,8), ``rows`` (120-180) and ``reached``
(yes or no); separated by commas, semicolons or tabs. Without ``take`` and ``rows`` a line is about the whole session.
Later lines win. Knows nothing of what the goals are for.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from gameenv.errors import GameEnvError, InvalidInputError, UnknownNameError
from recording.edits import GoalEdit
from recording.session import Session
from recording.stretches import find_rows

COLUMNS = ("session", "take", "rows", "goal", "reached")
_REACHED = {"": None, "yes": True, "true": True, "1": True, "no": False, "false": False, "0": False}
_SEPARATORS = (",", ";", "\t")


def read_label_file(path: Path, sessions: Mapping[str, Path]) -> dict[str, tuple[GoalEdit, ...]]:
    """Read a label file; what it says, by the session's name.

    Args:
        path: The file.
        sessions: The folder of each session there is, by name.

    Raises:
        InvalidInputError: If it cannot be read, has other columns or a line that cannot be meant; names the first such
            line, and says how many more there are.
    """
    said: dict[str, list[GoalEdit]] = {}
    opened: dict[str, Session] = {}
    wrong: list[str] = []
    for number, line in _read_lines(path):
        name = line.get("session", "")
        try:
            if name not in sessions:
                raise UnknownNameError("session", name, sessions)
            session = opened.get(name) or opened.setdefault(name, Session(sessions[name]))
            said.setdefault(name, []).append(_read_line(line, session))
        except GameEnvError as error:
            wrong.append(f"{path}, line {number}: {error}")
    if wrong:
        more = f" ({len(wrong) - 1} more lines are wrong)" if len(wrong) > 1 else ""
        raise InvalidInputError(f"{wrong[0]}{more}")
    return {name: tuple(edits) for name, edits in said.items()}


def _read_line(line: Mapping[str, str], session: Session) -> GoalEdit:
    if line.get(_TOO_MANY):
        raise InvalidInputError("it has more fields than the first line has names; put a goal with commas in quotes")
    reached = line.get("reached", "").lower()
    if reached not in _REACHED:
        raise InvalidInputError(f"reached is yes, no or empty, got {line['reached']!r}")
    rows = find_rows(session, line.get("take") or None, line.get("rows") or None)
    return GoalEdit(line.get("goal") or None, _REACHED[reached], rows)


_TOO_MANY = "too many"


def _read_lines(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line that is not empty, by column, with its number.

    Raises:
        InvalidInputError: If the file cannot be read, or its first line does not name the columns.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"cannot read the label file {path}: {error}") from error
    head = text.partition("\n")[0]
    reader = csv.reader(text.splitlines(), delimiter=max(_SEPARATORS, key=head.count), strict=True)
    names: list[str] = []
    try:
        for fields in reader:
            cells = [field.strip() for field in fields]
            if not names:
                names = [cell.lower() for cell in cells]
                _check_columns(path, names)
            elif any(cells):
                more = {_TOO_MANY: "".join(cells[len(names) :])}
                yield reader.line_num, dict(zip(names, cells, strict=False)) | more
    except csv.Error as error:
        raise InvalidInputError(f"{path}, line {reader.line_num}: {error}") from error
    if not names:
        raise InvalidInputError(f"{path} is empty; its first line names the columns: {', '.join(COLUMNS)}")


def _check_columns(path: Path, names: list[str]) -> None:
    wrong = [name for name in names if name not in COLUMNS or names.count(name) > 1]
    if wrong or "session" not in names or not {"goal", "reached"} & {*names}:
        raise InvalidInputError(
            f"{path}, line 1: expected the names of columns, session and goal and of these as needed: "
            f"{', '.join(COLUMNS)}; got {', '.join(names)}"
        )
