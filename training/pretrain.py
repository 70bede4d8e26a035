"""Trains a whole small Qwen3-VL from nothing on labeled samples: every weight of the real classes at a small size.

For the built-in game, and for machines without a GPU. The course of the training is that of ``training.vlm.course``.
"""

import json
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import tyro

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, require
from gameenv.frames import FrameSpec
from gameenv.home import PathText
from gameenv.progress import Progress
from policies.vlm import tiny
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker
from policies.vlm.loading import pick_device
from training.data import Data
from training.options import ConductOptions, ReplyOptions, SampleOptions
from training.readout import warn
from training.sight import SETTINGS_FILE, WEIGHTS_FILE
from training.step_report import show_steps
from training.vlm.batches import Examples
from training.vlm.course import complete
from training.vlm.job import Team, VLMTraining
from training.vlm.model import Learner
from training.vlm.run import prepare_libraries
from training.vlm.settings import Optimizer, VLMSettings
from training.vlm.teach_vision import VisionTeacher
from training.vlm.trainer import Conduct

_HEADS = 4


@dataclass(frozen=True, slots=True)
class Args:
    """Train a small Qwen3-VL from nothing, with a small tokenizer that has the words of your goals.

    For example:
        python -m training.pretrain --optimizer muon --epochs 10 --out models/small

    The folder is a model like any other:
        gameenv-play --model models/small
        gameenv-train --base models/small

    Killed, the same command goes on from its last checkpoint.
    """

    out: PathText = "models/small"
    """Where the model goes."""
    hidden: int = 128
    """Width of the text part."""
    layers: int = 2
    """Layers of the text part."""
    vision_hidden: int = 128
    """Width of the vision part."""
    vision_layers: int = 3
    """Layers of the vision part, at least 2."""
    frame_size: tuple[int, int] = tiny.FRAME.size
    """Width and height the model sees; a token for every 32x32 pixels."""
    vision: PathText | None = None
    """Begin with the vision part in this folder (python -m training.sight); its sizes are taken from there."""
    freeze_vision: bool = False
    """Leave the vision part as it is, which is faster."""
    vision_epochs: int = 0
    """First teach the vision part alone, so many times each sample, by a throw-away head; 0 leaves that out."""
    epochs: int = 10
    """Times the whole model sees each sample."""
    batch_size: int = 64
    """Samples a step."""
    optimizer: Optimizer = "adamw"
    """muon takes the matrices inside the model, AdamW the rest."""
    learning_rate: float = 1.5e-3
    """AdamW's peak."""
    muon_learning_rate: float = 0.02
    """Muon's peak."""
    weight_decay: float = 0.0
    """Of either."""
    workers: int = 0
    """Processes that prepare batches; 0 prepares them in between."""
    overwrite: bool = False
    """Replace what is in --out: a finished model, or another training that was interrupted."""
    samples: tyro.conf.OmitArgPrefixes[SampleOptions] = field(default_factory=SampleOptions)
    reply: tyro.conf.OmitArgPrefixes[ReplyOptions] = field(default_factory=lambda: ReplyOptions(loss_on="words"))
    conduct: tyro.conf.OmitArgPrefixes[ConductOptions] = field(
        default_factory=lambda: ConductOptions(save_steps=500, evaluations=1)
    )


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments, the data or the output folder cannot be used.
    """
    args = _check(args)
    prepare_libraries()
    torch: Any = require("torch", "train")
    device = pick_device(torch, args.conduct.device)
    team = Team(device)
    console = Console(stderr=True, soft_wrap=True, quiet=not team.is_first)
    table = Console(soft_wrap=True, quiet=not team.is_first)
    data = args.samples.load(args.batch_size, partial(warn, console))
    spec = FrameSpec(*args.frame_size, fit=data.fit)
    settings = VLMSettings(
        base=_describe(args),
        lora=None,
        epochs=args.epochs,
        batch_size=args.batch_size,
        accumulation=1,
        processes=team.size,
        learning_rate=args.learning_rate,
        warmup=args.reply.warmup,
        weight_decay=args.weight_decay,
        frame_size=spec.size,
        four_bit=False,
        backend="trl",
        seed=args.samples.seed,
        optimizer=args.optimizer,
        muon_learning_rate=args.muon_learning_rate,
        target=args.reply.loss_on,
        repeat_weight=args.reply.repeat_weight,
        shuffle_goals=args.samples.shuffle_goals,
        word_dropout=args.reply.word_dropout,
        prefix_dropout=args.reply.prefix_dropout,
        vision_epochs=args.vision_epochs,
    )
    conduct = Conduct(
        folder=Path(args.out),
        device=team.device,
        save_steps=args.conduct.save_steps,
        evaluations=args.conduct.evaluations,
        eval_samples=args.conduct.eval_samples,
        workers=args.workers,
        gradient_checkpointing=False,
    )
    if args.vision_epochs and team.size > 1:
        raise InvalidInputError("--vision-epochs is for one process; leave out accelerate launch")

    def prepare(learner: Learner, examples: Examples, progress: Progress) -> None:
        VisionTeacher(learner, examples, settings, conduct).teach(show_steps(progress, "vision"))

    job = VLMTraining(
        lambda: build_learner(args, data, spec),
        data,
        spec,
        settings,
        conduct,
        team,
        console,
        table,
        prepare if args.vision_epochs else None,
    )
    complete(job, overwrite=args.overwrite)
    team.part()
    return 0


def build_learner(args: Args, data: Data, spec: FrameSpec) -> Learner:
    """A model with random weights that depend on the seed alone, and a tokenizer with the goals' words."""
    tokenizer = tiny.build_tokenizer(sorted({sample.goal for sample in data.training}))
    config = tiny.build_config(
        tokenizer,
        hidden=args.hidden,
        layers=args.layers,
        vision_hidden=args.vision_hidden,
        vision_layers=args.vision_layers,
    )
    model = tiny.build_model(config, args.samples.seed)
    if args.vision is not None:
        _put_in_vision(model.model.visual, Path(args.vision) / WEIGHTS_FILE)
    model.model.visual.requires_grad_(not args.freeze_vision)
    speed_up_vision(model)
    return Learner(model, InputMaker(tokenizer, tiny.build_image_processor(), spec), None)


def _describe(args: Args) -> str:
    """The model in one line; the folder is part of it, so that a resumed training has the same eyes."""
    sizes = f"a new Qwen3-VL, text {args.layers} x {args.hidden}, vision {args.vision_layers} x {args.vision_hidden}"
    seen = "" if args.vision is None else f" from {args.vision}"
    return f"{sizes}{seen}{', frozen' if args.freeze_vision else ''}"


def _put_in_vision(visual: Any, weights: Path) -> None:
    torch: Any = require("torch", "train")
    try:
        visual.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises many kinds on a damaged file
        raise InvalidInputError(f"cannot read {weights}: {error}. Run python -m training.sight again.") from error


def _check(args: Args) -> Args:
    """The arguments, with the sizes of a vision part that is there already."""
    args.samples.check()
    args.conduct.check()
    if args.vision is not None:
        args = replace(args, **_sizes_of(Path(args.vision)))
    elif args.freeze_vision:
        raise InvalidInputError("--freeze-vision would leave the vision part as the dice made it: give --vision, too")
    if args.freeze_vision and args.vision_epochs:
        raise InvalidInputError("--freeze-vision leaves nothing for --vision-epochs to teach; leave one of them out")
    if args.vision_layers < 2 or args.layers < 1:
        raise InvalidInputError(
            f"--vision-layers is at least 2 and --layers at least 1, got {args.vision_layers} and {args.layers}"
        )
    for name in ("hidden", "vision_hidden"):
        if getattr(args, name) < 32 or getattr(args, name) % (8 * _HEADS):
            raise InvalidInputError(f"--{name.replace('_', '-')} is a multiple of {8 * _HEADS}")
    return args


def _sizes_of(folder: Path) -> dict[str, Any]:
    """The sizes that the vision part in a folder is for.

    Raises:
        InvalidInputError: If there is none, or its training did not finish.
    """
    try:
        settings = json.loads((folder / SETTINGS_FILE).read_text())
        sizes = {name: settings[name] for name in ("hidden", "vision_hidden", "vision_layers")}
        width, height = settings["frame_size"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInputError(f"{folder} holds no vision part of python -m training.sight: {error}") from error
    if not (folder / WEIGHTS_FILE).is_file():
        raise InvalidInputError(f"the training of {folder} did not finish: run python -m training.sight once more")
    return {**sizes, "frame_size": (width, height)}


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "python -m training.pretrain")


if __name__ == "__main__":
    main()
