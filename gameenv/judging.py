"""What the judges of our protocols (``check_policy``, ``check_labeler``, ...) share. Knows no protocol."""

from collections.abc import Callable, Mapping
from typing import Any

from gameenv.errors import InvalidInputError

Checks = Mapping[str, Callable[[Any], None]]
"""What is promised, in words, and what tries it: it raises ``UnfitError`` with what it found wrong."""


class UnfitError(Exception):
    """What a check found wrong."""


def find_problem(check: Callable[[Any], None], subject: object) -> str | None:
    """Run one check; return what it found wrong, None if nothing."""
    try:
        check(subject)
    except UnfitError as problem:
        return str(problem)
    except Exception as error:
        return f"raised {type(error).__name__}: {error}"
    return None


def judge(what: str, checks: Checks, subject: object) -> None:
    """Run every check.

    Raises:
        InvalidInputError: If one fails; names each that did and why.
    """
    problems = [f"{name}: {problem}" for name, check in checks.items() if (problem := find_problem(check, subject))]
    if problems:
        listed = "".join(f"\n  - {problem}" for problem in problems)
        raise InvalidInputError(f"{what} does not conform:{listed}")
