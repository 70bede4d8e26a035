"""``gameenv-train --policy bc``: from its arguments to the baseline's folder.

The training itself is in ``training.bc.trainer``.
"""

import math
import os
from collections.abc import Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from gameenv.console import Console
from gameenv.errors import InvalidInputError, require
from gameenv.frames import FrameSpec
from gameenv.progress import Progress
from labeling import Sample
from policies.bc import INPUT_SIZE, KIND, BCPolicy, build_word_list, choose_words, widen
from policies.card import ModelCard
from policies.options import DECLARE_AT_FIELD
from training import balance
from training.args import Args
from training.bc.trainer import CHECKPOINT_FILE, Arrays, BCSettings, Trainer, make_arrays
from training.data import Data, previous_actions
from training.declaring import Calibration, calibrate, find_declarations
from training.folder import CACHE_DIR, OutFolder
from training.frame_cache import Frames, cached_frames
from training.metrics import score
from training.readout import print_accuracy, warn, write_calibration_plot, write_plots, write_summary
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
        console.print(f"{out} is already trained on these samples with these settings; nothing to do")
        return 0
    folder.claim()
    start = None if settings.init is None else _find_start(settings, data)
    words = build_word_list([*(sample.goal for sample in data.training), *(start.words if start else ())])
    balance.describe(table, data.training)
    with Progress(console) as progress:
        spec = FrameSpec(*INPUT_SIZE, fit=data.fit)
        paths = [sample.image for sample in data.samples]
        frames, damaged = cached_frames(
            paths, spec, out / CACHE_DIR, workers, progress.begin("decoding", "frames", len(paths)).update
        )
        data, frames = data.without(damaged, partial(warn, console)), frames.without(damaged)
        cut = len(data.training)
        held_out = _arrays(frames.part(cut, len(frames)), data.validation, words)
        trainer = Trainer(
            settings,
            words,
            training=_arrays(frames.part(0, cut), data.training, words),
            validation=held_out,
            folder=out,
            dataset_id=data.id,
            start=None if start is None else widen(start.network.state_dict(), start.words, words),
        )
        fitted = trainer.fit(show_steps(progress))
    says, calibration = fitted.answers.declares, None
    if says is not None:
        calibration = calibrate(says, held_out.declared, data.validation)
        write_calibration_plot(out, calibration)
    decided = None if calibration is None or says is None else says >= calibration.threshold
    said = choose_words(fitted.answers.logits, decided)
    accuracy = score(said, held_out.chunks, fitted.word_loss, held_out.previous)
    training = [(step, loss) for step, loss, _ in fitted.curve]
    validation = [(step, loss) for step, _, loss in fitted.curve]
    write_plots(out, training, validation, accuracy, "word, and declaration" if settings.declares else "word")
    details = {
        "settings": asdict(settings),
        "calibration": None if calibration is None else asdict(calibration),
        "best_epoch": fitted.best_epoch,
        "resumed_from_epoch": fitted.resumed_from,
        "training_seconds": round(fitted.seconds, 1),
        "curve": [{"step": step, "training_loss": a, "validation_loss": b} for step, a, b in fitted.curve],
    }
    write_summary(out, data, accuracy, details)
    card = _card(data, words, settings, calibration)
    BCPolicy(fitted.network, words, card).save(out)  # the card last: it says "complete"
    folder.tidy()
    print_accuracy(table, accuracy)
    table.print(f"written to {out} (policy: bc:{out})")
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
    if not 1 <= args.bc.oversample < math.inf:
        raise InvalidInputError(f"--oversample is at least 1, got {args.bc.oversample}")
    return BCSettings(
        epochs=_EPOCHS if args.epochs is None else args.epochs,
        batch_size=_BATCH_SIZE if args.batch_size is None else args.batch_size,
        learning_rate=_LEARNING_RATE if args.learning_rate is None else args.learning_rate,
        weight_decay=_WEIGHT_DECAY if args.weight_decay is None else args.weight_decay,
        jitter=args.bc.jitter,
        seed=args.samples.seed,
        shuffle_goals=args.samples.shuffle_goals,
        without=args.bc.without,
        declares=args.bc.declaration_head,
        oversample=args.bc.oversample,
        init=args.init,
    )


def _find_start(settings: BCSettings, data: Data) -> BCPolicy:
    """The model to go on from.

    Raises:
        InvalidInputError: If there is none, or it is another network or saw other frames.
    """
    start = BCPolicy.load(str(settings.init))
    declares = getattr(start.network, "declaration", None) is not None
    if declares != settings.declares:
        raise InvalidInputError(
            f"{settings.init} has {'a' if declares else 'no'} head for declarations: "
            f"{'leave out --no-declaration-head' if declares else 'give --no-declaration-head'}"
        )
    if (start.card.fps, start.card.recorded.fit) != (data.info.fps, data.fit):
        raise InvalidInputError(
            f"{settings.init} learned from {start.card.fps:g} ticks a second and frames fitted by "
            f"{start.card.recorded.fit}, the samples have {data.info.fps:g} and {data.fit}"
        )
    return start


def _arrays(frames: Frames, samples: Sequence[Sample], words: tuple[str, ...]) -> Arrays:
    goals, chunks = [each.goal for each in samples], [each.chunk for each in samples]
    declared, previous = find_declarations(samples), previous_actions(samples)
    return make_arrays(frames, goals, chunks, words, declared=declared, previous=previous)


def _card(data: Data, words: tuple[str, ...], settings: BCSettings, calibration: Calibration | None) -> ModelCard:
    declares = {} if calibration is None else {DECLARE_AT_FIELD: calibration.threshold}
    return ModelCard(
        KIND,
        data.info.fps,
        recorded=data.recorded,
        seen=FrameSpec(*INPUT_SIZE, fit=data.fit),
        prompt_version=data.info.prompt_version,
        chord_method="+".join(data.info.chords),
        trained_tasks=data.tasks,
        extra={"words": list(words), "without": settings.without, **declares},
    )
