"""Offline accuracy on held-out samples: by slot, by action, and where the action changes.

A policy that copies its last action looks good everywhere but where the action changes. Knows nothing of networks.
"""

from dataclasses import dataclass

import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action


@dataclass(frozen=True, slots=True)
class ActionScore:
    """How one action fares in the first slot: ``support`` samples want it."""

    action: Action
    support: int
    precision: float | None
    recall: float | None


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares of samples, 0 to 1.

    Attributes:
        samples: How many were scored.
        loss: Mean cross-entropy a word, nats.
        by_slot: Share of right words in each of the seven slots.
        chunk: Share of chunks with all seven right.
        changes: Share of right words in slots whose true word differs from the slot before (None without any).
        turns: Share of right first words on the frames where the action differs from the one a tick before (None
            where no such frame is known).
        copied: Share of first words that a policy would have right by repeating the action of a tick before.
        done: Share of right answers to "is it all ``none``?".
        by_action: Each action in the first slot.
        confusion: ``confusion[true][predicted]`` counts in the first slot.
    """

    samples: int
    loss: float
    by_slot: tuple[float, ...]
    chunk: float
    changes: float | None
    done: float
    by_action: tuple[ActionScore, ...]
    confusion: tuple[tuple[int, ...], ...]
    turns: float | None = None
    copied: float | None = None


def score(predicted: np.ndarray, truth: np.ndarray, loss: float, previous: np.ndarray | None = None) -> Accuracy:
    """Score predictions.

    Args:
        predicted: ``(n, 7)`` action indices.
        truth: ``(n, 7)`` action indices.
        loss: Mean cross-entropy a word, measured where the logits were.
        previous: ``(n,)``: what was done a tick before, -1 where it is not known.
    """
    right = predicted == truth
    changed = truth[:, 1:] != truth[:, :-1]
    known = np.zeros(len(truth), bool) if previous is None else previous >= 0
    turning = known & (truth[:, 0] != (0 if previous is None else previous))
    confusion = np.zeros((len(ACTIONS), len(ACTIONS)), int)
    np.add.at(confusion, (truth[:, 0], predicted[:, 0]), 1)
    return Accuracy(
        samples=len(truth),
        loss=loss,
        by_slot=tuple(float(right[:, slot].mean()) for slot in range(CHUNK_LENGTH)),
        chunk=float(right.all(axis=1).mean()),
        changes=float(right[:, 1:][changed].mean()) if changed.any() else None,
        done=float(((predicted == 0).all(axis=1) == (truth == 0).all(axis=1)).mean()),
        by_action=tuple(_action_score(confusion, index) for index in range(len(ACTIONS))),
        confusion=tuple(tuple(int(n) for n in row) for row in confusion),
        turns=float(right[turning, 0].mean()) if turning.any() else None,
        copied=float(1 - turning.sum() / known.sum()) if known.any() else None,
    )


def _action_score(confusion: np.ndarray, index: int) -> ActionScore:
    hit, said, wanted = confusion[index, index], confusion[:, index].sum(), confusion[index].sum()
    return ActionScore(
        ACTIONS[index],
        int(wanted),
        float(hit / said) if said else None,
        float(hit / wanted) if wanted else None,
    )
