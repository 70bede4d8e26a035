"""``python -m training.naming``: a model that names the goals of clips as they were named before."""

import json
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import tyro

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import GameEnvError, InvalidInputError, require
from gameenv.files import write_atomically
from gameenv.home import PathText
from gameenv.progress import Progress
from labeling.naming.options import Look, NamingOptions
from labeling.naming.question import QUESTION_VERSION
from policies.card import ModelCard
from policies.prompt import PROMPT_VERSION
from policies.vlm.failures import out_of_memory
from policies.vlm.loading import pick_device
from recording.session import DEFAULT_ROOT
from training.folder import SUMMARY_FILE, OutFolder
from training.naming.lessons import Schoolbook, load_lessons
from training.options import SampleOptions
from training.readout import warn
from training.vlm import checkpoints
from training.vlm.model import Learner, find_base, load_learner, pick_backend
from training.vlm.run import pick_frame, prepare_libraries
from training.vlm.settings import Lora

KIND = "namer"
_KEPT = 2


@dataclass(frozen=True, slots=True)
class Args:
    """Teach a Qwen3-VL to name goals, from clips whose goals are known: a person's review, or the arena's referee.

    For example:
        python -m training.naming --base Qwen/Qwen3-VL-8B-Instruct --out models/namer
        gameenv-label --labeler vlm --model models/namer

    It learns the very question that gameenv-label asks: --look, --tell-keys and --goals-list must be the same there.
    Killed, the same command goes on from its last checkpoint.
    """

    base: PathText = "unsloth/Qwen3-VL-8B-Instruct-unsloth-bnb-4bit"
    """What is tuned: a folder or a hub id of a Qwen3-VL."""
    out: PathText = "models/namer"
    """Where the adapter goes."""
    recordings: PathText = DEFAULT_ROOT
    """The recordings that the clips were cut from."""
    look: Look = "three"
    """What is shown of a clip."""
    tell_keys: bool = True
    """Tell which keys were held, and for how long."""
    goals_list: PathText | None = None
    """A file with the goals there are, one a line."""
    epochs: int = 2
    """Times each clip is seen."""
    batch_size: int = 8
    """Clips a step."""
    learning_rate: float = 2e-4
    """Peak of the schedule; small models take larger steps (2e-3)."""
    rank: int = 16
    """Of the LoRA adapter."""
    alpha: int = 16
    """Of the LoRA adapter: its scale is alpha / rank."""
    four_bit: bool | None = None
    """Load the base in 4 bits. None: yes on a GPU, no on a CPU."""
    device: str | None = None
    """cuda, mps or cpu; the first GPU, else the CPU, if it is left out."""
    save_steps: int = 100
    """A kill loses at most so many steps."""
    overwrite: bool = False
    """Replace what is in --out."""
    samples: tyro.conf.OmitArgPrefixes[SampleOptions] = field(default_factory=SampleOptions)


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments, the clips, the base or the folder cannot be used.
    """
    _check(args)
    prepare_libraries()
    torch: Any = require("torch", "train")
    console = Console(stderr=True, highlight=False, soft_wrap=True)
    device = pick_device(torch, args.device)
    pick_backend("trl", device)
    options = NamingOptions(look=args.look, tell_keys=args.tell_keys, goals_list=args.goals_list)
    data = args.samples.load(1, partial(warn, console))
    out = Path(args.out)
    lora = Lora(args.rank, args.alpha, 0.0)
    decides = ("base", "epochs", "batch_size", "learning_rate", "look", "tell_keys", "goals_list")
    settings = {name: getattr(args, name) for name in decides}
    settings |= {"lora": asdict(lora), "question": QUESTION_VERSION, "seed": args.samples.seed}
    folder = OutFolder(out, {"settings": settings, "dataset_id": data.id}, checkpoints.FOLDER)
    if folder.is_finished(overwrite=args.overwrite):
        console.print(f"{out} has learned these clips already")
        return 0
    folder.claim()
    lessons = load_lessons(data, Path(args.recordings), partial(warn, console))
    source = find_base(args.base)
    spec = pick_frame(None, source, data)
    four_bit = device.startswith("cuda") if args.four_bit is None else args.four_bit
    learner = load_learner(source, spec, lora, backend="trl", device=device, four_bit=four_bit, seed=args.samples.seed)
    everything = [*lessons.training, *lessons.validation]
    book = Schoolbook(everything, learner.maker, options)
    console.print(f"{len(lessons.training)} clips to learn from, {len(lessons.validation)} held out, on {device}")
    with Progress(console) as progress:
        trainer = _trainer(args, learner, book, len(lessons.training), device=device, progress=progress)
        newest = checkpoints.newest(out / checkpoints.FOLDER) if (out / checkpoints.FOLDER).exists() else None
        try:
            trainer.train(resume_from_checkpoint=None if newest is None else str(newest))
        except (MemoryError, RuntimeError) as error:
            if said := out_of_memory(error):
                raise GameEnvError(f"memory is full ({said}). Lower --batch-size, or load with --four-bit") from error
            raise
        loss = trainer.evaluate()["eval_loss"]
    learner.model.save_pretrained(out, save_embedding_layers=False)
    learner.maker.tokenizer.save_pretrained(out)
    learner.maker.image_processor.save_pretrained(out)
    summary = {
        "settings": settings,
        "dataset_id": data.id,
        "clips": len(lessons.training),
        "held_out": len(lessons.validation),
        "held_out_loss_a_token": loss,
    }
    write_atomically(out / SUMMARY_FILE, json.dumps(summary, indent=2) + "\n")
    card = ModelCard(
        KIND,
        data.info.fps,
        recorded=data.recorded,
        seen=spec,
        prompt_version=PROMPT_VERSION,
        base_model=learner.base,
        trained_tasks=data.tasks,
        extra={"look": args.look, "tell_keys": args.tell_keys, "question_version": QUESTION_VERSION},
    )
    card.save(out)
    folder.tidy()
    console.print(f"held out: loss a token {loss:.3f}. Written to {out}: gameenv-label --labeler vlm --model {out}")
    return 0


def _trainer(args: Args, learner: Learner, book: Schoolbook, training: int, *, device: str, progress: Progress) -> Any:
    transformers: Any = require("transformers", "vlm")
    datasets: Any = require("datasets", "train")
    cuda = device.startswith("cuda")
    arguments = transformers.TrainingArguments(
        output_dir=str(Path(args.out) / checkpoints.FOLDER),
        num_train_epochs=args.epochs,
        per_device_train_batch_size=args.batch_size,
        per_device_eval_batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=10,
        seed=args.samples.seed,
        data_seed=args.samples.seed,
        bf16=cuda,
        use_cpu=device == "cpu",
        gradient_checkpointing=cuda,
        remove_unused_columns=False,
        label_names=["labels"],
        save_steps=args.save_steps,
        save_total_limit=_KEPT,
        logging_steps=10,
        report_to="none",
        disable_tqdm=True,
    )
    work = progress.begin("learning", "steps")

    class Follow(transformers.TrainerCallback):
        def on_step_end(self, arguments: Any, state: Any, control: Any, **more: Any) -> None:
            work.total = state.max_steps
            losses = [entry["loss"] for entry in state.log_history if "loss" in entry]
            work.update(state.global_step, text=f"loss a token {losses[-1]:.3f}" if losses else "")

    trainer = transformers.Trainer(
        model=learner.model,
        args=arguments,
        data_collator=book,
        train_dataset=datasets.Dataset.from_dict({"lesson": list(range(training))}),
        eval_dataset=datasets.Dataset.from_dict({"lesson": list(range(training, len(book)))}),
        callbacks=[Follow()],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    return trainer


def _check(args: Args) -> None:
    args.samples.check()
    if args.samples.mix:
        raise InvalidInputError("--mix is for gameenv-train; give one --data here")
    if args.samples.shuffle_goals:
        raise InvalidInputError("--shuffle-goals is for gameenv-train")
    for name in ("epochs", "batch_size", "rank", "alpha", "save_steps"):
        if getattr(args, name) < 1:
            raise InvalidInputError(f"--{name.replace('_', '-')} is at least 1, got {getattr(args, name)}")
    if not args.learning_rate > 0:
        raise InvalidInputError(f"--learning-rate is above 0, got {args.learning_rate}")


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "python -m training.naming")


if __name__ == "__main__":
    main()
