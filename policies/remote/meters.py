"""What a server of policies counts, in the text that Prometheus reads.

Knows nothing of what is served.
"""

from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30)


class Meters:
    """A server's counters; each server has its own.

    Args:
        busy_s: How long the policy has been thinking about what it is asked now, seconds.

    Attributes:
        clients: How many are connected.
        connected: How many have connected so far.
        refused: What was turned away or broken off, by reason: ``token``, ``busy``, ``version``, ``malformed``,
            ``too-large``, ``silent`` (no greeting came), ``cut`` (broken off in the middle).
        chunks: Observations answered, by outcome: ``answered`` or what the policy failed with.
        batch: Observations a call of the policy.
        think: Seconds a call of the policy.
        answer: Seconds from a client's message to the answer.
        received: Bytes of messages.
    """

    def __init__(self, busy_s: Callable[[], float]) -> None:
        self._registry = own = CollectorRegistry()
        self.clients = Gauge("gameenv_clients", "Clients connected.", registry=own)
        self.connected = Counter("gameenv_connections", "Clients that have connected.", registry=own)
        self.refused = Counter("gameenv_refused", "Turned away or broken off.", ["reason"], registry=own)
        self.chunks = Counter("gameenv_chunks", "Observations answered.", ["outcome"], registry=own)
        sizes = (1, 2, 4, 8, 16, 32)
        self.batch = Histogram("gameenv_batch_size", "Observations a call of the policy.", buckets=sizes, registry=own)
        self.think = Histogram("gameenv_think_seconds", "Seconds a call of the policy.", buckets=_SECONDS, registry=own)
        self.answer = Histogram(
            "gameenv_answer_seconds", "Seconds from message to answer.", buckets=_SECONDS, registry=own
        )
        self.received = Counter("gameenv_received_bytes", "Bytes of messages.", registry=own)
        Gauge("gameenv_busy_seconds", "Seconds the call going on has taken.", registry=own).set_function(busy_s)

    def thought(self, count: int, seconds: float) -> None:
        """Note a call of the policy."""
        self.batch.observe(count)
        self.think.observe(seconds)

    def text(self) -> bytes:
        """All of them, as ``/metrics`` gives them."""
        return generate_latest(self._registry)
