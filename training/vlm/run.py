"""``gameenv-train --policy vlm``: from its arguments to an adapter's folder that plays.

The course of the training is in ``training.vlm.course``.
"""

import importlib.util
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

from gameenv.console import Console
from gameenv.errors import InvalidInputError, require
from gameenv.frames import FrameSpec
from policies.card import CARD_FILE
from policies.vlm.loading import Source, pick_device
from training.args import Args, VlmOptions
from training.data import Data
from training.readout import warn
from training.vlm.course import complete
from training.vlm.job import Team, VLMTraining
from training.vlm.model import Learner, find_base, find_init, load_learner, merge, pick_backend
from training.vlm.settings import Backend, Lora, VLMSettings
from training.vlm.trainer import Conduct

MERGED_DIR = "merged"
DEFAULT_OUT = "models/gameplay_agent_lora"
_EPOCHS = 3
_BATCH_SIZE = 2
_SAMPLES_A_STEP = 8  # the specification's batch of 2 in 4 parts; without a GPU to fill, one part is faster
_LEARNING_RATE = 2e-4
_WORKERS = 2


def run(args: Args, console: Console, table: Console) -> int:
    """Tune and write the folder.

    Args:
        args: With ``policy`` ``vlm``.
        console: For progress and warnings.
        table: For what is to be read afterwards.

    Raises:
        GameEnvError: If the arguments, the data, the base or the output folder cannot be used.
    """
    options, reply, conduct = args.vlm, args.vlm.reply, args.vlm.conduct
    out = Path(args.out or DEFAULT_OUT)
    prepare_libraries()
    check_tracker(options.report_to, out)
    torch: Any = require("torch", "train")
    device = pick_device(torch, conduct.device)
    backend = pick_backend(options.backend, device)  # before trl and transformers are imported
    team = Team(device)
    if not team.is_first:
        console, table = Console(quiet=True), Console(quiet=True)
    source, lora = _find_start(args, backend)
    batch_size = args.batch_size or (_SAMPLES_A_STEP if device == "cpu" else _BATCH_SIZE)
    data = args.samples.load(batch_size, partial(warn, console))
    spec = pick_frame(options.frame_size, source, data)
    settings = VLMSettings(
        base=source.base,
        lora=lora,
        epochs=_EPOCHS if args.epochs is None else args.epochs,
        batch_size=batch_size,
        accumulation=max(1, _SAMPLES_A_STEP // batch_size) if options.accumulation is None else options.accumulation,
        processes=team.size,
        learning_rate=_LEARNING_RATE if args.learning_rate is None else args.learning_rate,
        warmup=reply.warmup,
        weight_decay=args.weight_decay or 0.0,
        frame_size=spec.size,
        four_bit=device.startswith("cuda") if options.four_bit is None else options.four_bit,
        backend=backend,
        seed=args.samples.seed,
        target=reply.loss_on,
        repeat_weight=reply.repeat_weight,
        shuffle_goals=args.samples.shuffle_goals,
        word_dropout=reply.word_dropout,
        prefix_dropout=reply.prefix_dropout,
        init=args.init,
    )
    beside_gpu = device.startswith("cuda") and sys.platform.startswith("linux")
    carried_out = Conduct(
        folder=out,
        device=team.device,
        save_steps=conduct.save_steps,
        evaluations=conduct.evaluations,
        eval_samples=conduct.eval_samples,
        workers=args.workers if args.workers is not None else _WORKERS if beside_gpu else 0,
        gradient_checkpointing=device != "cpu"
        if options.gradient_checkpointing is None
        else options.gradient_checkpointing,
        report_to=None if options.report_to == "none" else options.report_to,
        run_name=out.name,
    )

    def load() -> Learner:
        return load_learner(
            source,
            spec,
            lora,
            backend=backend,
            device=team.device,
            four_bit=settings.four_bit,
            seed=settings.seed,
        )

    job = VLMTraining(load, data, spec, settings, carried_out, team, console, table)
    complete(job, overwrite=args.overwrite, chosen=options.checkpoint)
    merged = out / MERGED_DIR
    if options.merge and team.is_first and not (merged / CARD_FILE).exists():
        console.print(f"merging the adapter into {source.base}")
        merge(out, merged)
        table.print(f"merged model written to {merged}")
    team.part()
    return 0


def _find_start(args: Args, backend: Backend) -> tuple[Source, Lora]:
    """A base for a fresh adapter, or an adapter that is gone on from.

    Raises:
        InvalidInputError: If it cannot be used, or something is asked for that the adapter has decided already.
    """
    options = args.vlm
    if args.init is None:
        return find_base(options.base), Lora(options.rank, options.alpha, options.dropout, options.lora_vision)
    if backend == "unsloth":
        raise InvalidInputError("--init goes on from an adapter with --backend trl only; give that, too")
    for name in ("base", "rank", "alpha", "dropout", "lora_vision"):
        if getattr(options, name) != getattr(VlmOptions(), name):
            raise InvalidInputError(
                f"--init goes on from an adapter, which has its own {name.replace('_', ' ')}: leave out "
                f"--{name.replace('_', '-')}"
            )
    return find_init(args.init)


def pick_frame(wanted: tuple[int, int] | None, source: Source, data: Data) -> FrameSpec:
    """What the model sees: what is asked for, else what it learned on before, else what was recorded."""
    learned = source.card.seen.size if source.card is not None else None
    width, height = wanted or learned or data.info.frame_size
    return FrameSpec(width, height, fit=data.fit)


def prepare_libraries() -> None:
    """Set what the libraries read when they are imported: no telemetry, and no threads in forked tokenizers."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    require("matplotlib", "train")
    require("datasets", "train")


def check_tracker(name: str, out: Path) -> None:
    """Look for a tracker's package before hours of training; tensorboard's files are to stay beside the model.

    Raises:
        InvalidInputError: If it is not installed.
    """
    if name != "none" and importlib.util.find_spec(name) is None:
        raise InvalidInputError(f"--report-to {name} needs the package {name}. Run: pip install {name}")
    if name == "tensorboard":
        os.environ.setdefault("TENSORBOARD_LOGGING_DIR", str(out / "tensorboard"))
