"""The goals of a person who is recorded: a list that is gone through in order, over and over.

Knows nothing of keys, rows or windows.
"""

from collections.abc import Sequence
from pathlib import Path

from gameenv.errors import InvalidInputError
from recording.goals import check_goal


class Agenda:
    """Goals in order.

    Args:
        goals: What the person is about; none if nobody said.
    """

    def __init__(self, goals: Sequence[str] = ()) -> None:
        self._goals = tuple(goals)
        self._at = 0

    def __len__(self) -> int:
        return len(self._goals)

    @property
    def current(self) -> str | None:
        """The goal now; None if nobody said."""
        return self._goals[self._at] if self._goals else None

    def advance(self) -> bool:
        """Go on to the next goal; whether there is one, for behind the last comes the first again."""
        self._at = (self._at + 1) % max(1, len(self._goals))
        return self._at != 0

    def __str__(self) -> str:
        if not self._goals:
            return "no goal"
        return f"{self._goals[self._at]}" + (f" ({self._at + 1} of {len(self._goals)})" if len(self._goals) > 1 else "")


def read_goals(path: Path) -> tuple[str, ...]:
    """Read a text file with a goal on each line; empty lines count for nothing.

    Raises:
        InvalidInputError: If it cannot be read, holds no goal, or one that cannot be labeled; names the line.
    """
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"cannot read the goals in {path}: {error}") from error
    goals = []
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                goals.append(check_goal(line.strip()))
            except InvalidInputError as error:
                raise InvalidInputError(f"{path}, line {number}: {error}") from None
    if not goals:
        raise InvalidInputError(f"{path} holds no goal; write one on each line")
    return tuple(goals)
