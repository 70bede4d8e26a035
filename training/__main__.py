"""The command ``gameenv-train``: labeled samples in, a policy's folder out.

Parses, checks, shows progress and writes the folder; the training itself is in ``training.bc``.
"""

import hashlib
import json
import os
import shutil
import warnings
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console

from gameenv.cli import run_command
from gameenv.errors import InvalidInputError, UnknownNameError, require
from gameenv.frames import Fit, FrameSpec
from labeling import DatasetInfo, Sample, load_info, load_samples, split_samples
from labeling.folder import DEFAULT_ROOT
from policies.bc import INPUT_SIZE, KIND, BCPolicy, Without, build_word_list
from policies.card import CARD_FILE, ModelCard
from training.bc import CHECKPOINT_FILE, Settings, Trainer, make_arrays
from training.frames import cached_frames
from training.progress import TrainingProgress
from training.summary import SUMMARY_FILE, Data, print_accuracy, print_actions, write_plots, write_summary

POLICIES = (KIND,)
CACHE_DIR = "cache"


@dataclass(frozen=True, slots=True)
class Args:
    """Train a policy on labeled samples.

    Example: gameenv-train --policy bc --epochs 8 --seed 1 --out models/bc_seed1

    Killed or interrupted, the same command goes on after the last finished epoch.
    """

    policy: str = KIND
    """What to train: bc, the small convolutional baseline."""
    data: str = DEFAULT_ROOT
    """Labeled samples (gameenv-label's folder)."""
    out: str = "models/bc"
    """Where the model goes."""
    epochs: int = 5
    """Times each sample is seen."""
    batch_size: int = 128
    """Samples a step."""
    learning_rate: float = 2e-3
    """Peak of the one-cycle schedule."""
    weight_decay: float = 0.05
    """AdamW's."""
    jitter: float = 0.2
    """How far brightness and contrast are varied while training, 0 for not at all."""
    validation: float = 0.07
    """Share of the samples held out by level (by session or take where there are no levels)."""
    seed: int = 0
    """Of the weights, the batches and the held-out levels."""
    shuffle_goals: bool = False
    """Control: give each sample the goal of another. What such a model reaches, it reaches without reading goals."""
    without: Without | None = None
    """Control: hide the frames (it sees one grey picture) or the goals (it hears no word), in training and in play."""
    workers: int = os.cpu_count() or 1
    """Processes that decode frames, and threads that train."""
    overwrite: bool = False
    """Replace a finished model in --out."""


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments, the data or the output folder cannot be used.
    """
    _check(args)
    # Threads that spin while they wait halve the speed as soon as anything else wants a core. Read when torch loads.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    require("torch", "train").set_num_threads(args.workers)
    require("matplotlib", "train")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    samples, info = _load(Path(args.data), console)
    training, validation = _split(samples, args)
    data = Data(args.data, _dataset_id(training, validation), training, validation)
    settings = Settings(
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        weight_decay=args.weight_decay,
        jitter=args.jitter,
        seed=args.seed,
        shuffle_goals=args.shuffle_goals,
        without=args.without,
    )
    out = Path(args.out)
    if _is_finished(out, settings, data.id, overwrite=args.overwrite):
        _tidy(out)  # a run killed at its very end left its cache
        console.print(f"{out} is already trained on these samples with these settings; nothing to do", markup=False)
        return 0
    out.mkdir(parents=True, exist_ok=True)
    words = build_word_list(sample.goal for sample in training)
    print_actions(Console(highlight=False, soft_wrap=True), training)
    with TrainingProgress(console) as progress:
        spec = FrameSpec(*INPUT_SIZE, fit=_fit(info))
        paths = [sample.image for sample in [*training, *validation]]
        frames = cached_frames(paths, spec, out / CACHE_DIR, args.workers, progress.decoding(len(paths)))
        cut = len(training)
        trainer = Trainer(
            settings,
            words,
            training=make_arrays(frames[:cut], [s.goal for s in training], [s.chunk for s in training], words),
            validation=make_arrays(frames[cut:], [s.goal for s in validation], [s.chunk for s in validation], words),
            folder=out,
            dataset_id=data.id,
        )
        fitted = trainer.fit(progress.training())
    write_plots(out, fitted)
    write_summary(out, settings, data, fitted)
    card = _card(info, words, training, args.without)
    BCPolicy(fitted.network, words, card).save(out)  # the card last: it says "complete"
    _tidy(out)
    print_accuracy(Console(highlight=False, soft_wrap=True), fitted.accuracy)
    Console(highlight=False, soft_wrap=True).print(f"written to {out} (policy: bc:{out})", markup=False)
    return 0


def _check(args: Args) -> None:
    if args.policy not in POLICIES:
        raise UnknownNameError("policy to train", args.policy, POLICIES)
    for name in ("epochs", "batch_size", "workers"):
        if getattr(args, name) < 1:
            raise InvalidInputError(f"--{name.replace('_', '-')} is at least 1, got {getattr(args, name)}")
    if not args.learning_rate > 0:
        raise InvalidInputError(f"--learning-rate is above 0, got {args.learning_rate}")
    if not 0 <= args.jitter < 1:
        raise InvalidInputError(f"--jitter is from 0 to below 1, got {args.jitter}")
    if args.shuffle_goals and args.without == "goals":
        raise InvalidInputError("--without goals leaves no goals to shuffle; give it or --shuffle-goals, not both")
    if not 0 < args.validation < 1:
        raise InvalidInputError(f"--validation is a share between 0 and 1, got {args.validation}")


def _load(root: Path, console: Console) -> tuple[list[Sample], DatasetInfo]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        samples, info = load_samples(root), load_info(root)
    for warning in caught:
        console.print(f"warning: {warning.message}", markup=False)
    return samples, info


def _split(samples: Sequence[Sample], args: Args) -> tuple[list[Sample], list[Sample]]:
    """Samples to train on and to hold out; levels of the arena's own validation split are only ever held out.

    Raises:
        InvalidInputError: If there are test levels among them, only validation levels, or too few samples.
    """
    test = sorted({sample.level for sample in samples if sample.split == "test" and sample.level})
    if test:
        raise InvalidInputError(
            f"{args.data} holds {len(test)} test levels ({test[0]}, ...): training on them would make every published "
            "table void. Record with --split train."
        )
    held_out = [sample for sample in samples if sample.split == "validation"]
    rest = [sample for sample in samples if sample.split != "validation"]
    if not rest:
        raise InvalidInputError(
            f"{args.data} holds validation levels only, and those are never trained on. Record with --split train."
        )
    training, validation = (rest, held_out) if held_out else split_samples(rest, args.validation, args.seed)
    if len(training) < args.batch_size or not validation:
        raise InvalidInputError(
            f"{args.data} has {len(training)} samples to train on and {len(validation)} to hold out; at least one "
            f"batch of {args.batch_size} and one to hold out are needed. Record more, or lower --batch-size."
        )
    return training, validation


def _dataset_id(*parts: Sequence[Sample]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        for sample in part:
            digest.update(f"{sample.session_id}/{sample.row}/{sample.goal}/{sample.chunk.indices}\n".encode())
        digest.update(b"--")
    return digest.hexdigest()[:20]


def _is_finished(out: Path, settings: Settings, dataset_id: str, *, overwrite: bool) -> bool:
    """Whether the folder holds this very model; clears it for a new one where that is allowed.

    Raises:
        InvalidInputError: If it holds another model, or something else altogether.
    """
    if not out.exists():
        return False
    if not out.is_dir():
        raise InvalidInputError(f"{out} is not a folder; name another --out")
    if (out / CARD_FILE).exists():
        if overwrite:  # only what is finished: a checkpoint without a card is this training, interrupted
            for name in (CARD_FILE, SUMMARY_FILE, CHECKPOINT_FILE):
                (out / name).unlink(missing_ok=True)
            return False
        try:
            summary: dict[str, Any] = json.loads((out / SUMMARY_FILE).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            summary = {}
        if summary.get("settings") == asdict(settings) and summary.get("dataset_id") == dataset_id:
            return True
        raise InvalidInputError(f"{out} holds another model; name another --out, or say --overwrite")
    known = {CHECKPOINT_FILE, CACHE_DIR, SUMMARY_FILE}
    strange = sorted(path.name for path in out.iterdir() if path.name not in known and not path.name.startswith("."))
    if strange and not (out / CHECKPOINT_FILE).exists():
        raise InvalidInputError(f"{out} holds other things ({', '.join(strange[:5])}); name another --out")
    return False


def _tidy(out: Path) -> None:
    """Remove what only an unfinished training needs."""
    (out / CHECKPOINT_FILE).unlink(missing_ok=True)
    shutil.rmtree(out / CACHE_DIR, ignore_errors=True)


def _card(info: DatasetInfo, words: tuple[str, ...], training: Sequence[Sample], without: Without | None) -> ModelCard:
    width, height = info.frame_size
    return ModelCard(
        KIND,
        info.fps,
        frame=FrameSpec(width, height, fit=_fit(info)),
        prompt_version=info.prompt_version,
        chord_method="+".join(info.chords),
        trained_tasks=tuple(sorted({sample.task for sample in training if sample.task})),
        extra={"words": list(words), "input_size": list(INPUT_SIZE), "without": without},
    )


def _fit(info: DatasetInfo) -> Fit:
    """How the recorded frames were fitted; ``load_info`` has checked that it is one of the two."""
    return "stretch" if info.fit == "stretch" else "letterbox"


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "gameenv-train")


if __name__ == "__main__":
    main()
