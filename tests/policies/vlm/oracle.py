"""What decoding must equal: ``generate``, restricted word by word to the twelve."""

from collections.abc import Sequence
from typing import Any

import torch

from gameenv.actions import CHUNK_LENGTH
from policies.vlm.inputs import InputMaker, ModelInputs, collate
from policies.vlm.tokens import ReplyTokens


def template(tokens: ReplyTokens, committed: Sequence[int]) -> list[list[int]]:
    """The tokens that are allowed at each place of a reply."""
    places: list[list[int]] = [[token] for token in tokens.prefix]
    for number in range(CHUNK_LENGTH):
        if number:
            places += [[token] for token in tokens.separator]
        places.append([tokens.words[committed[number]]] if number < len(committed) else list(tokens.words))
    return [*places, *([token] for token in tokens.suffix), [tokens.end]]


def generate(
    model: Any, maker: InputMaker, batch: Sequence[ModelInputs], committed: Sequence[Sequence[int]]
) -> tuple[list[list[int]], list[float]]:
    """The words of each reply, as indices of ``ACTIONS``, and the smallest lead of a chosen word over the next best."""
    tokens = maker.reply
    allowed = [template(tokens, words) for words in committed]
    arguments = collate(batch, maker.pad_id, maker.image_id)
    del arguments["position_ids"]  # it finds its own
    length = arguments["input_ids"].shape[1]
    out = model.generate(
        **arguments,
        do_sample=False,
        max_new_tokens=len(allowed[0]),
        prefix_allowed_tokens_fn=lambda row, ids: allowed[row][min(len(ids) - length, len(allowed[0]) - 1)],
        return_dict_in_generate=True,
        output_logits=True,
        pad_token_id=maker.pad_id,
        eos_token_id=tokens.end,
    )
    first = len(tokens.prefix)
    places = range(first, first + CHUNK_LENGTH * tokens.stride, tokens.stride)
    ids = out.sequences[:, length:][:, list(places)].tolist()
    words = [[tokens.words.index(token) for token in row] for row in ids]
    logits = torch.stack([out.logits[place][:, list(tokens.words)] for place in places], dim=1)
    best = logits.double().topk(2, dim=-1).values
    leads = (best[..., 0] - best[..., 1]).tolist()
    return words, [min(lead[len(forced) :]) for lead, forced in zip(leads, committed, strict=True)]
