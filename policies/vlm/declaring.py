"""Whether a reply of seven ``none`` is said at all, and what is said instead.

Knows nothing of models: the logits that decoding has read are enough.
"""

import numpy as np

from gameenv.actions import CHUNK_LENGTH
from policies.vlm.decoding import ReplyRow


def instead_of_declaring(row: ReplyRow, committed: int, least: float) -> ReplyRow | None:
    """What to decode in place of a declaration that is too unlikely; None where the reply stands.

    The probability of seven ``none`` is p(none) p(none | none) ..., over the places that are not committed; all of it
    was read while the reply was decoded. If it is below ``least``, the reply begins instead with the likeliest first
    key: of all ways to wait and then press a key, the one with the greatest probability p(none) ... p(none | none)
    p(key | none ...), exactly. What follows that key is decoded as any reply is (it may take further passes); so the
    chunk is the greedy one behind its likeliest first key, not always the likeliest of all chunks that declare nothing.

    Where greedy decoding presses a key, seven ``none`` are not asked about: they would be less likely than one half.
    With ``least`` below that, some declarations that would be likely enough are therefore not made.

    Args:
        row: A decoded reply.
        committed: How many of its words the model did not choose.
        least: Probability from which seven ``none`` stand.
    """
    if any(row.words):  # none is 0
        return None
    logits = row.logits[committed:]
    odds = logits - logits.max(axis=1, keepdims=True)
    odds -= np.log(np.exp(odds).sum(axis=1, keepdims=True))
    if odds[:, 0].sum() >= np.log(least):
        return None
    waited = np.concatenate([[0.0], np.cumsum(odds[:-1, 0])])
    ways = waited[:, None] + odds[:, 1:]
    place, key = divmod(int(ways.argmax()), ways.shape[1])
    words = [0] * (committed + place) + [key + 1] * (CHUNK_LENGTH - committed - place)
    return ReplyRow(words, committed + place + 1, row.noise)
