"""Stretches of a recording as a person names them: takes ``3-5,8`` or rows ``120-180``.

Knows nothing of what is said about them.
"""

import re

from gameenv.errors import InvalidInputError
from recording.session import Session

_RANGE = re.compile(r"(\d+)(?:-(\d+))?")


def parse_ranges(text: str, what: str) -> tuple[tuple[int, int], ...]:
    """Read ``3``, ``3-5`` or ``3-5,8``: first and last of each.

    Raises:
        InvalidInputError: If it is not of this form; ``what`` names it.
    """
    found = []
    for part in text.replace(" ", "").split(","):
        match = _RANGE.fullmatch(part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (0, -1)
        if last < first:
            raise InvalidInputError(f"{what} are numbers such as 3, 3-5 or 3-5,8; got {text!r}")
        found.append((first, last))
    return tuple(found)


def find_rows(session: Session, takes: str | None, rows: str | None) -> tuple[tuple[int, int], ...]:
    """Return first and last row of each stretch that is meant; of the whole session, if nothing is said.

    Raises:
        InvalidInputError: If both are given, one is not of the form, or there is no such take or row; says which
            there are.
    """
    if takes is not None and rows is not None:
        raise InvalidInputError("say takes or rows, not both")
    if not len(session):
        raise InvalidInputError(f"the session {session.session_id} holds nothing")
    if rows is not None:
        found = parse_ranges(rows, "rows")
        if beyond := [last for _, last in found if last >= len(session)]:
            raise InvalidInputError(f"there is no row {beyond[0]}; {session.session_id} has rows 0-{len(session) - 1}")
        return found
    if takes is None:
        return ((0, len(session) - 1),)
    known = {take.number: take for take in session.takes}
    found = []
    for first, last in parse_ranges(takes, "takes"):
        for number in range(first, last + 1):
            if number not in known:
                raise InvalidInputError(
                    f"there is no take {number}; {session.session_id} has takes {min(known)}-{max(known)}"
                )
            found.append((known[number].start, known[number].stop - 1))
    return tuple(found)
