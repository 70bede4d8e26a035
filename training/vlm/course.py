"""The course of a training: whose folder it is, where it goes on, the training itself, what is left at the end."""

import os
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path

from gameenv.progress import Progress
from policies.card import CARD_FILE
from training import balance
from training.data import goal_order
from training.folder import CACHE_DIR, OutFolder
from training.frame_cache import cached_frames, find_damaged
from training.readout import print_accuracy, warn
from training.step_report import show_steps
from training.vlm import checkpoints
from training.vlm.batches import Examples, FrameFiles, Frames
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
        frames, damaged = open_frames(job, progress)
        job = replace(job, data=job.data.without(damaged, partial(warn, job.console)))
        examples = make_examples(job, frames)
        if job.prepare is not None and checkpoint is None:
            job.prepare(learner, examples, progress)
        fitted = fit(learner, examples, job.settings, conduct, checkpoint=checkpoint, on_progress=show_steps(progress))
        accuracy = write_outcome(job, learner, examples, fitted, progress) if team.is_first else None
    team.wait()
    if accuracy is not None:
        folder.tidy()
        print_accuracy(job.table, accuracy)
        job.table.print(f"written to {out}")


def open_frames(job: VLMTraining, progress: Progress) -> tuple[Frames, tuple[int, ...]]:
    """The readable frames of the samples, and the numbers of the others.

    Frames that are shrunk for the model are shrunk once, into a file.
    """
    data, spec, team = job.data, job.spec, job.team
    paths, workers = [sample.image for sample in data.samples], os.cpu_count() or 1
    if spec.width * spec.height >= data.info.frame_size[0] * data.info.frame_size[1]:
        files = FrameFiles(paths)
        damaged = find_damaged(paths, workers, progress.begin("checking", "frames", len(paths)).update)
        return files.without(damaged), damaged
    opened: list[tuple[Frames, tuple[int, ...]]] = []
    for turn in (team.is_first, not team.is_first):  # the first writes the file, the others read it
        if turn:
            update = progress.begin("decoding", "frames", len(paths)).update
            frames, damaged = cached_frames(paths, spec, job.conduct.folder / CACHE_DIR, workers, update)
            opened.append((frames.without(damaged), damaged))
        team.wait()
    return opened[0]


def make_examples(job: VLMTraining, frames: Frames) -> Examples:
    """The samples as the model will see them."""
    data, settings = job.data, job.settings
    cut = len(data.training)
    order = goal_order(cut, settings.seed, shuffled=settings.shuffle_goals)
    goals = [*(data.training[place].goal for place in order), *(sample.goal for sample in data.validation)]
    return Examples(frames, goals, [sample.chunk for sample in data.samples], cut)


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
