"""TRL's ``SFTTrainer``, set up for replies of seven words: our batches, our loss, checkpoints, best one kept.

Knows nothing of the command line, of files' formats, or of where samples come from.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameenv.errors import GameEnvError, require
from policies.vlm.by_unsloth import keep_logits
from policies.vlm.failures import out_of_memory
from training.step_report import StepReport
from training.vlm import checkpoints
from training.vlm.batches import Collator, Examples
from training.vlm.loss import WORD_LOSS, ReplyLoss, WordScores
from training.vlm.model import Learner, keep_float32
from training.vlm.muon import build_optimizer
from training.vlm.settings import VLMSettings
from training.vlm.watch import watch
from training.vlm.word_dropout import drop_words

_KEPT = 3  # checkpoints: the best, the newest, and the one before it
_CLIP_NORM = 1.0


@dataclass(frozen=True, slots=True)
class Conduct:
    """How a training is carried out; nothing here changes what comes out of it.

    Attributes:
        folder: Where ``checkpoints/`` goes.
        device: ``cuda:0``, ``mps``, ``cpu``.
        save_steps: At most so many steps are lost by a kill.
        evaluations: How often an epoch the held-out samples are scored.
        eval_samples: How many of them, spread evenly.
        workers: Processes that make batches; 0 makes them in between.
        gradient_checkpointing: Compute activations twice instead of keeping them.
        report_to: A tracker to report to, None for none.
        run_name: What the tracker calls it.
    """

    folder: Path
    device: str
    save_steps: int = 100
    evaluations: int = 2
    eval_samples: int = 1000
    workers: int = 0
    gradient_checkpointing: bool = True
    report_to: str | None = None
    run_name: str | None = None

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / checkpoints.FOLDER


@dataclass(frozen=True, slots=True)
class FittedVLM:
    """What a training came to.

    Attributes:
        best_step: The step whose weights the model now has.
        steps: Steps in all.
        word_loss: Held-out cross-entropy a word at the best step, the words before it given, nats.
        training_curve: (step, loss a token as trained).
        validation_curve: (step, the same on held-out samples, loss a word).
        scored: The held-out examples that were scored, by number.
        resumed_from: The step a checkpoint had behind it, 0 for none.
        seconds: This run's time.
        samples_per_s: This run's speed.
        peak_memory: Most bytes of GPU memory in use, None without a GPU.
    """

    best_step: int
    steps: int
    word_loss: float
    training_curve: tuple[tuple[int, float], ...]
    validation_curve: tuple[tuple[int, float, float], ...]
    scored: tuple[int, ...]
    resumed_from: int
    seconds: float
    samples_per_s: float
    peak_memory: int | None


def fit(
    learner: Learner,
    examples: Examples,
    settings: VLMSettings,
    conduct: Conduct,
    *,
    checkpoint: Path | None = None,
    on_progress: Callable[[StepReport], object] = lambda point: None,
) -> FittedVLM:
    """Train to the end and leave the best weights in the model.

    Args:
        learner: What is trained, in place.
        examples: On what, and what is held out.
        settings: What decides the outcome.
        conduct: How it is carried out.
        checkpoint: Where to go on from.
        on_progress: Called after every step, and after every evaluation.

    Raises:
        GameEnvError: If memory does not suffice; says what to lower.
        InvalidInputError: If a frame cannot be read.
    """
    scored = _spread(examples, conduct.eval_samples)
    trainer = build_trainer(learner, examples, scored, settings, conduct)
    watcher = watch(trainer, settings.samples_a_step, on_progress)
    started = time.perf_counter()
    logging: Any = require("transformers.utils.logging", "vlm")
    logging.disable_progress_bar()  # one for every checkpoint
    try:
        trainer.train(resume_from_checkpoint=None if checkpoint is None else str(checkpoint))
    except (MemoryError, RuntimeError) as error:
        said = out_of_memory(error)
        if said is None:
            raise
        raise GameEnvError(f"memory is full ({said}). {what_to_lower(settings, conduct)}") from error
    finally:
        logging.enable_progress_bar()
    seconds = time.perf_counter() - started
    state = trainer.state
    log = state.log_history
    held_out = tuple((e["step"], e["eval_loss"], e[f"eval_{WORD_LOSS}"]) for e in log if "eval_loss" in e)
    at_hand = [point for point in held_out if _has_weights(conduct, state.global_step, point[0])]
    best_step, _, word_loss = min(at_hand, key=lambda point: point[2])
    if best_step != state.global_step:
        _load_weights(learner.model, conduct.checkpoints / f"checkpoint-{best_step}")
    resumed_from = 0 if checkpoint is None else checkpoints.step_of(checkpoint)
    return FittedVLM(
        best_step=best_step,
        steps=state.max_steps,
        word_loss=word_loss,
        training_curve=tuple((entry["step"], entry["loss"]) for entry in log if "loss" in entry),
        validation_curve=held_out,
        scored=tuple(scored),
        resumed_from=resumed_from,
        seconds=seconds,
        samples_per_s=watcher.samples_per_s,
        peak_memory=watcher.peak_memory,
    )


def build_trainer(
    learner: Learner, examples: Examples, scored: list[int], settings: VLMSettings, conduct: Conduct
) -> Any:
    """The trainer with everything in it, not started.

    Args:
        learner, examples, settings, conduct: As for ``fit``.
        scored: Held-out examples to score, by number.
    """
    torch: Any = require("torch", "train")
    trl: Any = require("trl", "train")
    transformers: Any = require("transformers", "vlm")
    cuda = conduct.device.startswith("cuda")
    bf16 = cuda and torch.cuda.is_bf16_supported()
    steps_an_epoch = math.ceil(examples.training / settings.samples_a_step)
    save_steps, eval_steps = _strides(steps_an_epoch, conduct)
    arguments = trl.SFTConfig(
        output_dir=str(conduct.checkpoints),
        num_train_epochs=settings.epochs,
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=2 * settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup,
        weight_decay=settings.weight_decay,
        max_grad_norm=_CLIP_NORM,
        optim="adamw_torch",
        seed=settings.seed,
        data_seed=settings.seed,
        bf16=bf16,
        fp16=cuda and not bf16,
        use_cpu=conduct.device == "cpu",
        gradient_checkpointing=conduct.gradient_checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False},
        ddp_find_unused_parameters=False,
        loss_type="nll",
        max_length=None,
        dataset_kwargs={"skip_prepare_dataset": True},
        remove_unused_columns=False,
        label_names=["labels"],
        dataloader_num_workers=conduct.workers,
        dataloader_pin_memory=cuda,
        logging_steps=max(1, min(10, steps_an_epoch // 10)),
        eval_strategy="steps",
        eval_steps=eval_steps,
        save_strategy="steps",
        save_steps=save_steps,
        save_total_limit=_KEPT,
        metric_for_best_model=WORD_LOSS,
        greater_is_better=False,
        report_to=conduct.report_to or "none",
        run_name=conduct.run_name,
        disable_tqdm=True,
    )
    if arguments.device.type == "cuda" and settings.processes == 1:
        arguments._n_gpu = 1  # or one process would be spread over all GPUs, with as many times the batch
    tokens = learner.maker.reply
    scores = WordScores(tokens)
    trainer = trl.SFTTrainer(
        model=learner.model,
        args=arguments,
        data_collator=Collator(learner.maker, examples, settings.target),
        train_dataset=examples.dataset(range(examples.training)),
        eval_dataset=examples.dataset(scored),
        processing_class=learner.maker.tokenizer,
        compute_loss_func=ReplyLoss(tokens, settings.repeat_weight, settings.prefix_dropout),
        preprocess_logits_for_metrics=scores.reduce,
        compute_metrics=scores.metrics,
    )
    if settings.word_dropout:
        drop_words(trainer.model, tokens, settings.word_dropout)
    keep_float32(trainer.model)
    if settings.optimizer == "muon":
        trainer.optimizer = build_optimizer(trainer.model, settings)
    trainer.remove_callback(transformers.PrinterCallback)
    keep_logits(trainer)
    return trainer


def _spread(examples: Examples, count: int) -> list[int]:
    """At most ``count`` held-out examples, evenly spread."""
    held_out = range(examples.training, len(examples.goals))
    if len(held_out) <= count:
        return list(held_out)
    return [held_out[place * len(held_out) // count] for place in range(count)]


def _strides(steps_an_epoch: int, conduct: Conduct) -> tuple[int, int]:
    """Steps between checkpoints and between evaluations, so that there is a checkpoint at every evaluation."""
    eval_steps = max(1, round(steps_an_epoch / conduct.evaluations))
    parts = math.ceil(eval_steps / conduct.save_steps)
    save_steps = math.ceil(eval_steps / parts)
    return save_steps, save_steps * parts


def _has_weights(conduct: Conduct, last: int, step: int) -> bool:
    """Whether a step's weights are there: in the model, or in a checkpoint that was not deleted or left elsewhere."""
    return step == last or (conduct.checkpoints / f"checkpoint-{step}").is_dir()


def _load_weights(model: Any, checkpoint: Path) -> None:
    safetensors: Any = require("safetensors.torch", "train")
    adapter = checkpoint / "adapter_model.safetensors"
    if adapter.is_file():
        peft: Any = require("peft", "vlm")
        peft.set_peft_model_state_dict(model, safetensors.load_file(str(adapter)))
    else:
        model.load_state_dict(safetensors.load_file(str(checkpoint / "model.safetensors")), strict=False)


def what_to_lower(settings: VLMSettings, conduct: Conduct) -> str:
    """How this training would need less memory, the cheapest first."""
    hints = []
    if settings.batch_size > 1:
        half = settings.batch_size // 2
        again = settings.accumulation * settings.batch_size // half
        hints.append(f"--batch-size {half} --accumulation {again} (the same step in smaller parts)")
    if not conduct.gradient_checkpointing:
        hints.append("--gradient-checkpointing True")
    if not settings.four_bit and settings.lora is not None:
        hints.append("--four-bit True")
    if settings.lora is not None and settings.lora.vision:
        hints.append("--no-lora-vision")
    width, height = settings.frame_size
    hints.append(f"--frame-size {width // 2 // 32 * 32} {height // 2 // 32 * 32} (a quarter of the image tokens)")
    return f"Close other programs, or try, in this order: {'; '.join(hints)}. gameenv-doctor says what is here."
