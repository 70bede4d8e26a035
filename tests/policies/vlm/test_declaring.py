"""A reply of seven ``none`` stands only if the model gives the seven as a whole enough."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, action_index
from policies.base import Observation
from policies.card import ModelCard
from policies.vlm import tiny
from policies.vlm.declaring import instead_of_declaring
from policies.vlm.decoding import ReplyRow
from policies.vlm.inputs import InputMaker, collate
from policies.vlm.policy import VLMPolicy
from tests.policies.vlm import oracle

GOAL = "Go to the lantern"
STRENGTH = 1.2
"""Of the model's leaning to none: seven of them come out, and not for sure."""
FRAMES = list(np.random.default_rng(0).integers(0, 256, (8, 64, 64, 3), np.uint8))


def row_of(odds: list[dict[Action, float]], words: Sequence[Action] | None = None) -> ReplyRow:
    """A decoded reply whose places had these probabilities; what is not named shares the rest."""
    logits = np.zeros((CHUNK_LENGTH, len(ACTIONS)))
    for place, some in enumerate(odds):
        rest = (1 - sum(some.values())) / (len(ACTIONS) - len(some))
        logits[place] = np.log([some.get(word, rest) for word in ACTIONS])
    return ReplyRow([action_index(word) for word in words or ["none"] * CHUNK_LENGTH], CHUNK_LENGTH, logits=logits)


def said(row: ReplyRow | None) -> list[str] | None:
    return None if row is None else [ACTIONS[word] for word in row.words[: row.known]]


def test_seven_none_that_are_likelier_together_than_not_stand() -> None:
    sure = row_of([{"none": 0.95}] * CHUNK_LENGTH)  # 0.95**7 is 0.70
    assert instead_of_declaring(sure, 0, 0.5) is None
    assert instead_of_declaring(sure, 0, 0.71) is not None
    each_likelier = row_of([{"none": 0.8}] * CHUNK_LENGTH)  # 0.8**7 is 0.21
    assert instead_of_declaring(each_likelier, 0, 0.5) is not None
    assert instead_of_declaring(each_likelier, 5, 0.5) is None  # two are left to choose: 0.64


def test_a_reply_with_a_key_in_it_always_stands() -> None:
    row = row_of([{"none": 0.6}] * CHUNK_LENGTH, ("none",) * 6 + ("w",))
    assert instead_of_declaring(row, 0, 1.0) is None


def test_instead_the_likeliest_first_key_is_pressed() -> None:
    waiting: list[dict[Action, float]] = [{"none": 0.9, "a": 0.05}] * CHUNK_LENGTH
    waiting[3] = {"none": 0.55, "w": 0.4}
    assert said(instead_of_declaring(row_of(waiting), 0, 0.5)) == ["none", "none", "none", "w"]  # 0.9**3 * 0.4 is 0.29
    waiting[0] = {"none": 0.6, "left": 0.35}
    assert said(instead_of_declaring(row_of(waiting), 0, 0.5)) == ["left"]
    assert said(instead_of_declaring(row_of(waiting), 1, 0.5)) == ["none", "none", "none", "w"]


@pytest.fixture(scope="module")
def waiter(maker: InputMaker) -> Any:
    """A model that often says none: its row of the output head is turned towards what the model thinks."""
    sizes: dict[str, Any] = {"hidden": 32, "vision_hidden": 32, "vision_layers": 2, "initializer_range": 0.3}
    model: Any = tiny.build_model(tiny.build_config(maker.tokenizer, **sizes), 3)
    words = list(maker.reply.words)
    with torch.no_grad():
        thought = torch.stack([hidden_of(model, maker, FRAMES[0], place)[-1] for place in range(CHUNK_LENGTH)]).mean(0)
        rows = model.get_output_embeddings().weight.data.clone()  # not the embeddings themselves, which share it
        rows[words] *= 0.3
        rows[words[0]] = STRENGTH * thought / thought.norm()
        model.get_output_embeddings().weight = torch.nn.Parameter(rows)
    return model


def hidden_of(model: Any, maker: InputMaker, frame: np.ndarray, place: int) -> torch.Tensor:
    """The last hidden states, ``(length, hidden)``, of a reply of ``place`` times none."""
    inputs, tokens = maker.make(frame, GOAL), maker.reply
    nones = [token for _ in range(place) for token in (tokens.words[0], *tokens.separator)]
    ids = torch.tensor([[*inputs.ids, *tokens.prefix, *nones]])
    arguments: Any = collate([inputs], maker.pad_id, maker.image_id)
    grown = {key: arguments[key] for key in ("pixel_values", "image_grid_thw")}
    with torch.inference_mode():
        out = model.model(input_ids=ids, mm_token_type_ids=(ids == maker.image_id).int(), **grown)
    return out.last_hidden_state[0].clone()


def none_odds(model: Any, maker: InputMaker, frame: np.ndarray, committed: int) -> np.ndarray:
    """Log probabilities ``(7, 12)`` of each place behind nothing but ``none``, a whole pass for each."""
    found = np.zeros((CHUNK_LENGTH, len(ACTIONS)))
    for place in range(committed, CHUNK_LENGTH):
        logits = model.get_output_embeddings()(hidden_of(model, maker, frame, place)[-1])[list(maker.reply.words)]
        found[place] = torch.log_softmax(logits.double(), -1).detach().numpy()
    return found


@pytest.mark.parametrize("committed", [0, 2])
def test_the_joint_probability_decides_and_the_rest_is_decoded_behind_the_key(
    waiter: Any, maker: InputMaker, committed: int
) -> None:
    promised: tuple[Action, ...] = ("none",) * committed
    taken_back = 0
    for frame in FRAMES:
        look = Observation(frame, GOAL, promised)
        if not VLMPolicy(waiter, maker, declare_at=1e-300).predict(look).done:
            continue  # decoding presses a key
        odds = none_odds(waiter, maker, frame, committed)
        joint = float(np.exp(odds[committed:, 0].sum()))
        assert VLMPolicy(waiter, maker, declare_at=joint * 0.999).predict(look).done
        asks_more = VLMPolicy(waiter, maker, declare_at=min(1.0, joint * 1.001))
        if joint >= 1:
            continue
        chunk = asks_more.predict(look)
        assert not chunk.done
        ways = np.concatenate([[0], np.cumsum(odds[committed:-1, 0])])[:, None] + odds[committed:, 1:]
        place, key = divmod(int(ways.argmax()), len(ACTIONS) - 1)
        begun = [0] * (committed + place) + [key + 1]
        (wanted,), _ = oracle.generate(waiter, maker, [maker.make(frame, GOAL)], [begun])
        assert [action_index(word) for word in chunk] == wanted
        assert asks_more.predict_batch([look, Observation(FRAMES[0], GOAL, ("w",))])[0] == chunk
        asks_more.reset(GOAL)
        assert tuple(asks_more.predict_stream(look)) == chunk.actions
        taken_back += 1
    assert taken_back > 1, "a model that hardly ever waits would show little"


def test_the_card_s_threshold_holds_unless_another_is_asked_for(waiter: Any, maker: InputMaker) -> None:
    card = ModelCard("vlm", 10, extra={"declare_at": 1e-300})
    look = next(
        look
        for look in (Observation(frame, GOAL) for frame in FRAMES)
        if VLMPolicy(waiter, maker, card).predict(look).done
    )
    assert not VLMPolicy(waiter, maker, card, declare_at=1.0).predict(look).done
