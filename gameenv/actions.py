"""The twelve actions and the chunk of seven: the one home of the project's vocabulary.

The same words are the gym actions, the words on disk, the words in the prompt and the keys pressed.
Knows nothing of keyboards, games or models.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, cast, get_args

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.whole import whole

Action = Literal["none", "w", "s", "a", "d", "up", "down", "left", "right", "c", "space", "enter"]

ACTIONS: tuple[Action, ...] = get_args(Action)
"""The vocabulary in index order: ``ACTIONS[i]`` is gym action ``i``; ``none`` is 0."""

KEYS: tuple[Action, ...] = ACTIONS[1:]
"""The eleven words that are keys: all but ``none``."""

NONE: Action = "none"
CHUNK_LENGTH = 7
"""Actions in a chunk: 0.7 s of play at 10 ticks a second."""

_INDEX = {word: index for index, word in enumerate(ACTIONS)}


def parse_action(word: object) -> Action:
    """Return ``word`` if it is one of the twelve.

    Raises:
        UnknownNameError: If it is not.
    """
    if not isinstance(word, str) or word not in _INDEX:
        raise UnknownNameError("action", word, ACTIONS)
    return cast(Action, word)


def action_index(word: str) -> int:
    """Return the gym index, 0 to 11, of an action word.

    Raises:
        UnknownNameError: If ``word`` is not in the vocabulary.
    """
    return _INDEX[parse_action(word)]


def action_at(index: object) -> Action:
    """Return the word of a gym action; any kind of whole number will do.

    Raises:
        InvalidInputError: If ``index`` is not 0 to 11.
    """
    number = whole(index)
    if number is None or not 0 <= number < len(ACTIONS):
        raise InvalidInputError(f"an action is a whole number from 0 to {len(ACTIONS) - 1}, got {index!r}")
    return ACTIONS[number]


@dataclass(frozen=True, slots=True)
class ActionChunk:
    """Exactly seven actions, in the order they are played. Immutable; checks itself.

    Raises:
        InvalidInputError: If there are not exactly seven.
        UnknownNameError: If a word is not in the vocabulary.
    """

    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        if isinstance(self.actions, str):
            raise InvalidInputError(f"a chunk is {CHUNK_LENGTH} words, got the string {self.actions!r}")
        words = tuple(parse_action(word) for word in self.actions)
        if len(words) != CHUNK_LENGTH:
            raise InvalidInputError(f"a chunk is exactly {CHUNK_LENGTH} actions, got {len(words)}: {list(words)}")
        object.__setattr__(self, "actions", words)

    @classmethod
    def of(cls, words: Iterable[str]) -> "ActionChunk":
        """Build a chunk from any iterable of words, checking each."""
        return cls(tuple(parse_action(word) for word in words))

    @property
    def indices(self) -> tuple[int, ...]:
        """The gym index of each action."""
        return tuple(_INDEX[word] for word in self.actions)

    @property
    def done(self) -> bool:
        """Whether all seven are ``none``: the policy declares that the goal is reached."""
        return all(word == NONE for word in self.actions)

    def __iter__(self) -> Iterator[Action]:
        return iter(self.actions)

    def __len__(self) -> int:
        return CHUNK_LENGTH

    def __getitem__(self, index: int) -> Action:
        return self.actions[index]
