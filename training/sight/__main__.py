"""``python -m training.sight``: a vision part that sees the built-in game, for ``python -m training.pretrain``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NoReturn

from gameenv.arena import tasks
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, UnknownNameError, require
from gameenv.files import write_atomically
from gameenv.frames import FrameSpec
from gameenv.home import PathText
from gameenv.processes import worker_pool
from gameenv.progress import Progress
from policies.bc import save_atomically
from policies.vlm import tiny
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker
from training.sight import SETTINGS_FILE, WEIGHTS_FILE
from training.sight.stream import Mix, make_shard
from training.sight.teacher import STATE_FILE, SightPlan, SightScores, SightTeacher
from training.vlm.run import prepare_libraries
from training.vlm.settings import VLMSettings

SUMMARY_FILE = "sight.json"


@dataclass(frozen=True, slots=True)
class Args:
    """Teach the vision part of a small Qwen3-VL what frames of the built-in game show: every thing, surface, distance.

    For example:
        python -m training.sight --frames 2000000 --out models/sight

    Frames are played on training levels while it learns; nothing is recorded. Killed, the same command goes on. The
    result is for python -m training.pretrain --vision models/sight.
    """

    out: PathText = "models/sight"
    """Where the vision part goes."""
    frames: int = 1_000_000
    """Frames to learn from; each that is played is used twice."""
    hidden: int = 128
    """Width of the text part that it is for."""
    vision_hidden: int = 128
    """Width of the vision part."""
    vision_layers: int = 4
    """Layers of the vision part, at least 2."""
    frame_size: tuple[int, int] = (160, 96)
    """Width and height the model sees; a token for every 32x32 pixels."""
    acts: tuple[str, ...] = ("go-to-lantern", "go-to-torch", "open-door")
    """Families whose actions it is shown, too. Of the others it sees the frames only."""
    batch_size: int = 64
    """Frames a step."""
    learning_rate: float = 1.5e-3
    """AdamW's peak, for what Muon does not take."""
    muon_learning_rate: float = 0.02
    """Muon's peak, for the matrices inside."""
    save_steps: int = 500
    """A kill loses at most so many steps."""
    workers: int = 1
    """Processes that play."""
    seed: int = 0
    """Of the weights and the order."""


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments or the folder cannot be used.
    """
    _check(args)
    prepare_libraries()
    require("torch", "train")
    require("vizdoom", "arena")
    out = Path(args.out)
    console = Console(stderr=True, soft_wrap=True)
    settings = {name: value for name, value in asdict(args).items() if name not in ("workers", "save_steps", "out")}
    began = out / SETTINGS_FILE
    if began.exists() and json.loads(began.read_text()) != json.loads(json.dumps(settings)):
        raise InvalidInputError(f"{out} holds a training with other settings; choose another --out or remove it")
    if (out / WEIGHTS_FILE).exists():
        console.print(f"{out} is finished already")
        return 0
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(began, json.dumps(settings).encode())
    spec = FrameSpec.of(args.frame_size)
    model = tiny.build_model(
        tiny.build_config(
            tiny.build_tokenizer(),
            hidden=args.hidden,
            vision_hidden=args.vision_hidden,
            vision_layers=args.vision_layers,
        ),
        args.seed,
    )
    speed_up_vision(model)
    visual = model.model.visual
    maker = InputMaker(tiny.build_tokenizer(), tiny.build_image_processor(), spec)
    plan = SightPlan(Mix(spec, args.acts), args.frames // args.batch_size, _vlm_settings(args), out, args.save_steps)
    teacher = SightTeacher(visual, maker, plan)
    with Progress(console) as progress, worker_pool(args.workers) as pool:
        work = progress.begin("seeing", "steps")
        work.total = teacher.steps

        def show(step: int, loss: float, scores: SightScores | None) -> None:
            work.update(step, text=f"loss {loss:.3f}")
            if scores is not None:
                progress.say(f"step {step:,} of {teacher.steps:,}: {describe(scores)}")

        scores = teacher.teach(pool, show)
        teacher.even_out(make_shard(0, plan.mix, held_out=True))
    summary = {"settings": settings, "scores": asdict(scores)}
    write_atomically(out / SUMMARY_FILE, json.dumps(summary, indent=1).encode())
    save_atomically(visual.state_dict(), out / WEIGHTS_FILE)
    (out / STATE_FILE).unlink(missing_ok=True)
    console.print(f"{describe(scores)}\nwritten to {out}")
    return 0


def describe(scores: SightScores) -> str:
    """The scores in one line."""
    return (
        f"surfaces {scores.surface:.1%}, distance off by a factor of {scores.distance:.2f}, things found "
        f"{scores.things:.1%} ({scores.false:.2f} false ones for each), first word {scores.first_word:.1%}"
    )


def _vlm_settings(args: Args) -> VLMSettings:
    return VLMSettings(
        base="sight",
        lora=None,
        epochs=1,
        batch_size=args.batch_size,
        accumulation=1,
        processes=1,
        learning_rate=args.learning_rate,
        warmup=0.02,
        weight_decay=0.0,
        frame_size=args.frame_size,
        four_bit=False,
        backend="trl",
        seed=args.seed,
        optimizer="muon",
        muon_learning_rate=args.muon_learning_rate,
    )


def _check(args: Args) -> None:
    for family in args.acts:
        if family not in tasks.TASKS:
            raise UnknownNameError("task", family, tasks.TASKS)
    if args.frames < args.batch_size or args.batch_size < 1:
        raise InvalidInputError("--frames is at least one --batch-size")
    if any(side % 32 for side in args.frame_size):
        raise InvalidInputError(f"--frame-size is in whole tokens of 32 pixels, got {args.frame_size}")


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "python -m training.sight")


if __name__ == "__main__":
    main()
