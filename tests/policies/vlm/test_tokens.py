"""The reply's skeleton as a tokenizer spells it: the tiny one, Qwen's own, and those that cannot be used."""

import random
from typing import Any

import pytest

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.errors import InvalidInputError
from policies.prompt import parse_reply, reply_text
from policies.vlm import tiny
from policies.vlm.tokens import ReplyTokens


@pytest.mark.parametrize("name", ["tokenizer", "qwen_tokenizer"])
def test_a_reply_is_24_tokens_of_which_seven_matter(name: str, request: pytest.FixtureRequest) -> None:
    tokenizer: Any = request.getfixturevalue(name)
    tokens = ReplyTokens.of(tokenizer)
    assert tokenizer.convert_ids_to_tokens(list(tokens.prefix)) == ['{"', "actions", '":', 'Ġ["']
    assert tokenizer.convert_ids_to_tokens(list(tokens.words)) == list(ACTIONS)
    assert tokenizer.convert_ids_to_tokens(list(tokens.separator)) == ['",', 'Ġ"']
    assert tokenizer.convert_ids_to_tokens(list(tokens.suffix)) == ['"]}']
    assert tokenizer.convert_ids_to_tokens(tokens.end) == "<|im_end|>"
    rng = random.Random(0)
    for _ in range(200):
        chunk = ActionChunk.of(rng.choices(ACTIONS, k=7))
        ids = tokens.ids(chunk)
        assert len(ids) == 24
        assert list(ids) == tokenizer(reply_text(chunk), add_special_tokens=False)["input_ids"]
        assert parse_reply(tokenizer.decode(ids)) == chunk


def test_a_word_of_several_tokens_is_named(tokenizer: Any) -> None:
    transformers = pytest.importorskip("transformers")
    letters = transformers.Qwen2Tokenizer(
        vocab={letter: place for place, letter in enumerate(sorted(tokenizer.get_vocab())) if len(letter) == 1},
        merges=[],
        extra_special_tokens=list(tiny.SPECIAL[1:]),
    )
    with pytest.raises(InvalidInputError, match="does not spell none, up, down, left, right, space, enter with one"):
        ReplyTokens.of(letters)


def test_a_tokenizer_without_turns_is_refused(tokenizer: Any) -> None:
    class Endless:
        unk_token_id = None

        def __call__(self, *args: Any, **kwargs: Any) -> Any:
            return tokenizer(*args, **kwargs)

        def convert_tokens_to_ids(self, token: str) -> int | None:
            return None

    with pytest.raises(InvalidInputError, match=r"no <\|im_end\|>"):
        ReplyTokens.of(Endless())
