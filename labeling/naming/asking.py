"""Whoever answers questions about clips: the protocol, and the one behind an OpenAI-compatible address.

Knows nothing of clips or goals.
"""

import os
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from typing import Protocol

from gameenv.errors import InvalidInputError, InvalidReply, ServerError
from labeling.naming.options import NamingOptions
from labeling.naming.pictures import halve
from labeling.naming.replies import Said
from policies.load import API_KEY
from policies.server.client import ChatClient, Question, TooLargeError, WrongKeyError

Keep = Callable[[Question, Said], object]
"""Called with each reply as soon as it is there, from any thread."""
FAILED_IN_A_ROW = 10
"""Questions without any reply after which a server is given up."""
_AHEAD = 2  # questions made ready for each that is asked, so that a slow one holds up none
_HALVINGS = 2
_JITTER = 0.5


class Asker(Protocol):
    """Answers questions."""

    @property
    def model(self) -> str:
        """The model's name: another one gives other answers."""
        ...

    def ask(self, questions: Iterable[Question], keep: Keep) -> Iterator[Said]:
        """Answer each question, in order.

        Raises:
            GameEnvError: If those that follow would not be answered either.
        """
        ...

    def close(self) -> None:
        """Let go of model or server. May be called twice."""
        ...


class ServerAsker:
    """Asks a server, several questions at a time.

    Args:
        spec: ``http://host:port/v1``, with ``#model`` behind it where it has several models; or a model's name alone,
            for which only what was answered before, or imported, is known.
        options: How it is asked.
    """

    def __init__(self, spec: str, options: NamingOptions) -> None:
        self._spec = spec
        self._options = options
        self._client: ChatClient | None = None
        self._has_answered = False

    @property
    def model(self) -> str:
        """The model's name; asks the server for it where the address does not say."""
        if "://" not in self._spec:
            return self._spec
        return self._spec.partition("#")[2] or self._connected().model

    def ask(self, questions: Iterable[Question], keep: Keep) -> Iterator[Said]:
        """Answer each question, in order.

        Raises:
            ServerError: If the server wants another key, does not answer the first question, or one after another.
        """
        pool = ThreadPoolExecutor(self._options.in_flight, thread_name_prefix="asking")
        waiting: deque[Future[Said]] = deque()
        failed = 0
        try:
            for question in questions:
                waiting.append(pool.submit(self._one, question, keep))
                # the first tells what this server takes; the others need not find out, too
                while len(waiting) >= (self._options.in_flight * _AHEAD if self._has_answered else 1):
                    failed = yield from self._settle(waiting.popleft(), failed)
            while waiting:
                failed = yield from self._settle(waiting.popleft(), failed)
        finally:
            for each in waiting:
                each.cancel()
            if waiting:
                self.close()  # what is still on its way would hold up the end
            pool.shutdown(wait=True, cancel_futures=True)

    def close(self) -> None:
        """Hang up. May be called twice."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _settle(self, future: Future[Said], failed: int) -> Generator[Said, None, int]:
        said = future.result()
        failed = failed + 1 if said.failed else 0
        if failed and (not self._has_answered or failed >= FAILED_IN_A_ROW):
            raise ServerError(f"{said.error} (what was answered is kept: run the same command again to go on)")
        self._has_answered = True
        yield said
        return failed

    def _one(self, question: Question, keep: Keep) -> Said:
        said = self._answer(question)
        keep(question, said)
        return said

    def _answer(self, question: Question, halvings: int = 0) -> Said:
        began = time.monotonic()
        try:
            return Said.of(self._connected().ask(question), time.monotonic() - began)
        except InvalidReply as error:
            return Said(error=str(error))
        except WrongKeyError:
            raise
        except TooLargeError as error:
            if halvings == _HALVINGS:
                return Said(error=str(error), failed=True)
            smaller = replace(question, pictures=tuple(halve(each) for each in question.pictures))
            return self._answer(smaller, halvings + 1)
        except ServerError as error:
            return Said(error=str(error), failed=True)

    def _connected(self) -> ChatClient:
        if self._client is None:
            if "://" not in self._spec:
                raise InvalidInputError(
                    f"some clips have no answer of the model {self._spec!r} yet, and it has no address to ask: write "
                    f"--model http://host:port/v1#{self._spec}, or import their answers (--import-answers)"
                )
            self._client = ChatClient(
                self._spec, self._options.for_server(), api_key=os.environ.get(API_KEY), jitter=_JITTER
            )
        return self._client
