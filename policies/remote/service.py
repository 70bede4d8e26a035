"""A policy behind a port: who may ask, what is answered, what is counted.

A client is turned away or hung up on for what it does wrong; the server lives. Knows nothing of how policies are named
or loaded.
"""

import asyncio
import contextlib
import hmac
import http
import json
import logging
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Self

from websockets.asyncio.server import ServerConnection, serve
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.http11 import Request, Response

from gameenv.actions import Action, ActionChunk
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, ServerError
from policies.base import AttachesToEnv, Observation, Policy, batching, history_of
from policies.remote import wire
from policies.remote.address import Address
from policies.remote.meters import CONTENT_TYPE, Meters
from policies.remote.packing import unpack
from policies.remote.thinking import Outcome, Thinker, ask

HEALTH, METRICS = "/healthz", "/metrics"
STUCK_S = 60.0
"""A call of the policy that takes longer makes the server unwell."""
_GREETING_S, _CLOSING_S = 10.0, 2.0
_TOO_LARGE = 1009
_FEW = 4
"""Frames of a message that are unpacked where it is received, about 1 ms each."""
log = logging.getLogger(__name__)
_quiet = logging.getLogger(f"{__name__}.transport")
_quiet.setLevel(logging.CRITICAL + 1)  # tracebacks of strangers who hang up; and it would log the token


@dataclass(frozen=True, slots=True)
class About:
    """What clients are told of the policy.

    Attributes:
        model: Its name.
        card: Its card as ``ModelCard.to_json`` gives it, None without one.
        fingerprint: A short hash of its files, None without any.
        temperature: It plays at this one.
        declare_at: Probability from which it declares, None where nobody chose one.
    """

    model: str
    card: dict[str, Any] | None = None
    fingerprint: str | None = None
    temperature: float = 0.0
    declare_at: float | None = None


@dataclass(frozen=True, slots=True)
class Limits:
    """How much a server takes on.

    Attributes:
        clients: Connections at once.
        batch: Observations answered in one call of the policy.
        copies: Of a policy with a memory, which answers one client alone: how many are made.
        message_bytes: The longest message.

    Raises:
        InvalidInputError: If one is below 1.
    """

    clients: int = 64
    batch: int = 8
    copies: int = 16
    message_bytes: int = 8_000_000

    def __post_init__(self) -> None:
        for name in ("clients", "batch", "copies", "message_bytes"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name} must be at least 1, got {getattr(self, name)}")


DEFAULT_LIMITS = Limits()


class PolicyServer:
    """Serves a policy from ``__enter__`` to ``close``, in threads of its own.

    A policy whose answers depend on the observation alone (``batches``) answers everybody, together where several
    wait. Of any other, each client that plays has a copy.

    Args:
        make: Makes the policy; called once when the server starts, and again for each further copy.
        about: What clients are told.
        token: Who does not know it is turned away.
        host, port: Where to listen; port 0 takes any that is free.
        tls: Speak TLS with this.
        limits: How much to take on.

    Attributes:
        address: Where it listens.

    Raises:
        InvalidInputError: If the policy needs the game itself.
        OSError: If it cannot listen there.
    """

    def __init__(
        self,
        make: Callable[[], Policy],
        about: About,
        token: str,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self._make = make
        self._token = token.encode()
        self._limits = limits
        self._tls = tls
        self.address = Address(host, port, tls is not None)
        first = make()
        if isinstance(first, AttachesToEnv):
            raise InvalidInputError(
                f"{about.model} needs the game itself, not only its frames: play it on the machine where the game runs"
            )
        shared = first if batching(first) else None
        self._idle = [] if shared else [first]
        self._made = 1
        self._thinker = Thinker(shared, limits.batch, self._thought)
        self._meters = Meters(lambda: self._thinker.busy_s)
        self.shares = shared is not None
        self._welcome = wire.pack(
            wire.Welcome(
                model=about.model,
                card=about.card,
                fingerprint=about.fingerprint,
                history=history_of(first),
                batches=self.shares,
                temperature=about.temperature,
                declare_at=about.declare_at,
                max_bytes=limits.message_bytes,
            )
        )
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self._thread: threading.Thread | None = None
        self._connections = 0

    def __enter__(self) -> Self:
        started: Future[int] = Future()
        self._thread = threading.Thread(target=self._live, args=(started,), name="policy server", daemon=True)
        self._thread.start()
        self.address = Address(self.address.host, started.result(), self.address.tls)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up on everybody and end. May be called twice."""
        loop, self._loop = self._loop, None
        if loop is not None and self._stop is not None:
            loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()
        self._thinker.close()

    def _thought(self, count: int, seconds: float) -> None:
        self._meters.thought(count, seconds)

    def _live(self, started: "Future[int]") -> None:
        try:
            asyncio.run(self._listen(started))
        except BaseException as error:
            if started.done():
                raise
            started.set_exception(error)

    async def _listen(self, started: "Future[int]") -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        server = await serve(
            self._visit,
            self.address.host,
            self.address.port,
            process_request=self._admit,
            origins=[None],  # no web page of another's may call from this person's browser
            compression=None,  # pictures are; and nobody sends a small message that becomes a huge one
            max_size=self._limits.message_bytes,
            logger=_quiet,
            close_timeout=_CLOSING_S,
            ssl=self._tls,
        )
        started.set_result(next(iter(server.sockets)).getsockname()[1])
        await self._stop.wait()
        server.close()
        with contextlib.suppress(TimeoutError):  # one may wait for a policy that hangs
            await asyncio.wait_for(server.wait_closed(), 2 * _CLOSING_S)

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        """Answer a question about health or numbers; let in who knows the token; turn away the others."""
        path = request.path.partition("?")[0]
        if path == HEALTH:
            return self._health(connection)
        if path == METRICS:
            return _text(connection, http.HTTPStatus.OK, self._meters.text().decode(), CONTENT_TYPE)
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode(errors="replace"), b"Bearer " + self._token):
            self._meters.refused.labels("token").inc()
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "this server wants its token\n")
        if self._connections >= self._limits.clients:
            self._meters.refused.labels("busy").inc()
            told = f"{self._connections} clients are connected, as many as may be (--clients)\n"
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, told)
        return None

    def _health(self, connection: ServerConnection) -> Response:
        busy_s = self._thinker.busy_s
        well = busy_s < STUCK_S
        told = {
            "status": "ok" if well else "stuck",
            "version": wire.VERSION,
            "busy_s": round(busy_s, 3),
            "waiting": self._thinker.waiting,
        }
        status = http.HTTPStatus.OK if well else http.HTTPStatus.SERVICE_UNAVAILABLE
        return _text(connection, status, json.dumps(told) + "\n", "application/json")

    async def _visit(self, connection: ServerConnection) -> None:
        """Talk with a client until it has gone or did something wrong."""
        self._connections += 1
        self._meters.connected.inc()
        self._meters.clients.inc()
        visit = _Visit(self, connection)
        try:
            await visit.talk()
        except ConnectionClosedOK:
            pass
        except ConnectionClosed as error:
            too_large = error.sent is not None and error.sent.code == _TOO_LARGE
            self._meters.refused.labels("too-large" if too_large else "cut").inc()
        except TimeoutError:
            self._meters.refused.labels("silent").inc()
        except wire.VersionError as error:
            await self._hang_up(connection, "version", error)
        except InvalidInputError as error:
            await self._hang_up(connection, "malformed", error)
        except _BusyError as error:
            await self._hang_up(connection, "busy", error)
        finally:
            self._connections -= 1
            self._meters.clients.dec()
            if visit.own is not None:
                self._idle.append(visit.own)

    async def _hang_up(self, connection: ServerConnection, reason: wire.Reason, error: Exception) -> None:
        self._meters.refused.labels(reason).inc()
        log.warning("hung up on a client (%s): %s", reason, error)
        with contextlib.suppress(ConnectionClosed):
            await connection.send(wire.pack(wire.Refused(reason=reason, text=str(error)[:500])))

    async def own_policy(self) -> Policy:
        """A policy for one client: one that nobody uses, else a new one."""
        if self._idle:
            return self._idle.pop()
        if self._made >= self._limits.copies:
            raise _BusyError(
                f"this policy has a memory and answers one client a copy; {self._made} copies are in use (--copies)"
            )
        self._made += 1
        try:
            return await asyncio.wrap_future(self._thinker.run(self._make))
        except BaseException:
            self._made -= 1
            raise


class _BusyError(GameEnvError):
    """There is no room for this client."""


class _Visit:
    """One client's connection.

    Attributes:
        own: The copy of the policy that is this client's while it is connected, None where all share one.
    """

    def __init__(self, server: PolicyServer, connection: ServerConnection) -> None:
        self._server = server
        self._connection = connection
        self.own: Policy | None = None

    async def talk(self) -> None:
        """Greet, then answer message after message."""
        async with asyncio.timeout(_GREETING_S):
            hello = await self._receive()
        if not isinstance(hello, wire.Hello):
            raise wire.MalformedError(f"a client says hello first, this one said {type(hello).__name__}")
        await self._connection.send(self._server._welcome)
        while True:
            message = await self._receive()
            if isinstance(message, wire.Ask):
                await self._answer(message)
            elif isinstance(message, wire.Reset):
                await self._reset(message)
            else:
                raise wire.MalformedError("a client says hello once")

    async def _receive(self) -> wire.FromClient:
        data = await self._connection.recv()
        self._server._meters.received.inc(len(data))
        return wire.from_client(data)

    async def _reset(self, message: wire.Reset) -> None:
        seed = _read_seed(message.seed)
        if not self._server.shares:
            try:
                policy = await self._policy()
                await asyncio.wrap_future(self._server._thinker.run(lambda: policy.reset(message.goal, seed=seed)))
            except _BusyError:
                raise
            except Exception as error:
                log.warning("a reset failed: %s", describe(error))
                await self._connection.send(wire.pack(wire.Failed(failure=failure_of(error))))
                return
        await self._connection.send(wire.pack(wire.Ready()))

    async def _policy(self) -> Policy:
        if self.own is None:
            self.own = await self._server.own_policy()
        return self.own

    async def _answer(self, message: wire.Ask) -> None:
        began_s = time.perf_counter()
        if sum(1 + len(each.earlier) for each in message.seen) <= _FEW:
            observations = _observations(message)  # sooner done than handed to a thread
        else:
            observations = await asyncio.to_thread(_observations, message)
        if not observations:
            raise wire.MalformedError("a client asks about at least one observation")
        outcomes = await self._outcomes(observations, self._say(message.id) if message.stream else None)
        meters = self._server._meters
        chunks = tuple(map(_told, outcomes))
        for _, failure in chunks:
            meters.chunks.labels("answered" if failure is None else failure.kind).inc()
            if failure is not None and failure.kind != "invalid-reply":
                log.warning("the policy failed: %s", failure.text)
        await self._connection.send(wire.pack(wire.Answer(id=message.id, chunks=chunks)))
        meters.answer.observe(time.perf_counter() - began_s)

    async def _outcomes(
        self, observations: Sequence[Observation], on_words: Callable[[Sequence[Action]], object] | None
    ) -> list[Outcome]:
        thinker = self._server._thinker
        if self._server.shares:
            return await asyncio.wrap_future(thinker.answer(observations, on_words))
        policy = await self._policy()

        def ask_own() -> list[Outcome]:
            began_s = time.perf_counter()
            outcomes = ask(policy, observations, on_words)
            self._server._thought(len(observations), time.perf_counter() - began_s)
            return outcomes

        return await asyncio.wrap_future(thinker.run(ask_own))

    def _say(self, number: int) -> Callable[[Sequence[Action]], None]:
        """What sends words from the policy's thread, in order, without waiting for the client."""
        loop = asyncio.get_running_loop()

        async def send(data: bytes) -> None:
            with contextlib.suppress(ConnectionClosed):
                await self._connection.send(data)

        def say(words: Sequence[Action]) -> None:
            data = wire.pack(wire.Words(id=number, words=tuple(words)))
            asyncio.run_coroutine_threadsafe(send(data), loop)

        return say


def _observations(message: wire.Ask) -> list[Observation]:
    return [_observation(each) for each in message.seen]


def _observation(seen: wire.Seen) -> Observation:
    earlier = tuple(unpack(each) for each in seen.earlier)
    return Observation(unpack(seen.frame), seen.goal, seen.committed, seen.played, earlier)


def _told(outcome: Outcome) -> tuple[tuple[Action, ...] | None, wire.Failure | None]:
    if isinstance(outcome, ActionChunk):
        return outcome.actions, None
    return None, failure_of(outcome)


def failure_of(error: Exception) -> wire.Failure:
    """What a client is told of what a policy raised: enough to raise the same kind there."""
    if isinstance(error, InvalidReply):
        return wire.Failure("invalid-reply", str(error))
    if isinstance(error, ServerError):
        return wire.Failure("server", str(error))
    if isinstance(error, InvalidInputError):
        return wire.Failure("input", str(error))
    return wire.Failure("policy", describe(error))


def describe(error: Exception) -> str:
    """An error in a line; one that is meant for people by its text alone."""
    text = str(error) if isinstance(error, GameEnvError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split())[:2000]


def _read_seed(digits: str | None) -> int | None:
    if digits is None:
        return None
    if not (digits.isascii() and digits.isdigit() and len(digits) < 1000):
        raise wire.MalformedError(f"a seed is a whole number from 0 in digits, got {digits[:40]!r}")
    return int(digits)


def _text(connection: ServerConnection, status: http.HTTPStatus, text: str, kind: str) -> Response:
    response = connection.respond(status, text)
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = kind
    return response
