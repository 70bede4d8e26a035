"""Samples to batches, by the module that also makes what is played: ``policies.vlm.inputs``.

Knows nothing of weights, files' formats or trainers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gameenv.actions import ActionChunk
from gameenv.errors import require
from gameenv.frames import Frame, load_frame
from policies.vlm.inputs import InputMaker, ModelInputs, collate
from training.vlm.settings import Target

if TYPE_CHECKING:
    import torch

IGNORED = -100
"""The label of a token that the loss does not count."""
ROW = "example"
"""The one column of a dataset: a row's number among the examples."""


class Frames(Protocol):
    """Frames by number: an array, or ``FrameFiles``."""

    def __getitem__(self, index: int, /) -> Frame: ...


class FrameFiles:
    """Frames read from their files when they are asked for."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths

    def __getitem__(self, index: int) -> Frame:
        return load_frame(self._paths[index])

    def without(self, numbers: Sequence[int]) -> FrameFiles:
        """All frames but these."""
        return FrameFiles([path for number, path in enumerate(self._paths) if number not in set(numbers)])


@dataclass(frozen=True, slots=True)
class Examples:
    """Frames, goals and chunks side by side; those to train on come first, ``training`` of them."""

    frames: Frames
    goals: Sequence[str]
    chunks: Sequence[ActionChunk]
    training: int

    def dataset(self, rows: Sequence[int]) -> Any:
        """A ``datasets.Dataset`` of these examples' numbers."""
        datasets: Any = require("datasets", "train")
        return datasets.Dataset.from_dict({ROW: list(rows)})


class Collator:
    """Turns rows of ``Examples.dataset`` into what the model and the loss take.

    The reply's tokens stand at the end of every row (filling is on the left), so only their logits are asked for.
    """

    def __init__(self, maker: InputMaker, examples: Examples, target: Target = "reply") -> None:
        self._maker = maker
        self._examples = examples
        self._target = target

    def inputs(self, row: int) -> ModelInputs:
        """One example with its reply."""
        examples = self._examples
        return self._maker.make(examples.frames[row], examples.goals[row], examples.chunks[row])

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, torch.Tensor | int]:
        """A batch: the model's keyword arguments, ``labels`` ``(B, K)`` and ``logits_to_keep`` K.

        ``labels`` belong to the last K tokens: the one before the reply, which predicts its first, and the reply's.
        """
        batch = [self.inputs(row[ROW]) for row in rows]
        arguments: dict[str, Any] = collate(batch, self._maker.pad_id, self._maker.image_id)
        arguments.pop("mm_token_type_ids")  # the positions are given
        torch: Any = require("torch", "train")
        labels = np.stack([self._labels(each) for each in batch])
        return {**arguments, "labels": torch.from_numpy(labels), "logits_to_keep": labels.shape[1]}

    def _labels(self, inputs: ModelInputs) -> np.ndarray:
        kept = inputs.ids[inputs.reply - 1 :].copy()
        kept[0] = IGNORED
        if self._target == "words":
            counted = np.zeros(len(kept), bool)
            counted[[place - inputs.reply + 1 for place in inputs.words]] = True
            kept[~counted] = IGNORED
        return kept
