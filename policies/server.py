"""The ``server`` policy: a vision-language model behind any OpenAI-compatible address (vLLM, Ollama, LM Studio ...).

The same prompt as in process; the reply comes as text and is read strictly. Where the server offers structured output
it is asked for. Knows nothing of weights.
"""

import base64
import json
import logging
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from gameenv.actions import ACTIONS, CHUNK_LENGTH, ActionChunk
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, require
from gameenv.frames import Frame, encode_jpeg
from policies.base import Observation
from policies.prompt import parse_reply, user_text

REPLY_SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {
        "actions": {
            "type": "array",
            "items": {"type": "string", "enum": list(ACTIONS)},
            "minItems": CHUNK_LENGTH,
            "maxItems": CHUNK_LENGTH,
        }
    },
    "required": ["actions"],
    "additionalProperties": False,
}
MAX_TOKENS = 128
"""A reply is 25 tokens with Qwen's vocabulary; others spell it longer."""
MAX_BYTES = 2**20
"""More of an answer is not read."""
_RETRIED = (408, 409, 425, 429, 500, 502, 503, 504)
log = logging.getLogger(__name__)


class ServerPolicy:
    """Asks a server for each chunk.

    Args:
        address: Of the server's API, such as ``http://localhost:8000/v1``; ``#name`` behind it names the model, which
            is otherwise the only one the server has.
        temperature: 0 asks for the likeliest reply.
        timeout_s: How long one question may take, retries included.
        retries: How often a question is asked again when the server is busy, broken or not there.
        api_key: Sent as a bearer token where given.

    Raises:
        InvalidInputError: If the address is none, or the server has several models and none was named.
        GameEnvError: If the server cannot be reached.
        MissingExtraError: If httpx is not installed.
    """

    def __init__(
        self,
        address: str,
        *,
        temperature: float = 0.0,
        timeout_s: float = 30.0,
        retries: int = 2,
        api_key: str | None = None,
    ) -> None:
        self._httpx: Any = require("httpx", "server")
        self.address, _, model = address.partition("#")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise InvalidInputError("a server's key is a line of ASCII characters; there are others in OPENAI_API_KEY")
        self._timeout_s = timeout_s
        self._retries = retries
        self._temperature = temperature
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        try:
            parts = urlsplit(self.address)
            if parts.scheme not in ("http", "https") or not parts.hostname:
                raise ValueError("no http://, or no host")
            self._client = self._httpx.Client(base_url=self.address.rstrip("/"), headers=headers, timeout=timeout_s)
        except (ValueError, self._httpx.InvalidURL) as error:
            raise InvalidInputError(
                f"a server's address is such as http://localhost:8000/v1, got {address!r} ({error})"
            ) from error
        self._structured = True
        self._has_complained = False
        self._seed: int | None = None
        self.model = model or self._only_model()

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal."""
        self._seed = seed

    def predict(self, observation: Observation) -> ActionChunk:
        """The server's chunk. What is committed stands in front, and the server's words from there on behind it.

        Raises:
            InvalidReply: If the reply cannot be read as a chunk.
            GameEnvError: If the server does not answer in time, or refuses.
        """
        promised = observation.committed
        try:
            chunk = parse_reply(_text_of(self._ask(observation.frame, observation.goal)))
        except InvalidReply as error:
            if not self._has_complained:
                log.warning("%s (counted as invalid; further ones are not shown)", error)
                self._has_complained = True
            raise
        return ActionChunk.of([*promised, *chunk.actions[len(promised) :]])

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._client.close()

    def _ask(self, frame: Frame, goal: str) -> Any:
        picture = base64.b64encode(encode_jpeg(frame)).decode()
        content = [
            {"type": "image_url", "image_url": {"url": f"data:image/jpeg;base64,{picture}"}},
            {"type": "text", "text": user_text(goal)},
        ]
        question: dict[str, Any] = {
            "model": self.model,
            "messages": [{"role": "user", "content": content}],
            "max_tokens": MAX_TOKENS,
            "temperature": self._temperature,
        }
        if self._seed is not None:
            question["seed"] = self._seed
        if self._structured:
            form = {"type": "json_schema", "json_schema": {"name": "actions", "strict": True, "schema": REPLY_SCHEMA}}
            status, answer = self._send("POST", "/chat/completions", {**question, "response_format": form})
            if status not in (400, 404, 415, 422, 501):
                return self._check(status, answer)
            self._structured = False  # it may be this that it does not know; asked once, without it from now on
        return self._check(*self._send("POST", "/chat/completions", question))

    def _send(self, method: str, path: str, content: Mapping[str, Any] | None = None) -> tuple[int, str]:
        """Ask until there is an answer that trying again would not change; status and text."""
        end = time.monotonic() + self._timeout_s
        said = "no answer"
        for attempt in range(self._retries + 1):
            left_s = end - time.monotonic()
            if left_s <= 0:
                break
            try:
                status, text = self._exchange(method, path, content, end)
            except self._httpx.TimeoutException:
                said = f"no answer within {self._timeout_s:g} s"
                break
            except self._httpx.HTTPError as error:
                said = str(error) or type(error).__name__
            else:
                if status not in _RETRIED:
                    return status, text
                said = f"HTTP {status}: {_short(text)}"
            time.sleep(max(0.0, min(0.25 * 2**attempt, end - time.monotonic())))
        raise GameEnvError(f"the server {self.address} does not answer ({said}); is it running, and is it the address?")

    def _exchange(self, method: str, path: str, content: Mapping[str, Any] | None, end: float) -> tuple[int, str]:
        """Ask once. The library's own time-out is for each piece of an answer; this one is for all of them."""
        body = bytearray()
        left_s = end - time.monotonic()
        with self._client.stream(method, path, json=content, timeout=left_s) as response:
            for piece in response.iter_bytes():
                body += piece
                if len(body) > MAX_BYTES:
                    break
                if time.monotonic() > end:
                    raise self._httpx.ReadTimeout("the answer came too slowly")
        return response.status_code, body[:MAX_BYTES].decode("utf-8", "replace")

    def _check(self, status: int, answer: str) -> Any:
        if status in (401, 403):
            raise GameEnvError(f"the server {self.address} wants a key: set the environment variable OPENAI_API_KEY")
        if not 200 <= status < 300:
            raise GameEnvError(
                f"the server {self.address} refused (HTTP {status}: {_short(answer)}); is it the API's address (often "
                f"it ends in /v1), does it know the model {self.model!r}, and can that see pictures?"
            )
        try:
            return json.loads(answer)
        except (ValueError, RecursionError):
            raise InvalidReply(
                f"the server {self.address} answered something that is not JSON: {_short(answer)}"
            ) from None

    def _only_model(self) -> str:
        status, answer = self._send("GET", "/models")
        names: list[str] = []
        if 200 <= status < 300:
            try:
                names = [str(each["id"]) for each in json.loads(answer)["data"]]
            except (ValueError, TypeError, KeyError, RecursionError):
                names = []
        if len(names) == 1:
            return names[0]
        listed = f"it has {', '.join(names)}" if names else f"it does not list any (HTTP {status})"
        raise InvalidInputError(f"name the server's model behind its address, {self.address}#<model>; {listed}")


def _text_of(answer: Any) -> str:
    match answer:
        case {"choices": [{"message": {"content": str(text)}}, *_]}:
            return text
    raise InvalidReply(f"the server's answer has no choices[0].message.content: {_short(json.dumps(answer))}")


def _short(text: str) -> str:
    return " ".join(text.split())[:200]
