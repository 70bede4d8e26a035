"""The arguments of ``gameenv-train``.

Those that both policies have but with other defaults are None until the policy fills in its own.
"""

import os
from dataclasses import dataclass, fields
from typing import Literal

import tyro

from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.segment_folder import DEFAULT_ROOT
from policies.bc import Without

POLICIES = ("vlm", "bc")


@dataclass(frozen=True, slots=True)
class VlmOptions:
    """Only for --policy vlm."""

    base: str = "unsloth/Qwen3-VL-8B-Instruct-unsloth-bnb-4bit"
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
    warmup: float = 0.03
    """Share of the steps in which the learning rate rises; then it falls along a cosine."""
    loss_on: Literal["reply", "words"] = "reply"
    """Which tokens count: the whole reply, or only its seven words."""
    repeat_weight: float = 1.0
    """Weight in the loss of a word that repeats the one before it: below 1, changes count for more."""
    word_dropout: float = 0.0
    """Share of the samples in which the words before each word are noise, so that it has to be read off the picture."""
    frame_size: tuple[int, int] | None = None
    """Width and height the model sees. None: those it learned on before, else those of the recordings."""
    gradient_checkpointing: bool | None = None
    """Compute activations twice instead of keeping them: less memory, slower. None: yes on a GPU, no on a CPU."""
    backend: Literal["auto", "trl", "unsloth"] = "auto"
    """What loads the base and puts the adapter on. auto: unsloth on a GPU where it is installed, else trl."""
    device: Literal["cuda", "mps", "cpu"] | None = None
    """None: the GPU if there is one (the first that CUDA_VISIBLE_DEVICES names), else the CPU."""
    save_steps: int = 100
    """A kill loses at most so many steps."""
    evaluations: int = 2
    """How often in an epoch the held-out samples are scored; the best checkpoint is kept."""
    eval_samples: int = 1000
    """How many held-out samples are scored, spread evenly."""
    checkpoint: str | None = None
    """Go on from this one in the folder's checkpoints. None: from the newest."""
    report_to: Literal["none", "tensorboard", "wandb", "trackio"] = "none"
    """A tracker to report to."""
    merge: bool = False
    """Also write the base with the adapter merged into it, to <out>/merged."""


@dataclass(frozen=True, slots=True)
class BcOptions:
    """Only for --policy bc."""

    jitter: float = 0.2
    """How far brightness and contrast are varied while training, 0 for not at all."""
    without: Without | None = None
    """Control: hide the frames (it sees one grey picture) or the goals (it hears no word), in training and in play."""


@dataclass(frozen=True, slots=True)
class Args:
    """Train a policy on labeled samples.

    Example: gameenv-train --base Qwen/Qwen3-VL-2B-Instruct --epochs 1 --out models/small

    Example: gameenv-train --policy bc --epochs 8 --seed 1 --out models/bc_seed1

    Several GPUs: accelerate launch --multi_gpu --module training

    Killed or interrupted, the same command goes on from its last checkpoint. Where the default is None, each policy has
    its own, given in brackets.
    """

    policy: str = POLICIES[0]
    """What to train: vlm, a LoRA adapter on a Qwen3-VL; or bc, the small convolutional baseline."""
    data: str = DEFAULT_ROOT
    """Labeled samples (gameenv-label's folder)."""
    out: str | None = None
    """Where the model goes (vlm: models/gameplay_agent_lora, bc: models/bc)."""
    epochs: int | None = None
    """Times each sample is seen (vlm: 3, bc: 5)."""
    batch_size: int | None = None
    """Samples in a forward pass (vlm: 2, on a CPU 8; bc: 128)."""
    learning_rate: float | None = None
    """Peak of the schedule (vlm: 2e-4, bc: 2e-3)."""
    weight_decay: float | None = None
    """AdamW's (vlm: 0, bc: 0.05)."""
    validation: float = 0.07
    """Share of the samples held out by level (by session or take where there are no levels)."""
    seed: int = 0
    """Of the weights, the batches and the held-out levels."""
    shuffle_goals: bool = False
    """Control: give each sample the goal of another. What such a model reaches, it reaches without reading goals."""
    workers: int | None = None
    """Processes that prepare frames (vlm: 2 beside a GPU on Linux, else none; bc: one a core, and as many threads)."""
    overwrite: bool = False
    """Replace what is in --out: a finished model, or another training that was interrupted."""
    vlm: tyro.conf.OmitArgPrefixes[VlmOptions] = VlmOptions()
    bc: tyro.conf.OmitArgPrefixes[BcOptions] = BcOptions()

    @property
    def usable_workers(self) -> int:
        """``workers``, one a core where nothing is said."""
        return self.workers or os.cpu_count() or 1

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
        if not 0 < self.validation < 1:
            raise InvalidInputError(f"--validation is a share between 0 and 1, got {self.validation}")
        other = self.bc if self.policy == "vlm" else self.vlm
        for field in fields(other):
            if getattr(other, field.name) != field.default:
                raise InvalidInputError(
                    f"--{field.name.replace('_', '-')} belongs to --policy {'bc' if self.policy == 'vlm' else 'vlm'}"
                )
