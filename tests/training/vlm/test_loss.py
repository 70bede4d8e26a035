from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ActionChunk
from policies import load_policy
from policies.vlm.inputs import collate
from policies.vlm.policy import VLMPolicy
from training.vlm.batches import ROW, Collator, Examples
from training.vlm.loss import WORD_LOSS, ReplyLoss, WordScores, word_places

CHUNKS = [ActionChunk.of(words.split()) for words in ("w w w left left none none", "up c c c c c space")]
FRAMES = np.random.default_rng(0).integers(0, 256, (2, 32, 64, 3), np.uint8)


@pytest.fixture(scope="module")
def policy(base: Path) -> VLMPolicy:
    found = load_policy(str(base))
    assert isinstance(found, VLMPolicy)
    return found


@pytest.fixture(scope="module")
def batch(policy: VLMPolicy) -> dict[str, Any]:
    return dict(
        Collator(policy.maker, Examples(FRAMES, ["Go on", "Climb the stairs"], CHUNKS, 2))([{ROW: 0}, {ROW: 1}])
    )


def run(policy: VLMPolicy, batch: dict[str, Any]) -> Any:
    with torch.inference_mode():
        return policy.model(**{name: value for name, value in batch.items() if name != "labels"})


def test_equals_the_models_own_loss_over_the_whole_sequence(policy: VLMPolicy, batch: dict[str, Any]) -> None:
    inputs = [
        policy.maker.make(frame, goal, chunk)
        for frame, goal, chunk in zip(FRAMES, ["Go on", "Climb the stairs"], CHUNKS, strict=True)
    ]
    whole = collate(inputs, policy.maker.pad_id, policy.maker.image_id)
    labels = torch.full_like(whole["input_ids"], -100)
    kept = batch["logits_to_keep"] - 1
    labels[:, -kept:] = whole["input_ids"][:, -kept:]
    with torch.inference_mode():
        own = policy.model(**whole, labels=labels).loss
    loss = ReplyLoss(policy.maker.reply)(run(policy, batch), batch["labels"])
    assert loss.item() == pytest.approx(own.item(), rel=1e-5)


def test_counts_all_tokens_of_a_step(policy: VLMPolicy, batch: dict[str, Any]) -> None:
    loss, outputs = ReplyLoss(policy.maker.reply), run(policy, batch)
    tokens = int((batch["labels"] != -100).sum())
    assert loss(outputs, batch["labels"], 4 * tokens).item() == pytest.approx(
        loss(outputs, batch["labels"]).item() / 4, rel=1e-6
    )


def test_words_that_repeat_the_one_before_weigh_less(policy: VLMPolicy) -> None:
    tokens = policy.maker.reply
    places = word_places(tokens)
    inputs = policy.maker.make(FRAMES[0], "x", CHUNKS[0])
    labels = torch.from_numpy(np.append(-100, inputs.ids[inputs.reply :])[None])
    assert labels[0, places].tolist() == tokens.spell(CHUNKS[0].actions)
    logits = torch.zeros(1, labels.shape[1], 2048)
    logits[..., 0] = 5.0  # the same loss at every token
    plain = ReplyLoss(tokens)(SimpleNamespace(logits=logits), labels).item()
    lighter = ReplyLoss(tokens, 0.25)(SimpleNamespace(logits=logits), labels).item()
    counted = labels.shape[1] - 1
    assert lighter == pytest.approx(plain * (counted - 4 * 0.75) / counted, rel=1e-5), "four of the seven repeat"


def test_words_that_count_as_promised_are_not_learned(policy: VLMPolicy) -> None:
    tokens = policy.maker.reply
    places = word_places(tokens)
    inputs = policy.maker.make(FRAMES[0], "x", CHUNKS[0])
    labels = torch.from_numpy(np.append(-100, inputs.ids[inputs.reply :])[None]).repeat(400, 1)
    logits = torch.zeros(*labels.shape, 2048).requires_grad_()
    torch.manual_seed(0)
    ReplyLoss(tokens, prefix_dropout=0.5)(SimpleNamespace(logits=logits), labels).backward()
    assert logits.grad is not None
    learned = (logits.grad.abs().sum(-1) > 0)[:, [place - 1 for place in places]]
    firsts = learned.int().argmax(1)
    assert 0.4 < (firsts > 0).float().mean() < 0.6
    assert set(firsts.tolist()) == set(range(7)), "one to six of them are given"
    assert all(row[first:].all() for row, first in zip(learned, firsts, strict=True)), "and nothing behind them"
    with torch.no_grad():
        scored = ReplyLoss(tokens, prefix_dropout=1.0)(SimpleNamespace(logits=logits), labels)
        assert scored == ReplyLoss(tokens)(SimpleNamespace(logits=logits), labels), "held-out words all count"


def test_scores_the_words_among_the_twelve(policy: VLMPolicy, batch: dict[str, Any]) -> None:
    tokens = policy.maker.reply
    scores = WordScores(tokens)
    outputs = run(policy, batch)
    reduced = scores.reduce((outputs.logits,), batch["labels"]).numpy()
    assert reduced.shape == (2, 7, 3)
    assert reduced[..., 1].astype(int).tolist() == [list(chunk.indices) for chunk in CHUNKS]

    certain = outputs.logits.clone()
    for row, chunk in enumerate(CHUNKS):
        for place, token in zip(word_places(tokens), tokens.spell(chunk.actions), strict=True):
            certain[row, place - 1] = 0
            certain[row, place - 1, token] = 30
    metrics = scores.metrics(SimpleNamespace(predictions=scores.reduce(certain, batch["labels"]).numpy()))
    assert metrics["chunk"] == metrics["first_word"] == 1
    assert metrics[WORD_LOSS] < 1e-6
