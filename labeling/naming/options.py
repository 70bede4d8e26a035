"""How a model is asked to name goals: what the command line offers, each with its default.

Knows nothing of models or servers.
"""

import math
from dataclasses import dataclass
from typing import Literal, get_args

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.home import PathText
from policies.options import Backend, ModelOptions, Precision, ServerOptions

Look = Literal["three", "sheet", "anchored"]
LOOKS: tuple[Look, ...] = get_args(Look)


@dataclass(frozen=True, slots=True)
class NamingOptions:
    """How a vision-language model names goals; labelers that read the recording heed none of it.

    Attributes:
        model: Models: the address of an OpenAI-compatible server (http://localhost:8000/v1, with #name behind it where
            it has several models), or a model or adapter folder or the hub id of a Qwen3-VL to run here.
        look: Models: what is shown of a clip. three: its first, middle and last frame. sheet: six frames on one sheet.
            anchored: six frames, each with a line of text before it.
        tell_keys: Models: tell which keys were held, and for how long.
        goals_list: Models: a file with the goals there are, one a line; the model chooses one of them. Without it, it
            words them itself.
        language: Models: language of the goals.
        min_confidence: Models: clips that the model is less sure of are set aside.
        relabel: Models: ask once more, with what the clips before and after were named, where a clip was unclear or
            stands out from both.
        passes: Models: ask everything so many times, and report how often the answers agree. The first counts.
        in_flight: Servers: questions asked at the same time.
        batch: Models here: clips answered together.
        temperature: Models: 0 asks for the likeliest answer.
        max_tokens: Models: how long an answer may be.
        think: Servers: let a thinking model think (slow, and it needs more --max-tokens).
        timeout_s: Servers: seconds that one answer may take, retries included.
        first_timeout_s: Servers: seconds that the first answer may take; a model may still have to be loaded.
        retries: Servers: how often a question is asked again when the server is busy, broken or not there.
        dtype: Models here: number format of the weights; auto is what the device does best.
        four_bit: Models here: weights in 4 bits (bitsandbytes nf4), a third of the memory.
        device: Models here: cuda, cuda:1, mps, cpu; the first GPU, else the CPU, if it is left out.
        backend: Models here: which library loads the weights.
        price_per_million: Hosted servers: what a million tokens cost; --dry-run multiplies.

    Raises:
        InvalidInputError: If a number is out of range.
        UnknownNameError: If there is no such look.
    """

    model: PathText | None = None
    look: Look = "three"
    tell_keys: bool = True
    goals_list: PathText | None = None
    language: str = "English"
    min_confidence: float = 0.5
    relabel: bool = False
    passes: int = 1
    in_flight: int = 8
    batch: int = 4
    temperature: float = 0.0
    max_tokens: int = 256
    think: bool = False
    timeout_s: float = 120.0
    first_timeout_s: float = 600.0
    retries: int = 4
    dtype: Precision = "auto"
    four_bit: bool = False
    device: str | None = None
    backend: Backend = "auto"
    price_per_million: float | None = None

    def __post_init__(self) -> None:
        if self.look not in LOOKS:
            raise UnknownNameError("look", self.look, LOOKS)
        if not 0 <= self.min_confidence <= 1:
            raise InvalidInputError(f"a confidence is 0 to 1, got {self.min_confidence}")
        for name in ("passes", "in_flight", "batch"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"{name} is 1 or more, got {getattr(self, name)}")
        price = self.price_per_million
        if price is not None and not (math.isfinite(price) and price >= 0):
            raise InvalidInputError(f"a price is 0 or more, got {price}")
        self.for_server()  # checks the numbers that it shares with playing
        self.for_model()

    def for_server(self) -> ServerOptions:
        """How a server is asked."""
        return ServerOptions(
            timeout_s=self.timeout_s,
            first_timeout_s=self.first_timeout_s,
            retries=self.retries,
            max_tokens=self.max_tokens,
            think=self.think,
        )

    def for_model(self) -> ModelOptions:
        """How a model is loaded here."""
        return ModelOptions(
            temperature=self.temperature,
            dtype=self.dtype,
            four_bit=self.four_bit,
            device=self.device,
            backend=self.backend,
        )


DEFAULT_NAMING = NamingOptions()
