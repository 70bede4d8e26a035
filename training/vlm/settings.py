"""What decides the outcome of a training of the vision-language policy; a resumed one must agree in all of it."""

from dataclasses import dataclass
from typing import Literal, get_args

from gameenv.errors import InvalidInputError, UnknownNameError

Target = Literal["reply", "words"]
Backend = Literal["trl", "unsloth"]
Optimizer = Literal["adamw", "muon"]


@dataclass(frozen=True, slots=True)
class Lora:
    """An adapter.

    Attributes:
        rank: Its width.
        alpha: Its scale is ``alpha / rank``.
        dropout: Share of its input that is dropped while training.
        vision: Put it on the vision tower, too.
    """

    rank: int = 16
    alpha: int = 16
    dropout: float = 0.05
    vision: bool = True

    def __post_init__(self) -> None:
        if self.rank < 1 or self.alpha < 1 or not 0 <= self.dropout < 1:
            raise InvalidInputError(
                f"an adapter has a rank and an alpha of at least 1 and a dropout from 0 to below 1, got {self.rank}, "
                f"{self.alpha} and {self.dropout}"
            )


@dataclass(frozen=True, slots=True)
class VLMSettings:
    """One training.

    Attributes:
        base: Folder or hub id of the model that is tuned; a description of one made from nothing.
        lora: The adapter; None trains every weight.
        epochs: Times each sample is seen.
        batch_size: Samples in a forward pass of one process.
        accumulation: Forward passes to a step of the optimizer.
        processes: Processes that train together, each with its own batches.
        learning_rate: Peak, after the warm-up; falls to 0 along a cosine.
        warmup: Share of the steps in which it rises.
        weight_decay: AdamW's (and Muon's).
        optimizer: ``muon`` takes the hidden matrices, AdamW the rest.
        muon_learning_rate: Muon's own peak.
        target: Which tokens of the reply the loss counts: all, or the seven words.
        repeat_weight: Weight of a word that repeats the one before it in its chunk.
        frame_size: What the model sees, width and height in pixels.
        four_bit: The base's weights are in 4 bits.
        backend: Which library put the adapter on.
        seed: Of the adapter, the order of the samples and the held-out levels.
        shuffle_goals: Each sample has the goal of another.
        prefix_dropout: Share of the samples whose first words are given, and so not learned.
        word_dropout: Share of the samples whose words, as what the next is told from, are replaced by others.
        vision_epochs: Before all else, times that the vision part alone sees each sample.
        init: The adapter that is gone on from; None begins with a fresh one.

    Raises:
        InvalidInputError: If a number is out of its range.
        UnknownNameError: If a name is not one of the choices.
    """

    base: str
    lora: Lora | None
    epochs: int
    batch_size: int
    accumulation: int
    processes: int
    learning_rate: float
    warmup: float
    weight_decay: float
    frame_size: tuple[int, int]
    four_bit: bool
    backend: Backend
    seed: int
    optimizer: Optimizer = "adamw"
    muon_learning_rate: float = 0.02
    target: Target = "reply"
    repeat_weight: float = 1.0
    shuffle_goals: bool = False
    word_dropout: float = 0.0
    prefix_dropout: float = 0.0
    vision_epochs: int = 0
    init: str | None = None

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "accumulation"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"--{name.replace('_', '-')} is at least 1, got {getattr(self, name)}")
        for name in ("learning_rate", "muon_learning_rate"):
            if not getattr(self, name) > 0:
                raise InvalidInputError(f"--{name.replace('_', '-')} is above 0, got {getattr(self, name)}")
        if not 0 <= self.warmup < 1:
            raise InvalidInputError(f"--warmup is a share from 0 to below 1, got {self.warmup}")
        if not self.weight_decay >= 0:
            raise InvalidInputError(f"--weight-decay is 0 or above, got {self.weight_decay}")
        for name in ("word_dropout", "prefix_dropout"):
            if not 0 <= getattr(self, name) <= 1:
                raise InvalidInputError(f"--{name.replace('_', '-')} is a share from 0 to 1, got {getattr(self, name)}")
        if self.vision_epochs < 0:
            raise InvalidInputError(f"--vision-epochs is 0 or above, got {self.vision_epochs}")
        if not 0 < self.repeat_weight <= 1:
            raise InvalidInputError(f"--repeat-weight is above 0 and at most 1, got {self.repeat_weight}")
        for name, choices in (("target", Target), ("backend", Backend), ("optimizer", Optimizer)):
            if getattr(self, name) not in get_args(choices):
                raise UnknownNameError(name, getattr(self, name), get_args(choices))

    @property
    def samples_a_step(self) -> int:
        """Samples between two steps of the optimizer, over all processes."""
        return self.batch_size * self.accumulation * self.processes
