"""What a chat server's answer says: its text, told apart from what the model thought before.

Servers put thinking into ``reasoning`` or ``reasoning_content``, or leave it in the text as ``<think>...</think>``
(the opening tag often stands in the prompt and is not seen). Knows nothing of what was asked.
"""

import json
from dataclasses import dataclass, replace
from typing import Any

from gameenv.errors import GameEnvError, InvalidReply, ServerError

OPEN, CLOSE = "<think>", "</think>"
BAD_IN_A_ROW = 20
THOUGHT_AWAY_IN_A_ROW = 5
ALL_THINKING = "it was cut off while thinking: raise --max-tokens or turn thinking off"


class ThoughtAwayError(InvalidReply):
    """The tokens allowed went into thinking, and no reply came."""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply's text.

    Attributes:
        text: What the model said, without what it thought.
        mended: It was not simply the message's text.
        cut_off: The tokens allowed were used up before the end.
        asked_tokens: Tokens of the question, as the server counts them; 0 where it does not say.
        said_tokens: Tokens of the reply, thinking included.
    """

    text: str
    mended: bool = False
    cut_off: bool = False
    asked_tokens: int = 0
    said_tokens: int = 0


def read_answer(text: str) -> Reply:
    """Read a chat completion.

    Raises:
        InvalidReply: If it is none, or says nothing.
        ThoughtAwayError: If it was cut off while thinking.
    """
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidReply(f"the server answered something that is not JSON: {short(text)}") from None
    match answer:
        case {"choices": [{"message": {**message}, **choice}, *_]}:
            reply = _read_message(message, choice.get("finish_reason") == "length")
            return replace(reply, **_counted(answer.get("usage")))
    raise InvalidReply(f"the server's answer has no choices[0].message: {short(text)}")


def _read_message(message: dict[str, Any], cut_off: bool) -> Reply:
    content, has_parts = _joined(message.get("content"))
    thought = message.get("reasoning") or message.get("reasoning_content")
    thought = thought if isinstance(thought, str) else ""
    said = content
    if CLOSE in content:
        inside, _, said = content.rpartition(CLOSE)
        thought += inside
    elif content.lstrip().startswith(OPEN):
        thought, said = thought + content, ""
    if said.strip():
        return Reply(said, mended=has_parts or said != content, cut_off=cut_off)
    if not cut_off and _is_object(thought):  # held to a form, some servers take the reply itself for thinking
        return Reply(thought, mended=True)
    if cut_off:
        raise ThoughtAwayError(f"the reply is empty: {ALL_THINKING}")
    if thought:
        raise ThoughtAwayError(f"the model thought and said nothing ({short(thought)}); turn thinking off")
    raise InvalidReply(f"the reply is empty: {short(json.dumps(message))}")


def _counted(usage: object) -> dict[str, int]:
    names = {"asked_tokens": "prompt_tokens", "said_tokens": "completion_tokens"}
    counts = usage if isinstance(usage, dict) else {}
    return {name: counts[key] for name, key in names.items() if isinstance(counts.get(key), int)}


def _joined(content: object) -> tuple[str, bool]:
    """The text of a message, and whether it came in parts; parts that are not text are left out."""
    if isinstance(content, str):
        return content, False
    if not isinstance(content, list):
        return "", False
    parts = [part.get("text") for part in content if isinstance(part, dict) and part.get("type") in ("text", None)]
    return "".join(text for text in parts if isinstance(text, str)), True


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


class BadRun:
    """Counts replies that cannot be used, and ends what would go on for ever."""

    def __init__(self, most: int = BAD_IN_A_ROW, most_thought_away: int = THOUGHT_AWAY_IN_A_ROW) -> None:
        self._most = most
        self._most_thought_away = most_thought_away
        self._bad = self._thought_away = 0

    def good(self) -> None:
        """A reply could be used."""
        self._bad = self._thought_away = 0

    def bad(self, address: str, error: GameEnvError) -> None:
        """A reply could not be used.

        Raises:
            ServerError: If it was one too many in a row.
        """
        self._bad += 1
        self._thought_away = self._thought_away + 1 if isinstance(error, ThoughtAwayError) else 0
        if self._bad >= self._most or self._thought_away >= self._most_thought_away:
            raise ServerError(
                f"{self._bad} replies of the server {address} in a row could not be used; the last one: {error}"
            ) from error


def short(text: str) -> str:
    """A line of it."""
    return " ".join(text.split())[:200]
