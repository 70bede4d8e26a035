"""A client of any OpenAI-compatible server (vLLM, SGLang, llama.cpp, Ollama, LM Studio ...): pictures in, text out.

It asks for structured output and for no thinking, finds out what this server refuses of that, and asks without it from
then on. Knows nothing of what the replies mean.
"""

import base64
import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

from gameenv.clock import now_ns, pause
from gameenv.errors import InvalidInputError, ServerError
from policies.options import DEFAULT_SERVER, ServerOptions
from policies.server.answers import Reply, ThoughtAwayError, read_answer
from policies.server.transport import BROKEN, SAY_AFTER_S, Answer, HttpServer, Patience

CHAT, MODELS = "/chat/completions", "/models"
FORM, TEMPLATE, EFFORT = "response_format", "chat_template_kwargs", "reasoning_effort"
_SPOKEN_OF: Mapping[str, tuple[str, ...]] = {
    FORM: ("response_format", "json_schema", "json schema", "schema", "grammar", "guided", "structured"),
    TEMPLATE: ("chat_template_kwargs", "enable_thinking", "template"),
    EFFORT: ("reasoning", "think"),
}
"""What a refusal of each field speaks of."""
_TOO_LARGE = ("too large", "too long", "context length", "context size", "exceeds the maximum")
_REFUSED = (400, 404, 415, 422, 501)
_BROKEN_BEFORE_BELIEVED = 2
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked.

    Attributes:
        text: The user's text, where the reply is held to ``schema``.
        plain_text: The text where the server cannot hold a reply to a schema: it says the form in words.
        pictures: JPEG files, shown before the text.
        schema: The JSON schema of the reply.
        name: The schema's name.
        temperature: 0 asks for the likeliest reply.
        seed: Makes drawn replies repeatable where the server can.
        captions: A text before each picture; none at all, or as many as pictures.
    """

    text: str
    plain_text: str
    pictures: tuple[bytes, ...]
    schema: Mapping[str, Any]
    name: str
    temperature: float = 0.0
    seed: int | None = None
    captions: tuple[str, ...] = ()


FIELDS = (FORM, TEMPLATE, EFFORT)


class ChatClient:
    """Asks one model of one server.

    Args:
        address: Of the server's API, such as ``http://localhost:8000/v1``; ``#name`` behind it names the model, which
            is otherwise the only one the server has.
        options: How long to wait, how often to try, how much the model may say.
        api_key: Sent as a bearer token where given.
        jitter: Pauses between tries are longer by a random share up to this; for many questions at once.
        now_ns: Monotonic time source in nanoseconds.
        pause: Waits for so many seconds.

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
        api_key: str | None = None,
        jitter: float = 0.0,
        now_ns: Callable[[], int] = now_ns,
        pause: Callable[[float], object] = pause,
    ) -> None:
        self.address, _, model = address.partition("#")
        if api_key and not (api_key.isascii() and api_key.isprintable()):
            raise InvalidInputError("a server's key is a line of ASCII characters; there are others in OPENAI_API_KEY")
        self._options = options
        self._jitter = jitter
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._server = HttpServer(self.address, headers, now_ns=now_ns, pause=pause)
        self._fields = frozenset({FORM} if options.think else {FORM, TEMPLATE, EFFORT})
        self._are_known = False  # a question with these fields has been answered
        self._broken = 0
        self._is_warm = False
        try:
            self.model = model or self._only_model()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Hang up. May be called twice."""
        self._server.close()

    def ask(self, question: Question) -> Reply:
        """Ask and return the reply.

        Raises:
            InvalidReply: If the server answered without a reply that can be read.
            ServerError: If the server does not answer in time, or refuses.
        """
        answer = self._answer(question)
        try:
            return read_answer(answer.text)
        except ThoughtAwayError as error:
            raise ThoughtAwayError(f"{error} (at most {self._options.max_tokens} tokens were allowed)") from None

    def _answer(self, question: Question) -> Answer:
        """The first success, with as many of the fields as the server takes."""
        fields, tried = self._fields, set[frozenset[str]]()
        was_broken = False
        while True:
            tried.add(fields)
            answer = self._send(question, fields)
            if answer.ok:
                self._learn(fields, was_broken)
                return answer
            was_broken = was_broken or answer.status == BROKEN
            fewer = self._fewer(fields, answer, tried)
            if fewer is None:
                raise self._refused(answer)
            fields = fewer

    def _send(self, question: Question, fields: frozenset[str]) -> Answer:
        may_be_the_fields = bool(fields) and not self._are_known
        answer = self._server.ask(
            "POST", CHAT, self._content(question, fields), self._patience, broken=may_be_the_fields
        )
        self._is_warm = self._is_warm or answer.ok
        return answer

    def _content(self, question: Question, fields: frozenset[str]) -> dict[str, Any]:
        return chat_request(question, self.model, self._options.max_tokens, fields)

    def _fewer(self, fields: frozenset[str], answer: Answer, tried: set[frozenset[str]]) -> frozenset[str] | None:
        """Which fields to ask with next, after this answer; None if it was not the fields."""
        if answer.status not in (*_REFUSED, BROKEN) or not fields or self._are_known:
            return None
        said = answer.text.lower()
        named = {field for field in fields if any(words in said for words in _SPOKEN_OF[field])}
        asked = self._fields
        if answer.status == BROKEN:  # a grammar that it cannot build is the likeliest
            guesses = [fields - named if named else fields - {FORM}, asked - {FORM}, frozenset()]
        else:
            guesses = [fields - named, asked & {FORM}, asked - {FORM}, frozenset()]
        return next((each for each in guesses if each not in tried), None)

    def _learn(self, fields: frozenset[str], was_broken: bool) -> None:
        """Ask with these fields from now on; an internal error may have had another reason, and is believed twice."""
        if fields != self._fields:
            self._broken += was_broken
            if was_broken and self._broken < _BROKEN_BEFORE_BELIEVED:
                return
            left_out = ", ".join(sorted(self._fields - fields))
            log.info("the server %s is asked without %s from now on", self.address, left_out)
        self._fields, self._are_known = fields, True

    @property
    def _patience(self) -> Patience:
        options = self._options
        if self._is_warm:
            return Patience(options.timeout_s, options.retries, jitter=self._jitter)
        longest_s = max(options.timeout_s, options.first_timeout_s)
        return Patience(
            longest_s,
            options.retries,
            cold=True,
            waiting=lambda: self._say_it_waits(longest_s),
            say_after_s=SAY_AFTER_S,
            jitter=self._jitter,
        )

    def _say_it_waits(self, longest_s: float) -> None:
        log.warning(
            "waiting for the first answer of %s; it may be loading its model (at most %g s: --first-timeout-s)",
            self.address,
            longest_s,
        )

    def _refused(self, answer: Answer) -> ServerError:
        if answer.status in (401, 403):
            return WrongKeyError(f"the server {self.address} wants a key: set the environment variable OPENAI_API_KEY")
        if answer.status == 413 or any(words in answer.text.lower() for words in _TOO_LARGE):
            return TooLargeError(
                f"the server {self.address} finds the pictures too large ({self._server.explain(answer)}); show it "
                "smaller or fewer ones, or start it with a longer context"
            )
        return ServerError(
            f"the server {self.address} refused ({self._server.explain(answer)}); is it the API's address (often it "
            f"ends in /v1), does it know the model {self.model!r}, and can that see pictures?"
        )

    def _only_model(self) -> str:
        answer = self._server.ask("GET", MODELS, None, self._patience)
        if answer.status in (401, 403):
            raise self._refused(answer)
        names = _names(answer.text) if answer.ok else []
        if len(names) == 1:
            return names[0]
        listed = f"it has {', '.join(names)}" if names else f"it does not list any ({self._server.explain(answer)})"
        raise InvalidInputError(f"name the server's model behind its address, {self.address}#<model>; {listed}")


def chat_request(question: Question, model: str, max_tokens: int, fields: Collection[str]) -> dict[str, Any]:
    """A question as the body of a chat completion.

    Args:
        question: What is asked.
        model: The server's name of the model.
        max_tokens: How long the reply may be.
        fields: Which of ``FIELDS`` to ask with: a form for the reply, and two ways to ask for no thinking.
    """
    shown: list[dict[str, Any]] = []
    for number, picture in enumerate(question.pictures):
        if question.captions:
            shown.append({"type": "text", "text": question.captions[number]})
        url = f"data:image/jpeg;base64,{base64.b64encode(picture).decode()}"
        shown.append({"type": "image_url", "image_url": {"url": url}})
    text = question.text if FORM in fields else question.plain_text
    content: dict[str, Any] = {
        "model": model,
        "messages": [{"role": "user", "content": [*shown, {"type": "text", "text": text}]}],
        "max_tokens": max_tokens,
        "temperature": question.temperature,
    }
    if question.seed is not None:
        content["seed"] = question.seed
    if FORM in fields:
        form = {"name": question.name, "strict": True, "schema": question.schema}
        content[FORM] = {"type": "json_schema", "json_schema": form}
    if TEMPLATE in fields:  # vLLM, SGLang, llama.cpp
        content[TEMPLATE] = {"enable_thinking": False}
    if EFFORT in fields:  # Ollama, and others by now
        content[EFFORT] = "none"
    return content


class TooLargeError(ServerError):
    """The question does not fit: its pictures take more than the server allows."""


class WrongKeyError(ServerError):
    """The server wants a key, or another one: no question will be answered."""


def _names(text: str) -> list[str]:
    try:
        return [str(each["id"]) for each in json.loads(text)["data"]]
    except (ValueError, TypeError, KeyError, RecursionError):
        return []
