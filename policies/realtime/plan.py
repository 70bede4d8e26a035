"""What is going to be played: words that a policy chose, each for a tick of its own. Pure bookkeeping.

Knows nothing of policies, environments, threads or time.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from policies.base import MAX_COMMITTED

_Planned = tuple[Action, ActionChunk | None]
Gap = Literal["none", "hold"]
"""What is played where nothing is planned: ``none``, or the last word once more."""


@dataclass(frozen=True, slots=True)
class Promise:
    """What a policy was told that will be played before it can answer.

    Attributes:
        tick: The tick it was asked at: the first word of its answer is for this one.
        words: What will be played from then on, whatever it answers.
        filled: Some of them were chosen by nobody.
    """

    tick: int
    words: tuple[Action, ...]
    filled: bool


class Plan:
    """The words from now on, and those that were played.

    Args:
        gap: What is played where nothing is planned.

    Attributes:
        played: The word of every tick so far.
        waited: How many of them were fillers before the first answer.
        unplanned: How many were fillers after it.
        declaring: The chunk that declares, while it is being played.
    """

    def __init__(self, gap: Gap = "none") -> None:
        self.played: list[Action] = []
        self.waited = self.unplanned = 0
        self.declaring: ActionChunk | None = None
        self._gap: Gap = gap
        self._ahead: deque[_Planned] = deque()
        self._began = False

    def __len__(self) -> int:
        return len(self._ahead)

    @property
    def tick(self) -> int:
        """Ticks played."""
        return len(self.played)

    def promise(self, ticks: int) -> Promise:
        """Settle what the next ticks will be: what is planned and, beyond that, what fills a gap."""
        count = min(ticks, MAX_COMMITTED)
        ahead: tuple[Action, ...] = tuple(word for word, _ in self._ahead)
        planned = ahead[:count]
        filled = count - len(planned)
        fillers = (self._filler(planned[-1] if planned else self._last),) * filled
        return Promise(self.tick, planned + fillers, filled > 0)

    def take(self, promise: Promise, words: Sequence[Action], chunk: ActionChunk | None) -> bool:
        """Replace what is planned by an answer's words, as far as their time has not passed.

        Words that were not said (yet) leave what was planned for their ticks.

        Args:
            promise: What the answer took for settled.
            words: Its first words, the promised ones included.
            chunk: The whole of it, None while it is not complete.

        Returns:
            Whether it could be used: what was promised was played, and some of it is still to come.
        """
        passed = self.played[promise.tick :]
        if len(passed) >= CHUNK_LENGTH or tuple(passed[: len(promise.words)]) != promise.words[: len(passed)]:
            return False
        if chunk is not None and chunk.done:
            if any(word != NONE for word in passed):
                return False  # it claims that the goal is reached; meanwhile something else was done
            if not promise.filled:
                self.declaring = chunk
        new: list[_Planned] = [(word, chunk) for word in words[len(passed) :]]
        kept = list(self._ahead)[len(new) :] if chunk is None else []
        self._ahead = deque([*new, *kept])
        self._began = True
        return True

    def replace(self, chunk: ActionChunk, count: int = CHUNK_LENGTH) -> None:
        """Plan a chunk's first words from now on, whenever it was thought of."""
        self.declaring = chunk if chunk.done else None
        self._began = True
        self._ahead = deque((word, chunk) for word in chunk.actions[: CHUNK_LENGTH if chunk.done else count])

    def next(self) -> _Planned:
        """Take the word of this tick, and the chunk it is from; a filler is from none."""
        if self._ahead:
            word, chunk = self._ahead.popleft()
        else:
            word, chunk = self._filler(self._last), None
            self.unplanned += self._began
            self.waited += not self._began
        self.played.append(word)
        return word, chunk

    def declared(self) -> ActionChunk | None:
        """The chunk that declares, once all of it has been played."""
        return None if self._ahead else self.declaring

    def clear(self) -> None:
        """Forget what is planned."""
        self._ahead.clear()
        self.declaring = None

    @property
    def _last(self) -> Action:
        return self.played[-1] if self.played else NONE

    def _filler(self, last: Action) -> Action:
        return NONE if self._gap == "none" else last
