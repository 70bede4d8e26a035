"""Word dropout: in training, some replies are told on from other words than were done.

With the true words before it, a word is mostly the one before it, and the picture is hardly asked. Told on from words
that are noise, each of the seven has to be read off the picture (as for language models: Bowman et al. 2016,
https://arxiv.org/abs/1511.06349).
"""

from typing import Any

from gameenv.errors import require
from policies.vlm.tokens import ReplyTokens
from training.vlm.loss import word_places


def drop_words(model: Any, tokens: ReplyTokens, share: float) -> None:
    """Let a model, while it trains, see random words in place of a reply's own in ``share`` of the samples.

    The labels stay as they are. Draws from torch's generator, as dropout does, so a resumed training goes on with the
    same draws.

    Args:
        model: Takes ``input_ids`` ``(B, L)`` and ``logits_to_keep``, replies at the end of the rows.
        tokens: How the tokenizer spells a reply.
        share: Of the samples, 0 to 1.
    """
    torch: Any = require("torch", "train")
    places, words = word_places(tokens), torch.tensor(tokens.words)

    def replace(module: Any, args: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]] | None:
        if not module.training or "logits_to_keep" not in kwargs:
            return None
        ids = kwargs["input_ids"].clone()
        columns = torch.tensor(places, device=ids.device) - kwargs["logits_to_keep"] + ids.shape[1]
        drawn = words[torch.randint(len(words), (len(ids), len(places)))].to(ids.device)
        chosen = (torch.rand(len(ids), 1) < share).to(ids.device)
        ids[:, columns] = torch.where(chosen, drawn, ids[:, columns])
        return args, {**kwargs, "input_ids": ids}

    model.register_forward_pre_hook(replace, with_kwargs=True)
