"""The arguments of ``gameenv-train``.

Those that both policies have but with other defaults are None until the policy fills in its own.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any, Literal

import tyro

from gameenv.errors import InvalidInputError, UnknownNameError
from gameenv.home import PathText
from policies.bc import Without
from training.options import ConductOptions, ReplyOptions, SampleOptions

POLICIES = ("vlm", "bc")


@dataclass(frozen=True, slots=True)
class VlmOptions:
    """Only for --policy vlm."""

    base: PathText = "unsloth/Qwen3-VL-8B-Instruct-unsloth-bnb-4bit"
    """What is tuned: a folder or a hub id of a Qwen3-VL."""
    rank: int = 16
    """Of the LoRA adapter."""
    alpha: int = 16
    """Of the LoRA adapter: its scale is alpha / rank."""
    dropout: float = 0.05
    """Of the LoRA adapter."""
    lora_vision: bool = True
    """Put the adapter on the vision tower, too."""
    four_bit: bool | None = None
    """Load the base in 4 bits. None: yes on a GPU, no on a CPU; a base that is stored in 4 bits always is."""
    accumulation: int | None = None
    """Forward passes to a step. None: as many as make 8 samples. The processes of accelerate launch multiply that."""
    frame_size: tuple[int, int] | None = None
    """Width and height the model sees. None: those it learned on before, else those of the recordings."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice instead of keeping them: less memory, slower. None: yes on a GPU, no on a CPU."""
    backend: Literal["auto", "trl", "unsloth"] = "auto"
    """What loads the base and puts the adapter on. auto: unsloth on a GPU where it is installed, else trl."""
    checkpoint: str | None = None
    """Go on from this one in the folder's checkpoints. None: from the newest."""
    report_to: Literal["none", "tensorboard", "wandb", "trackio"] = "none"
    """A tracker to report to."""
    merge: bool = False
    """Also write the base with the adapter merged into it, to <out>/merged."""
    reply: tyro.conf.OmitArgPrefixes[ReplyOptions] = field(default_factory=ReplyOptions)
    conduct: tyro.conf.OmitArgPrefixes[ConductOptions] = field(default_factory=ConductOptions)


@dataclass(frozen=True, slots=True)
class BcOptions:
    """Only for --policy bc."""

    jitter: float = 0.2
    """How far brightness and contrast are varied while training, 0 for not at all."""
    declaration_head: bool = True
    """Give "the goal is reached" a head of its own beside those of the seven words."""
    oversample: float = 1.0
    """How many times as often as others moments that matter are drawn: enter, space, c, up or down within the chunk,
    another action than a tick before, a declaration."""
    without: Without | None = None
    """Control: hide the frames (it sees one grey picture) or the goals (it hears no word), in training and in play."""


@dataclass(frozen=True, slots=True)
class Args:
    """Train a policy on labeled samples.

    For example:
        gameenv-train --base Qwen/Qwen3-VL-2B-Instruct --epochs 1 --out models/small
        gameenv-train --policy bc --epochs 8 --seed 1 --out models/bc_seed1
        gameenv-train --init models/gameplay_agent_lora --mix dataset/old:80 dataset/new:20 --out models/second

    On several GPUs:
        accelerate launch --multi_gpu --module training

    Killed or interrupted, the same command goes on from its last checkpoint. Where the default is None, each policy has
    its own, given in brackets.
    """

    policy: str = POLICIES[0]
    """What to train: vlm, a LoRA adapter on a Qwen3-VL; or bc, the small convolutional baseline."""
    out: PathText | None = None
    """Where the model goes (vlm: models/gameplay_agent_lora, bc: models/bc)."""
    init: PathText | None = None
    """Go on from this model: an adapter (vlm; its base and its rank are taken over), or a bc folder."""
    epochs: int | None = None
    """Times each sample is seen (vlm: 3, bc: 5)."""
    batch_size: int | None = None
    """Samples in a forward pass (vlm: 2, on a CPU 8; bc: 128)."""
    learning_rate: float | None = None
    """Peak of the schedule (vlm: 2e-4, bc: 2e-3)."""
    weight_decay: float | None = None
    """AdamW's (vlm: 0, bc: 0.05)."""
    workers: int | None = None
    """Processes that prepare frames (vlm: 2 beside a GPU on Linux, else none; bc: one a core, and as many threads)."""
    overwrite: bool = False
    """Replace what is in --out: a finished model, or another training that was interrupted."""
    samples: tyro.conf.OmitArgPrefixes[SampleOptions] = field(default_factory=SampleOptions)
    vlm: tyro.conf.OmitArgPrefixes[VlmOptions] = field(default_factory=VlmOptions)
    bc: tyro.conf.OmitArgPrefixes[BcOptions] = field(default_factory=BcOptions)

    def check(self) -> None:
        """Look at what does not need the data.

        Raises:
            UnknownNameError: If there is no such policy.
            InvalidInputError: If a number is out of range, or an option belongs to the other policy.
        """
        if self.policy not in POLICIES:
            raise UnknownNameError("policy to train", self.policy, POLICIES)
        for name in ("epochs", "batch_size"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InvalidInputError(f"--{name.replace('_', '-')} is at least 1, got {value}")
        if self.workers is not None and self.workers < (1 if self.policy == "bc" else 0):
            raise InvalidInputError(f"--workers is at least {1 if self.policy == 'bc' else 0}, got {self.workers}")
        if self.learning_rate is not None and not self.learning_rate > 0:
            raise InvalidInputError(f"--learning-rate is above 0, got {self.learning_rate}")
        self.samples.check()
        self.vlm.conduct.check()
        other = self.bc if self.policy == "vlm" else self.vlm
        for name in _changed(other):
            raise InvalidInputError(
                f"--{name.replace('_', '-')} belongs to --policy {'bc' if self.policy == 'vlm' else 'vlm'}"
            )


def _changed(options: Any) -> Iterator[str]:
    """The names of the options that were given, those in groups of their own included."""
    for each in fields(options):
        value = getattr(options, each.name)
        if is_dataclass(value):
            yield from _changed(value)
        elif value != each.default:
            yield each.name
