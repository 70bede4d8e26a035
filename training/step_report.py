"""One point of the way of a training, as trainers report it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepReport:
    """Where a training is.

    Attributes:
        step: Steps done.
        steps: Steps in all.
        samples_per_s: Speed so far.
        seconds_a_step: The same, seen the other way.
        train_loss: Mean training loss of late, nats; not a number before the first is known.
        validation: Held-out loss a word (nats) and share of first words right; only after an evaluation.
        memory_bytes: Most GPU memory in use so far, None without a GPU.
    """

    step: int
    steps: int
    samples_per_s: float
    seconds_a_step: float
    train_loss: float
    validation: tuple[float, float] | None = None
    memory_bytes: int | None = None
