"""Samples to train on and to hold out, and what names them.

Levels, sessions or takes are held out whole (``labeling.split``). Knows nothing of policies.
"""

import hashlib
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from gameenv.actions import action_index
from gameenv.errors import InvalidInputError
from gameenv.frames import Fit, FrameSpec
from labeling import DatasetInfo, Sample, load_info, load_samples, split_samples


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is trained on.

    Attributes:
        root: The folder.
        id: Names the content and the split.
        info: What all its segments have in common.
        training, validation: The two sides of the split.
    """

    root: str
    id: str
    info: DatasetInfo
    training: Sequence[Sample]
    validation: Sequence[Sample]

    @property
    def fit(self) -> Fit:
        """How the recorded frames were fitted; ``load_info`` has checked that it is one of the two."""
        return "stretch" if self.info.fit == "stretch" else "letterbox"

    @property
    def recorded(self) -> FrameSpec:
        """Size and fit of the recorded frames."""
        return FrameSpec(*self.info.frame_size, fit=self.fit)

    @property
    def tasks(self) -> tuple[str, ...]:
        """The tasks of the arena that are trained on."""
        return tuple(sorted({sample.task for sample in self.training if sample.task}))


def load_data(
    root: str, share: float, seed: int, least: int, warn: Callable[[str], object] = lambda text: None
) -> Data:
    """Read and split a folder of labeled samples.

    Args:
        root: The folder ``gameenv-label`` wrote.
        share: Share of the samples to hold out.
        seed: Which groups are held out.
        least: Samples to train on that are needed at least.
        warn: Called with each thing that is wrong and can be lived with.

    Raises:
        InvalidInputError: If there are no samples or too few, test levels among them, or segments that do not belong
            together; as ``labeling.load_samples``.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        samples, info = load_samples(root), load_info(root)
    for warning in caught:
        warn(str(warning.message))
    training, validation = _split(root, samples, share, seed, least)
    return Data(root, _name(training, validation), info, training, validation)


def _split(
    root: str, samples: Sequence[Sample], share: float, seed: int, least: int
) -> tuple[list[Sample], list[Sample]]:
    """Split them; levels of the arena's own validation split are only ever held out."""
    test = sorted({sample.level for sample in samples if sample.split == "test" and sample.level})
    if test:
        raise InvalidInputError(
            f"{root} holds {len(test)} test levels ({test[0]}, ...): training on them would make every published "
            "table void. Record with --split train."
        )
    held_out = [sample for sample in samples if sample.split == "validation"]
    rest = [sample for sample in samples if sample.split != "validation"]
    if not rest:
        raise InvalidInputError(
            f"{root} holds validation levels only, and those are never trained on. Record with --split train."
        )
    training, validation = (rest, held_out) if held_out else split_samples(rest, share, seed)
    if len(training) < least or not validation:
        raise InvalidInputError(
            f"{root} has {len(training)} samples to train on and {len(validation)} to hold out; at least one "
            f"batch of {least} and one to hold out are needed. Record more, or lower --batch-size."
        )
    return training, validation


def _name(*parts: Sequence[Sample]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for sample in part:
            digest.update(f"{sample.session_id}/{sample.row}/{sample.goal}/{sample.chunk.indices}\n".encode())
        digest.update(b"--")
    return digest.hexdigest()[:20]


def previous_actions(samples: Sequence[Sample]) -> np.ndarray:
    """What was done one tick before each sample: ``(n,)`` action indices, -1 where no sample tells.

    Only samples of one take count as neighbours: what was done before a take began is not known.
    """
    first = {(each.session_id, each.take, each.row): action_index(each.chunk[0]) for each in samples}
    return np.array([first.get((each.session_id, each.take, each.row - 1), -1) for each in samples], np.int64)


def goal_order(count: int, seed: int, *, shuffled: bool) -> np.ndarray:
    """Whose goal each training sample is given: ``(count,)`` places, its own unless goals are shuffled."""
    return np.random.default_rng([seed, 1]).permutation(count) if shuffled else np.arange(count)
