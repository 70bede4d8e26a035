"""Sets validation samples apart so that no frame or action of theirs is trained on.

By level where the level is known, else by session; a single one is split by takes or, within one take, by blocks with
a gap between. Never by overlapping windows. Knows nothing of models.
"""

import bisect
import hashlib
from collections import defaultdict
from collections.abc import Callable, Hashable, Sequence

from gameenv.actions import CHUNK_LENGTH
from gameenv.errors import InvalidInputError
from labeling.reader import Sample

DEFAULT_FRACTION = 0.1
BLOCK_ROWS = 40
"""Rows in a block of a single take: one clip of four seconds at ten ticks a second."""


def split_samples(
    samples: Sequence[Sample], fraction: float = DEFAULT_FRACTION, seed: int = 0
) -> tuple[list[Sample], list[Sample]]:
    """Split samples into training and validation, the same way every time and whatever their order.

    Whole groups move together, so the share that comes out is as near to ``fraction`` as they allow: of two sessions of
    equal length, one is validation. Each side keeps the order of ``samples``.

    Args:
        samples: What ``load_samples`` returned.
        fraction: Share of validation, 0 (none) to below 1.
        seed: Which groups it falls on.

    Returns:
        Training samples and validation samples. Only blocks of a single take lose any in between: those within 7
        ticks of a validation block.

    Raises:
        InvalidInputError: If ``fraction`` is out of range, or the samples are too few to split.
    """
    if not 0 <= fraction < 1:
        raise InvalidInputError(f"the validation fraction is 0 to below 1, got {fraction}")
    if fraction == 0:
        return list(samples), []
    groupings: tuple[Callable[[Sample], Hashable], ...] = (_level_or_session, _take)
    for group_of in groupings:
        groups = {group_of(sample) for sample in samples}
        if len(groups) > 1:
            chosen = _choose(samples, group_of, fraction, seed)
            training = [sample for sample in samples if group_of(sample) not in chosen]
            return training, [sample for sample in samples if group_of(sample) in chosen]
    return _split_blocks(samples, fraction, seed)


def _level_or_session(sample: Sample) -> tuple[str, str]:
    return ("level", sample.level) if sample.level is not None else ("session", sample.session_id)


def _take(sample: Sample) -> tuple[str, int]:
    return sample.session_id, sample.take


def _choose(
    samples: Sequence[Sample], group_of: Callable[[Sample], Hashable], fraction: float, seed: int
) -> set[Hashable]:
    """Draw groups in a random order, each while it brings the share nearer; at least one, never all."""
    sizes: dict[Hashable, int] = defaultdict(int)
    for sample in samples:
        sizes[group_of(sample)] += 1
    wanted = fraction * len(samples)
    # Ordered by a hash of the name, so that samples added later hardly move the old ones between the sides.
    order = sorted(sizes, key=lambda group: hashlib.sha256(repr((seed, group)).encode()).digest())
    chosen: set[Hashable] = set()
    have = 0
    for group in order:
        if len(chosen) < len(sizes) - 1 and abs(have + sizes[group] - wanted) < abs(have - wanted):
            chosen.add(group)
            have += sizes[group]
    return chosen or {min(order, key=sizes.__getitem__)}


def _split_blocks(samples: Sequence[Sample], fraction: float, seed: int) -> tuple[list[Sample], list[Sample]]:
    """Split the samples of one take into blocks of rows."""

    def block(sample: Sample) -> int:
        return (sample.row - first) // size

    rows = sorted(sample.row for sample in samples)
    first, span = (rows[0], rows[-1] - rows[0] + 1) if rows else (0, 0)
    size = min(BLOCK_ROWS, max(1, span // 2))
    chosen = _choose(samples, block, fraction, seed) if span >= 2 else set()
    validation = [sample for sample in samples if block(sample) in chosen]
    held_out = sorted(sample.row for sample in validation)

    def apart(row: int) -> bool:
        at = bisect.bisect_left(held_out, row - CHUNK_LENGTH)
        return at == len(held_out) or held_out[at] > row + CHUNK_LENGTH

    training = [sample for sample in samples if apart(sample.row)]
    if not training or not validation:
        raise InvalidInputError(
            f"{len(samples)} samples of one take are too few to set validation apart. Record more, or ask for none "
            "(fraction 0)."
        )
    return training, validation
