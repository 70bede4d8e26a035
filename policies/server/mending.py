"""Replies that mean one chunk beyond doubt and are not spelled as the prompt's form wants it.

Anything that could be read in two ways stays unreadable. Knows nothing of servers.
"""

import json
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH, ActionChunk
from gameenv.errors import InvalidReply
from policies.prompt import KEY

_SHOWN = 120


class _Pairs(list[tuple[str, Any]]):
    """A JSON object as its pairs, so that a key that comes twice is noticed."""


_DECODER = json.JSONDecoder(object_pairs_hook=_Pairs)


def mend_reply(text: str) -> ActionChunk:
    """Read a reply whose only JSON object names at least seven valid words and says nothing else that plays.

    Text around it, other keys, capitals, spaces and more words than seven (then the first seven) do not matter. Too
    many words are never read as "the goal is reached" unless all of them say so.

    Raises:
        InvalidReply: If there is none or more than one object, or it does not name such words.
    """
    words = _words(_only_object(text), text)
    if len(words) < CHUNK_LENGTH:
        raise _unreadable(f"it names {len(words)} words, {CHUNK_LENGTH} are needed", text)
    chunk = ActionChunk.of(words[:CHUNK_LENGTH])
    if chunk.done and len(set(words)) > 1:
        raise _unreadable("its first words say that the goal is reached, and more follow", text)
    return chunk


def _only_object(text: str) -> _Pairs:
    begin = text.find("{")
    if begin < 0:
        raise _unreadable("there is no JSON object in it", text)
    try:
        pairs, end = _DECODER.raw_decode(text, begin)
    except (ValueError, RecursionError) as error:
        raise _unreadable(f"its JSON object cannot be read ({error})", text) from None
    if "{" in text[end:] or "}" in text[end:]:
        raise _unreadable("there is more than one JSON object in it", text)
    return pairs


def _words(pairs: _Pairs, text: str) -> list[str]:
    found = [value for key, value in pairs if key.strip().casefold() == KEY]
    if len(found) != 1:
        raise _unreadable(f'its object must have the key "{KEY}" once, got {[key for key, _ in pairs]}', text)
    words = _spelled(found[0])
    if words is None:
        raise _unreadable(f'"{KEY}" must be a list of words of {", ".join(ACTIONS)}', text)
    if any(_spelled(value) for key, value in pairs if key.strip().casefold() != KEY):
        raise _unreadable("it has a second list of actions", text)
    return words


def _spelled(value: object) -> list[str] | None:
    """The words of a list, as the vocabulary spells them; None if it is no list of such words."""
    if not isinstance(value, list) or isinstance(value, _Pairs):
        return None
    words = [word.strip().casefold() if isinstance(word, str) else "" for word in value]
    return words if all(word in ACTIONS for word in words) else None


def _unreadable(why: str, text: str) -> InvalidReply:
    return InvalidReply(f"the reply cannot be read: {why}: {' '.join(text.split())[:_SHOWN]!r}")
