"""How to load and run a model: what every command that plays one asks for.

Knows nothing of how models are loaded.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import tyro

from gameenv.errors import InvalidInputError, UnknownNameError
from policies.card import ModelCard

Precision = Literal["auto", "bfloat16", "float16", "float32"]
Backend = Literal["auto", "transformers", "unsloth"]
DEFAULT_DECLARE_AT = 0.5
"""Probability from which a model declares where nothing better is known: when it is likelier than not."""
DECLARE_AT_FIELD = "declare_at"
"""Of a card's ``extra``: the probability that was chosen for this model on held-out levels."""


@dataclass(frozen=True, slots=True)
class ServerOptions:
    """How to ask a model behind an address; nothing else heeds it.

    Attributes:
        timeout_s: Servers: seconds that one answer may take, retries included.
        first_timeout_s: Servers: seconds that the first answer may take; a model may still have to be loaded.
        retries: Servers: how often a question is asked again when the server is busy, broken or not there.
        max_tokens: Servers: how long a reply may be. A reply is about 25 tokens; thinking needs many more.
        think: Servers: let a thinking model think (slow, and it needs more --max-tokens). Else the server is asked
            not to let it.
        strict: Servers: take nothing for a reply but the JSON object alone. Else an object in a sentence or a Markdown
            fence, in capitals, with another key or with more than seven words is read, and counted as mended.
        prompt: Servers: what to ask, in place of the text that models are trained on; {goal} stands for the goal.

    Raises:
        InvalidInputError: If a number is out of range, or the prompt has no {goal} in it.
    """

    timeout_s: float = 30.0
    first_timeout_s: float = 300.0
    retries: int = 2
    max_tokens: int = 128
    think: bool = False
    strict: bool = False
    prompt: str | None = None

    def __post_init__(self) -> None:
        for name, seconds in (("timeout", self.timeout_s), ("first time-out", self.first_timeout_s)):
            if not (math.isfinite(seconds) and seconds > 0):
                raise InvalidInputError(f"a {name} is in seconds, above 0; got {seconds}")
        if self.retries < 0:
            raise InvalidInputError(f"retries are 0 or more, got {self.retries}")
        if self.max_tokens < 1:
            raise InvalidInputError(f"max_tokens is 1 or more, got {self.max_tokens}")
        if self.prompt is not None and "{goal}" not in self.prompt:
            raise InvalidInputError(f"a prompt has {{goal}} in it, where the goal is to stand; got {self.prompt!r}")


DEFAULT_SERVER = ServerOptions()


@dataclass(frozen=True, slots=True)
class RemoteOptions:
    """How to ask a policy that gameenv-serve plays (remote://host:port); nothing else heeds it.

    Attributes:
        remote_token_file: File with the server's token; else it is in the environment variable GAMEENV_TOKEN.
        remote_ca: PEM file of the authority that signed the server's certificate; by default the system's authorities.
        remote_lossless: Send frames as PNG, every pixel as it was, in place of JPEG of at most 60 kB.
        remote_reconnect_s: Seconds for which a server that went away is called again.

    Raises:
        InvalidInputError: If the seconds are below 0.
    """

    remote_token_file: Path | None = None
    remote_ca: Path | None = None
    remote_lossless: bool = False
    remote_reconnect_s: float = 60.0

    def __post_init__(self) -> None:
        if not (math.isfinite(self.remote_reconnect_s) and self.remote_reconnect_s >= 0):
            raise InvalidInputError(f"seconds to reconnect are 0 or more, got {self.remote_reconnect_s}")


DEFAULT_REMOTE = RemoteOptions()
_PATIENCE = ("timeout_s", "first_timeout_s", "retries")


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
        declare_at: Probability from which a model says "the goal is reached"; None takes what its card says. Heeded by
            Qwen3-VL and by bc with a head for it.
        backend: Which library loads the weights; ``auto`` is unsloth on an NVIDIA GPU where it is installed, else
            transformers.
        server: How to ask a model behind an address.
        remote: How to ask a policy on another machine.

    Raises:
        InvalidInputError: If the temperature is below 0 or not a number, or ``declare_at`` not above 0 and at most 1.
        UnknownNameError: If there is no such dtype or backend.
    """

    temperature: float = 0.0
    dtype: Precision = "auto"
    four_bit: bool = False
    device: str | None = None
    backend: Backend = "auto"
    declare_at: float | None = None
    server: Annotated[ServerOptions, tyro.conf.arg(name="")] = DEFAULT_SERVER
    remote: Annotated[RemoteOptions, tyro.conf.arg(name="")] = DEFAULT_REMOTE

    def __post_init__(self) -> None:
        if not (math.isfinite(self.temperature) and self.temperature >= 0):
            raise InvalidInputError(f"a temperature is 0 or above, got {self.temperature}")
        if self.declare_at is not None and not 0 < self.declare_at <= 1:
            raise InvalidInputError(f"a probability to declare at is above 0 and at most 1, got {self.declare_at}")
        for name, given, choices in (("dtype", self.dtype, Precision), ("backend", self.backend, Backend)):
            if given not in get_args(choices):
                raise UnknownNameError(name, given, get_args(choices))


DEFAULT_OPTIONS = ModelOptions()


def settings(options: ModelOptions) -> dict[str, Any]:
    """What of the options changes what a model says, each by its option's name; how long to wait does not."""
    content = asdict(options)
    server, remote = content.pop("server"), content.pop("remote")
    if remote["remote_lossless"]:  # left out where it is not asked for: evaluations begun before it go on
        content["remote_lossless"] = True
    return content | {name: value for name, value in server.items() if name not in _PATIENCE}


def threshold_of(card: ModelCard | None, asked: float | None) -> float:
    """The probability from which a model declares: what is asked for, else its card's, else one half.

    Raises:
        InvalidInputError: If the card's is not a probability.
    """
    if asked is not None:
        return asked
    chosen = DEFAULT_DECLARE_AT if card is None else card.extra.get(DECLARE_AT_FIELD, DEFAULT_DECLARE_AT)
    if not isinstance(chosen, int | float) or not 0 < chosen <= 1:
        raise InvalidInputError(
            f"the model's card has {DECLARE_AT_FIELD} {chosen!r}, expected a probability above 0 and at most 1; "
            "mend it, or say --declare-at"
        )
    return float(chosen)
