from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ActionChunk
from policies import load_policy
from policies.vlm.policy import VLMPolicy
from training.vlm.batches import ROW, Collator, Examples
from training.vlm.loss import word_places
from training.vlm.word_dropout import drop_words

CHUNK = ActionChunk.of(["w"] * 7)
COUNT = 64


@pytest.fixture
def policy(base: Path) -> VLMPolicy:
    found = load_policy(str(base))
    assert isinstance(found, VLMPolicy)
    return found


def batch(policy: VLMPolicy) -> dict[str, Any]:
    frames = np.zeros((COUNT, 32, 64, 3), np.uint8)
    goals = ["Go on", "Climb up the stairs over there"] * (COUNT // 2)
    collator = Collator(policy.maker, Examples(frames, goals, [CHUNK] * COUNT, COUNT))
    return {name: value for name, value in collator([{ROW: row} for row in range(COUNT)]).items() if name != "labels"}


def seen_by(policy: VLMPolicy, batch: dict[str, Any], *, training: bool) -> torch.Tensor:
    """The token ids that the model itself was given."""
    seen: list[torch.Tensor] = []
    handle = policy.model.model.register_forward_pre_hook(
        lambda module, args, kwargs: seen.append(kwargs["input_ids"]), with_kwargs=True
    )
    policy.model.train(training)
    with torch.no_grad():
        policy.model(**batch)
    policy.model.eval()
    handle.remove()
    return seen[0]


def test_replaces_the_words_of_some_samples_by_any_of_the_twelve(policy: VLMPolicy) -> None:
    tokens, inputs = policy.maker.reply, batch(policy)
    drop_words(policy.model, tokens, 0.5)
    before = inputs["input_ids"].clone()
    torch.manual_seed(0)
    after = seen_by(policy, inputs, training=True)
    assert torch.equal(inputs["input_ids"], before), "the caller's batch is left alone"
    columns = np.array(word_places(tokens)) - inputs["logits_to_keep"] + before.shape[1]
    changed = (after != before).numpy()
    assert not np.delete(changed, columns, axis=1).any(), "nothing but words"
    touched = changed.any(1)
    assert 0.3 < touched.mean() < 0.7
    assert set(after[touched][:, columns].flatten().tolist()) == set(tokens.words)
    torch.manual_seed(0)
    assert torch.equal(seen_by(policy, inputs, training=True), after), "the same draws from the same generator"


def test_leaves_a_model_that_does_not_train_alone(policy: VLMPolicy) -> None:
    inputs = batch(policy)
    drop_words(policy.model, policy.maker.reply, 1.0)
    assert torch.equal(seen_by(policy, inputs, training=False), inputs["input_ids"])
