"""From a folder or a hub id to a ``VLMPolicy``: base, base with a LoRA adapter, or merged; any precision, any device.

Knows nothing of how it decodes.
"""

import contextlib
import importlib.util
import json
import logging
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from gameenv.errors import GameEnvError, InvalidInputError, require
from policies.card import CARD_FILE, ModelCard
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.prompt import PROMPT_VERSION
from policies.vlm.by_unsloth import import_unsloth
from policies.vlm.failures import one_line, out_of_memory
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.hub import check_at_hand
from policies.vlm.inputs import InputMaker
from policies.vlm.policy import VLMPolicy

KIND = "vlm"
ADAPTER_FILE = "adapter_config.json"
ADAPTER_WEIGHTS = ("adapter_model.safetensors", "adapter_model.bin")
CONFIG_FILE = "config.json"
TOKENIZER_FILES = ("tokenizer.json", "vocab.json")
MODEL_TYPE = "qwen3_vl"
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a model comes from.

    Attributes:
        base: Folder or hub id of the whole model.
        adapter: Folder or hub id of the LoRA adapter to put on it, if any.
        card: What it was trained on, if this project trained it.
    """

    base: str
    adapter: str | None
    card: ModelCard | None

    @property
    def beside(self) -> str:
        """Where its tokenizer is."""
        adapter = Path(self.adapter or "")
        return str(adapter) if self.adapter and (adapter / "tokenizer_config.json").is_file() else self.base


def find_source(spec: str) -> Source:
    """Look at a folder, or take ``spec`` as a hub id.

    Raises:
        InvalidInputError: If the folder has no model in it, or its adapter does not name its base.
    """
    folder = Path(spec)
    if not folder.is_dir():
        return Source(spec, None, None)
    card = ModelCard.load(folder) if (folder / CARD_FILE).is_file() else None
    if card is not None and card.prompt_version != PROMPT_VERSION:
        raise InvalidInputError(
            f"{folder} was trained with prompt version {card.prompt_version}, this version asks with {PROMPT_VERSION}; "
            "train it again, or use the version that trained it"
        )
    if (folder / ADAPTER_FILE).is_file():
        return Source(_base_of(folder, card), str(folder), card)
    if not (folder / CONFIG_FILE).is_file():
        raise InvalidInputError(
            f"{folder} has neither {CONFIG_FILE} (a whole model) nor {ADAPTER_FILE} (a LoRA adapter); if its training "
            "did not finish, run gameenv-train again"
        )
    return Source(str(folder), None, card)


def _base_of(folder: Path, card: ModelCard | None) -> str:
    base = _read_json(folder / ADAPTER_FILE).get("base_model_name_or_path") or (card and card.base_model)
    if not isinstance(base, str) or not base:
        raise InvalidInputError(f"{folder / ADAPTER_FILE} does not name the model it belongs to; train it again")
    beside = folder / base
    return str(beside) if not Path(base).is_absolute() and not Path(base).is_dir() and beside.is_dir() else base


def load_vlm(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> VLMPolicy:
    """Load a Qwen3-VL as a policy.

    Args:
        spec: A folder with a model or an adapter, or a hub id.
        options: How to run it.

    Raises:
        InvalidInputError: If it is no Qwen3-VL, its files are damaged, or adapter and base do not belong together.
        GameEnvError: If the weights are not on this machine and cannot be fetched, or memory does not suffice; says
            what to do.
        MissingExtraError: If an optional package is missing.
    """
    source = find_source(spec)
    torch: Any = require("torch", "vlm")
    device = pick_device(torch, options.device)
    unsloth = _find_unsloth(options, device)  # before transformers, which it changes when it is imported
    require("transformers", "vlm")
    with clear_errors(source):
        check_type(source)
        maker = load_maker(source)
        dtype = pick_dtype(torch, options.dtype, device)
        load = load_weights if unsloth is None else partial(_load_by_unsloth, unsloth)
        log.info("loading %s on %s (%s)", source.base, device, "4-bit" if options.four_bit else dtype)
        model = load(source, device, dtype, options.four_bit)
        if source.adapter is not None:
            model = put_on(model, source, merge=not getattr(model, "is_quantized", False))
        if unsloth is None:
            speed_up_vision(model)
        model.eval()
    policy = VLMPolicy(model, maker, source.card, temperature=options.temperature, declare_at=options.declare_at)
    if unsloth is not None and not policy.answers_whatever_the_draft():
        log.warning("as unsloth loads it, this model's answers depend on the draft; use --backend transformers")
    return policy


def _find_unsloth(options: ModelOptions, device: str) -> Any | None:
    """Unsloth, if it is to load the weights."""
    if options.backend == "unsloth" or (
        options.backend == "auto" and device.startswith("cuda") and importlib.util.find_spec("unsloth") is not None
    ):
        return import_unsloth()
    return None


def pick_device(torch: Any, wanted: str | None) -> str:
    """The device to run on.

    Raises:
        InvalidInputError: If the one wanted is not there.
    """
    if wanted is None:
        return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        torch.empty(1, device=wanted)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        line = str(error).splitlines()[0]
        raise InvalidInputError(
            f"device {wanted!r} cannot be used here ({line}); gameenv-doctor says what this machine has"
        ) from error
    return wanted


def pick_dtype(torch: Any, wanted: str, device: str) -> Any:
    """The number format of the weights."""
    if wanted != "auto":
        return getattr(torch, wanted)
    if device == "cpu":
        return torch.float32
    return torch.float16 if device.startswith("cuda") and not torch.cuda.is_bf16_supported() else torch.bfloat16


def load_maker(source: Source) -> InputMaker:
    """The tokenizer and the image processor of a model, which need no torchvision in this form."""
    transformers: Any = require("transformers", "vlm")
    images: Any = require("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl", "vlm")
    beside = Path(source.beside)
    if beside.is_dir() and not any((beside / name).is_file() for name in TOKENIZER_FILES):
        raise InvalidInputError(
            f"{beside} has no {TOKENIZER_FILES[0]}; copy the tokenizer's files of the model it was made from into it"
        )
    tokenizer = transformers.AutoTokenizer.from_pretrained(source.beside)
    processor = images.Qwen2VLImageProcessorPil.from_pretrained(source.base)
    maker = InputMaker(tokenizer, processor, source.card.seen if source.card else None)
    if maker.thinks:
        log.warning(
            "%s is a thinking model: its thought is closed before it begins, in training and in play, and it answers "
            "at once. To let it think, serve it and play its address with --think",
            source.base,
        )
    return maker


def check_type(source: Source) -> None:
    """Look into a model's configuration.

    Raises:
        InvalidInputError: If it is no Qwen3-VL.
        OSError: If it is neither here nor can be fetched.
    """
    check_at_hand(source.base)
    transformers: Any = require("transformers", "vlm")
    kind = transformers.AutoConfig.from_pretrained(source.base).model_type
    if kind != MODEL_TYPE:
        raise InvalidInputError(
            f"{source.base} is a {kind!r} model; this policy plays Qwen3-VL ({MODEL_TYPE}) models, such as "
            "Qwen/Qwen3-VL-8B-Instruct. Others can be served and played through their address: http://host:port/v1"
        )


def load_weights(source: Source, device: str, dtype: Any, four_bit: bool) -> Any:
    """Load the base of ``source`` by transformers, without its adapter.

    Raises:
        InvalidInputError: If the weights do not fill the configuration.
        MissingExtraError: If bitsandbytes is needed and not installed.
    """
    transformers: Any = require("transformers", "vlm")
    arguments: dict[str, Any] = {"dtype": dtype, "attn_implementation": "sdpa"}
    if four_bit:
        require("bitsandbytes", "vlm")
        arguments["quantization_config"] = transformers.BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
            llm_int8_skip_modules=["lm_head", "visual"],
        )
    model, report = transformers.Qwen3VLForConditionalGeneration.from_pretrained(
        source.base, device_map={"": device}, output_loading_info=True, **arguments
    )
    if report["missing_keys"] or report["mismatched_keys"]:
        wrong = sorted([*map(str, report["missing_keys"]), *map(str, report["mismatched_keys"])])
        raise InvalidInputError(
            f"the weights in {source.base} do not fill its {CONFIG_FILE}: {len(wrong)} are missing or of another "
            f"shape, {wrong[0]} first; fetch or save the model again"
        )
    return model


def _load_by_unsloth(unsloth: Any, source: Source, device: str, dtype: Any, four_bit: bool) -> Any:
    loader = unsloth.FastVisionModel
    model, _ = loader.from_pretrained(
        source.base, dtype=dtype, load_in_4bit=four_bit, device_map={"": device}, use_gradient_checkpointing=False
    )
    return loader.for_inference(model)


def put_on(model: Any, source: Source, *, merge: bool) -> Any:
    """Put the adapter of ``source`` on its base: merged into the weights, or beside them.

    Raises:
        InvalidInputError: If the adapter is not whole or does not fit the base.
    """
    adapted = adapt(model, source)
    # Merged weights answer faster; 4-bit ones would lose by it and keep their adapter beside them.
    return adapted.merge_and_unload() if merge else adapted.get_base_model()


def adapt(model: Any, source: Source, *, trainable: bool = False) -> Any:
    """The model with the adapter of ``source`` on it, as PEFT has it.

    Raises:
        InvalidInputError: If the adapter is not whole or does not fit the base.
    """
    peft: Any = require("peft", "vlm")
    safetensors: Any = require("safetensors", "vlm")
    if not any((Path(source.adapter or "") / name).is_file() for name in ADAPTER_WEIGHTS):
        raise InvalidInputError(
            f"{source.adapter} has no {ADAPTER_WEIGHTS[0]}; if its training did not finish, run gameenv-train again"
        )
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", "Found missing adapter keys")  # an error below
            adapted = peft.PeftModel.from_pretrained(model, source.adapter, is_trainable=trainable)
        # Read once more, only for what it says: weights of layers that the base lacks are otherwise left out silently.
        placed = adapted.load_adapter(source.adapter, adapted.active_adapter, is_trainable=trainable)
    except safetensors.SafetensorError as error:
        raise InvalidInputError(
            f"the weights of the adapter {source.adapter} are damaged ({error}); copy them again, or train it again"
        ) from error
    except (RuntimeError, ValueError, KeyError) as error:
        if out_of_memory(error):
            raise
        raise _misfit(source, one_line(error)) from error
    if placed.missing_keys or placed.unexpected_keys:
        first = (placed.missing_keys or placed.unexpected_keys)[0]
        raise _misfit(
            source,
            f"{len(placed.missing_keys)} of its weights are missing and {len(placed.unexpected_keys)} have no place, "
            f"{first} first",
        )
    return adapted


def _misfit(source: Source, why: str) -> InvalidInputError:
    return InvalidInputError(
        f"the adapter {source.adapter} does not fit {source.base} ({why}). It was trained on another model; name that "
        f"one as base_model_name_or_path in its {ADAPTER_FILE}"
    )


@contextlib.contextmanager
def clear_errors(source: Source) -> Iterator[None]:
    """Say what to do about what the libraries raise while a model is loaded."""
    safetensors: Any = require("safetensors", "vlm")
    try:
        yield
    except GameEnvError:
        raise
    except safetensors.SafetensorError as error:
        raise InvalidInputError(
            f"a weights file of {source.base} is damaged ({error}); fetch or save it again"
        ) from error
    except Exception as error:  # the libraries raise many kinds on a damaged folder
        if said := out_of_memory(error):
            raise GameEnvError(
                f"{source.base} does not fit into memory ({said}). Load it with --four-bit (an 8B model: about 8 GB "
                "instead of 18, or of 36 in float32, a CPU's default), close other programs, or take a smaller model"
            ) from error
        said = f"{type(error).__name__}: {error}"
        if Path(source.base).is_dir():
            raise InvalidInputError(f"cannot load {source.base} ({said}); fetch or save it again") from error
        if not isinstance(error, OSError | ValueError):
            raise
        free_gb = shutil.disk_usage(Path.home()).free / 1e9
        raise GameEnvError(
            f"{source.base} is neither a folder here nor a model that could be fetched from the hub "
            f"({str(error).strip().splitlines()[0]}). To fetch it: pip install huggingface_hub, hf download "
            f"{source.base}; an 8B model takes about 18 GB of disk ({free_gb:.0f} GB are free here), 8 as 4-bit, and "
            "as much GPU memory"
        ) from error


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidInputError(f"{path} is truncated or not JSON ({error}); save the model again") from error
    if not isinstance(content, dict):
        raise InvalidInputError(f"{path} must hold a JSON object; save the model again")
    return content
