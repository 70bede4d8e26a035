"""How to load and run a model: what every command that plays one asks for.

Knows nothing of models.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gameenv.errors import InvalidInputError, UnknownNameError

Precision = Literal["auto", "bfloat16", "float16", "float32"]
Backend = Literal["auto", "transformers", "unsloth"]


@dataclass(frozen=True, slots=True)
class ModelOptions:
    """How to run a model; policies without one take the default only where it would change nothing.

    Attributes:
        temperature: 0 takes the likeliest word; above, words are drawn, repeatably by the episode's seed. Heeded by
            Qwen3-VL, bc and servers.
        dtype: Number format of the weights; ``auto`` is bfloat16 on a GPU that has it, float16 on an older one,
            float32 on a CPU.
        four_bit: Load the weights in 4 bits (bitsandbytes nf4): a third of the memory.
        device: ``cuda``, ``cuda:1``, ``mps``, ``cpu``; None takes the first GPU, else the CPU.
        backend: Which library loads the weights; ``auto`` is unsloth on an NVIDIA GPU where it is installed, else
            transformers.

    Raises:
        InvalidInputError: If the temperature is below 0 or not a number.
        UnknownNameError: If there is no such dtype or backend.
    """

    temperature: float = 0.0
    dtype: Precision = "auto"
    four_bit: bool = False
    device: str | None = None
    backend: Backend = "auto"

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InvalidInputError(f"a temperature is 0 or above, got {self.temperature}")
        for name, given, choices in (("dtype", self.dtype, Precision), ("backend", self.backend, Backend)):
            if given not in get_args(choices):
                raise UnknownNameError(name, given, get_args(choices))


DEFAULT_OPTIONS = ModelOptions()
