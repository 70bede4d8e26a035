"""The model that is trained: a published one with a fresh LoRA adapter, put on by PEFT or by Unsloth.

Knows nothing of data or of how it is trained.
"""

import importlib.util
import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError, require
from gameenv.frames import FrameSpec
from policies.options import ModelOptions
from policies.vlm.by_unsloth import ask_for_logits, import_unsloth
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker
from policies.vlm.loading import (
    ADAPTER_FILE,
    Source,
    adapt,
    check_type,
    clear_errors,
    find_source,
    load_maker,
    load_weights,
    pick_device,
    pick_dtype,
    put_on,
)
from training.vlm.settings import Backend, Lora

TEXT_LAYERS = r".*language_model\.layers\.\d+\.(self_attn\.[qkvo]_proj|mlp\.(gate|up|down)_proj)"
VISION_LAYERS = (
    r".*visual\.(blocks\.\d+\.(attn\.(qkv|proj)|mlp\.linear_fc[12])|(merger|deepstack_merger_list\.\d+)\.linear_fc[12])"
)
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Learner:
    """A model to train with all it takes.

    Attributes:
        model: With its adapter, if it has one.
        maker: Makes its inputs.
        base: What is tuned; None for a model made from nothing.
    """

    model: Any
    maker: InputMaker
    base: str | None


def pick_backend(wanted: str, device: str) -> Backend:
    """The library that loads the base and puts the adapter on; ``auto`` is unsloth where it is of use.

    Raises:
        MissingExtraError: If unsloth is asked for and not installed.
        InvalidInputError: If unsloth is asked for and there is no GPU.
    """
    if wanted == "unsloth" and not device.startswith("cuda"):
        raise InvalidInputError("unsloth needs an NVIDIA GPU, and torch sees none here; use --backend trl")
    if wanted == "unsloth" or (
        wanted == "auto" and device.startswith("cuda") and importlib.util.find_spec("unsloth") is not None
    ):
        import_unsloth()
        return "unsloth"
    return "trl"


def find_base(spec: str) -> Source:
    """Find a model to put an adapter on.

    Raises:
        InvalidInputError: If it is an adapter itself, or a folder without a model.
    """
    if (Path(spec) / ADAPTER_FILE).is_file():
        raise InvalidInputError(
            f"{spec} is an adapter, and an adapter goes onto a whole model: write one with gameenv-train --merge and "
            "name that, or name what it was trained on"
        )
    return find_source(spec)


def find_init(spec: str) -> tuple[Source, Lora]:
    """Find an adapter to go on from, and what it is.

    Raises:
        InvalidInputError: If there is none.
    """
    source = find_source(spec)
    if source.adapter is None:
        raise InvalidInputError(
            f"--init goes on from an adapter that gameenv-train wrote, and {spec} is none; a whole model is for --base"
        )
    config = require("peft", "vlm").LoraConfig.from_pretrained(source.adapter)
    vision = "visual" in str(config.target_modules)
    return source, Lora(config.r, config.lora_alpha, config.lora_dropout, vision)


def load_learner(
    source: Source, frame: FrameSpec, lora: Lora, *, backend: Backend, device: str, four_bit: bool, seed: int
) -> Learner:
    """Load a base and put an adapter on it: the source's own to go on from, or else a fresh one.

    Args:
        source: What ``find_base`` or ``find_init`` found.
        frame: What every frame is brought to.
        lora: The adapter.
        backend: See ``pick_backend``.
        device: Where to.
        four_bit: Load the base's weights in 4 bits.
        seed: Of the adapter's weights.

    Raises:
        InvalidInputError: If it is no Qwen3-VL or its files are damaged.
        GameEnvError: If it is neither here nor can be fetched, or does not fit into memory; says what to do.
    """
    torch: Any = require("torch", "train")
    transformers: Any = require("transformers", "vlm")
    with clear_errors(source):
        check_type(source)
        maker = load_maker(source)
        maker.frame = frame
        dtype = pick_dtype(torch, "auto", device)
        transformers.set_seed(seed)
        if backend == "unsloth":
            model = _by_unsloth(source, lora, device=device, dtype=dtype, four_bit=four_bit, seed=seed)
        else:
            whole = load_weights(source, device, dtype, four_bit)
            speed_up_vision(whole)  # as for playing
            model = begin(whole, lora) if source.adapter is None else adapt(whole, source, trainable=True)
    return Learner(model, maker, source.base)


def begin(model: Any, lora: Lora) -> Any:
    """Put a fresh adapter on a model."""
    peft: Any = require("peft", "vlm")
    layers = f"{TEXT_LAYERS}|{VISION_LAYERS}" if lora.vision else TEXT_LAYERS
    config = peft.LoraConfig(
        r=lora.rank, lora_alpha=lora.alpha, lora_dropout=lora.dropout, target_modules=layers, task_type="CAUSAL_LM"
    )
    return peft.get_peft_model(model, config)


def _by_unsloth(source: Source, lora: Lora, *, device: str, dtype: Any, four_bit: bool, seed: int) -> Any:
    loader = import_unsloth().FastVisionModel
    model, _ = loader.from_pretrained(
        source.base, dtype=dtype, load_in_4bit=four_bit, device_map={"": device}, use_gradient_checkpointing="unsloth"
    )
    model = loader.get_peft_model(
        model,
        r=lora.rank,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        finetune_vision_layers=lora.vision,
        finetune_language_layers=True,
        finetune_attention_modules=True,
        finetune_mlp_modules=True,
        bias="none",
        random_state=seed,
    )
    model = loader.for_training(model)
    ask_for_logits()  # which that takes back
    return model


def keep_float32(model: Any) -> None:
    """Bring what is trained to float32: steps as small as a fine-tuning's are lost in bfloat16's eight bits."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def ready_to_play(model: Any, backend: Backend) -> Any:
    """The trained model as a policy takes it, its adapter beside the weights."""
    if backend == "unsloth":
        model = import_unsloth().FastVisionModel.for_inference(model)
    else:
        model.gradient_checkpointing_disable()
    model.eval()
    return model.get_base_model() if hasattr(model, "get_base_model") else model


def merge(folder: Path, target: Path) -> None:
    """Write an adapter's base with the adapter merged into its weights, as a folder of its own.

    A 4-bit base is brought back to whole numbers first: merging into four bits would round most of the adapter away.

    Raises:
        InvalidInputError: If ``folder`` holds no adapter, or it does not fit its base.
        GameEnvError: If memory does not suffice.
    """
    torch: Any = require("torch", "train")
    source = find_source(str(folder))
    if source.adapter is None:
        raise InvalidInputError(f"{folder} holds a whole model, not an adapter: there is nothing to merge")
    device = pick_device(torch, None)
    with clear_errors(source):
        model = load_weights(source, device, pick_dtype(torch, ModelOptions().dtype, device), four_bit=False)
        quantized = bool(getattr(model, "is_quantized", False))
        if quantized:
            model = model.dequantize()
        merged = put_on(model, source, merge=True)
        maker = load_maker(source)
    # The conversions that a 4-bit model was loaded with cannot be turned back, nor are they wanted.
    merged.save_pretrained(target, save_original_format=not quantized)
    maker.tokenizer.save_pretrained(target)
    maker.image_processor.save_pretrained(target)
    if source.card is not None:
        source.card.save(target)
