"""The prompt and the reply: one home for the words a model is trained on and played with.

The text and the message form are those of ``docs/pipeline.md``. Knows nothing of images, tokenizers or models.
"""

import json
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH, NONE, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply

PROMPT_VERSION = 1
"""Goes up whenever any text below changes: a model only understands the prompt it was trained on."""

KEY = "actions"
"""The reply's only key."""
_SHOWN = 120  # characters of a bad reply that an error repeats


def user_text(goal: str) -> str:
    """The user's text that follows the image."""
    return f"Goal: {goal}\n\nPredict the next {CHUNK_LENGTH} actions:"


def explicit_text(goal: str) -> str:
    """The user's text for a model that was not trained on ours and cannot be held to a schema: it says the form."""
    return (
        f'{user_text(goal)}\n\nAnswer with one JSON object and nothing else: {{"{KEY}": [...]}} with a list of exactly '
        f"{CHUNK_LENGTH} strings, each one of these words: {', '.join(ACTIONS)}. They are keys to hold, a tenth of a "
        f"second each; {CHUNK_LENGTH} times {NONE} says that the goal is reached."
    )


def reply_text(chunk: ActionChunk) -> str:
    """The assistant's reply: ``{"actions": ["w", ...]}`` with ``json.dumps``'s default separators."""
    return json.dumps({KEY: list(chunk.actions)})


def parse_reply(text: str) -> ActionChunk:
    """Read a reply strictly: one JSON object whose only key is ``actions``, a list of exactly seven valid words.

    White space around and inside the object does not matter; anything else beside it does.

    Raises:
        InvalidReply: If the text is anything else; the message says what is wrong.
    """
    if not isinstance(text, str):
        raise InvalidReply(f"a reply is text, got {type(text).__name__}")
    try:
        pairs = json.loads(text.strip(), object_pairs_hook=_Pairs)
    except (ValueError, RecursionError) as error:
        raise InvalidReply(f"the reply is not one JSON object ({error}): {_shown(text)}") from None
    if not isinstance(pairs, _Pairs):
        raise InvalidReply(f'the reply must be an object {{"{KEY}": [...]}}, got {_shown(text)}')
    keys = [key for key, _ in pairs]
    if keys != [KEY]:
        raise InvalidReply(f'the reply must have the key "{KEY}" once and no other, got {keys}: {_shown(text)}')
    words = pairs[0][1]
    if not isinstance(words, list) or isinstance(words, _Pairs):
        raise InvalidReply(f'"{KEY}" must be a list of {CHUNK_LENGTH} words: {_shown(text)}')
    if len(words) != CHUNK_LENGTH:
        raise InvalidReply(f'"{KEY}" must have exactly {CHUNK_LENGTH} words, got {len(words)}: {_shown(text)}')
    try:
        return ActionChunk(tuple(words))
    except ValueError as error:
        raise InvalidReply(f"{error} In {_shown(text)}") from None


def sample_messages(image: str, goal: str, chunk: ActionChunk) -> dict[str, Any]:
    """One training sample in the specification's message format.

    Args:
        image: The frame's path as the file should name it (relative to the segment's folder).
        goal: What the player was trying to do.
        chunk: The seven actions from this frame on.
    """
    return {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "image", "image": image},
                    {"type": "text", "text": user_text(goal)},
                ],
            },
            {"role": "assistant", "content": reply_text(chunk)},
        ]
    }


def read_sample(message: object) -> tuple[str, str, str]:
    """Read what ``sample_messages`` wrote: the image, the user's text and the reply's text.

    Raises:
        InvalidInputError: If the object is not in the specification's message format.
    """
    match message:
        case {
            "messages": [
                {
                    "role": "user",
                    "content": [{"type": "image", "image": str(image)}, {"type": "text", "text": str(text)}],
                },
                {"role": "assistant", "content": str(reply)},
            ]
        }:
            return image, text, reply
    raise InvalidInputError(
        'a sample is {"messages": [a user message with an image and a text, an assistant message whose content is '
        f"a string]}}, got {_shown(str(message))}"
    )


class _Pairs(list[tuple[str, Any]]):
    """A JSON object with its keys as they came, so that a key given twice is seen."""


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "...")
