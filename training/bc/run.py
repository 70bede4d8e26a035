"""``gameenv-train --policy bc``: from its arguments to the baseline's folder.

The training itself is in ``training.bc.trainer``.
"""

import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from gameenv.errors import InvalidInputError, require
from gameenv.frames import FrameSpec
from gameenv.progress import Progress
from labeling import Sample
from policies.bc import INPUT_SIZE, KIND, BCPolicy, build_word_list
from policies.card import ModelCard
from training import balance
from training.args import Args
from training.bc.trainer import CHECKPOINT_FILE, Arrays, BCSettings, Trainer, make_arrays
from training.data import Data, previous_actions
from training.folder import CACHE_DIR, OutFolder
from training.frame_cache import cached_frames
from training.readout import print_accuracy, warn, write_plots, write_summary
from training.step_report import show_steps

DEFAULT_OUT = "models/bc"
_EPOCHS = 5
_BATCH_SIZE = 128
_LEARNING_RATE = 2e-3
_WEIGHT_DECAY = 0.05


def run(args: Args, console: Console, table: Console) -> int:
    """Train and write the folder.

    Args:
        args: With ``policy`` ``bc``.
        console: For progress and warnings.
        table: For what is to be read afterwards.

    Raises:
        GameEnvError: If the arguments, the data or the output folder cannot be used.
    """
    settings = read_settings(args)
    workers = args.workers or os.cpu_count() or 1
    require("torch", "train").set_num_threads(workers)
    require("matplotlib", "train")
    data = args.samples.load(settings.batch_size, partial(warn, console))
    identity = {"settings": asdict(settings), "dataset_id": data.id}
    out = Path(args.out or DEFAULT_OUT)
    folder = OutFolder(out, identity, CHECKPOINT_FILE, (CACHE_DIR,))
    if folder.is_finished(overwrite=args.overwrite):
        folder.tidy()  # a run killed at its very end left its cache
        console.print(f"{out} is already trained on these samples with these settings; nothing to do", markup=False)
        return 0
    folder.claim()
    words = build_word_list(sample.goal for sample in data.training)
    balance.describe(table, data.training)
    with Progress(console) as progress:
        samples = [*data.training, *data.validation]
        spec = FrameSpec(*INPUT_SIZE, fit=data.fit)
        paths = [sample.image for sample in samples]
        frames = cached_frames(
            paths, spec, out / CACHE_DIR, workers, progress.begin("decoding", "frames", len(paths)).update
        )
        cut = len(data.training)
        trainer = Trainer(
            settings,
            words,
            training=_arrays(frames[:cut], samples[:cut], words),
            validation=_arrays(frames[cut:], samples[cut:], words),
            folder=out,
            dataset_id=data.id,
        )
        fitted = trainer.fit(show_steps(progress))
    training = [(step, loss) for step, loss, _ in fitted.curve]
    validation = [(step, loss) for step, _, loss in fitted.curve]
    write_plots(out, training, validation, fitted.accuracy)
    details = {
        "settings": asdict(settings),
        "best_epoch": fitted.best_epoch,
        "resumed_from_epoch": fitted.resumed_from,
        "training_seconds": round(fitted.seconds, 1),
        "curve": [{"step": step, "training_loss": a, "validation_loss": b} for step, a, b in fitted.curve],
    }
    write_summary(out, data, fitted.accuracy, details)
    BCPolicy(fitted.network, words, _card(data, words, settings)).save(out)  # the card last: it says "complete"
    folder.tidy()
    print_accuracy(table, fitted.accuracy)
    table.print(f"written to {out} (policy: bc:{out})", markup=False)
    return 0


def read_settings(args: Args) -> BCSettings:
    """The settings that the arguments ask for.

    Raises:
        InvalidInputError: If a number is out of its range, or two arguments exclude each other.
    """
    if not 0 <= args.bc.jitter < 1:
        raise InvalidInputError(f"--jitter is from 0 to below 1, got {args.bc.jitter}")
    if args.samples.shuffle_goals and args.bc.without == "goals":
        raise InvalidInputError("--without goals leaves no goals to shuffle; give it or --shuffle-goals, not both")
    return BCSettings(
        epochs=_EPOCHS if args.epochs is None else args.epochs,
        batch_size=_BATCH_SIZE if args.batch_size is None else args.batch_size,
        learning_rate=_LEARNING_RATE if args.learning_rate is None else args.learning_rate,
        weight_decay=_WEIGHT_DECAY if args.weight_decay is None else args.weight_decay,
        jitter=args.bc.jitter,
        seed=args.samples.seed,
        shuffle_goals=args.samples.shuffle_goals,
        without=args.bc.without,
    )


def _arrays(frames: Any, samples: list[Sample], words: tuple[str, ...]) -> Arrays:
    goals, chunks = [each.goal for each in samples], [each.chunk for each in samples]
    return make_arrays(frames, goals, chunks, words, previous_actions(samples))


def _card(data: Data, words: tuple[str, ...], settings: BCSettings) -> ModelCard:
    return ModelCard(
        KIND,
        data.info.fps,
        recorded=data.recorded,
        seen=FrameSpec(*INPUT_SIZE, fit=data.fit),
        prompt_version=data.info.prompt_version,
        chord_method="+".join(data.info.chords),
        trained_tasks=data.tasks,
        extra={"words": list(words), "without": settings.without},
    )
