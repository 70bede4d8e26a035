"""The ``server`` policy: a vision-language model behind any OpenAI-compatible address (vLLM, Ollama, LM Studio ...).

The same prompt as in process; the reply comes as text. Knows nothing of HTTP or of weights.
"""

import logging
from collections.abc import Callable
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH, ActionChunk
from gameenv.clock import now_ns, pause
from gameenv.errors import InvalidReply
from gameenv.frames import Frame, encode_jpeg
from policies.base import Observation
from policies.options import DEFAULT_SERVER, ServerOptions
from policies.prompt import KEY, explicit_text, parse_reply, user_text
from policies.server.answers import BadRun, Reply
from policies.server.client import ChatClient, Question
from policies.server.mending import mend_reply

REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        KEY: {
            "type": "array",
            "items": {"type": "string", "enum": list(ACTIONS)},
            "minItems": CHUNK_LENGTH,
            "maxItems": CHUNK_LENGTH,
        }
    },
    "required": [KEY],
    "additionalProperties": False,
}
log = logging.getLogger(__name__)


class ServerPolicy:
    """Asks a server for each chunk.

    Args:
        address: As of ``ChatClient``.
        options: How to ask, and how strictly replies are read.
        temperature: 0 asks for the likeliest reply.
        api_key: Sent as a bearer token where given.
        now_ns: Monotonic time source in nanoseconds.
        pause: Waits for so many seconds.

    Attributes:
        mended: Replies so far that were read although they were not spelled as they should be.

    Raises:
        InvalidInputError: If the address is none, or the server has several models and none was named.
        ServerError: If the server cannot be reached.
        MissingExtraError: If httpx is not installed.
    """

    def __init__(
        self,
        address: str,
        options: ServerOptions = DEFAULT_SERVER,
        *,
        temperature: float = 0.0,
        api_key: str | None = None,
        now_ns: Callable[[], int] = now_ns,
        pause: Callable[[float], object] = pause,
    ) -> None:
        self._client = ChatClient(address, options, api_key=api_key, now_ns=now_ns, pause=pause)
        self._options = options
        self._temperature = temperature
        self._run = BadRun()
        self._complained_of: set[str] = set()
        self._seed: int | None = None
        self.mended = 0

    @property
    def address(self) -> str:
        """The server's address."""
        return self._client.address

    @property
    def model(self) -> str:
        """The name of the server's model that is asked."""
        return self._client.model

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal."""
        self._seed = seed

    def predict(self, observation: Observation) -> ActionChunk:
        """The server's chunk. What is committed stands in front, and the server's words from there on behind it.

        Raises:
            InvalidReply: If the reply cannot be read as a chunk.
            ServerError: If the server does not answer in time, refuses, or one reply after another cannot be read.
        """
        promised = observation.committed
        try:
            chunk = self._read(self._client.ask(self._question(observation.frame, observation.goal)))
        except InvalidReply as error:
            self._say_once("invalid", "%s (counted as invalid; further ones are not shown)", error)
            self._run.bad(self.address, error)
            raise
        self._run.good()
        return ActionChunk.of([*promised, *chunk.actions[len(promised) :]])

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._client.close()

    def _question(self, frame: Frame, goal: str) -> Question:
        own = self._options.prompt
        asked = None if own is None else own.replace("{goal}", goal)
        return Question(
            text=asked or user_text(goal),
            plain_text=asked or explicit_text(goal),
            pictures=(encode_jpeg(frame),),
            schema=REPLY_SCHEMA,
            name=KEY,
            temperature=self._temperature,
            seed=self._seed,
        )

    def _read(self, reply: Reply) -> ActionChunk:
        try:
            chunk, mended = self._parse(reply)
        except InvalidReply as error:
            if not reply.cut_off:
                raise
            raise InvalidReply(
                f"{error} (cut off after {self._options.max_tokens} tokens; raise --max-tokens)"
            ) from error
        if mended:
            self.mended += 1
            self._say_once("mended", "a reply had to be mended: %.200r (further ones are not shown)", reply.text)
        return chunk

    def _parse(self, reply: Reply) -> tuple[ActionChunk, bool]:
        """The chunk, and whether it was mended."""
        if self._options.strict:
            if reply.mended:
                raise InvalidReply(f"the reply is not the message's text alone (--strict): {reply.text[:200]!r}")
            return parse_reply(reply.text), False
        try:
            return parse_reply(reply.text), reply.mended
        except InvalidReply:
            return mend_reply(reply.text), True

    def _say_once(self, kind: str, text: str, *values: object) -> None:
        if kind not in self._complained_of:
            self._complained_of.add(kind)
            log.warning(text, *values)
