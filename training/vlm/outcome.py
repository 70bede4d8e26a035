"""What a finished training leaves: weights, tokenizer, summary, plots, and the card that says it is complete."""

from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.actions import ActionChunk
from gameenv.progress import Progress
from policies.base import Observation
from policies.card import ModelCard
from policies.vlm.loading import KIND
from policies.vlm.policy import VLMPolicy
from training.data import Data, previous_actions
from training.metrics import Accuracy, score
from training.readout import write_plots, write_summary
from training.vlm.batches import Examples
from training.vlm.job import VLMTraining
from training.vlm.model import Learner, ready_to_play
from training.vlm.settings import VLMSettings
from training.vlm.trainer import FittedVLM

_BATCH = 8


def write_outcome(
    job: VLMTraining,
    learner: Learner,
    examples: Examples,
    fitted: FittedVLM,
    progress: Progress,
) -> Accuracy:
    """Measure the model as it plays, and write its folder.

    Args:
        job: What was trained on, how and where.
        learner: The trained model.
        examples: The samples as it saw them.
        fitted: What came of it.
        progress: Where to show how far it is.

    Returns:
        The accuracy on held-out samples.
    """
    data, settings, out = job.data, job.settings, job.conduct.folder
    card = ModelCard(
        KIND,
        data.info.fps,
        recorded=data.recorded,
        seen=job.spec,
        prompt_version=data.info.prompt_version,
        chord_method="+".join(data.info.chords),
        base_model=learner.base,
        trained_tasks=data.tasks,
        extra={"four_bit": settings.four_bit, "trained_by": settings.backend},
    )
    policy = VLMPolicy(ready_to_play(learner.model, settings.backend), learner.maker, card)
    scoring = progress.begin("scoring", "held-out samples", len(fitted.scored))
    accuracy = measure(policy, examples, data, fitted, scoring.update)
    save_weights(learner, out)
    unit = "word" if settings.target == "words" else "token of the reply"
    validation = [(step, loss) for step, loss, _ in fitted.validation_curve]
    write_plots(out, fitted.training_curve, validation, accuracy, unit)
    write_summary(out, data, accuracy, _details(settings, fitted))
    card.save(out)
    return accuracy


def measure(
    policy: VLMPolicy, examples: Examples, data: Data, fitted: FittedVLM, on_progress: Callable[[int], object]
) -> Accuracy:
    """Let the policy answer the scored examples as it does in a game: each word follows its own words."""
    said: list[ActionChunk] = []
    for start in range(0, len(fitted.scored), _BATCH):
        rows = fitted.scored[start : start + _BATCH]
        said += policy.predict_batch([Observation(examples.frames[row], examples.goals[row]) for row in rows])
        on_progress(len(said))
    truth = [examples.chunks[row] for row in fitted.scored]
    previous = previous_actions(data.validation)[np.array(fitted.scored) - examples.training]
    return score(_indices(said), _indices(truth), fitted.word_loss, previous)


def save_weights(learner: Learner, out: Path) -> None:
    """Write weights, tokenizer and image processor: all that loading looks for."""
    options: dict[str, Any] = {} if learner.base is None else {"save_embedding_layers": False}
    learner.model.save_pretrained(out, **options)
    learner.maker.tokenizer.save_pretrained(out)
    learner.maker.image_processor.save_pretrained(out)


def _indices(chunks: list[ActionChunk]) -> np.ndarray:
    return np.array([chunk.indices for chunk in chunks], np.int64)


def _details(settings: VLMSettings, fitted: FittedVLM) -> dict[str, Any]:
    return {
        "settings": asdict(settings),
        "best_step": fitted.best_step,
        "steps": fitted.steps,
        "resumed_from_step": fitted.resumed_from,
        "training_seconds": round(fitted.seconds, 1),
        "samples_per_s": round(fitted.samples_per_s, 2),
        "peak_gpu_bytes": fitted.peak_memory,
        "training_curve": [{"step": step, "loss": loss} for step, loss in fitted.training_curve],
        "validation_curve": [
            {"step": step, "loss": loss, "loss_a_word_among_the_twelve": word_loss}
            for step, loss, word_loss in fitted.validation_curve
        ],
        "scored_samples": len(fitted.scored),
    }
