"""One training of a vision-language policy with all it needs, and the processes that carry it out together."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from gameenv.console import Console
from gameenv.errors import require
from gameenv.frames import FrameSpec
from gameenv.progress import Progress
from training.data import Data
from training.vlm.batches import Examples
from training.vlm.model import Learner
from training.vlm.settings import VLMSettings
from training.vlm.trainer import Conduct


class Team:
    """The processes that train together, as ``accelerate launch`` started them; one where nothing did.

    Attributes:
        device: This process's.
    """

    def __init__(self, device: str) -> None:
        accelerate: Any = require("accelerate", "vlm")
        self._state = accelerate.PartialState(cpu=device == "cpu")
        several = self.size > 1 and device == "cuda"
        self.device = f"cuda:{self._state.local_process_index}" if several else device

    @property
    def size(self) -> int:
        """How many there are."""
        return self._state.num_processes

    @property
    def is_first(self) -> bool:
        """Whether this one writes and speaks."""
        return self._state.is_main_process

    def wait(self) -> None:
        """Until all are here."""
        self._state.wait_for_everyone()

    def part(self) -> None:
        """End the connection between them."""
        if self.size > 1:
            self._state.destroy_process_group()


@dataclass(frozen=True, slots=True)
class VLMTraining:
    """From samples to a folder.

    Attributes:
        load: Makes the model; called only if there is something to train.
        data: The samples.
        spec: What the model sees.
        settings: What decides the outcome.
        conduct: How it is carried out, and where.
        team: The processes.
        console: For progress and warnings.
        table: For what is to be read afterwards.
        prepare: Called with the fresh model and the samples before the training proper, unless a checkpoint of that is
            gone on from.
    """

    load: Callable[[], Learner]
    data: Data
    spec: FrameSpec
    settings: VLMSettings
    conduct: Conduct
    team: Team
    console: Console
    table: Console
    prepare: Callable[[Learner, Examples, Progress], object] | None = None
