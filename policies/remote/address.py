"""Where a policy is served, and by which secret and certificate: ``remote://host:port``, tokens, TLS.

Knows nothing of messages.
"""

import os
import secrets
import ssl
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from gameenv.errors import InvalidInputError

PLAIN, ENCRYPTED = "remote", "remotes"
"""The schemes: without TLS, with it; as http and https."""
DEFAULT_PORT = 8765
TOKEN = "GAMEENV_TOKEN"
"""The environment variable with a server's token, for both sides."""
_TOKEN_BYTES = 24
_SHORTEST_TOKEN = 8


@dataclass(frozen=True, slots=True)
class Address:
    """Where a policy is served."""

    host: str
    port: int = DEFAULT_PORT
    tls: bool = False

    @classmethod
    def parse(cls, spec: str) -> "Address":
        """Read ``remote://host:port`` or ``remotes://host:port`` (with TLS); the port may be left out.

        Raises:
            InvalidInputError: If it is neither.
        """
        try:
            parts = urlsplit(spec)
            host, port = parts.hostname, parts.port
        except ValueError:
            parts = host = port = None
        if parts is None or not host or port == 0 or parts.scheme not in (PLAIN, ENCRYPTED) or not _is_bare(parts):
            raise InvalidInputError(
                f"a served policy's address is {PLAIN}://host:port, or {ENCRYPTED}://host:port with TLS; got {spec!r}"
            )
        return cls(host, port or DEFAULT_PORT, parts.scheme == ENCRYPTED)

    def __str__(self) -> str:
        return f"{ENCRYPTED if self.tls else PLAIN}://{self._place}"

    @property
    def websocket(self) -> str:
        """What the transport calls it."""
        return f"{'wss' if self.tls else 'ws'}://{self._place}/"

    @property
    def http(self) -> str:
        """Where health and metrics are."""
        return f"{'https' if self.tls else 'http'}://{self._place}"

    @property
    def _place(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def is_remote(spec: str) -> bool:
    """Whether ``spec`` is the address of a served policy."""
    return spec.partition("://")[0] in (PLAIN, ENCRYPTED) and "://" in spec


def known_token(file: Path | None) -> str | None:
    """The token in ``file``, else in the environment; None where there is neither.

    Raises:
        InvalidInputError: If the file cannot be read, or what is there is no token.
    """
    if file is None:
        token = os.environ.get(TOKEN)
        return None if token is None else check_token(token.strip(), f"the environment variable {TOKEN}")
    try:
        return check_token(file.read_text(encoding="utf-8").strip(), str(file))
    except (OSError, ValueError) as error:
        if isinstance(error, InvalidInputError):
            raise
        raise InvalidInputError(f"cannot read the token in {file}: {error}") from error


def check_token(token: str, where: str) -> str:
    """Return the token if it is one.

    Raises:
        InvalidInputError: If it is short, or is not a line of ASCII characters without blanks.
    """
    if len(token) < _SHORTEST_TOKEN or not (token.isascii() and token.isprintable()) or " " in token:
        raise InvalidInputError(
            f"a token is at least {_SHORTEST_TOKEN} ASCII characters without blanks; {where} holds {len(token)} "
            "characters that are not that"
        )
    return token


def new_token(file: Path | None = None) -> str:
    """Make a token that nobody guesses; where ``file`` is named, keep it there, for this user's eyes only.

    Raises:
        FileExistsError: If there is such a file.
    """
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    if file is not None:
        file.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:
            opened.write(token + "\n")
    return token


def server_tls(cert: Path, key: Path | None) -> ssl.SSLContext:
    """What a server needs to speak TLS.

    Raises:
        InvalidInputError: If certificate or key cannot be used.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key)
    except (OSError, ValueError) as error:
        told = f"{cert}" + (f" and {key}" if key else "")
        raise InvalidInputError(f"cannot use the certificate in {told}: {error}; both are PEM files") from error
    return context


def client_tls(ca: Path | None) -> ssl.SSLContext:
    """What a client needs to know a server by its certificate: the system's authorities, or those in ``ca``.

    Raises:
        InvalidInputError: If ``ca`` cannot be used.
    """
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ValueError) as error:
        raise InvalidInputError(f"cannot use the certificates in {ca}: {error}; it is a PEM file") from error


def _is_bare(parts: object) -> bool:
    fields = ("path", "query", "fragment", "username", "password")
    return not any(getattr(parts, field) not in (None, "", "/") for field in fields)
