"""The reply in tokens: a fixed skeleton with seven holes, each filled by one of twelve tokens.

Knows nothing of weights or images; needs no torch.
"""

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, ActionChunk, action_index
from gameenv.errors import InvalidInputError
from policies.prompt import reply_text

END_OF_TURN = "<|im_end|>"


@dataclass(frozen=True, slots=True)
class ReplyTokens:
    """How a tokenizer spells ``reply_text``: ``prefix word separator word ... word suffix``, then ``end``.

    Attributes:
        prefix: The tokens before the first word.
        words: The one token of each action, in the order of ``ACTIONS``.
        separator: The tokens between two words.
        suffix: The tokens behind the last word.
        end: The token that ends the turn.
    """

    prefix: tuple[int, ...]
    words: tuple[int, ...]
    separator: tuple[int, ...]
    suffix: tuple[int, ...]
    end: int

    @classmethod
    def of(cls, tokenizer: Any) -> "ReplyTokens":
        """Read them off a tokenizer, and check every pair of neighbouring words.

        Raises:
            InvalidInputError: If a word is not a single token (names those that are not), or the tokenizer joins a
                word with what is around it.
        """
        spelt = {word: _spell(tokenizer, word) for word in ACTIONS}
        broken = [word for word, (ids, holes) in spelt.items() if len(holes) != CHUNK_LENGTH]
        if broken:
            raise InvalidInputError(
                f"this model's tokenizer does not spell {', '.join(broken)} with one token each, so its replies cannot "
                "be decoded here; use a model with Qwen's own tokenizer"
            )
        ids, holes = spelt[ACTIONS[0]]
        end = tokenizer.convert_tokens_to_ids(END_OF_TURN)
        if end is None or end == getattr(tokenizer, "unk_token_id", None):
            raise InvalidInputError(f"this model's tokenizer has no {END_OF_TURN}; use a chat model of the Qwen family")
        tokens = cls(
            prefix=tuple(ids[: holes[0]]),
            words=tuple(word_ids[word_holes[0]] for word_ids, word_holes in spelt.values()),
            separator=tuple(ids[holes[0] + 1 : holes[1]]),
            suffix=tuple(ids[holes[-1] + 1 :]),
            end=end,
        )
        for one, other in itertools.product(ACTIONS, repeat=2):
            chunk = ActionChunk.of([one, other, one, other, one, other, one])
            if list(tokens.ids(chunk)) != _encode(tokenizer, reply_text(chunk))["input_ids"]:
                raise InvalidInputError(
                    f"this model's tokenizer spells {one!r} and {other!r} differently beside each other, so its "
                    "replies cannot be decoded here; use a model with Qwen's own tokenizer"
                )
        return tokens

    def ids(self, chunk: ActionChunk) -> tuple[int, ...]:
        """The tokens of a whole reply, without the end of the turn."""
        *words, last = self.spell(chunk.actions)
        body = [token for word in words for token in (word, *self.separator)]
        return (*self.prefix, *body, last, *self.suffix)

    def spell(self, words: Sequence[Action]) -> list[int]:
        """The token of each word."""
        return [self.words[action_index(word)] for word in words]

    @property
    def stride(self) -> int:
        """Tokens from one word to the next."""
        return 1 + len(self.separator)


def _encode(tokenizer: Any, text: str) -> Any:
    return tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)


def _spell(tokenizer: Any, word: Action) -> tuple[list[int], list[int]]:
    """The tokens of a reply that says one word seven times, and at which of them the word stands alone."""
    text = reply_text(ActionChunk.of([word] * CHUNK_LENGTH))
    encoded = _encode(tokenizer, text)
    spans = {(found.start() + 1, found.end() - 1) for found in re.finditer(f'"{word}"', text)}
    holes = [place for place, span in enumerate(encoded["offset_mapping"]) if tuple(span) in spans]
    return encoded["input_ids"], holes
