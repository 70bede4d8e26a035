"""One HTTP server, asked with patience: time-outs, retries, proxies, and what is wrong said in a line.

Knows nothing of models or of what is asked.
"""

import json
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gameenv.clock import NS_PER_S, now_ns, pause
from gameenv.errors import InvalidInputError, ServerError, require
from policies.server.proxies import proxy_for

MAX_BYTES = 2**20
"""More of an answer is not read."""
CONNECT_S = 10.0
"""A server that is there takes the call in this time, however long its model takes to load."""
SAY_AFTER_S = 5.0
BUSY = (408, 409, 425, 429, 502, 503, 504)
BROKEN = 500
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.25, 2.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a status and a text. An ``error`` object that came with status 200 has an error's status."""

    status: int
    text: str

    @property
    def ok(self) -> bool:
        """Whether it is what was asked for."""
        return 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class Patience:
    """How long and how often a question is asked.

    Attributes:
        timeout_s: Seconds for the question, retries included.
        retries: How often it is asked again when the server is busy, broken or not there.
        cold: The server may still be loading its model: as long as it says so, it is asked again until the time is up.
        waiting: Called once when there is no answer after ``say_after_s`` seconds.
        say_after_s: Seconds of silence after which ``waiting`` is called.
        jitter: Pauses between tries are longer by a random share up to this, so that many who were turned away
            together do not come back together.
    """

    timeout_s: float
    retries: int
    cold: bool = False
    waiting: Callable[[], object] | None = None
    say_after_s: float = SAY_AFTER_S
    jitter: float = 0.0


class HttpServer:
    """A connection to one server, kept open between questions.

    Args:
        address: ``http://host:port/path``; paths asked for are appended to it.
        headers: Sent with every question.
        now_ns: Monotonic time source in nanoseconds.
        pause: Waits for so many seconds.

    Raises:
        InvalidInputError: If the address is none.
        ServerError: If the proxy for it cannot be used.
        MissingExtraError: If httpx is not installed.
    """

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        *,
        now_ns: Callable[[], int] = now_ns,
        pause: Callable[[float], object] = pause,
    ) -> None:
        self._httpx: Any = require("httpx", "server")
        self._now_ns = now_ns
        self._pause = pause
        self.address = address.rstrip("/")
        try:
            parts = urlsplit(self.address)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("no http://, or no host")
            self._httpx.URL(self.address)
            self.has_path = bool(parts.path.strip("/"))
            self._proxy = proxy_for(self.address)
        except (ValueError, self._httpx.InvalidURL) as error:
            raise InvalidInputError(
                f"a server's address is such as http://localhost:8000/v1, got {address!r} ({error})"
            ) from error
        try:
            transport = self._httpx.HTTPTransport(proxy=self._proxy.url if self._proxy else None)
        except (ImportError, ValueError, self._httpx.InvalidURL) as error:
            raise ServerError(
                f"the proxy {self._proxy} cannot be used for {self.address} ({_line(str(error))}); install what it "
                f"needs (socks5: pip install 'httpx[socks]'), or ask directly: NO_PROXY={parts.hostname}"
            ) from error
        self._client = self._httpx.Client(base_url=self.address, headers=dict(headers), transport=transport)

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._client.close()

    def ask(
        self, method: str, path: str, content: Mapping[str, Any] | None, patience: Patience, *, broken: bool = False
    ) -> Answer:
        """Ask until there is an answer that trying again would not change.

        Args:
            method: ``GET`` or ``POST``.
            path: Behind the address.
            content: Sent as JSON.
            patience: How long and how often.
            broken: Return an answer of status 500 instead of asking again.

        Raises:
            ServerError: If there is no answer in time.
        """
        end_ns = self._now_ns() + round(patience.timeout_s * NS_PER_S)
        said = "no answer"
        answer: Answer | None = None
        tries = 0
        with _said_while_waiting(patience):
            while (left_s := (end_ns - self._now_ns()) / NS_PER_S) > 0:
                answer = None
                try:
                    answer = self._exchange(method, path, content, left_s)
                except self._httpx.ConnectTimeout:
                    said = f"it did not take the call within {min(left_s, CONNECT_S):g} s"
                    break
                except self._httpx.TimeoutException:
                    said = f"no answer within {patience.timeout_s:g} s"
                    break
                except self._httpx.HTTPError as error:
                    said = _line(str(error)) or type(error).__name__
                else:
                    if answer.status not in BUSY and (answer.status != BROKEN or broken):
                        return answer
                    said = f"HTTP {answer.status}: {_line(answer.text)}"
                    if patience.cold and "loading" in answer.text.lower():
                        tries -= 1
                tries += 1
                if tries > patience.retries:
                    break
                wait_s = min(_FIRST_PAUSE_S * 2 ** max(0, tries - 1), _LONGEST_PAUSE_S)
                wait_s *= 1 + patience.jitter * random.random()
                self._pause(max(0.0, min(wait_s, (end_ns - self._now_ns()) / NS_PER_S)))
        if answer is not None and answer.status == BROKEN:
            raise ServerError(
                f"the server {self.address} fails at every question ({said}{self._by_way_of()}); its own log says why"
            )
        raise ServerError(
            f"the server {self.address} does not answer ({said}{self._by_way_of()}); is it running, and is it the "
            "address?"
        )

    def explain(self, answer: Answer) -> str:
        """Say what an answer that is no success may mean: the status, its text, the likely cause."""
        cause = ""
        if not self.has_path and answer.status in (400, 404, 405):
            cause = f"; the API of most servers is under /v1: {self.address}/v1"
        return f"HTTP {answer.status}: {_line(answer.text)}{self._by_way_of()}{cause}"

    def _by_way_of(self) -> str:
        return f"; by way of the proxy {self._proxy}" if self._proxy else ""

    def _exchange(self, method: str, path: str, content: Mapping[str, Any] | None, left_s: float) -> Answer:
        """Ask once. The library's own time-out is for each piece of an answer; this one is for all of them."""
        body = bytearray()
        end_ns = self._now_ns() + round(left_s * NS_PER_S)
        timeout = self._httpx.Timeout(left_s, connect=min(left_s, CONNECT_S))
        with self._client.stream(method, path, json=content, timeout=timeout) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    break
                if self._now_ns() > end_ns:
                    raise self._httpx.ReadTimeout("the answer came too slowly")
        text = body[:MAX_BYTES].decode("utf-8", "replace")
        return Answer(_true_status(response.status_code, text), text)


class _said_while_waiting:  # noqa: N801 (used like a function)
    """Calls back once if what is inside takes long."""

    def __init__(self, patience: Patience) -> None:
        self._timer = threading.Timer(patience.say_after_s, patience.waiting) if patience.waiting else None

    def __enter__(self) -> None:
        if self._timer:
            self._timer.daemon = True
            self._timer.start()

    def __exit__(self, *_: object) -> None:
        if self._timer:
            self._timer.cancel()


def _true_status(status: int, text: str) -> int:
    """The status, or where an error came as a success, the error's own (400 where it has none)."""
    if not 200 <= status < 300 or '"error"' not in text:
        return status
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return status
    match content:
        case {"choices": [_, *_]} | {"data": [_, *_]}:
            return status
        case {"error": {"code": int(code)}} if 400 <= code < 600:
            return code
        case {"error": error} if error:
            return 400
    return status


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
