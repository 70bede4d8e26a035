"""Which samples say "the goal is reached", and from which probability on a policy may say so."""

from pathlib import Path

import numpy as np
import pytest

from gameenv.actions import Action, ActionChunk
from labeling import Sample
from training.declaring import THRESHOLDS, calibrate, find_declarations

DONE = ActionChunk.of(["none"] * 7)


def sample(row: int, word: Action, segment: int = 0, *, completed: bool = True, session: str = "s") -> Sample:
    chunk = DONE if word == "none" else ActionChunk.of([word] * 7)
    return Sample(Path("x.jpg"), "Go", chunk, session, segment, row, 0, None, None, None, completed, f"{session}_span")


def test_seven_none_at_the_end_of_a_clip_that_reaches_its_goal():
    samples = [sample(0, "w"), sample(1, "none"), sample(2, "none")]
    assert list(find_declarations(samples)) == [False, True, True]
    assert list(find_declarations(samples[::-1])) == [True, True, False]  # whatever their order


def test_waiting_is_not_a_declaration():
    on_the_way = [sample(0, "none"), sample(1, "none"), sample(2, "w"), sample(3, "none")]
    assert list(find_declarations(on_the_way)) == [False, False, False, True]
    nothing_reached = [sample(row, word, completed=False) for row, word in enumerate(("w", "none", "none"))]
    assert not find_declarations(nothing_reached).any()


def test_clips_and_sessions_are_told_apart():
    samples = [sample(0, "none", 0), sample(1, "w", 1), sample(0, "none", 1, session="other")]
    assert list(find_declarations(samples)) == [True, False, True]


def stretch(name: str, probabilities: list[float], ends: int) -> tuple[list[Sample], list[float]]:
    """A stretch of one clip; its last ``ends`` samples are declarations."""
    count = len(probabilities)
    words = [*["w"] * (count - ends), *["none"] * ends]
    return [sample(row, word, session=name) for row, word in enumerate(words)], probabilities  # pyright: ignore[reportArgumentType]


def calibrated(*stretches: tuple[list[Sample], list[float]]):
    samples = [each for some, _ in stretches for each in some]
    said = np.array([each for _, some in stretches for each in some])
    return calibrate(said, find_declarations(samples), samples)


def test_the_threshold_lets_the_first_declaration_come_at_the_goal():
    """A stretch that claims too early at 0.6 asks for more, one that is sure of 0.8 only for less."""
    result = calibrated(stretch("a", [0.1, 0.6, 0.9], 1), stretch("b", [0.1, 0.2, 0.8], 1))
    assert result.threshold == 0.65
    assert dict(zip(THRESHOLDS, result.right, strict=True))[0.5] == 0.5
    assert max(result.right) == 1.0


def test_of_equal_thresholds_the_one_nearest_to_a_half_is_taken():
    assert calibrated(stretch("a", [0.1, 0.3, 0.9], 1)).threshold == 0.5
    assert calibrated(stretch("a", [0.1, 0.2, 0.3], 1)).threshold == 0.3


def test_a_stretch_that_reaches_nothing_is_right_when_nothing_is_said():
    result = calibrated(stretch("a", [0.1, 0.7], 0), stretch("b", [0.1, 0.9], 1))
    assert 0.7 < result.threshold < 0.9


def test_without_any_declaration_there_is_nothing_to_choose_by():
    result = calibrated(stretch("a", [0.1, 0.7], 0))
    assert (result.threshold, result.right) == (0.5, ())


@pytest.mark.parametrize("wrong", [0.0, 0.25])
def test_bins_say_how_often_a_probability_came_true(wrong: float):
    samples = [sample(row, "none", row) for row in range(8)]
    declared = np.arange(8) >= 8 * wrong
    result = calibrate(np.full(8, 0.93), declared, samples)
    assert (result.said, result.came, result.counts) == ((pytest.approx(0.93),), (1 - wrong,), (8,))
