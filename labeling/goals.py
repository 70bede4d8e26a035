"""Goals: what counts as one, and how a labeler's wording is brought to it.

A goal is a short instruction such as "Go to the lantern". Knows nothing of who wrote it.
"""

import unicodedata

from gameenv.errors import InvalidInputError

MIN_WORDS, MAX_WORDS = 2, 6
"""What is accepted."""
ASKED_WORDS = (3, 5)
"""What a labeler is asked for: the specification's "short, 3-5 words"."""

_PREFIX = "goal:"


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


def normalize_goal(text: str) -> str:
    """Bring a labeler's wording to a goal: ``' "go to the lantern." '`` becomes ``Go to the lantern``.

    White space is made single, a leading ``Goal:`` and the punctuation and quotes around words are dropped
    (apostrophes and hyphens inside a word stay), and the first letter is made a capital, so that one goal has one
    spelling. Nothing is cut off: too long is an error.

    Raises:
        InvalidInputError: If what is left is not 2 to 6 words.
    """
    text = unicodedata.normalize("NFC", text).strip()
    text = text[_marks_before(text) :]
    if text.lower().startswith(_PREFIX):
        text = text[len(_PREFIX) :]
    words = [bare for word in text.split() if (bare := _bare(word))]
    goal = " ".join(words)
    try:
        check_goal(goal)
    except InvalidInputError as error:
        raise InvalidInputError(f"{error} (the labeler wrote {text.strip()!r})") from None
    return goal[:1].upper() + goal[1:]


def _bare(word: str) -> str:
    """The word without the marks around it."""
    start = _marks_before(word)
    return word[start : len(word) - _marks_before(word[start:][::-1])]


def _marks_before(text: str) -> int:
    """How many characters come before the first letter or digit."""
    return next((index for index, character in enumerate(text) if character.isalnum()), len(text))
