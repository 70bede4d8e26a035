"""Watches a ``transformers.Trainer``: where it is, how fast, with how much memory."""

import math
import time
from collections.abc import Callable
from typing import Any

from gameenv.errors import require
from training.step_report import StepReport
from training.vlm.loss import WORD_LOSS


def watch(trainer: Any, samples_a_step: int, on_progress: Callable[[StepReport], object]) -> Any:
    """Let a trainer report after every step and every evaluation.

    Returns:
        The callback, whose ``samples_per_s`` (evaluations not counted) and ``peak_memory`` (bytes, None without a GPU)
        are those of this run.
    """
    torch: Any = require("torch", "train")
    transformers: Any = require("transformers", "vlm")
    cuda = trainer.args.device.type == "cuda"

    class Watcher(transformers.TrainerCallback):
        samples_per_s = 0.0
        peak_memory: int | None = None

        def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._first, self._evaluating_s, self._loss = state.global_step, 0.0, math.nan
            self._started = self._step_ended = time.perf_counter()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            self._step_ended = time.perf_counter()
            pace = (self._step_ended - self._started - self._evaluating_s) / (state.global_step - self._first)
            self.samples_per_s = samples_a_step / pace
            self.peak_memory = torch.cuda.max_memory_allocated() if cuda else None
            self._report(state, pace)

        def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float], **_: Any) -> None:
            self._loss = logs.get("loss", self._loss)

        def on_evaluate(self, args: Any, state: Any, control: Any, metrics: dict[str, float], **_: Any) -> None:
            self._evaluating_s += time.perf_counter() - self._step_ended
            self._report(state, 0.0, (metrics[f"eval_{WORD_LOSS}"], metrics["eval_first_word"]))

        def _report(self, state: Any, pace: float, validation: tuple[float, float] | None = None) -> None:
            on_progress(
                StepReport(
                    step=state.global_step,
                    steps=state.max_steps,
                    samples_per_s=self.samples_per_s,
                    seconds_a_step=pace,
                    train_loss=self._loss,
                    validation=validation,
                    memory_bytes=self.peak_memory,
                )
            )

    watcher = Watcher()
    trainer.add_callback(watcher)
    return watcher
