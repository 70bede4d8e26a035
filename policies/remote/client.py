"""``remote://host:port``: a policy on another machine, as a policy.

Asks again when the server was away and is back. Knows nothing of environments; loads the transport where it is used.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from gameenv.actions import Action, ActionChunk
from gameenv.clock import pause
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, ServerError, require
from gameenv.frames import Frame
from policies.base import Observation
from policies.card import ModelCard
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.remote.address import Address, client_tls, known_token
from policies.remote.packing import pack_jpeg, pack_png
from policies.server.proxies import is_loopback

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 2.0
_ROOM_BYTES = 64_000
"""Of the longest message, what is left for all that is not frames."""
log = logging.getLogger(__name__)


def connect(address: Address, options: ModelOptions) -> Any:
    """Open a line to the server at ``address``.

    Raises:
        ServerError: If there is none, or it refuses.
        InvalidInputError: If token or certificates cannot be read.
        MissingExtraError: If the extra ``remote`` is not installed.
    """
    require("msgspec", "remote")
    require("websockets", "remote")
    from policies.remote.line import GoneError, Line  # noqa: PLC0415 (the transport loads where it is used)

    how = options.remote
    tls = client_tls(how.remote_ca) if address.tls else None
    try:
        return Line(address, known_token(how.remote_token_file), tls)
    except GoneError as error:
        raise ServerError(
            f"{address} does not answer ({error}); is gameenv-serve running there, is it the address, and does it "
            "speak TLS (remotes://)?"
        ) from error


def greet(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Any:
    """Connect, hang up, and return what the server says of its policy (a ``wire.Welcome``).

    Raises:
        GameEnvError: As ``PolicyClient``.
    """
    line = connect(Address.parse(spec), options)
    line.close()
    return line.welcome


def card_from(welcome: Any, address: object) -> ModelCard | None:
    """The card that a server tells of, None where its policy has none."""
    return None if welcome.card is None else ModelCard.from_json(welcome.card, f"the card of {address}")


class PolicyClient:
    """A policy that ``gameenv-serve`` plays on another machine.

    The server's options hold: its temperature, its threshold for declaring. One that was away is called again, for
    ``options.remote.remote_reconnect_s`` seconds; an answer may take ``options.server.timeout_s`` seconds, the first
    ``first_timeout_s``.

    Args:
        spec: ``remote://host:port``, or ``remotes://host:port`` with TLS.
        options: Token, certificates, kind of picture, patience.
        pause: Waits for so many seconds.

    Attributes:
        address: The server's.
        card: The model's card, None for a policy without one.
        model: What the server was given as ``--model``.
        history: How many earlier frames the policy asks for.
        batches: Whether an answer depends on the observation alone.
        reconnected: How often the server was away and is back.

    Raises:
        InvalidInputError: If the address is none, a token or certificate cannot be read, or a temperature or threshold
            is asked for that the server does not play at.
        ServerError: If the server is not there, or refuses.
        MissingExtraError: If the extra ``remote`` is not installed.
    """

    def __init__(
        self,
        spec: str,
        options: ModelOptions = DEFAULT_OPTIONS,
        *,
        pause: Callable[[float], object] = pause,
    ) -> None:
        self.address = Address.parse(spec)
        self._options = options
        self._pause = pause
        self._pack: Callable[[Frame], bytes] = pack_png if options.remote.remote_lossless else pack_jpeg
        self._lock = threading.RLock()
        self._line: Any = connect(self.address, options)
        self._welcome = welcome = self._line.welcome
        self._episode: tuple[str, int | None] | None = None
        self._asked = 0
        self._is_warm = False
        self.model: str = welcome.model
        self.history: int = welcome.history
        self.batches: bool = welcome.batches
        self.reconnected = 0
        self.card = card_from(welcome, self.address)
        try:
            self._check_options()
        except BaseException:
            self.close()
            raise
        if not (self.address.tls or is_loopback(self.address.host)):
            log.warning("the token and the frames go to %s unencrypted; see docs/remote.md", self.address)

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal; the same seed repeats what a policy draws.

        Raises:
            GameEnvError: As ``predict``.
        """
        with self._lock:
            self._episode = (goal, seed)
            if not self.batches:  # any other has nothing that an episode could begin anew
                self._retrying(self._begin_episode)

    def predict(self, observation: Observation) -> ActionChunk:
        """The chunk that the policy answers there.

        Raises:
            InvalidReply: If its reply could not be read there.
            ServerError: If the server is away for too long, does not answer in time, or refuses.
            InvalidInputError: If the policy cannot use the observation, or it is too long for the server.
            GameEnvError: If the policy raised anything else.
        """
        (chunk,) = self.predict_batch([observation])
        return chunk

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        """A chunk for each observation.

        Raises:
            GameEnvError: As ``predict``.
        """
        with self._lock:
            return [chunk for part in self._parts(observations) for chunk in self._ask(part)]

    def predict_stream(self, observation: Observation) -> Iterator[Action]:
        """The words of ``predict``'s chunk, each as soon as the server says it.

        Raises:
            GameEnvError: As ``predict``.
        """
        from policies.remote import wire  # noqa: PLC0415

        with self._lock:
            ((seen,),) = self._parts([observation])
            number, end_s = self._retrying(lambda: self._say_ask((seen,), stream=True))
        said = 0
        while True:
            with self._lock:
                try:
                    message = self._listen(number, end_s, streaming=True)
                except _Again:
                    (chunk,) = self._ask((seen,))
                    break
            if isinstance(message, wire.Answer):
                (chunk,) = self._chunks(message)
                break
            yield from message.words
            said += len(message.words)
        yield from chunk.actions[said:]

    def close(self) -> None:
        """Hang up. May be called twice."""
        with self._lock:
            line, self._line = self._line, None
            if line is not None:
                line.close()

    def _check_options(self) -> None:
        asked, there = self._options, self._welcome
        for name, option, wanted, is_there in (
            ("temperature", "--temperature", asked.temperature or None, there.temperature),
            ("threshold for declaring", "--declare-at", asked.declare_at, there.declare_at),
        ):
            if wanted is not None and wanted != is_there:
                raise InvalidInputError(
                    f"{self.address} plays with {name} {is_there}, {wanted} is asked for; give {option} to "
                    "gameenv-serve, or leave it out here"
                )

    def _parts(self, observations: Sequence[Observation]) -> Iterator[tuple[Any, ...]]:
        """The observations packed, as many together as a message holds."""
        from policies.remote import wire  # noqa: PLC0415

        most, part, length = self._welcome.max_bytes - _ROOM_BYTES, [], 0
        for each in observations:
            earlier = tuple(map(self._pack, each.earlier))
            seen = wire.Seen(self._pack(each.frame), each.goal, each.committed, each.played, earlier)
            size = len(seen.frame) + sum(map(len, earlier)) + 4 * len(each.goal)
            if size > most:
                raise InvalidInputError(
                    f"an observation of {size} bytes is too long for {self.address}, which takes {most}; give "
                    "--message-mb to gameenv-serve, or leave out --remote-lossless"
                )
            if length + size > most:
                yield tuple(part)
                part, length = [], 0
            part.append(seen)
            length += size
        if part:
            yield tuple(part)

    def _ask(self, seen: tuple[Any, ...]) -> list[ActionChunk]:
        def exchange() -> Any:
            number, end_s = self._say_ask(seen)
            return self._listen(number, end_s)

        return self._chunks(self._retrying(exchange))

    def _say_ask(self, seen: tuple[Any, ...], stream: bool = False) -> tuple[int, float]:
        """Ask; returns the question's number, and until when to wait for the answer."""
        from policies.remote import wire  # noqa: PLC0415

        self._asked += 1
        self._send(wire.Ask(id=self._asked, seen=seen, stream=stream))
        return self._asked, time.monotonic() + self._timeout_s

    def _listen(self, number: int, end_s: float, streaming: bool = False) -> Any:
        from policies.remote import wire  # noqa: PLC0415

        kinds = (wire.Answer, wire.Words) if streaming else (wire.Answer,)
        message = self._receive(
            lambda each: isinstance(each, wire.Failed) or (isinstance(each, kinds) and each.id == number), end_s
        )
        self._is_warm = True
        return message

    def _begin_episode(self) -> None:
        from policies.remote import wire  # noqa: PLC0415

        assert self._episode is not None
        goal, seed = self._episode
        self._send(wire.Reset(goal=goal, seed=None if seed is None else str(seed)))
        end_s = time.monotonic() + self._timeout_s
        message = self._receive(lambda each: isinstance(each, wire.Ready | wire.Failed), end_s)
        if isinstance(message, wire.Failed):
            raise self._failure(message.failure)

    def _chunks(self, answer: Any) -> list[ActionChunk]:
        failures = [failure for _, failure in answer.chunks if failure is not None]
        if failures:
            raise self._failure(failures[0])
        return [ActionChunk(words) for words, _ in answer.chunks]

    def _failure(self, failure: Any) -> GameEnvError:
        kinds = {"invalid-reply": InvalidReply, "input": InvalidInputError, "server": ServerError}
        if failure.kind in kinds:
            return kinds[failure.kind](failure.text)
        return GameEnvError(f"the policy behind {self.address} failed: {failure.text}")

    @property
    def _timeout_s(self) -> float:
        server = self._options.server
        return server.timeout_s if self._is_warm else max(server.timeout_s, server.first_timeout_s)

    def _send(self, message: Any) -> None:
        from policies.remote.line import GoneError  # noqa: PLC0415

        if self._line is None:
            raise _Again("it was hung up on")
        try:
            self._line.send(message)
        except GoneError as error:
            self.close()
            raise _Again(str(error)) from error
        except BaseException:
            self.close()
            raise

    def _receive(self, kind: Callable[[Any], bool], end_s: float) -> Any:
        from policies.remote.line import GoneError  # noqa: PLC0415

        if self._line is None:
            raise _Again("it was hung up on")
        try:
            return self._line.wait_for(kind, end_s)
        except GoneError as error:
            self.close()
            raise _Again(str(error)) from error
        except TimeoutError as error:
            self.close()
            raise ServerError(
                f"{self.address} did not answer in time (--timeout-s {self._options.server.timeout_s:g}, the first in "
                f"{self._options.server.first_timeout_s:g}); is its model stuck? See {self.address.http}/healthz"
            ) from error
        except BaseException:  # a Ctrl-C in the middle: what comes yet is for nobody
            self.close()
            raise

    def _retrying(self, exchange: Callable[[], Any]) -> Any:
        """What ``exchange`` gives; while the server is away, it is called again and asked again."""
        end_s = None
        tries = 0
        while True:
            try:
                if self._line is None:
                    self._call_again()
                return exchange()
            except _Again as error:
                patience_s = self._options.remote.remote_reconnect_s
                if end_s is None:
                    end_s = time.monotonic() + patience_s
                    log.warning("%s is away (%s); calling again for %g s", self.address, error, patience_s)
                if time.monotonic() >= end_s:
                    raise ServerError(
                        f"{self.address} is away ({error}) and was not back within {patience_s:g} s "
                        "(--remote-reconnect-s); start gameenv-serve there again, with the same --token-file"
                    ) from error
                wait_s = min(_FIRST_PAUSE_S * 2**tries, _LONGEST_PAUSE_S) * random.uniform(0.5, 1.0)
                self._pause(min(wait_s, max(0.0, end_s - time.monotonic())))
                tries += 1

    def _call_again(self) -> None:
        """Open a line anew; it must be the same policy that plays there."""
        from policies.remote.line import GoneError, Line  # noqa: PLC0415

        how = self._options.remote
        tls = client_tls(how.remote_ca) if self.address.tls else None
        try:
            line = Line(self.address, known_token(how.remote_token_file), tls)
        except GoneError as error:
            raise _Again(str(error)) from error
        if _who(line.welcome) != _who(self._welcome):
            line.close()
            raise ServerError(
                f"{self.address} now serves another policy ({line.welcome.model}, it was {self.model}, or its files or "
                "options have changed); begin again"
            )
        self._line, self._welcome, self._is_warm = line, line.welcome, False
        self.reconnected += 1
        log.warning("%s is back", self.address)
        if not self.batches and self._episode is not None:
            log.warning("what the policy remembered of this episode is lost; it begins anew in the middle")
            self._begin_episode()


class _Again(Exception):  # noqa: N818 (no error yet)
    """The server went away; asking again may help."""


def _who(welcome: Any) -> tuple[Any, ...]:
    """What must not change while a client plays."""
    return (
        *(welcome.model, welcome.card, welcome.fingerprint, welcome.history, welcome.batches),
        *(welcome.temperature, welcome.declare_at),
    )
