"""Samples to train on and to hold out, and what names them.

Levels, sessions or takes are held out whole (``labeling.split``). Knows nothing of policies.
"""

import hashlib
import math
import warnings
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gameenv.actions import action_index
from gameenv.errors import InvalidInputError
from gameenv.frames import Fit, FrameSpec
from labeling import DatasetInfo, Sample, load_info, load_samples, split_samples
from labeling.reader import describe_missing

_ALIKE = ("fps", "frame_size", "fit", "vocabulary", "chunk_length", "prompt_version")
"""What recordings must have in common to be trained on together."""


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

    @property
    def samples(self) -> list[Sample]:
        """All of them, those to train on first."""
        return [*self.training, *self.validation]

    def without(self, unreadable: Collection[int], warn: Callable[[str], object]) -> "Data":
        """Leave out, and say so, what only decoding shows to be damaged; what names the data stays.

        Args:
            unreadable: The numbers of such frames among ``samples``.
            warn: Called with what is left out.

        Raises:
            InvalidInputError: If it is more than 1% of the frames, or nothing is left on one side.
        """
        if not unreadable:
            return self
        samples, cut = self.samples, len(self.training)
        missing = list(dict.fromkeys(samples[number].image for number in sorted(unreadable)))
        warn(describe_missing(self.root, missing, len({sample.image for sample in samples}), "cannot be read"))
        kept = [number for number in range(len(samples)) if number not in unreadable]
        training, validation = ([samples[n] for n in kept if (n < cut) == early] for early in (True, False))
        if not training or not validation:
            raise InvalidInputError(f"no readable frames are left to train on, or to hold out, in {self.root}")
        return replace(self, training=training, validation=validation)


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


@dataclass(frozen=True, slots=True)
class Part:
    """A folder of labeled samples and its weight among others."""

    root: str
    weight: float


def parse_parts(texts: Sequence[str]) -> list[Part]:
    """Read ``folder:weight`` arguments; weights are relative, 80 and 20 as good as 4 and 1.

    Raises:
        InvalidInputError: If one is not of that form, or a folder is named twice.
    """
    parts = []
    for text in texts:
        root, _, weight = text.rpartition(":")
        try:
            parts.append(Part(root, float(weight)))
        except ValueError:
            parts.append(Part("", 0.0))
        if not parts[-1].root or not 0 < parts[-1].weight < math.inf:
            raise InvalidInputError(
                f"--mix takes folders with their weights, such as dataset/old:80 dataset/corrections:20; got {text!r}"
            )
    roots = [part.root for part in parts]
    for root in roots:
        if roots.count(root) > 1:
            raise InvalidInputError(f"--mix names {root} twice")
    return parts


def load_mix(
    parts: Sequence[Part], share: float, seed: int, least: int, warn: Callable[[str], object] = lambda text: None
) -> Data:
    """Read several folders, and draw from each in proportion to its weight.

    The folder that is largest for its weight gives each sample once an epoch; those of the others come up several
    times. Each is split by itself; what one holds out, the others do not train on.

    Raises:
        InvalidInputError: As ``load_data``, and if the folders do not belong together.
    """
    loaded = [load_data(part.root, share, seed, 1, warn) for part in parts]
    first = loaded[0]
    for other in loaded[1:]:
        for name in _ALIKE:
            mine, theirs = getattr(first.info, name), getattr(other.info, name)
            if mine != theirs:
                raise InvalidInputError(
                    f"{first.root} and {other.root} cannot be mixed: their {name.replace('_', ' ')} differ, {mine} and "
                    f"{theirs}. Record both alike."
                )
    validation = [sample for data in loaded for sample in data.validation]
    held_out = {sample.level for sample in validation if sample.level}
    pools = [[sample for sample in data.training if sample.level not in held_out] for data in loaded]
    for data, pool in zip(loaded, pools, strict=True):
        if not pool:
            raise InvalidInputError(f"all levels of {data.root} are held out by another folder: nothing is left of it")
    size = max(len(pool) / part.weight for pool, part in zip(pools, parts, strict=True))
    training: list[Sample] = []
    for pool, part in zip(pools, parts, strict=True):
        count = max(1, round(size * part.weight))
        training += [pool[i % len(pool)] for i in range(count)]
        if count > len(pool):
            warn(f"{part.root}: each of its {len(pool)} samples comes up {count / len(pool):.1f} times an epoch")
    if len(training) < least:
        raise InvalidInputError(f"the folders have {len(training)} samples to train on, at least {least} are needed")
    info = replace(
        first.info,
        chords=tuple(sorted({each for data in loaded for each in data.info.chords})),
        tail=tuple(sorted({each for data in loaded for each in data.info.tail})),
        segments=sum(data.info.segments for data in loaded),
        samples=sum(data.info.samples for data in loaded),
    )
    root = " + ".join(f"{part.root}:{part.weight:g}" for part in parts)
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
