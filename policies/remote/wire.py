"""What a client and a server of policies say to each other: typed messages in msgpack, each with a version.

A message is read into its type or refused; nothing in it is ever executed. Knows nothing of sockets or of policies.
"""

from typing import Any, Literal, TypeVar, Union

import msgspec

from gameenv.actions import Action
from gameenv.errors import InvalidInputError

VERSION = 1
"""Of the messages. Either side refuses another one by name."""
FailureKind = Literal["invalid-reply", "input", "server", "policy"]
Reason = Literal["version", "malformed", "busy"]


class Message(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", tag=str.lower):
    """What every message has: the version that its writer speaks."""

    v: int = VERSION


class Hello(Message, frozen=True, kw_only=True):
    """Client, first: who calls."""

    client: str


class Welcome(Message, frozen=True, kw_only=True):
    """Server, in answer to ``Hello``: who plays here.

    Attributes:
        model: What was given to the server as ``--model``.
        card: Its card as ``ModelCard.to_json`` gives it, None for a policy without one.
        fingerprint: A short hash of the model's files, None where it has none.
        history: How many earlier frames it asks for.
        batches: Whether an answer depends on the observation alone.
        temperature: It plays at this one.
        declare_at: Probability from which it declares, None where nobody chose one.
        max_bytes: The longest message that the server takes.
    """

    model: str
    card: dict[str, Any] | None
    fingerprint: str | None
    history: int
    batches: bool
    temperature: float
    declare_at: float | None
    max_bytes: int


class Reset(Message, frozen=True, kw_only=True):
    """Client: an episode begins. The seed is a whole number of any size, in digits."""

    goal: str
    seed: str | None


class Ready(Message, frozen=True, kw_only=True):
    """Server, in answer to ``Reset``."""


class Seen(msgspec.Struct, frozen=True, array_like=True):
    """An ``Observation``, its frames packed as JPEG or PNG files."""

    frame: bytes
    goal: str
    committed: tuple[Action, ...]
    played: tuple[Action, ...]
    earlier: tuple[bytes, ...]


class Ask(Message, frozen=True, kw_only=True):
    """Client: what to do on each of these?

    Attributes:
        id: Comes back in the answer.
        seen: One or more observations.
        stream: Send the words of a single chunk as they are settled.
    """

    id: int
    seen: tuple[Seen, ...]
    stream: bool = False


class Words(Message, frozen=True, kw_only=True):
    """Server: the next words of a chunk that is not complete yet."""

    id: int
    words: tuple[Action, ...]


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """What the policy raised in place of a chunk."""

    kind: FailureKind
    text: str


class Answer(Message, frozen=True, kw_only=True):
    """Server, in answer to ``Ask``: for each observation seven words, or why there are none (the other is None)."""

    id: int
    chunks: tuple[tuple[tuple[Action, ...] | None, Failure | None], ...]


class Failed(Message, frozen=True, kw_only=True):
    """Server: the policy raised when it was reset or made."""

    failure: Failure


class Refused(Message, frozen=True, kw_only=True):
    """Server, last: why it hangs up."""

    reason: Reason
    text: str


FromClient = Union[Hello, Reset, Ask]  # noqa: UP007 (msgspec reads the types)
FromServer = Union[Welcome, Ready, Words, Answer, Failed, Refused]  # noqa: UP007
T = TypeVar("T")


class MalformedError(InvalidInputError):
    """A message that cannot be read."""


class VersionError(InvalidInputError):
    """A message of another version."""


def pack(message: Message) -> bytes:
    """The bytes of a message."""
    return msgspec.msgpack.encode(message)


def from_client(data: object) -> FromClient:
    """Read what a client sent.

    Raises:
        VersionError: If it speaks another version.
        MalformedError: If it is none of a client's messages.
    """
    return _read(_FROM_CLIENT, data)


def from_server(data: object) -> FromServer:
    """Read what a server sent. A refusal is read whatever its version.

    Raises:
        VersionError, MalformedError: As ``from_client``.
    """
    return _read(_FROM_SERVER, data)


class _Versioned(msgspec.Struct):
    v: int


_FROM_CLIENT: msgspec.msgpack.Decoder[FromClient] = msgspec.msgpack.Decoder(FromClient)
_FROM_SERVER: msgspec.msgpack.Decoder[FromServer] = msgspec.msgpack.Decoder(FromServer)
_VERSION = msgspec.msgpack.Decoder(_Versioned)


def _read(decoder: "msgspec.msgpack.Decoder[T]", data: object) -> T:
    if not isinstance(data, bytes):
        raise MalformedError(f"a message is binary, got {type(data).__name__}")
    try:
        message = decoder.decode(data)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError) as error:
        _check_version(data)
        raise MalformedError(f"a message of {len(data)} bytes cannot be read: {error}") from error
    if not isinstance(message, Refused):
        _check_version(data)
    return message


def _check_version(data: bytes) -> None:
    try:
        version = _VERSION.decode(data).v
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return
    if version != VERSION:
        raise VersionError(
            f"it speaks version {version} of the messages, this side speaks {VERSION}; update the older of the two"
        )
