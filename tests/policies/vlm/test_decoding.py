"""Decoding in few passes gives what ``generate`` gives, restricted to the twelve words: exactly."""

import itertools
from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import GameEnvError
from policies.vlm import tiny
from policies.vlm.decoding import Decoder, ReplyRow
from policies.vlm.inputs import InputMaker, ModelInputs, collate
from tests.policies.vlm import oracle

GOALS = ("Go to the lantern", "Climb the stairs", "Find the red torch, walk to it, look up", "Öffne die Tür!", "x")
SMALL = {"hidden": 32, "vision_hidden": 32, "vision_layers": 2, "initializer_range": 0.3}
WEIGHTS, CASES = 40, 50


def make_decoder(model: Any, maker: InputMaker, temperature: float = 0.0) -> Decoder:
    return Decoder(model, maker.reply, maker.pad_id, maker.image_id, temperature)


def decode(decoder: Decoder, batch: list[ModelInputs], rows: list[ReplyRow]) -> int:
    return sum(1 for _ in decoder.passes(batch, rows))


def small_model(maker: InputMaker, seed: int = 0) -> Any:
    return tiny.build_model(tiny.build_config(maker.tokenizer, **SMALL), seed)


def random_case(rng: np.random.Generator, maker: InputMaker) -> tuple[ModelInputs, list[int], list[int]]:
    """Inputs, committed words, and a draft of all seven."""
    height, width = 32 * rng.integers(1, 4, 2)
    frame = rng.integers(0, 256, (height, width, 3), np.uint8)
    draft = rng.integers(0, len(ACTIONS), CHUNK_LENGTH).tolist()
    return maker.make(frame, GOALS[rng.integers(len(GOALS))]), draft[: rng.integers(0, CHUNK_LENGTH)], draft


def compare(maker: InputMaker, dtype: torch.dtype, weights: int, cases: int) -> tuple[list[float], Counter[int]]:
    """Decode random cases one by one, and ask the oracle; the leads of those that differ, and the passes taken."""
    rng = np.random.default_rng(1)
    different: list[float] = []
    histogram: Counter[int] = Counter()
    words_seen: set[int] = set()
    for seed in range(weights):
        model = small_model(maker, seed).to(dtype)
        drawn = [random_case(rng, maker) for _ in range(cases)]
        wanted, leads = oracle.generate(model, maker, [case[0] for case in drawn], [case[1] for case in drawn])
        decoder = make_decoder(model, maker)
        for (inputs, committed, draft), words, lead in zip(drawn, wanted, leads, strict=True):
            right = rng.integers(CHUNK_LENGTH + 1) if rng.random() < 0.3 else 0
            guess = [*committed, *draft[len(committed) :]]
            guess[len(committed) : right] = words[len(committed) : right]
            row = ReplyRow(guess, len(committed))
            passes = decode(decoder, [inputs], [row])
            assert 1 <= passes <= CHUNK_LENGTH - len(committed)
            assert passes == 1 or right < CHUNK_LENGTH, "a right draft takes one pass"
            if row.words != words:
                different.append(lead)
            histogram[passes] += 1
            words_seen.update(words)
    assert histogram.total() == weights * cases
    assert len(words_seen) == len(ACTIONS), "models that say only some words would show little"
    assert len(histogram) > 4
    return different, histogram


@pytest.fixture
def one_thread() -> Any:
    """Tiny matrices are multiplied faster without company."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
def test_two_thousand_random_cases_equal_generate(maker: InputMaker, one_thread: None) -> None:
    different, _ = compare(maker, torch.float64, WEIGHTS, CASES)
    assert different == []


@pytest.mark.slow
def test_in_single_precision_only_near_ties_may_differ(maker: InputMaker, one_thread: None) -> None:
    different, _ = compare(maker, torch.float32, WEIGHTS, CASES)
    assert max(different, default=0.0) <= 1e-4, different


@pytest.mark.slow
def test_with_qwens_real_merges(qwen_tokenizer: Any, one_thread: None) -> None:
    maker = InputMaker(qwen_tokenizer, tiny.build_image_processor())
    different, _ = compare(maker, torch.float64, 4, 10)
    assert different == []


@pytest.mark.slow
def test_a_batch_equals_one_by_one(maker: InputMaker) -> None:
    rng = np.random.default_rng(3)
    model = small_model(maker, 5).double()
    decoder = make_decoder(model, maker)
    cases = [random_case(rng, maker) for _ in range(24)]
    alone = [ReplyRow([*committed, *draft[len(committed) :]], len(committed)) for _, committed, draft in cases]
    together = [ReplyRow([*row.words], row.known) for row in alone]
    passes = [decode(decoder, [inputs], [row]) for (inputs, _, _), row in zip(cases, alone, strict=True)]
    most = decode(decoder, [inputs for inputs, _, _ in cases], together)
    assert [row.words for row in together] == [row.words for row in alone]
    assert most == max(passes)


def test_words_are_published_as_they_are_settled(maker: InputMaker) -> None:
    rng = np.random.default_rng(4)
    decoder = make_decoder(small_model(maker, 2).double(), maker)
    for _ in range(20):
        inputs, committed, draft = random_case(rng, maker)
        row = ReplyRow([*committed, *draft[len(committed) :]], len(committed))
        settled = [row.words[: row.known] for _ in decoder.passes([inputs], [row])]
        assert all(len(one) < len(other) for one, other in itertools.pairwise(settled))
        assert all(row.words[: len(words)] == words for words in settled), "what was published is not taken back"
        assert len(settled[-1]) == CHUNK_LENGTH


@pytest.mark.slow
def test_draws_do_not_depend_on_the_draft_and_follow_the_models_odds(maker: InputMaker, one_thread: None) -> None:
    rng = np.random.default_rng(5)
    decoder = make_decoder(small_model(maker, 3), maker, temperature=1.0)
    inputs = random_case(rng, maker)[0]
    drawn: Counter[int] = Counter()
    for _ in range(400):
        noise = rng.gumbel(size=(CHUNK_LENGTH, len(ACTIONS)))
        rows = [ReplyRow(rng.integers(0, 12, CHUNK_LENGTH).tolist(), 0, noise) for _ in range(2)]
        for row in rows:
            decode(decoder, [inputs], [row])
        assert rows[0].words == rows[1].words
        drawn[rows[0].words[0]] += 1
    logits = first_logits(decoder, maker, inputs)
    odds = np.exp(logits - logits.max()) / np.exp(logits - logits.max()).sum()
    shares = np.array([drawn[word] / 400 for word in range(12)])
    assert 0.5 * np.abs(shares - odds).sum() < 0.12, (shares, odds)


def first_logits(decoder: Decoder, maker: InputMaker, inputs: ModelInputs) -> np.ndarray:
    """The model's own logits of the first word, by a plain forward pass."""
    extended = maker.tokenizer.decode(inputs.ids) + '{"actions": ["'
    ids = maker.tokenizer(extended, add_special_tokens=False, return_tensors="pt")["input_ids"]
    arguments = collate([inputs], maker.pad_id, maker.image_id)
    with torch.inference_mode():
        out = decoder._model(
            input_ids=ids,
            mm_token_type_ids=(ids == maker.image_id).long(),
            pixel_values=arguments["pixel_values"],
            image_grid_thw=arguments["image_grid_thw"],
        )
    return out.logits[0, -1, list(maker.reply.words)].double().numpy()


def test_logits_that_are_not_numbers(maker: InputMaker) -> None:
    model = small_model(maker)
    with torch.no_grad():
        model.model.language_model.norm.weight.fill_(float("nan"))
    decoder = make_decoder(model, maker)
    inputs = random_case(np.random.default_rng(0), maker)[0]
    with pytest.raises(GameEnvError, match=r"not numbers.*float32"):
        decode(decoder, [inputs], [ReplyRow([1] * 7, 0)])
