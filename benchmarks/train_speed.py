"""Training speed and memory: this project's trainer beside the plain recipe, on the same model and the same frames.

The plain recipe is TRL's ``SFTTrainer`` as its documentation has it: the stock processor (which needs torchvision), its
own collator and its own loss. Ours is what ``gameenv-train`` builds. Both tune the same random weights by the same LoRA
with the same batch, accumulation and gradient checkpointing. On a CPU a third side is ours as ``gameenv-train`` sets
it up there: the step's samples in one batch and no checkpointing, which gives the same step. Each side runs in
processes of its own, the sides take turns, and ratios are of medians. The first steps warm up and do not count.

Needs an environment with torchvision, which the CPU build of torch that the tests use does not go with:

    python3 -m venv trainers
    trainers/bin/pip install "torch==2.12.*" torchvision "transformers==5.17.0" "trl==1.14.2" "peft==0.21.*" \\
        "datasets<5" accelerate bitsandbytes matplotlib gymnasium rich tyro
    PYTHONPATH=$PWD trainers/bin/python benchmarks/train_speed.py

With a GPU (this part has never been run): Qwen3-VL-8B's own sizes with random weights, 4-bit, the specification's
configuration; hours are for its 36,000 samples x 3 epochs.

    PYTHONPATH=$PWD trainers/bin/python benchmarks/train_speed.py --sizes 8b --four-bit --dtype bfloat16 --device cuda
"""

import importlib
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
import tyro

from benchmarks.decode import Args as ModelArgs
from benchmarks.decode import build
from gameenv.actions import ACTIONS, ActionChunk
from gameenv.frames import FrameSpec, encode_jpeg
from labeling import Sample, to_hf_dataset
from policies.vlm import tiny
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker
from training.vlm.batches import Examples, FrameFiles
from training.vlm.model import Learner, begin
from training.vlm.settings import Lora, VLMSettings
from training.vlm.trainer import Conduct, build_trainer

Side = Literal["plain", "ours", "ours, CPU defaults"]
SPEC_SAMPLES = 36_000 * 3
GOALS = ("Go to the lantern", "Climb the stairs", "Open the door")


@dataclass(frozen=True, slots=True)
class Args:
    """Measure training."""

    sizes: tuple[Literal["tiny", "half", "8b"], ...] = ("tiny",)
    """Models with random weights: tiny (2 M parameters), half (0.5 B), 8b (Qwen3-VL-8B's own sizes)."""
    frame_size: tuple[int, int] = (512, 288)
    """Of the frames on disk and in the model: 144 image tokens."""
    rounds: int = 3
    """Processes a side."""
    steps: int = 6
    """Steps that count in each."""
    batch_size: int = 2
    """Samples in a forward pass."""
    accumulation: int = 4
    """Forward passes a step."""
    gradient_checkpointing: bool = True
    """As in the specification."""
    dtype: Literal["float32", "bfloat16"] = "float32"
    """Number format of the weights."""
    four_bit: bool = False
    """Put the text part's linear layers into 4 bits (nf4)."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where to run."""
    side: Side | None = None
    """Run only this side, once, and print what it measured as JSON."""


WARM_UP = 2


def main(args: Args) -> None:
    """Print a table a size; or, for one side, its measurement."""
    if args.side is not None:
        print(json.dumps(measure(args.side, args)))
        return
    print(f"torch {torch.__version__}, {args.device}, {torch.get_num_threads()} threads, batch {args.batch_size} x "
          f"{args.accumulation}, frames {args.frame_size[0]}x{args.frame_size[1]}")  # fmt: skip
    for size in args.sizes:
        sides: list[Side] = ["plain", "ours", *(["ours, CPU defaults"] if args.device == "cpu" else [])]
        found: dict[Side, list[dict[str, float]]] = {side: [] for side in sides}
        for number in range(args.rounds):
            for side in sides[:: -1 if number % 2 else 1]:
                found[side].append(in_process(side, size, args))
        print(f"\n{size}: {found['ours'][0]['trained'] / 1e6:,.2f} M weights trained")
        print(f"{'':20}{'samples/s':>11}{'(each round)':>30}{'peak GiB':>10}{'hours for the spec':>20}{'ratio':>7}")
        speed = {side: statistics.median(each["samples_per_s"] for each in rows) for side, rows in found.items()}
        for side, rows in found.items():
            each = " ".join(f"{row['samples_per_s']:.2f}" for row in rows)
            peak = max(row["peak_bytes"] for row in rows) / 2**30
            hours = SPEC_SAMPLES / speed[side] / 3600
            print(f"{side:20}{speed[side]:11.2f}{each:>30}{peak:10.2f}{hours:20.1f}{speed[side] / speed['plain']:7.2f}")


def in_process(side: Side, size: str, args: Args) -> dict[str, float]:
    """Measure one side in a process of its own."""
    if side == "ours, CPU defaults":
        whole = args.batch_size * args.accumulation
        args = replace(args, batch_size=whole, accumulation=1, gradient_checkpointing=False)
    words = ["--side", side, "--sizes", size, "--frame-size", *map(str, args.frame_size), "--steps", str(args.steps)]
    words += ["--batch-size", str(args.batch_size), "--accumulation", str(args.accumulation), "--dtype", args.dtype]
    words += ["--device", args.device, "--four-bit" if args.four_bit else "--no-four-bit"]
    words += ["--gradient-checkpointing" if args.gradient_checkpointing else "--no-gradient-checkpointing"]
    done = subprocess.run([sys.executable, __file__, *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    return json.loads(done.stdout.splitlines()[-1])


def measure(side: Side, args: Args) -> dict[str, float]:
    """Train for a few steps and time them."""
    tokenizer = tiny.build_tokenizer(GOALS)
    model_args = ModelArgs(dtype=args.dtype, four_bit=args.four_bit, device=args.device)
    model = build(args.sizes[0], tokenizer, model_args)
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as scratch:
        count = args.batch_size * args.accumulation * (WARM_UP + args.steps)
        samples = make_samples(Path(scratch), count, args.frame_size)
        make = build_plain if side == "plain" else build_ours
        trainer = make(model, tokenizer, samples, args, Path(scratch))
        times: list[float] = []
        trainer.add_callback(stopwatch(times))
        trainer.train()
    per_step = (times[-1] - times[WARM_UP - 1]) / args.steps
    cuda = args.device == "cuda"
    peak = torch.cuda.max_memory_allocated() if cuda else resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return {
        "samples_per_s": args.batch_size * args.accumulation / per_step,
        "peak_bytes": peak,
        "trained": sum(each.numel() for each in trainer.model.parameters() if each.requires_grad),
    }


def make_samples(folder: Path, count: int, size: tuple[int, int]) -> list[Sample]:
    """Frames with edges and shades, as JPEG files, with random chunks."""
    rng = np.random.default_rng(0)
    width, height = size
    samples = []
    for number in range(count):
        coarse = rng.integers(0, 256, (height // 16, width // 16, 3), np.uint8)
        path = folder / f"{number:05d}.jpg"
        path.write_bytes(encode_jpeg(coarse.repeat(16, 0).repeat(16, 1)))
        chunk = ActionChunk.of([ACTIONS[word] for word in rng.integers(0, 12, 7)])
        goal = GOALS[number % len(GOALS)]
        samples.append(Sample(path, goal, chunk, "s", 0, number, 0, None, None, None, False, "s"))
    return samples


def build_ours(model: Any, tokenizer: Any, samples: list[Sample], args: Args, scratch: Path) -> Any:
    """What ``gameenv-train`` builds."""
    speed_up_vision(model)
    maker = InputMaker(tokenizer, tiny.build_image_processor(), FrameSpec(*args.frame_size))
    files = FrameFiles([sample.image for sample in samples])
    goals, chunks = [sample.goal for sample in samples], [sample.chunk for sample in samples]
    examples = Examples(files, goals, chunks, len(samples))
    settings = VLMSettings(
        base="random",
        lora=Lora(),
        epochs=1,
        batch_size=args.batch_size,
        accumulation=args.accumulation,
        processes=1,
        learning_rate=2e-4,
        warmup=0.0,
        weight_decay=0.0,
        frame_size=args.frame_size,
        four_bit=args.four_bit,
        backend="trl",
        seed=0,
    )
    conduct = Conduct(scratch, args.device, save_steps=10_000, gradient_checkpointing=args.gradient_checkpointing)
    trainer = build_trainer(Learner(begin(model, Lora()), maker, None), examples, [0], settings, conduct)
    return quiet(trainer)


def build_plain(model: Any, tokenizer: Any, samples: list[Sample], args: Args, scratch: Path) -> Any:
    """SFTTrainer with the stock processor, collator and loss."""
    trl, transformers = importlib.import_module("trl"), importlib.import_module("transformers")
    stock = tiny.build_image_processor()
    sizes = {"patch_size": 16, "temporal_patch_size": 2, "merge_size": 2, "size": dict(stock.size)}
    means = {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]}
    processor = transformers.Qwen3VLProcessor(
        image_processor=transformers.Qwen2VLImageProcessor(**sizes, **means),
        tokenizer=tokenizer,
        video_processor=transformers.Qwen3VLVideoProcessor(),
        chat_template=tokenizer.chat_template,
    )
    arguments = trl.SFTConfig(
        output_dir=str(scratch / "plain"),
        per_device_train_batch_size=args.batch_size,
        gradient_accumulation_steps=args.accumulation,
        gradient_checkpointing=args.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        num_train_epochs=1,
        learning_rate=2e-4,
        bf16=args.device == "cuda",
        use_cpu=args.device == "cpu",
        max_length=None,
        report_to="none",
    )
    adapted = begin(model, Lora())
    trainer = trl.SFTTrainer(
        model=adapted, args=arguments, train_dataset=to_hf_dataset(samples), processing_class=processor
    )
    return quiet(trainer)


def quiet(trainer: Any) -> Any:
    """Neither evaluation nor checkpoints nor logs: those are not what is compared."""
    trainer.args.eval_strategy = trainer.args.save_strategy = trainer.args.logging_strategy = "no"
    trainer.args.disable_tqdm = True
    return trainer


def stopwatch(times: list[float]) -> Any:
    """A callback that notes when each step ended."""
    transformers = importlib.import_module("transformers")

    class Stopwatch(transformers.TrainerCallback):
        def on_step_end(self, *_: Any, **__: Any) -> None:
            if torch.cuda.is_available():
                torch.cuda.synchronize()
            times.append(time.perf_counter())

    return Stopwatch()


if __name__ == "__main__":
    main(tyro.cli(Args))
