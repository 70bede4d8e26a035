"""The loss of a reply, and how many of its words are right.

Takes the logits of the reply's tokens alone. Knows nothing of models or data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from gameenv.actions import CHUNK_LENGTH
from gameenv.errors import require
from policies.vlm.tokens import ReplyTokens
from training.metrics import score
from training.vlm.batches import IGNORED

WORD_LOSS = "word_loss"
"""The metric that decides which checkpoint is best: cross-entropy a word among the twelve, nats."""


class ReplyLoss:
    """Cross-entropy a token, for ``Trainer``'s ``compute_loss_func``.

    Args:
        tokens: How the tokenizer spells a reply.
        repeat_weight: Weight of a word that repeats the one before it; the others count 1.
        prefix_dropout: Share of the samples in training, 0 to 1, whose first one to six words are taken for promised to
            the game (``Observation.committed``): given, and so not learned (training-time real-time chunking: Black et
            al. 2025, https://arxiv.org/abs/2512.05964). Draws from torch's generator, as dropout does.
    """

    def __init__(self, tokens: ReplyTokens, repeat_weight: float = 1.0, prefix_dropout: float = 0.0) -> None:
        self._torch: Any = require("torch", "train")
        self._places = word_places(tokens)
        self._repeat_weight = repeat_weight
        self._prefix_dropout = prefix_dropout

    def __call__(self, outputs: Any, labels: Any, num_items_in_batch: Any = None) -> Any:
        """The mean over the tokens that count, in this batch or in all batches of the step.

        Args:
            outputs: With ``logits`` ``(B, K, vocabulary)``.
            labels: ``(B, K)``, as ``Collator`` makes them.
            num_items_in_batch: Tokens that count in the whole step.
        """
        logits, wanted = outputs.logits[:, :-1], labels[:, 1:]
        losses = self._torch.nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), wanted.flatten(), ignore_index=IGNORED, reduction="none"
        ).view(wanted.shape)
        if self._repeat_weight != 1:
            words = labels[:, self._places]
            weights = self._torch.ones_like(losses)
            later = [place - 1 for place in self._places[1:]]
            weights[:, later] = self._torch.where(words[:, 1:] == words[:, :-1], self._repeat_weight, 1.0)
            losses = losses * weights
        if self._prefix_dropout and self._torch.is_grad_enabled():  # a model is scored by all of its words
            losses = losses.masked_fill(self._given(*losses.shape).to(losses.device), 0.0)
        count = (wanted != IGNORED).sum() if num_items_in_batch is None else num_items_in_batch
        return losses.sum() / count

    def _given(self, rows: int, columns: int) -> Any:
        """Which tokens stand before the first word that was not promised: ``(rows, columns)`` bool."""
        torch = self._torch
        last = torch.tensor(self._places)[torch.randint(CHUNK_LENGTH - 1, (rows, 1))] - 1
        return (torch.arange(columns) <= last) & (torch.rand(rows, 1) < self._prefix_dropout)


class WordScores:
    """What ``Trainer`` is to remember of an evaluation: the words said, and their loss among the twelve."""

    def __init__(self, tokens: ReplyTokens) -> None:
        self._torch: Any = require("torch", "train")
        self._places = word_places(tokens)
        self._words = self._torch.tensor(tokens.words)

    def reduce(self, logits: Any, labels: Any) -> Any:
        """For ``preprocess_logits_for_metrics``.

        Returns:
            ``(B, 7, 3)`` float32: the word said given the true words before it, the true word, its loss.
        """
        torch = self._torch
        logits = logits[0] if isinstance(logits, tuple) else logits
        ids = self._words.to(logits.device)
        places = torch.tensor(self._places, device=logits.device)
        among = logits[:, places - 1][..., ids].float()
        truth = (labels[:, places, None] == ids).int().argmax(-1)
        losses = torch.nn.functional.cross_entropy(among.transpose(1, 2), truth, reduction="none")
        return torch.stack([among.argmax(-1).float(), truth.float(), losses], dim=-1)

    def metrics(self, prediction: Any) -> dict[str, float]:
        """For ``compute_metrics``: what is right where the words before are given."""
        said, truth, losses = np.moveaxis(np.asarray(prediction.predictions), -1, 0)
        accuracy = score(said.astype(int), truth.astype(int), float(losses.mean()))
        return {WORD_LOSS: accuracy.loss, "first_word": accuracy.by_slot[0], "chunk": accuracy.chunk}


def word_places(tokens: ReplyTokens) -> list[int]:
    """Where the seven words are among a batch's K labels."""
    first = 1 + len(tokens.prefix)
    return list(range(first, first + CHUNK_LENGTH * tokens.stride, tokens.stride))
