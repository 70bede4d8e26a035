"""The client's end of the wire: one connection, called and listened to with time-outs.

Says what went wrong in words; trying again is for whoever calls. Knows nothing of policies.
"""

import contextlib
import logging
import ssl
import time
from collections.abc import Callable
from typing import Any

from gameenv.errors import ServerError, require
from policies.remote import wire
from policies.remote.address import TOKEN, Address
from policies.server.proxies import is_loopback

CONNECT_S = 10.0
_SLICE_S = 5.0  # a wait for a message is cut into such: a connection found dead meanwhile is noticed then
_quiet = logging.getLogger(f"{__name__}.transport")
_quiet.setLevel(logging.CRITICAL + 1)  # it would log the token


class GoneError(Exception):
    """The server is not there, or went away: trying again may help. The message says what came instead."""


class Line:
    """An open connection to a server of policies, greeted.

    Args:
        address: Of the server.
        token: The server's.
        tls: How to know the server by its certificate; for an address with TLS.

    Attributes:
        welcome: What the server says of its policy.

    Raises:
        GoneError: If nobody answers there, or the server is full.
        ServerError: If it refuses: another token, another version, no server of policies.
        MissingExtraError: If the extra ``remote`` is not installed.
    """

    def __init__(self, address: Address, token: str | None, tls: ssl.SSLContext | None) -> None:
        self._address = address
        self._open = contextlib.ExitStack()
        self._errors: Any = require("websockets.exceptions", "remote")
        client: Any = require("websockets.sync.client", "remote")
        try:
            opened = client.connect(
                address.websocket,
                ssl=tls if address.tls else None,
                additional_headers={"Authorization": f"Bearer {token}"} if token else None,
                compression=None,
                logger=_quiet,
                open_timeout=CONNECT_S,
                close_timeout=1.0,
                proxy=None if is_loopback(address.host) else True,
            )
            self._connection: Any = self._open.enter_context(opened)
        except ssl.SSLCertVerificationError as error:
            raise ServerError(
                f"{address} is not known by its certificate ({error.verify_message}); name its authority with "
                "--remote-ca, and the host as the certificate has it"
            ) from error
        except self._errors.InvalidStatus as error:
            raise self._turned_away(error.response) from error
        except (OSError, EOFError, TimeoutError, self._errors.WebSocketException) as error:
            raise GoneError(_line(error)) from error
        try:
            self.welcome = self._greet()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up. May be called twice."""
        with contextlib.suppress(Exception):
            self._open.close()

    def send(self, message: wire.Message) -> None:
        """Say something.

        Raises:
            GoneError: If the connection is gone.
        """
        try:
            self._connection.send(wire.pack(message))
        except (OSError, self._errors.ConnectionClosed) as error:
            raise self._lost(error) from error

    def receive(self, end_s: float) -> wire.FromServer:
        """The server's next message.

        Args:
            end_s: Until when to wait, on ``time.monotonic``.

        Raises:
            GoneError: If the connection is gone.
            TimeoutError: If nothing came.
            ServerError: If what came is a refusal, or cannot be read.
        """
        while True:
            left_s = end_s - time.monotonic()
            try:
                data = self._connection.recv(timeout=max(0.0, min(left_s, _SLICE_S)))
                break
            except TimeoutError:
                if left_s <= _SLICE_S:
                    raise
            except (OSError, self._errors.ConnectionClosed) as error:
                raise self._lost(error) from error
        try:
            message = wire.from_server(data)
        except (wire.VersionError, wire.MalformedError) as error:
            raise ServerError(f"{self._address} is not understood: {error}") from error
        if isinstance(message, wire.Refused):
            refusal = GoneError if message.reason == "busy" else ServerError
            raise refusal(f"{self._address} refuses ({message.reason}): {message.text}")
        return message

    def wait_for(self, kind: Callable[[wire.FromServer], bool], end_s: float) -> wire.FromServer:
        """The server's next message of a kind; those of others, left over from a question nobody waits for, go by."""
        while not kind(message := self.receive(end_s)):
            pass
        return message

    def _greet(self) -> wire.Welcome:
        self.send(wire.Hello(client="gameenv"))
        try:
            welcome = self.receive(time.monotonic() + CONNECT_S)
        except TimeoutError as error:
            raise GoneError("it took the call and said nothing") from error
        if not isinstance(welcome, wire.Welcome):
            raise ServerError(f"{self._address} answered a greeting with {type(welcome).__name__}")
        return welcome

    def _turned_away(self, response: Any) -> Exception:
        said = " ".join(bytes(response.body or b"").decode("utf-8", "replace").split())[:200]
        if response.status_code == 401:
            return ServerError(
                f"{self._address} wants its token, which gameenv-serve printed: set the environment variable {TOKEN}, "
                "or --remote-token-file to a file that holds it"
            )
        if response.status_code == 503:
            return GoneError(said or "it is busy")
        return ServerError(
            f"{self._address} is no gameenv-serve (HTTP {response.status_code} {said}); is it the address?"
        )

    def _lost(self, error: Exception) -> Exception:
        sent = getattr(error, "rcvd", None)
        if sent is not None and sent.code == 1009:
            return ServerError(f"{self._address} takes no message as long as that (--message-mb)")
        return GoneError(_line(error))


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
