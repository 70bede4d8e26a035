"""Where a policy thinks: in a process of its own, in a thread, or in place with a delay that is only counted.

All are asked and heard alike; no call waits for an answer. Knows nothing of environments or of what is played.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Protocol

from gameenv.actions import CHUNK_LENGTH, Action, ActionChunk
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply
from gameenv.processes import Worker, settle_in
from policies.base import AttachesToEnv, Observation, Policy, PredictsStream, history_of
from policies.options import DEFAULT_OPTIONS, ModelOptions

_END_PATIENCE_S = 1.0


class PolicyFailedError(GameEnvError):
    """A policy that thinks elsewhere raised, ended, or says nothing; the message is what is known of it."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a policy is asked. ``number`` tells it from others; ``tick`` is the first that the answer is for."""

    number: int
    tick: int
    observation: Observation


@dataclass(frozen=True, slots=True)
class Answer:
    """What a policy says, or has said so far.

    Attributes:
        number: Which question is answered.
        words: The words so far.
        chunk: All of them, when complete.
        seconds: How long it took.
        invalid: Why the reply cannot be read, None if it can.
        failed: What else the policy raised, None if nothing.
    """

    number: int
    words: tuple[Action, ...] = ()
    chunk: ActionChunk | None = None
    seconds: float = 0.0
    invalid: str | None = None
    failed: str | None = None

    @property
    def final(self) -> bool:
        """Whether nothing more comes."""
        return self.chunk is not None or self.invalid is not None or self.failed is not None


class Mind(Protocol):
    """Somebody to ask, who answers when it is ready.

    Attributes:
        history: How many earlier frames the policy asks for.
        busy: Whether it is still at a question, be it one whose answer nobody wants any more: it is not to be asked.
    """

    history: int
    busy: bool

    def begin(self, goal: str, seed: int | None) -> None:
        """Begin an episode. An answer to what was asked before may still come: its number tells it from others."""
        ...

    def ask(self, question: Question) -> None:
        """Ask; one question at a time."""
        ...

    def hear(self, tick: int) -> list[Answer]:
        """What was said since the last call, in order; never waits."""
        ...

    def close(self) -> None:
        """Stop thinking. May be called twice."""
        ...


class PacedMind:
    """Thinks in place and answers a fixed number of ticks later: a delay that is exact, and the same every time.

    Args:
        policy: Who thinks.
        delay: Ticks from question to answer.
    """

    def __init__(self, policy: Policy, delay: int) -> None:
        if delay < 0:
            raise InvalidInputError(f"a delay is 0 ticks or more, got {delay}")
        self.history, self.busy = history_of(policy), False
        self._policy, self._delay = policy, delay
        self._waiting: list[tuple[int, Answer]] = []

    def begin(self, goal: str, seed: int | None) -> None:
        """Reset the policy."""
        self._waiting.clear()
        self.busy = False
        self._policy.reset(goal, seed=seed)

    def ask(self, question: Question) -> None:
        """Think at once, and keep the answer until it is due."""
        *_, answer = answers_of(self._policy, question, stream=False)
        self._waiting.append((question.tick + self._delay, answer))
        self.busy = True

    def hear(self, tick: int) -> list[Answer]:
        """The answers that are due."""
        due = [answer for ready, answer in self._waiting if ready <= tick]
        self._waiting = [(ready, answer) for ready, answer in self._waiting if ready > tick]
        self.busy = bool(self._waiting)
        return due

    def close(self) -> None:
        """Nothing to stop."""


class ThreadMind:
    """Thinks in a thread: for a policy that exists already and cannot be made anew elsewhere.

    A policy that hangs cannot be ended: its thread goes when the program does.

    Args:
        policy: Who thinks. Only the thread touches it from now on.
    """

    def __init__(self, policy: Policy) -> None:
        self.history, self.busy = history_of(policy), False
        self._policy = policy
        self._asked: queue.SimpleQueue[Question | tuple[str, int | None] | None] = queue.SimpleQueue()
        self._said: queue.SimpleQueue[Answer] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._think, name="policy", daemon=True)
        self._thread.start()

    def begin(self, goal: str, seed: int | None) -> None:
        """Reset the policy when it has ended what it is at."""
        self._asked.put((goal, seed))

    def ask(self, question: Question) -> None:
        """Hand the question over."""
        self.busy = True
        self._asked.put(question)

    def hear(self, tick: int) -> list[Answer]:
        """What has been said."""
        said = []
        with contextlib.suppress(queue.Empty):
            while True:
                said.append(self._said.get_nowait())
        self.busy &= not any(answer.final for answer in said)
        return said

    def close(self) -> None:
        """Let the thread end when it is done."""
        self._asked.put(None)

    def _think(self) -> None:
        _serve(self._policy, self._asked.get, self._said.put)


class ProcessMind:
    """Thinks in a process of its own, which can be ended whatever it does, and takes no time of the game's loop.

    Args:
        spec: What ``load_policy`` takes.
        options: How to run a model.

    Raises:
        GameEnvError: If the policy cannot be loaded; says why.
    """

    def __init__(self, spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> None:
        self._spec = spec
        self._worker = Worker(_live, spec, options, name="policy", daemon=True)
        try:
            ready = self._worker.connection.recv()
        except (EOFError, OSError):
            ready = f"its process ended (exit code {self._worker.process.exitcode})"
        except BaseException:
            self._worker.end()
            raise
        if isinstance(ready, str):
            self._worker.end()
            raise GameEnvError(ready)
        self.history: int
        self.history, self.attaches = ready
        self.busy = False

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._worker.pid

    def begin(self, goal: str, seed: int | None) -> None:
        """Reset the policy when it has ended what it is at."""
        self._worker.send((goal, seed))

    def ask(self, question: Question) -> None:
        """Hand the question over. It is taken at once, as one that is not busy listens."""
        self.busy = True
        self._worker.send(question)

    def hear(self, tick: int) -> list[Answer]:
        """What has been said.

        Raises:
            PolicyFailedError: If the process has ended.
        """
        said = []
        try:
            while self._worker.connection.poll():
                said.append(self._worker.connection.recv())
        except (EOFError, OSError):
            self._worker.process.join(_END_PATIENCE_S)
            raise PolicyFailedError(
                f"the process that thinks for {self._spec} has ended (exit code {self._worker.process.exitcode})"
            ) from None
        self.busy &= not any(answer.final for answer in said)
        return said

    def close(self) -> None:
        """End the process, whatever it is at."""
        if not self._worker.connection.closed:
            self._worker.end()


def answers_of(policy: Policy, question: Question, *, stream: bool = True) -> Iterator[Answer]:
    """Ask a policy: its words as they are certain, if it can say them one by one, and the whole at last."""
    number, began = question.number, time.perf_counter()
    words: list[Action] = []
    try:
        if stream and isinstance(policy, PredictsStream):
            for word in policy.predict_stream(question.observation):
                words.append(word)
                if len(words) < CHUNK_LENGTH:
                    yield Answer(number, tuple(words))
            chunk = ActionChunk.of(words)
        else:
            chunk = policy.predict(question.observation)
        if not isinstance(chunk, ActionChunk):
            raise InvalidInputError(
                f"{type(policy).__name__}.predict must return an ActionChunk, it returned {chunk!r:.80}; build one "
                "with ActionChunk.of(words)"
            )
        committed = question.observation.committed
        if chunk.actions[: len(committed)] != committed:
            raise InvalidInputError(
                f"{type(policy).__name__} began its chunk with {' '.join(chunk.actions[: len(committed)])}, not with "
                f"what was committed: {' '.join(committed)}"
            )
    except InvalidReply as error:
        yield Answer(number, seconds=time.perf_counter() - began, invalid=str(error) or type(error).__name__)
    except Exception as error:  # whatever a policy raises ends the episode, not the process that says so
        text = str(error) if isinstance(error, GameEnvError) else f"{type(error).__name__}: {error}"
        yield Answer(number, seconds=time.perf_counter() - began, failed=text)
    else:
        yield Answer(number, chunk.actions, chunk, time.perf_counter() - began)


def _serve(
    policy: Policy, get: Callable[[], Question | tuple[str, int | None] | None], say: Callable[[Answer], object]
) -> None:
    """Answer what is asked until None comes."""
    while (asked := get()) is not None:
        if isinstance(asked, Question):
            for answer in answers_of(policy, asked):
                say(answer)
        else:
            goal, seed = asked
            try:
                policy.reset(goal, seed=seed)
            except Exception as error:
                say(Answer(-1, failed=f"{type(error).__name__}: {error}"))


def _live(connection: Connection, spec: str, options: ModelOptions) -> None:
    """The body of the process."""
    settle_in(connection)
    from policies.load import load_policy  # noqa: PLC0415 (heavy, and needed here only)

    with contextlib.suppress(EOFError, OSError):
        try:
            policy = load_policy(spec, options)
            history = history_of(policy)
        except GameEnvError as error:
            connection.send(str(error))
            return
        except Exception as error:
            connection.send(f"cannot load {spec}: {type(error).__name__}: {error}")
            return
        connection.send((history, isinstance(policy, AttachesToEnv)))
        _serve(policy, connection.recv, connection.send)
