"""The options that several trainings ask for: which samples, how a reply is learned, how a training is carried out.

Each is said once here; the commands put them together. Knows nothing of the trainings themselves.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from gameenv.errors import InvalidInputError
from gameenv.home import PathText
from labeling.segment_folder import DEFAULT_ROOT
from training.data import Data, load_data, load_mix, parse_parts
from training.vlm.settings import Target

Device = Literal["cuda", "mps", "cpu"]


@dataclass(frozen=True, slots=True)
class SampleOptions:
    """Which samples are trained on, and which are held out."""

    data: PathText = DEFAULT_ROOT
    """Labeled samples (gameenv-label's folder)."""
    mix: tuple[PathText, ...] = ()
    """Several folders with their weights in place of --data: dataset/old:80 dataset/corrections:20. Samples of a small
    one come up several times an epoch."""
    validation: float = 0.07
    """Share of the samples held out by level (by session or take where there are no levels)."""
    seed: int = 0
    """Of the weights, the order of the samples and the held-out levels."""
    shuffle_goals: bool = False
    """Control: give each sample the goal of another. What such a model reaches, it reaches without reading goals."""

    def check(self) -> None:
        """Raise ``InvalidInputError`` if a number is out of its range."""
        if not 0 < self.validation < 1:
            raise InvalidInputError(f"--validation is a share between 0 and 1, got {self.validation}")
        if self.mix and self.data != DEFAULT_ROOT:
            raise InvalidInputError("--mix names all folders: leave out --data")
        parse_parts(self.mix)

    def load(self, least: int, warn: Callable[[str], object]) -> Data:
        """Read and split the samples; see ``load_data`` and ``load_mix``."""
        if self.mix:
            return load_mix(parse_parts(self.mix), self.validation, self.seed, least, warn)
        return load_data(self.data, self.validation, self.seed, least, warn)


@dataclass(frozen=True, slots=True)
class ReplyOptions:
    """How a Qwen3-VL learns its replies."""

    warmup: float = 0.03
    """Share of the steps in which the learning rate rises; then it falls along a cosine."""
    loss_on: Target = "reply"
    """Which tokens count: the whole reply, or only its seven words."""
    repeat_weight: float = 1.0
    """Weight in the loss of a word that repeats the one before it: below 1, changes count for more."""
    word_dropout: float = 0.0
    """Share of the samples in which the words before each word are noise, so that it has to be read off the picture."""
    prefix_dropout: float = 0.0
    """Share of the samples whose first one to six words count as promised to the game: given, and not learned."""


@dataclass(frozen=True, slots=True)
class ConductOptions:
    """How a training of a Qwen3-VL is carried out; nothing here changes what it learns from."""

    save_steps: int = 100
    """A kill loses at most so many steps."""
    evaluations: int = 2
    """How often in an epoch the held-out samples are scored; the best checkpoint is kept."""
    eval_samples: int = 1000
    """How many held-out samples are scored, spread evenly."""
    device: Device | None = None
    """None: the GPU if there is one (the first that CUDA_VISIBLE_DEVICES names), else the CPU."""

    def check(self) -> None:
        """Raise ``InvalidInputError`` if a number is out of its range."""
        for name in ("save_steps", "evaluations", "eval_samples"):
            if getattr(self, name) < 1:
                raise InvalidInputError(f"--{name.replace('_', '-')} is at least 1, got {getattr(self, name)}")
