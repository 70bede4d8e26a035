"""What counts as a goal that can be recorded and labeled. Knows nothing of who wrote it."""

from gameenv.errors import InvalidInputError

MIN_WORDS, MAX_WORDS = 2, 6
"""What is accepted."""
ASKED_WORDS = (3, 5)
"""What a labeler is asked for: the specification's "short, 3-5 words"."""


def check_goal(goal: object) -> str:
    """Return ``goal`` unchanged if it is 2 to 6 words on one line.

    Raises:
        InvalidInputError: If it is not.
    """
    if not isinstance(goal, str) or not goal.strip():
        raise InvalidInputError(f"a goal is {MIN_WORDS} to {MAX_WORDS} words, got {goal!r}")
    words = goal.split()
    if not MIN_WORDS <= len(words) <= MAX_WORDS or "\n" in goal.strip():
        raise InvalidInputError(
            f"a goal is {MIN_WORDS} to {MAX_WORDS} words on one line (ask for {ASKED_WORDS[0]} to {ASKED_WORDS[1]}), "
            f'such as "Go to the lantern"; got {len(words)}: {goal!r}'
        )
    return goal
