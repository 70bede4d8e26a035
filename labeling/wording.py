"""Goals: how a labeler's wording is brought to one.

A goal is a short instruction such as "Go to the lantern". Knows nothing of who wrote it.
"""

import unicodedata

from gameenv.errors import InvalidInputError
from recording.goals import check_goal, goal_words, is_letter

_PREFIX = "goal:"
_ARTICLES = frozenset(
    {
        *("the", "a", "an"),
        *("der", "die", "das", "den", "dem", "ein", "eine", "einen", "einem"),
        *("el", "la", "los", "las", "le", "les", "un", "une", "il", "lo", "gli"),
    }
)
"""Words that a goal means the same without, of languages that have such."""


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


def fold_goal(text: str) -> str:
    """A goal's words without case, marks and articles: what has the same is the same goal, spelled in another way."""
    words = goal_words(text)
    return " ".join([word for word in words if word not in _ARTICLES] or words)


def _bare(word: str) -> str:
    """The word without the marks around it."""
    start = _marks_before(word)
    return word[start : len(word) - _marks_before(word[start:][::-1])]


def _marks_before(text: str) -> int:
    """How many characters come before the first letter or digit."""
    return next((index for index, character in enumerate(text) if is_letter(character)), len(text))
