"""The one thread in which a served policy is asked: what waits meanwhile is answered together.

Models are not made for several threads. Knows nothing of sockets or messages.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, TypeVar

from gameenv.actions import Action, ActionChunk
from gameenv.errors import InvalidInputError
from policies.base import Observation, Policy, PredictsBatch, PredictsStream

Outcome = ActionChunk | Exception
"""A chunk, or what the policy raised in place of it."""
OnWords = Callable[[Sequence[Action]], object]
Noted = Callable[[int, float], object]
"""Told after each call of the policy: how many observations it answered, and the seconds that took."""
T = TypeVar("T")
_LAST_WORDS_S = 3.0


@dataclass(slots=True)
class _Question:
    """What one client asks the policy that all share."""

    observations: Sequence[Observation]
    on_words: OnWords | None
    future: "Future[list[Outcome]]" = field(default_factory=Future)


@dataclass(slots=True)
class _Errand:
    """Anything else that is to be done in the thread."""

    call: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)


class Thinker:
    """A thread that asks policies, one call at a time.

    Args:
        shared: The policy that answers everybody, None where each client has one of its own.
        most: Observations that it is asked at once.
        noted: Told of each call.
    """

    def __init__(self, shared: Policy | None, most: int, noted: Noted) -> None:
        self._shared = shared
        self._most = most
        self._noted = noted
        self._jobs: deque[_Question | _Errand | None] = deque()
        self._there_is = threading.Condition()
        self._began_s: float | None = None
        self._thread = threading.Thread(target=self._live, name="policy", daemon=True)  # it may hang in a policy
        self._thread.start()

    @property
    def busy_s(self) -> float:
        """How long the call that is going on has taken so far, 0 if there is none."""
        began_s = self._began_s
        return 0.0 if began_s is None else time.monotonic() - began_s

    @property
    def waiting(self) -> int:
        """How many questions and errands wait."""
        return len(self._jobs)

    def answer(self, observations: Sequence[Observation], on_words: OnWords | None = None) -> "Future[list[Outcome]]":
        """Have the shared policy answer; with others' observations in one call where several wait.

        Args:
            observations: One or more.
            on_words: Called in the thread with the words of a single chunk, as they are settled.
        """
        return self._put(_Question(observations, on_words)).future

    def run(self, call: Callable[[], T]) -> "Future[T]":
        """Do something else in the thread, such as making a policy or asking one that is not shared."""
        return self._put(_Errand(call)).future

    def close(self) -> None:
        """End after what is going on; a policy that hangs is left behind. May be called twice."""
        self._put(None)
        self._thread.join(_LAST_WORDS_S)

    def _put(self, job: Any) -> Any:
        with self._there_is:
            self._jobs.append(job)
            self._there_is.notify()
        return job

    def _take(self) -> list[_Question] | _Errand | None:
        """The next errand, or as many questions as are answered together; waits for one."""
        with self._there_is:
            while not self._jobs:
                self._there_is.wait()
            first = self._jobs.popleft()
            if not isinstance(first, _Question):
                return first
            taken, count = [first], len(first.observations)
            while self._jobs and isinstance(after := self._jobs[0], _Question):
                count += len(after.observations)
                if count > self._most:
                    break
                self._jobs.popleft()
                taken.append(after)
            return taken

    def _live(self) -> None:
        while (taken := self._take()) is not None:
            self._began_s = time.monotonic()
            if isinstance(taken, _Errand):
                _settle(taken.future, taken.call)
            else:
                self._answer_together(taken)
            self._began_s = None

    def _answer_together(self, questions: Sequence[_Question]) -> None:
        assert self._shared is not None
        asked = [each for question in questions for each in question.observations]
        on_words = questions[0].on_words if len(questions) == 1 else None
        outcomes: list[Outcome] = []
        for start in range(0, len(asked), self._most):
            part = asked[start : start + self._most]
            began_s = time.perf_counter()
            outcomes += ask(self._shared, part, on_words if len(asked) == 1 else None)
            self._noted(len(part), time.perf_counter() - began_s)
        for question in questions:
            count = len(question.observations)
            mine, outcomes = outcomes[:count], outcomes[count:]
            _settle(question.future, lambda mine=mine: mine)


def ask(policy: Policy, observations: Sequence[Observation], on_words: OnWords | None = None) -> list[Outcome]:
    """Ask a policy; whatever it raises is an outcome, and one bad observation of several costs the others nothing.

    Several are asked in one call where the policy can, and one by itself as any runner does: a policy that guesses
    ahead is faster then.
    """
    try:
        if len(observations) == 1:
            return [_ask_one(policy, observations[0], on_words)]
        if not isinstance(policy, PredictsBatch) or not policy.batches:
            return [outcome for each in observations for outcome in ask(policy, [each])]
        return list(_checked(policy, policy.predict_batch(observations), len(observations)))
    except Exception as error:
        if len(observations) == 1:
            return [error]
        return [outcome for each in observations for outcome in ask(policy, [each])]


def _ask_one(policy: Policy, observation: Observation, on_words: OnWords | None) -> ActionChunk:
    if on_words is None or not isinstance(policy, PredictsStream):
        return _checked(policy, [policy.predict(observation)], 1)[0]
    words: list[Action] = []
    for word in policy.predict_stream(observation):
        words.append(word)
        on_words([word])
    return ActionChunk.of(words)


def _checked(policy: object, chunks: object, count: int) -> Sequence[ActionChunk]:
    if not isinstance(chunks, Sequence) or len(chunks) != count or not all(isinstance(c, ActionChunk) for c in chunks):
        raise InvalidInputError(
            f"{type(policy).__name__} must answer {count} observations with as many ActionChunks, got {chunks!r:.80}"
        )
    return chunks


def _settle(future: "Future[T]", call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():  # whoever asked has gone
        return
    try:
        future.set_result(call())
    except Exception as error:
        future.set_exception(error)
