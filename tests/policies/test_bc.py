"""The convolutional policy as it plays: the likeliest words, drawn words, and the controls that see or hear nothing."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.frames import Frame
from policies.base import Observation, batching
from policies.bc import BCPolicy, build_network, build_word_list, choose_words
from policies.card import CARD_FILE, ModelCard
from policies.conformance import GOAL, check_policy, example_frames
from policies.load import load_policy
from policies.options import ModelOptions

GOALS = (GOAL, "Climb the stairs", "Open the door")
WORDS = build_word_list(GOALS)


def make(without: str | None = None, sharpness: float = 1.0, temperature: float = 0.0) -> BCPolicy:
    """A policy of random weights that sees and hears; sharper ones prefer some words by far."""
    torch.manual_seed(0)
    network: Any = build_network(len(WORDS), declares=False)
    with torch.no_grad():
        network.goal[0].weight.mul_(20)  # fresh weights hear too little for another word to come first
        network.body[-1].weight.mul_(sharpness)
    card = ModelCard("bc", 10, extra={"words": list(WORDS), "without": without})
    return BCPolicy(network, WORDS, card, temperature=temperature)


def make_declaring(
    says: float,
    words: str = "none",
    *,
    temperature: float = 0.0,
    chosen: float | None = 0.5,
    asked: float | None = None,
) -> BCPolicy:
    """A policy that gives "the goal is reached" one probability, and whose words favour ``words`` by far."""
    torch.manual_seed(0)
    network: Any = build_network(len(WORDS))
    with torch.no_grad():
        network.declaration.weight.zero_()
        network.declaration.bias.fill_(float(np.log(says / (1 - says))))
        network.body[-1].bias.view(CHUNK_LENGTH, -1)[:, ACTIONS.index(words)] += 20  # pyright: ignore[reportArgumentType]
    extra = {"words": list(WORDS), **({} if chosen is None else {"declare_at": chosen})}
    return BCPolicy(network, WORDS, ModelCard("bc", 10, extra=extra), temperature=temperature, declare_at=asked)


def chunks(policy: BCPolicy, frames: tuple[Frame, ...] = example_frames(), goals: tuple[str, ...] = GOALS) -> set:
    asked = [Observation(frame, goal) for frame in frames for goal in goals]
    return {chunk.actions for chunk in policy.predict_batch(asked)}


def test_answers_depend_on_frame_and_goal() -> None:
    assert len(chunks(make(), goals=(GOAL,))) > 1
    assert len(chunks(make(), frames=example_frames()[:1])) > 1


def test_a_blind_policy_gives_one_chunk_whatever_the_frame_and_still_hears() -> None:
    assert len(chunks(make("frames"), goals=(GOAL,))) == 1
    assert len(chunks(make("frames"))) > 1


def test_a_goal_blind_policy_gives_one_chunk_whatever_the_goal_and_still_sees() -> None:
    assert len(chunks(make("goals"), frames=example_frames()[:1])) == 1
    assert len(chunks(make("goals"))) > 1


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("without", [None, "frames", "goals"])
def test_every_kind_conforms_from_its_folder(tmp_path: Path, without: str | None, temperature: float) -> None:
    make(without).save(tmp_path)
    policy = load_policy(f"bc:{tmp_path}", ModelOptions(temperature=temperature))
    check_policy(policy)
    assert (batching(policy) is None) == (temperature > 0)


@pytest.mark.parametrize("without", ["frames", "goals"])
def test_what_is_hidden_stays_hidden_after_loading(tmp_path: Path, without: str) -> None:
    make(without).save(tmp_path)
    assert chunks(BCPolicy.load(tmp_path)) == chunks(make(without))


def test_a_card_from_before_there_were_controls_hides_nothing(tmp_path: Path) -> None:
    make().save(tmp_path)
    card = json.loads((tmp_path / CARD_FILE).read_text())
    del card["extra"]["without"]
    (tmp_path / CARD_FILE).write_text(json.dumps(card))
    assert chunks(BCPolicy.load(tmp_path)) == chunks(make())


def test_a_card_that_hides_something_unknown_is_refused() -> None:
    with pytest.raises(UnknownNameError, match=r"'frame'.*Did you mean 'frames'"):
        make("frame")


@pytest.mark.parametrize("temperature", [0.5, 2.0])
def test_draws_follow_the_softmax_of_each_head(temperature: float, monkeypatch: pytest.MonkeyPatch) -> None:
    policy, count, frame = make(sharpness=20.0), 2000, example_frames()[1]
    logits, _ = policy.answer([frame], [GOAL])
    odds, as_they_are = (torch.softmax(torch.tensor(logits[0]) / by, -1).numpy() for by in (temperature, 1.0))
    drawn = make(sharpness=20.0, temperature=temperature)
    monkeypatch.setattr(drawn, "answer", lambda frames, goals: (logits, None))  # the same every time, so asked but once
    drawn.reset(GOAL, seed=3)
    rows = np.array([drawn.predict(Observation(frame, GOAL)).indices for _ in range(count)])
    seen = np.stack([(rows == index).mean(0) for index in range(len(ACTIONS))], axis=1)
    tolerance = 5 * np.sqrt(odds * (1 - odds) / count) + 1e-3
    assert (np.abs(seen - odds) < tolerance).all()
    assert (np.abs(seen - as_they_are) > 2 * tolerance).any()  # so the temperature counts
    first, last = (rows[:, slot] == seen[slot].argmax() for slot in (0, CHUNK_LENGTH - 1))
    assert (first & last).mean() == pytest.approx(first.mean() * last.mean(), abs=0.05)  # slots are drawn one by one


def test_a_blind_policy_that_draws_does_not_repeat_itself_but_its_seed_does() -> None:
    def play(seed: int) -> list[tuple[str, ...]]:
        policy = make("frames", temperature=1.0)
        policy.reset(GOAL, seed=seed)
        return [policy.predict(Observation(frame, GOAL)).actions for frame in example_frames() * 3]

    assert len(set(play(1))) == 9
    assert play(1) == play(1)
    assert play(1) != play(2)


@pytest.mark.parametrize("temperature", [1e-6, 1e-320])
def test_hardly_any_temperature_is_none(temperature: float) -> None:
    policy = make()
    drawn = make(temperature=temperature)
    for frame in example_frames():
        for seed in range(5):
            policy.reset(GOAL)
            drawn.reset(GOAL, seed=seed)
            look = Observation(frame, GOAL, ("w", "up"))
            assert drawn.predict(look) == policy.predict(look)


def test_what_is_drawn_is_answered_one_by_one() -> None:
    assert batching(make()) is not None
    assert batching(make(temperature=1.0)) is None


def test_a_temperature_below_zero_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="0 or above"):
        make(temperature=-0.1)


def test_a_goal_of_unknown_words_is_warned_about_once(caplog: pytest.LogCaptureFixture) -> None:
    policy = make()
    for _ in range(2):
        policy.reset("Иди к фонарю")
        policy.reset(GOAL)
    assert [record.getMessage() for record in caplog.records] == [
        "this policy knows no word of the goal 'Иди к фонарю': it plays as if there were none"
    ]
    caplog.clear()
    make("goals").reset("Иди к фонарю")
    assert not caplog.records


def test_logits_are_one_row_a_slot() -> None:
    assert make().answer(example_frames(), [GOAL] * 3)[0].shape == (3, CHUNK_LENGTH, len(ACTIONS))


def test_undecided_heads_give_their_likeliest_words_as_before() -> None:
    scores = np.random.default_rng(0).normal(size=(50, CHUNK_LENGTH, len(ACTIONS)))
    scores[:25, :, 0] += 9
    np.testing.assert_array_equal(choose_words(scores, None), scores.argmax(-1))


def test_what_is_declared_is_seven_none_whatever_the_words() -> None:
    scores = np.random.default_rng(0).normal(size=(50, CHUNK_LENGTH, len(ACTIONS)))
    assert not choose_words(scores, np.ones(50, bool)).any()


@pytest.mark.parametrize("slots", [1, 2, 3])
def test_what_is_not_declared_is_the_likeliest_chunk_but_seven_none(slots: int) -> None:
    """Compared with every chunk there is."""
    scores = np.random.default_rng(slots).normal(size=(20, slots, len(ACTIONS)))
    scores[:15, :, 0] += 4
    chosen = choose_words(scores, np.zeros(20, bool))
    every = np.array(list(itertools.product(range(len(ACTIONS)), repeat=slots))[1:])  # the first is all none
    for row, words in zip(scores, chosen, strict=True):
        likelihoods = row[np.arange(slots), every].sum(1)
        np.testing.assert_array_equal(words, every[likelihoods.argmax()])


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_its_head_declares_and_its_words_alone_never_do(temperature: float) -> None:
    for frame in example_frames():
        look = Observation(frame, GOAL)
        assert make_declaring(0.6, "w", temperature=temperature).predict(look).done
        words = make_declaring(0.4, "none", temperature=temperature).predict(look)
        assert sum(word != "none" for word in words) == 1
        assert set(make_declaring(0.4, "w", temperature=temperature).predict(look)) == {"w"}


def test_the_threshold_is_the_card_s_unless_another_is_asked_for() -> None:
    look = Observation(example_frames()[0], GOAL)
    assert not make_declaring(0.7, chosen=0.8).predict(look).done
    assert make_declaring(0.7, chosen=0.8, asked=0.6).predict(look).done
    assert not make_declaring(0.7, asked=0.9).predict(look).done
    assert make_declaring(0.6, chosen=None).predict(look).done  # a card that says nothing: likelier than not
    assert not make_declaring(0.4, chosen=None).predict(look).done


def test_committed_words_decide_whether_a_chunk_can_still_declare() -> None:
    frame = example_frames()[0]
    sure, unsure = make_declaring(0.9), make_declaring(0.1)
    assert sure.predict(Observation(frame, GOAL, ("none", "none"))).done
    assert sure.predict(Observation(frame, GOAL, ("w",))).actions == ("w", *["none"] * 6)
    assert unsure.predict(Observation(frame, GOAL, ("w",))).actions == ("w", *["none"] * 6)  # declares nothing
    assert not unsure.predict(Observation(frame, GOAL, ("none",) * 6)).done


def test_behind_promised_movements_it_lets_go_where_it_would_declare() -> None:
    look = Observation(example_frames()[0], GOAL, ("w", "w", "w"))
    assert make_declaring(0.9, "w").predict(look).actions == ("w", "w", "w", *["none"] * 4)
    assert set(make_declaring(0.1, "w").predict(look)) == {"w"}


def test_the_head_and_its_threshold_come_back_from_the_folder(tmp_path: Path) -> None:
    look = Observation(example_frames()[0], GOAL)
    make_declaring(0.7, chosen=0.8).save(tmp_path)
    assert not load_policy(f"bc:{tmp_path}").predict(look).done
    assert load_policy(f"bc:{tmp_path}", ModelOptions(declare_at=0.6)).predict(look).done
    card = json.loads((tmp_path / CARD_FILE).read_text())
    card["extra"]["declare_at"] = "often"
    (tmp_path / CARD_FILE).write_text(json.dumps(card))
    with pytest.raises(InvalidInputError, match=r"declare_at.*'often'"):
        load_policy(f"bc:{tmp_path}")


def test_a_network_from_before_there_was_a_head_declares_by_its_words(tmp_path: Path) -> None:
    make().save(tmp_path)
    assert not any("declaration" in name for name in torch.load(tmp_path / "weights.pt"))
    assert chunks(BCPolicy.load(tmp_path)) == chunks(make())
    with pytest.raises(InvalidInputError, match=r"no head for declarations.*--declare-at"):
        load_policy(f"bc:{tmp_path}", ModelOptions(declare_at=0.6))
