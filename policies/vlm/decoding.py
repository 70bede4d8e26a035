"""Exact decoding of a reply in few forward passes: draft the seven words, verify them all at once, mend, verify again.

The skeleton of the reply is given, and of the output head only the twelve words' rows are read. Word i's logits depend
only on what stands before it, so the longest prefix of a draft that the model agrees with, and its own word behind it,
are what word-by-word decoding restricted to the twelve would give (drafting as in speculative decoding: Leviathan et
al. 2023, https://arxiv.org/abs/2211.17192). Every pass settles at least one word: seven at most.

Knows nothing of frames, goals or policies.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import GameEnvError, require
from policies.vlm.inputs import ModelInputs, collate
from policies.vlm.tokens import ReplyTokens

LAST = CHUNK_LENGTH - 1


@dataclass(slots=True)
class ReplyRow:
    """One reply in the making, as indices of ``ACTIONS``.

    Attributes:
        words: The seven words: ``known`` of them settled, the others guessed.
        known: How many are settled.
        noise: ``(7, 12)``, added to the logits before the best is taken; None for greedy.
        logits: ``(7, 12)``: of each place that was settled by the model, given the words before it; 0 elsewhere.
    """

    words: list[int]
    known: int
    noise: np.ndarray | None = None
    logits: np.ndarray = field(default_factory=lambda: np.zeros((CHUNK_LENGTH, len(ACTIONS))))

    def settle(self, scores: Any, logits: np.ndarray | None = None) -> None:
        """Take the model's word for each place in turn, until it is not the one that was guessed.

        Args:
            scores: ``(7,)``: the best word of each place, given the words guessed before it.
            logits: ``(7, 12)``: what each is the best of, before any noise; None where nobody will ask.
        """
        while self.known < CHUNK_LENGTH:
            best = int(scores[self.known])
            if logits is not None:
                self.logits[self.known] = logits[self.known]
            agreed = best == self.words[self.known]
            self.words[self.known] = best
            self.known += 1
            if not agreed:
                # The model's other words of this pass followed the wrong guess; its new word is the better one.
                self.words[self.known :] = [best] * (CHUNK_LENGTH - self.known)
                return


@dataclass(frozen=True, slots=True)
class PassResult:
    """What a forward pass says of a batch of replies; what lies before where it began is not filled in.

    Attributes:
        best: ``(rows, 7)``: the best word of each place, given the words guessed before it.
        logits: ``(rows, 7, 12)``: what it is the best of, before any noise, in the order of ``ACTIONS``.
    """

    best: np.ndarray
    logits: np.ndarray


class Decoder:
    """Decodes replies with one model.

    Args:
        model: A ``Qwen3VLForConditionalGeneration``, LoRA layers and 4-bit weights included.
        tokens: How its tokenizer spells a reply.
        pad_id: The token to fill up with.
        image_id: The token that stands for a piece of the picture.

    Attributes:
        temperature: Above 0, ``ReplyRow.noise`` is weighed by it.
    """

    def __init__(self, model: Any, tokens: ReplyTokens, pad_id: int, image_id: int, temperature: float = 0.0) -> None:
        self._torch: Any = require("torch", "vlm")
        self._model = model
        self._tokens = tokens
        self._pad_id = pad_id
        self._image_id = image_id
        self.temperature = temperature
        # In the order of their ids, so that of two words with equal logits the one is taken that ``argmax`` over the
        # whole vocabulary would take.
        self._order = sorted(range(len(tokens.words)), key=lambda word: tokens.words[word])
        self._ids = self._torch.tensor([tokens.words[word] for word in self._order], device=model.device)
        head = model.get_output_embeddings()
        plain = type(head) is self._torch.nn.Linear and head.bias is None
        self._head_rows = head.weight.detach()[self._ids] if plain else None

    def passes(self, batch: Sequence[ModelInputs], rows: Sequence[ReplyRow]) -> Iterator[None]:
        """Decode a reply for each input into its row; yields after every forward pass.

        Args:
            batch: Inputs without a reply.
            rows: Forced words in front, counted as ``known``; a guess for the others.

        Raises:
            GameEnvError: If the model's logits are not numbers.
        """
        with self._torch.inference_mode():
            active = [place for place, row in enumerate(rows) if row.known < CHUNK_LENGTH]
            if not active:
                return
            cache, length, positions, mask, found = self._first(
                [batch[place] for place in active], [rows[place] for place in active]
            )
        while True:
            for place, best, logits in zip(active, found.best, found.logits, strict=True):
                rows[place].settle(best, logits)
            yield
            with self._torch.inference_mode():
                left = [index for index, place in enumerate(active) if rows[place].known < CHUNK_LENGTH]
                if not left:
                    return
                if len(left) < len(active):
                    chosen = self._torch.tensor(left, device=self._model.device)
                    cache.batch_select_indices(chosen)
                    positions, mask = positions[chosen], mask[chosen]
                    active = [active[index] for index in left]
                length, found = self._again(cache, length, positions, mask, [rows[place] for place in active])

    def _first(self, batch: Sequence[ModelInputs], rows: Sequence[ReplyRow]) -> tuple[Any, int, Any, Any, PassResult]:
        """The pass that also sees the picture and the prompt."""
        torch = self._torch
        model = self._model
        replies = [[*self._tokens.prefix, *self._spell(row.words[:LAST])] for row in rows]
        extended = [_extend(each, reply) for each, reply in zip(batch, replies, strict=True)]
        arguments = collate(extended, self._pad_id, self._image_id, model.device)
        mask = arguments.pop("attention_mask")
        arguments.pop("mm_token_type_ids")  # the positions are given
        padded = len({len(each.ids) for each in extended}) > 1
        out = model.model(**arguments, attention_mask=mask if padded else None, use_cache=True)
        stride, length = self._tokens.stride, mask.shape[1]
        positions = torch.tensor([each.next_position for each in batch], device=model.device) + len(self._tokens.prefix)
        places = torch.arange(length - LAST * stride - 1, length, stride, device=model.device)
        found = self._read(out.last_hidden_state[:, places], rows, 0)
        return out.past_key_values, length - LAST * stride, positions, mask[:, : length - LAST * stride], found

    def _again(
        self, cache: Any, length: int, positions: Any, mask: Any, rows: Sequence[ReplyRow]
    ) -> tuple[int, PassResult]:
        """A pass over what follows the words that are settled in every row.

        Args:
            length: Tokens before the first word; ``positions`` and ``mask`` are those of the first word and before.
        """
        torch = self._torch
        stride = self._tokens.stride
        start = min(row.known for row in rows) - 1  # the last settled word has not been seen by the model as such
        cache.crop(-(cache.get_seq_length() - length - start * stride))
        ids = torch.tensor([self._spell(row.words[start:LAST]) for row in rows], device=self._model.device)
        count = ids.shape[1]
        # Without explicit positions and a mask over the cache, several tokens behind a cache are silently misread.
        places = positions[:, None] + start * stride + torch.arange(count, device=self._model.device)
        seen = torch.ones((len(rows), start * stride + count), dtype=mask.dtype, device=mask.device)
        out = self._model.model(
            input_ids=ids,
            position_ids=places[None].expand(3, -1, -1),
            attention_mask=torch.cat([mask, seen], dim=1),
            past_key_values=cache,
            use_cache=True,
        )
        return length, self._read(out.last_hidden_state[:, stride - 1 :: stride], rows, start + 1)

    def _read(self, hidden: Any, rows: Sequence[ReplyRow], start: int) -> PassResult:
        """Read the words' logits of each place from ``start`` on, and the best of each."""
        if self._head_rows is not None:
            read = hidden @ self._head_rows.T
        else:
            read = self._model.get_output_embeddings()(hidden)[..., self._ids]
        scores = read.double().cpu().numpy()
        if not np.isfinite(scores).all():
            raise GameEnvError(
                "the model's logits are not numbers (NaN or infinite); its weights are damaged, or too large for this "
                "precision: try --dtype float32 or --dtype bfloat16"
            )
        logits = np.zeros((len(rows), CHUNK_LENGTH, len(ACTIONS)))
        logits[:, start:, self._order] = scores
        if self.temperature > 0:
            noise = np.stack([np.zeros((CHUNK_LENGTH, 12)) if row.noise is None else row.noise for row in rows])
            # As logits / temperature + noise, times what keeps both finite at any temperature.
            noise = noise[:, start:, self._order] * min(self.temperature, 1.0)
            scores = scores / max(self.temperature, 1.0) + noise
        best = np.zeros((len(rows), CHUNK_LENGTH), np.int64)
        best[:, start:] = np.asarray(self._order)[scores.argmax(-1)]
        return PassResult(best, logits)

    def _spell(self, words: Sequence[int]) -> list[int]:
        return [token for word in words for token in (self._tokens.words[word], *self._tokens.separator)]


def _extend(inputs: ModelInputs, reply: Sequence[int]) -> ModelInputs:
    """The inputs with the beginning of a reply behind them."""
    positions = np.tile(inputs.next_position + np.arange(len(reply)), (3, 1))
    return ModelInputs(
        ids=np.concatenate([inputs.ids, np.asarray(reply, np.int64)]),
        positions=np.concatenate([inputs.positions, positions], axis=1),
        pixels=inputs.pixels,
        grid=inputs.grid,
        reply=inputs.reply,
    )
