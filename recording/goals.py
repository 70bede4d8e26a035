"""What counts as a goal that can be recorded and labeled, in any language. Knows nothing of who wrote it."""

import unicodedata
from itertools import groupby

from gameenv.errors import InvalidInputError

MIN_WORDS, MAX_WORDS = 2, 6
"""What is accepted."""
ASKED_WORDS = (3, 5)
"""What a labeler is asked for: the specification's "short, 3-5 words"."""
_UNSPACED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR", "TIBETAN")
"""Scripts that put no spaces between words, as the names of their characters begin."""
_LONGEST_WORD = 3  # characters, in a script without spaces: few words there are longer


def check_goal(goal: object) -> str:
    """Return ``goal`` unchanged if it is 2 to 6 words on one line.

    Where a script puts no spaces between words, it is 2 to 18 characters that may be so many words.

    Raises:
        InvalidInputError: If it is not.
    """
    if not isinstance(goal, str) or not goal.strip():
        raise InvalidInputError(f"a goal is {MIN_WORDS} to {MAX_WORDS} words, got {goal!r}")
    fewest, most = _count_words(goal)
    if most < MIN_WORDS or fewest > MAX_WORDS or "\n" in goal.strip():
        raise InvalidInputError(
            f"a goal is {MIN_WORDS} to {MAX_WORDS} words on one line (ask for {ASKED_WORDS[0]} to {ASKED_WORDS[1]}), "
            f'such as "Go to the lantern"; got {fewest}: {goal!r}'
        )
    return goal


def is_goal(text: str) -> bool:
    """Whether ``check_goal`` takes it."""
    try:
        check_goal(text)
    except InvalidInputError:
        return False
    return True


def goal_words(goal: str) -> list[str]:
    """The words of a goal in order, whatever its language, so that one word has one spelling.

    Compatibility forms and case are folded (NFKC), marks between words dropped; in a script without spaces every
    character is a word.
    """
    words = []
    for kind, characters in groupby(unicodedata.normalize("NFKC", goal).casefold(), _kind):
        if kind == "unspaced":
            words += characters
        elif kind == "spaced":
            words.append("".join(characters))
    return words


def is_letter(character: str) -> bool:
    """Whether it is part of a word: a letter, a digit, or a sign that is written on one, as in Hindi and Thai."""
    return character.isalnum() or unicodedata.category(character).startswith("M")


def _kind(character: str) -> str:
    if not is_letter(character):
        return "mark"
    return "unspaced" if unicodedata.name(character, "").startswith(_UNSPACED) else "spaced"


def _count_words(goal: str) -> tuple[int, int]:
    """The fewest and the most words that it may be."""
    fewest = most = 0
    for word in goal.split():
        unspaced = sum(_kind(character) == "unspaced" for character in word)
        fewest += -(-unspaced // _LONGEST_WORD) or 1
        most += unspaced or 1
    return fewest, most
