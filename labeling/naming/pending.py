"""The questions that a model would be asked, without asking: counted, priced, or written to a file for a batch engine.

The file has OpenAI's batch form, which vLLM (``vllm run-batch``), SGLang and hosted services take; what they answer is
read back as if the model had been asked here. Knows nothing of segments.
"""

import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from gameenv.errors import InvalidInputError, InvalidReply
from gameenv.files import replacing
from labeling.book import Remembering
from labeling.labeler import Clip, SetAside
from labeling.naming.namer import Namer
from labeling.naming.replies import Experience, Replies, Said
from policies.server.answers import read_answer
from policies.server.client import CHAT, FORM, Question, chat_request

_LETTERS_A_TOKEN = 4.0
_PIXELS_A_TOKEN = 32 * 32
"""Of Qwen3-VL; others take about as many."""
_SAID_TOKENS = 90
_SECONDS = 2.0
"""Of an answer, where nobody measured: an 8B model on a GPU takes 0.5 to 3."""
_KEY_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Pending:
    """A question that has no reply yet, and its name among the replies."""

    key: str
    question: Question


@dataclass(frozen=True, slots=True)
class Estimate:
    """What asking would take.

    Attributes:
        clips: Clips looked at.
        calls: Questions without a reply.
        asked_tokens, said_tokens: Tokens of the questions, and of the answers.
        seconds: From the first question to the last answer.
        is_measured: Tokens and seconds are those of earlier replies of this model, not assumptions.
    """

    clips: int
    calls: int
    asked_tokens: int
    said_tokens: int
    seconds: float
    is_measured: bool

    def describe(self, price_per_million: float | None) -> str:
        """Lines for a person."""
        basis = "as its replies so far took" if self.is_measured else f"assuming {_SECONDS:g} s an answer"
        lines = [
            f"{self.clips:,} clips, {self.calls:,} calls: the others are known, or nothing is pressed in them",
            f"about {self.asked_tokens:,} tokens asked and {self.said_tokens:,} answered",
            f"about {self.seconds / 60:.1f} minutes, {basis}",
        ]
        if price_per_million is not None:
            cost = (self.asked_tokens + self.said_tokens) * price_per_million / 1e6
            lines.append(f"about {cost:.2f} at {price_per_million:g} a million tokens")
        return "\n".join(lines)


def pending(clips: Sequence[Clip], namer: Namer, memory: Remembering) -> Iterator[Pending]:
    """The questions about some clips that have no reply yet."""
    for clip in clips:
        looked = namer.look(clip) if not memory.knows(clip) else None
        if looked is not None and not isinstance(looked, SetAside):
            key = namer.key(looked)
            if key not in namer.replies:
                yield Pending(key, looked)


def estimate(clips: int, waiting: Iterable[Pending], namer: Namer) -> Estimate:
    """What asking would take."""
    known: Experience = namer.replies.experience[namer.asker.model]
    calls = asked = 0
    for each in waiting:
        calls += 1
        asked += _tokens(each.question)
    said = calls * _SAID_TOKENS
    if known.counted:
        asked, said = calls * known.asked_tokens // known.counted, calls * known.said_tokens // known.counted
    each_s = known.seconds / known.timed if known.timed else _SECONDS
    at_once = namer.options.in_flight if namer.name == "server" else 1
    return Estimate(clips, calls, asked, said, calls * each_s / at_once, bool(known.counted or known.timed))


def export_requests(path: Path, waiting: Iterable[Pending], namer: Namer) -> int:
    """Write the questions as OpenAI batch requests, one a line; returns how many.

    Raises:
        DiskFullError: If there is no room.
    """
    count = 0
    with replacing(path) as scratch, scratch.open("w", encoding="utf-8") as file:
        for each in waiting:
            body = chat_request(each.question, namer.asker.model, namer.options.max_tokens, {FORM})
            line = {"custom_id": each.key, "method": "POST", "url": f"/v1{CHAT}", "body": body}
            file.write(json.dumps(line) + "\n")
            count += 1
    return count


@dataclass(frozen=True, slots=True)
class Imported:
    """What was read of a file of answers: new ones, known ones, errors in their place, lines that are none of these."""

    new: int
    known: int
    errors: int
    unreadable: int

    def __str__(self) -> str:
        text = f"{self.new} answers imported, {self.known} known before"
        if self.errors:
            text += f"; {self.errors} are errors: export again what is left"
        if self.unreadable:
            text += f"; {self.unreadable} lines are no answers of a batch"
        return text


def import_answers(path: Path, replies: Replies) -> Imported:
    """Read the answers of a batch.

    Raises:
        InvalidInputError: If the file cannot be read, or no line of it is an answer.
    """
    counts: dict[str, int] = dict.fromkeys(("new", "known", "errors", "unreadable"), 0)
    try:
        with path.open(encoding="utf-8") as file:
            for line in file:
                if line.strip():
                    counts[_take_in(line, replies)] += 1
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"cannot read the answers {path}: {error}") from error
    if not sum(counts.values()) - counts["unreadable"]:
        raise InvalidInputError(
            f"{path} has no answer of a batch in it; expected lines such as "
            '{"custom_id": "...", "response": {"status_code": 200, "body": {...}}}'
        )
    return Imported(**counts)


def _take_in(line: str, replies: Replies) -> str:
    try:
        content = json.loads(line)
        key, response = content["custom_id"], content.get("response")
        if not (isinstance(key, str) and len(key) == _KEY_LENGTH):
            return "unreadable"
    except (ValueError, TypeError, KeyError, AttributeError):
        return "unreadable"
    if not isinstance(response, dict) or content.get("error") or response.get("status_code", 200) != 200:
        return "errors"
    if key in replies:
        return "known"
    body: Any = response.get("body")
    try:
        said = Said.of(read_answer(json.dumps(body)))
    except InvalidReply as error:
        said = Said(error=str(error))
    model = body.get("model") if isinstance(body, dict) else None
    replies.put(key, model if isinstance(model, str) else "imported", said)
    return "new"


def _tokens(question: Question) -> int:
    letters = len(question.text) + sum(map(len, question.captions))
    return round(letters / _LETTERS_A_TOKEN) + sum(map(_picture_tokens, question.pictures))


def _picture_tokens(jpeg: bytes) -> int:
    with Image.open(io.BytesIO(jpeg)) as picture:
        return max(1, round(picture.width * picture.height / _PIXELS_A_TOKEN)) + 2
