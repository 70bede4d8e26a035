"""How to load and run a model: what every command that plays one asks for.

Knows nothing of models.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gameenv.errors import InvalidInputError, UnknownNameError

Precision = Literal["auto", "bfloat16", "float16", "float32"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How to run a model; policies without one take the default only where it would change nothing.

    Attributes:
        temperature: 0 takes the likeliest word; above, words are drawn.
        dtype: Number format of the weights; ``auto`` is bfloat16 on a GPU that has it, float16 on an older one,
            float32 on a CPU.
        four_bit: Load the weights in 4 bits (bitsandbytes nf4): a third of the memory.
        device: ``cuda``, ``cuda:1``, ``mps``, ``cpu``; None takes the first GPU, else the CPU.

    Raises:
        InvalidInputError: If the temperature is below 0 or not a number.
        UnknownNameError: If there is no such dtype.
    """

    temperature: float = 0.0
    dtype: Precision = "auto"
    four_bit: bool = False
    device: str | None = None

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InvalidInputError(f"a temperature is 0 or above, got {self.temperature}")
        if self.dtype not in get_args(Precision):
            raise UnknownNameError("dtype", self.dtype, get_args(Precision))


DEFAULT_OPTIONS = ModelOptions()
