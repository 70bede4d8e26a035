"""One point of the way of a training, as trainers report it, and how it is shown."""

import math
from collections.abc import Callable
from dataclasses import dataclass

from gameenv.progress import Progress


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


def show_steps(progress: Progress, name: str = "training") -> Callable[[StepReport], None]:
    """Begin to show a training; returns what to call with each point. Evaluations are lines that stay."""
    work = progress.begin(name, "steps")

    def show(point: StepReport) -> None:
        parts = [] if math.isnan(point.train_loss) else [f"loss {point.train_loss:.3f}"]
        if point.validation is not None:
            loss, first = point.validation
            parts += [f"held out: loss a word {loss:.3f}", f"first word right {first:.1%}"]
            progress.say(", ".join([f"{name}: step {point.step:,} of {point.steps:,}", *parts]))
            return
        parts.append(f"{point.samples_per_s:,.{0 if point.samples_per_s >= 20 else 1}f} samples a second")
        if point.memory_bytes is not None:
            parts.append(f"{point.memory_bytes / 1e9:.1f} GB of GPU memory")
        work.total = point.steps
        work.update(point.step, text=", ".join(parts))

    return show
