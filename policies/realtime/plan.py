"""What is going to be played: words that a policy chose, each in its place. Pure bookkeeping.

Knows nothing of policies, environments, threads or time.
"""

import itertools
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from policies.base import MAX_COMMITTED

_Planned = tuple[Action, ActionChunk | None]
Gap = Literal["none", "hold"]
"""What is played where nothing is planned. ``none``: nothing, and as nothing moves, the words of the answer that is
waited for wait, too. ``hold``: the last word once more if it is a movement; it takes the place of one of them."""
MOVEMENTS: frozenset[Action] = frozenset(("w", "s", "a", "d", "up", "down", "left", "right"))
"""The words that are held in a gap: going on as before. A jump, a crouch or a use is done once."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a policy was told that will be played before it can answer.

    Attributes:
        epoch: How often everything planned had been forgotten.
        place: Words played in this epoch when it was asked, waiting left out: the place of its answer's first word.
        words: What will be played from then on, whatever it answers.
    """

    epoch: int
    place: int
    words: tuple[Action, ...]


class Plan:
    """The words from now on, and those that were played.

    Args:
        gap: What is played where nothing is planned.

    Attributes:
        ticks: How many were played.
        waited: How many of them were fillers before the first answer.
        unplanned: How many were fillers after it.
        declaring: The chunk that declares, while it is being played.
    """

    def __init__(self, gap: Gap = "none") -> None:
        self.ticks = self.waited = self.unplanned = 0
        self.declaring: ActionChunk | None = None
        self._gap: Gap = gap
        self._epoch = 0
        self._words: list[Action] = []
        self._ahead: deque[_Planned] = deque()
        self._began = self._waits = False

    def __len__(self) -> int:
        return len(self._ahead)

    def promise(self, ticks: int) -> Promise:
        """Settle what the next ticks will be: what is planned and, beyond that, what is held in a gap.

        Of a chunk that takes its own length or longer nothing would be left: then nothing is settled or held.
        """
        self._waits = ticks >= CHUNK_LENGTH
        count = 0 if self._waits else min(ticks, MAX_COMMITTED)
        planned: tuple[Action, ...] = tuple(word for word, _ in itertools.islice(self._ahead, count))
        last = planned[-1] if planned else self._last
        held: tuple[Action, ...] = (last,) * (count - len(planned)) if self._holds(last) else ()
        return Promise(self._epoch, len(self._words), planned + held)

    def take(self, promise: Promise, words: Sequence[Action], chunk: ActionChunk | None) -> bool:
        """Replace what is planned by an answer's words, as far as others have not been played in their place.

        Words that were not said (yet) leave what was planned in their places.

        Args:
            promise: What the answer took for settled.
            words: Its first words, the promised ones included.
            chunk: The whole of it, None while it is not complete.

        Returns:
            Whether it could be used: what was promised was played, and some of it is still to come.
        """
        if promise.epoch != self._epoch:
            return False
        passed = self._words[promise.place :]
        if len(passed) >= CHUNK_LENGTH or tuple(passed[: len(promise.words)]) != promise.words[: len(passed)]:
            return False
        if chunk is not None and chunk.done:
            if any(word != NONE for word in passed):
                return False  # it claims that the goal is reached; meanwhile something else was done
            self.declaring = chunk
        new: list[_Planned] = [(word, chunk) for word in words[len(passed) :]]
        kept = list(self._ahead)[len(new) :] if chunk is None else []
        self._ahead = deque([*new, *kept])
        self._began, self._waits = True, False
        return True

    def replace(self, chunk: ActionChunk, count: int = CHUNK_LENGTH) -> None:
        """Plan a chunk's first words from now on, whenever it was thought of."""
        self.declaring = chunk if chunk.done else None
        self._began, self._waits = True, False
        self._ahead = deque((word, chunk) for word in chunk.actions[: CHUNK_LENGTH if chunk.done else count])

    def next(self) -> _Planned:
        """Take the word of this tick, and the chunk it is from; a filler is from none."""
        self.ticks += 1
        if self._ahead:
            word, chunk = self._ahead.popleft()
            self._words.append(word)
            return word, chunk
        self.unplanned += self._began
        self.waited += not self._began
        if not self._holds(self._last):
            return NONE, None
        self._words.append(self._last)
        return self._last, None

    def declared(self) -> ActionChunk | None:
        """The chunk that declares, once all of it has been played."""
        return None if self._ahead else self.declaring

    def clear(self) -> None:
        """Forget what is planned and was promised, and what was played: nothing goes on from it."""
        self._epoch += 1
        self._ahead.clear()
        self._words.clear()
        self.declaring, self._waits = None, False

    @property
    def _last(self) -> Action:
        return self._words[-1] if self._words else NONE

    def _holds(self, word: Action) -> bool:
        return self._gap == "hold" and not self._waits and word in MOVEMENTS
