"""The policies that answer from the parent process, many environments in one call.

Knows nothing of processes: requests in, answers out.
"""

import os
import sys
from collections.abc import Sequence

from gameenv.actions import Action, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply, ServerError
from policies.base import Observation, PredictsBatch
from policies.evaluation.worker import Refused, describe

Answer = tuple[Action, ...] | Refused


def answer(policy: PredictsBatch, requests: Sequence[Observation]) -> list[Answer]:
    """Answer every request.

    If a batch raises, each request is asked alone, so that one bad reply costs one worker a filler and not all; not so
    for want of a server, which each would wait for in turn.
    """
    try:
        chunks = policy.predict_batch(requests)
        return [chunk.actions for chunk in _check(chunks, len(requests), policy)]
    except ServerError as error:
        return [Refused(describe(error), "no-server")] * len(requests)
    except Exception as error:
        if len(requests) > 1:
            return [each for request in requests for each in answer(policy, [request])]
        return [Refused(describe(error), "invalid-reply" if isinstance(error, InvalidReply) else "raised")]


def _check(chunks: object, count: int, policy: object) -> Sequence[ActionChunk]:
    name = f"{type(policy).__name__}.predict_batch"
    if not isinstance(chunks, Sequence) or len(chunks) != count:
        raise InvalidInputError(f"{name} must return {count} chunks in a list, it returned {chunks!r:.80}")
    for chunk in chunks:
        if not isinstance(chunk, ActionChunk):
            raise InvalidInputError(f"{name} must return ActionChunks, it returned {chunk!r:.80}")
    return chunks


def share_cores(workers: int) -> None:
    """Leave the model the cores that the workers do not fill: an environment waits most of the time, so half of them.

    Does nothing if torch is not loaded.
    """
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(max(1, available_cores() - workers // 2))


def take_cores() -> None:
    """Give the model every core again. Does nothing if torch is not loaded."""
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(available_cores())


def available_cores() -> int:
    """Cores this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
