import numpy as np
import pytest

from training.metrics import score

TRUTH = np.array([[1, 1, 1, 8, 8, 0, 0], [0, 0, 0, 0, 0, 0, 0]])


def test_all_right():
    accuracy = score(TRUTH, TRUTH, 0.0)
    assert accuracy.by_slot == (1.0,) * 7
    assert (accuracy.chunk, accuracy.changes, accuracy.done) == (1.0, 1.0, 1.0)


def test_copying_the_last_action_is_caught_where_the_action_changes():
    copied = np.repeat(TRUTH[:, :1], 7, axis=1)
    accuracy = score(copied, TRUTH, 0.0)
    assert accuracy.by_slot[0] == 1.0
    assert accuracy.changes == 0.0
    assert accuracy.chunk == 0.5


def test_precision_and_recall_of_the_first_slot():
    predicted = TRUTH.copy()
    predicted[1, 0] = 1
    by_action = {entry.action: entry for entry in score(predicted, TRUTH, 0.0).by_action}
    assert (by_action["w"].support, by_action["w"].precision, by_action["w"].recall) == (1, 0.5, 1.0)
    assert (by_action["none"].support, by_action["none"].precision, by_action["none"].recall) == (1, None, 0.0)
    assert (by_action["c"].support, by_action["c"].precision, by_action["c"].recall) == (0, None, None)


def test_changes_is_unknown_where_nothing_changes():
    assert score(TRUTH[1:], TRUTH[1:], 0.0).changes is None


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_done_is_about_whole_chunks(share: float):
    predicted = np.zeros_like(TRUTH) if share else np.ones_like(TRUTH)
    assert score(predicted, TRUTH, 0.0).done == 0.5


def test_frames_where_the_action_turns_are_counted_apart():
    truth = np.repeat([[1], [1], [8], [8]], 7, axis=1)
    copied = np.repeat([[1], [1], [1], [8]], 7, axis=1)  # repeats what was done a tick before
    accuracy = score(copied, truth, 0.0, np.array([-1, 1, 1, 8]))
    assert accuracy.turns == 0.0
    assert accuracy.copied == pytest.approx(2 / 3)
    assert accuracy.by_slot[0] == 0.75
    assert score(truth, truth, 0.0).turns is None
