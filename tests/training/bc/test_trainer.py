"""The trainer on made-up samples that a network can learn: the colour and the goal decide the action."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, ActionChunk
from gameenv.errors import InvalidInputError
from policies.bc import INPUT_SIZE, Without, build_word_list
from training.bc.trainer import CHECKPOINT_FILE, Arrays, BCSettings, FittedBC, Trainer, make_arrays
from training.step_report import StepReport

pytestmark = pytest.mark.slow

GOALS = ["Go left", "Go right"]
WORDS = build_word_list(GOALS)
SETTINGS = BCSettings(
    epochs=4, batch_size=16, learning_rate=3e-3, weight_decay=0.0, jitter=0.1, seed=0, shuffle_goals=False
)


def samples(count: int, seed: int) -> Arrays:
    rng = np.random.default_rng(seed)
    frames = np.zeros((count, INPUT_SIZE[1], INPUT_SIZE[0], 3), np.uint8)
    bright = rng.integers(0, 2, count)
    frames[bright == 1] = 200
    goals = [GOALS[i] for i in rng.integers(0, 2, count)]
    words = [("none" if not lit else goal.split()[1]) for lit, goal in zip(bright, goals, strict=True)]
    declared = np.array([word == "none" for word in words])
    return make_arrays(frames, goals, [ActionChunk.of([word] * 7) for word in words], WORDS, declared=declared)


def trainer(
    folder: Path,
    settings: BCSettings = SETTINGS,
    dataset_id: str = "made-up",
    training: Arrays | None = None,
    validation: Arrays | None = None,
) -> Trainer:
    folder.mkdir(exist_ok=True)
    training, validation = training or samples(160, 1), validation or samples(64, 2)
    return Trainer(settings, WORDS, training=training, validation=validation, folder=folder, dataset_id=dataset_id)


def stop_at(step: int) -> Callable[[StepReport], None]:
    def look(progress: StepReport) -> None:
        if progress.step == step and progress.validation is None:
            raise KeyboardInterrupt

    return look


def first_right(fitted: FittedBC) -> float:
    """Share of the held-out samples whose first word is right."""
    return float((fitted.answers.logits[:, 0].argmax(-1) == samples(64, 2).chunks[:, 0]).mean())


def weights(network: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten() for value in network.state_dict().values()])


def test_learns_from_frame_and_goal(tmp_path: Path):
    fitted = trainer(tmp_path).fit()
    assert first_right(fitted) == 1.0
    assert fitted.curve[-1][2] < fitted.curve[0][2]


def test_shuffled_goals_leave_only_what_the_frame_tells(tmp_path: Path):
    fitted = trainer(tmp_path, replace(SETTINGS, shuffle_goals=True)).fit()
    assert first_right(fitted) < 0.9


@pytest.mark.parametrize("without", ["frames", "goals"])
def test_a_control_learns_nothing_from_what_is_hidden(tmp_path: Path, without: Without):
    settings, data = replace(SETTINGS, without=without), samples(160, 1)
    blank = np.zeros_like(data.frames) if without == "frames" else data.frames
    mute = np.zeros_like(data.bags) if without == "goals" else data.bags
    other = replace(data, frames=blank, bags=mute)
    fitted = trainer(tmp_path / "a", settings).fit()
    from_other = trainer(tmp_path / "b", settings, training=other).fit()
    assert torch.equal(weights(fitted.network), weights(from_other.network))
    assert first_right(fitted) < 0.9


def test_same_seed_same_weights_other_seed_others(tmp_path: Path):
    first, again = trainer(tmp_path / "a").fit(), trainer(tmp_path / "b").fit()
    other = trainer(tmp_path / "c", replace(SETTINGS, seed=1)).fit()
    assert torch.equal(weights(first.network), weights(again.network))
    assert not torch.equal(weights(first.network), weights(other.network))


def test_a_killed_training_ends_where_an_unbroken_one_does(tmp_path: Path):
    whole = trainer(tmp_path / "whole").fit()
    with pytest.raises(KeyboardInterrupt):
        trainer(tmp_path / "broken").fit(stop_at(25))  # in the middle of the third epoch
    resumed = trainer(tmp_path / "broken").fit()
    assert resumed.resumed_from == 2
    assert torch.equal(weights(resumed.network), weights(whole.network))
    assert resumed.curve == whole.curve


def test_the_best_epoch_is_kept_not_the_last(tmp_path: Path):
    held_out = samples(64, 2)
    wrong = {"chunks": np.where(held_out.chunks == 0, 1, 0), "declared": ~held_out.declared}
    mirrored = replace(held_out, **wrong)  # the more is learned, the worse it gets
    for way in ("unbroken", "resumed"):
        make = partial(trainer, tmp_path / way, validation=mirrored)
        if way == "resumed":
            with pytest.raises(KeyboardInterrupt):
                make().fit(stop_at(35))
        fitted = make().fit()
        losses = [loss for _, _, loss in fitted.curve]
        assert fitted.best_epoch == 1 + losses.index(min(losses)) < len(losses)
        words, says = answers(fitted.network, mirrored)
        truth = torch.from_numpy(mirrored.declared).float()
        loss = fitted.word_loss + float(torch.nn.functional.binary_cross_entropy_with_logits(says, truth))
        assert loss == pytest.approx(min(losses), rel=1e-4)
        assert np.allclose(words.numpy(), fitted.answers.logits, atol=1e-4)


def test_a_declaration_is_learned_beside_the_words_or_left_out(tmp_path: Path):
    fitted, held_out = trainer(tmp_path / "with").fit(), samples(64, 2)
    assert fitted.answers.declares is not None
    assert ((fitted.answers.declares >= 0.5) == held_out.declared).all()
    waiting = replace(samples(160, 1), declared=np.zeros(160, bool))  # seven none, but nothing is reached
    waits = trainer(tmp_path / "waits", training=waiting, validation=replace(held_out, declared=np.zeros(64, bool)))
    says = waits.fit().answers.declares
    assert says is not None
    assert says.max() < 0.5
    assert trainer(tmp_path / "without", replace(SETTINGS, declares=False)).fit().answers.declares is None


def test_moments_that_matter_are_drawn_more_often(tmp_path: Path):
    data = samples(160, 1)
    calm = replace(data, chunks=np.ones_like(data.chunks), declared=np.zeros(160, bool), previous=np.ones(160, int))
    rare = calm.chunks.copy()
    rare[3, 6], rare[5, 0] = ACTIONS.index("space"), ACTIONS.index("left")
    busy = replace(calm, chunks=rare, declared=np.arange(160) == 7)
    assert not calm.matters.any()
    assert list(np.flatnonzero(busy.matters)) == [3, 5, 7]
    drawn = trainer(tmp_path / "more", replace(SETTINGS, oversample=20.0), training=busy)
    rows = np.concatenate([drawn.draw(np.random.default_rng(epoch)) for epoch in range(50)])
    often, seldom = np.isin(rows, [3, 5, 7]).mean(), 3 * 20 / (3 * 20 + 157)
    assert often == pytest.approx(seldom, abs=0.02)
    once = trainer(tmp_path / "once", training=busy)
    assert sorted(once.draw(np.random.default_rng(0))) == list(range(160))


def answers(network: torch.nn.Module, data: Arrays) -> tuple[torch.Tensor, torch.Tensor]:
    pixels = torch.from_numpy(data.frames[:]).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        return network.eval()(pixels, torch.from_numpy(data.bags))


@pytest.mark.parametrize(
    ("settings", "dataset_id", "said"),
    [
        (replace(SETTINGS, learning_rate=1e-4), "made-up", "settings"),
        (replace(SETTINGS, without="frames"), "made-up", "settings"),
        (SETTINGS, "another", "dataset"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path: Path, settings: BCSettings, dataset_id: str, said: str):
    trainer(tmp_path).fit()
    with pytest.raises(InvalidInputError, match=f"other {said}"):
        trainer(tmp_path, settings, dataset_id).fit()


def test_a_damaged_checkpoint_is_named(tmp_path: Path):
    (tmp_path / CHECKPOINT_FILE).write_bytes(b"not a checkpoint")
    with pytest.raises(InvalidInputError, match=rf"cannot read .*{CHECKPOINT_FILE}"):
        trainer(tmp_path).fit()


@pytest.mark.parametrize("epochs", [1, 2, 9])
def test_very_short_trainings_work(tmp_path: Path, epochs: int):
    settings = replace(SETTINGS, epochs=epochs, batch_size=160)  # one step an epoch
    assert len(trainer(tmp_path, settings).fit().curve) == epochs
