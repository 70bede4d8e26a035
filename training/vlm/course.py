"""The course of a training: whose folder it is, where it goes on, the training itself, what is left at the end."""

import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from gameenv.progress import Progress
from policies.card import CARD_FILE
from training import balance
from training.data import goal_order
from training.folder import CACHE_DIR, OutFolder
from training.frame_cache import cached_frames
from training.readout import print_accuracy
from training.step_report import show_steps
from training.vlm import checkpoints
from training.vlm.batches import Examples, FrameFiles
from training.vlm.job import VLMTraining
from training.vlm.model import Learner
from training.vlm.outcome import write_outcome
from training.vlm.trainer import fit


def complete(job: VLMTraining, *, overwrite: bool, chosen: str | None = None) -> None:
    """Train a model and write its folder, from the newest checkpoint on if there is one; nothing if it is finished.

    Args:
        job: What to train.
        overwrite: Replace what is in the folder.
        chosen: The checkpoint to go on from; None for the newest.

    Raises:
        GameEnvError: If the folder, the checkpoint or the base cannot be used, or memory does not suffice.
    """
    conduct, team, data = job.conduct, job.team, job.data
    out = conduct.folder
    identity = {"settings": asdict(job.settings), "dataset_id": data.id}
    folder = OutFolder(out, identity, checkpoints.FOLDER, (CACHE_DIR,))
    if team.is_first:
        if folder.is_finished(overwrite=overwrite):
            folder.tidy()  # a run killed at its very end left its checkpoints
            job.console.print(f"{out} is already trained on these samples with these settings")
        else:
            folder.claim()
    team.wait()
    if (out / CARD_FILE).exists():
        return
    checkpoint = checkpoints.choose(conduct.checkpoints, chosen, team.size)
    team.wait()
    if team.is_first:
        checkpoints.remove_later(conduct.checkpoints, -1 if checkpoint is None else checkpoints.step_of(checkpoint))
    balance.describe(job.table, data.training)
    learner = job.load()
    job.console.print(_describe(job, learner, checkpoint))
    with Progress(job.console) as progress:
        examples = make_examples(job, progress)
        if job.prepare is not None and checkpoint is None:
            job.prepare(learner, examples, progress)
        fitted = fit(learner, examples, job.settings, conduct, checkpoint=checkpoint, on_progress=show_steps(progress))
        accuracy = write_outcome(job, learner, examples, fitted, progress) if team.is_first else None
    team.wait()
    if accuracy is not None:
        folder.tidy()
        print_accuracy(job.table, accuracy)
        job.table.print(f"written to {out}")


def make_examples(job: VLMTraining, progress: Progress) -> Examples:
    """The samples as the model will see them; frames that are shrunk for it are shrunk once, into a file."""
    data, settings, spec, team = job.data, job.settings, job.spec, job.team
    samples = [*data.training, *data.validation]
    paths = [sample.image for sample in samples]
    frames: Any = FrameFiles(paths)
    if spec.width * spec.height < data.info.frame_size[0] * data.info.frame_size[1]:
        for turn in (team.is_first, not team.is_first):  # the first writes the file, the others read it
            if turn:
                folder, workers = job.conduct.folder / CACHE_DIR, os.cpu_count() or 1
                frames = cached_frames(
                    paths, spec, folder, workers, progress.begin("decoding", "frames", len(paths)).update
                )
            team.wait()
    cut = len(data.training)
    order = goal_order(cut, settings.seed, shuffled=settings.shuffle_goals)
    goals = [*(samples[place].goal for place in order), *(sample.goal for sample in data.validation)]
    return Examples(frames, goals, [sample.chunk for sample in samples], cut)


def _describe(job: VLMTraining, learner: Learner, checkpoint: Path | None) -> str:
    settings = job.settings
    trained = sum(parameter.numel() for parameter in learner.model.parameters() if parameter.requires_grad)
    width, height = settings.frame_size
    if settings.lora is None:
        what = settings.base
    else:
        bits = "4-bit" if getattr(learner.model, "is_quantized", settings.four_bit) else "whole"
        what = f"LoRA of rank {settings.lora.rank} on {settings.base} ({bits}, by {settings.backend})"
    several = f" x {settings.processes}" if settings.processes > 1 else ""
    where = "" if checkpoint is None else f", going on from {checkpoint.name}"
    return (
        f"{what}: {trained:,} weights to train on {job.conduct.device}{several}, frames {width}x{height}; "
        f"{len(job.data.training):,} samples, {settings.samples_a_step} a step{where}"
    )
