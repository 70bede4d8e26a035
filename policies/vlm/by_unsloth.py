"""Unsloth, and what must be asked of it so that a model gives its logits.

Unsloth computes the loss inside the model and gives empty logits, unless an environment variable says otherwise; it
reads that at every forward pass. It takes the variable back in ``for_training``, which it also calls as a training
begins, and some of its versions after every step of an evaluation (unslothai/unsloth, issue 3071 and pull request
6239). So it is set before the import, as its authors ask, and again wherever it may have been taken back.
"""

import os
import sys
from typing import Any

from gameenv.errors import require

_RETURN_LOGITS = "UNSLOTH_RETURN_LOGITS"


def import_unsloth() -> Any:
    """Import it, before transformers and trl, which it changes when it is imported.

    Raises:
        MissingExtraError: If it is not installed.
    """
    ask_for_logits()
    return require("unsloth", "unsloth")


def ask_for_logits() -> None:
    """Have models that Unsloth loaded give logits from now on."""
    os.environ[_RETURN_LOGITS] = "1"


def keep_logits(trainer: Any) -> None:
    """Have a ``transformers.Trainer`` ask for logits before every step; nothing to do where Unsloth is not loaded."""
    if "unsloth" not in sys.modules:
        return
    transformers: Any = require("transformers", "vlm")

    class Asking(transformers.TrainerCallback):
        def on_train_begin(self, *_: Any, **__: Any) -> None:
            ask_for_logits()

        def on_step_begin(self, *_: Any, **__: Any) -> None:
            ask_for_logits()

    trainer.add_callback(Asking())
