"""Loading a VLM: whole, adapter, merged; and each way that a folder can be wrong."""

import json
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from gameenv.errors import GameEnvError, InvalidInputError, UnknownNameError
from gameenv.frames import FrameSpec
from policies.base import Observation
from policies.card import ModelCard
from policies.load import card_of, load_policy
from policies.options import ModelOptions
from policies.prompt import PROMPT_VERSION
from policies.vlm import tiny
from policies.vlm.loading import load_vlm, pick_dtype
from policies.vlm.policy import VLMPolicy

peft = pytest.importorskip("peft")
FRAMES = np.random.default_rng(0).integers(0, 256, (6, 96, 128, 3), np.uint8)


@pytest.fixture
def folder(tiny_folder: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(tiny_folder, tmp_path / "model"))


@pytest.fixture
def adapter(tiny_folder: Path, tmp_path: Path) -> Path:
    """A LoRA adapter that changes answers, as training writes one."""
    model = load_vlm(str(tiny_folder)).model
    torch.manual_seed(0)
    config = peft.LoraConfig(
        r=16, lora_alpha=16, target_modules=["q_proj", "v_proj", "up_proj"], init_lora_weights=False
    )
    adapted = peft.get_peft_model(model, config)
    adapted.save_pretrained(tmp_path / "adapter")
    ModelCard("vlm", 10.0, seen=FrameSpec(128, 96), prompt_version=PROMPT_VERSION, base_model=str(tiny_folder)).save(
        tmp_path / "adapter"
    )
    return tmp_path / "adapter"


def answers(policy: Any) -> list[Any]:
    return policy.predict_batch([Observation(frame, "Go to the lantern") for frame in FRAMES])


def set_json(path: Path, **changes: object) -> None:
    content = json.loads(path.read_text())
    content.update(changes)
    path.write_text(json.dumps(content))


def test_a_folder_is_loaded_by_its_path_alone(tiny_folder: Path) -> None:
    assert isinstance(load_policy(str(tiny_folder)), VLMPolicy)
    card = card_of(str(tiny_folder))
    assert card is not None
    assert card.seen.size == (128, 96)


def test_a_model_without_a_card_plays_frames_as_they_are(folder: Path) -> None:
    (folder / "gameenv.json").unlink()
    assert card_of(str(folder)) is None
    policy = load_policy(str(folder))
    assert isinstance(policy, VLMPolicy)
    assert policy.maker.frame is None


@pytest.mark.slow
def test_an_adapter_finds_its_base_and_equals_its_merged_self(adapter: Path, tiny_folder: Path, tmp_path: Path) -> None:
    policy = load_vlm(str(adapter))
    assert answers(policy) != answers(load_vlm(str(tiny_folder)))
    assert not any("lora" in name for name, _ in policy.model.named_parameters()), "merged for playing"

    merged = tmp_path / "merged"
    policy.model.save_pretrained(merged)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja", "preprocessor_config.json"):
        shutil.copy(tiny_folder / name, merged)
    assert answers(load_vlm(str(merged))) == answers(policy)

    unmerged = peft.PeftModel.from_pretrained(load_vlm(str(tiny_folder)).model, str(adapter)).get_base_model()
    assert answers(VLMPolicy(unmerged, policy.maker)) == answers(policy)


def test_an_adapter_on_a_four_bit_base(adapter: Path) -> None:
    pytest.importorskip("bitsandbytes")
    policy = load_vlm(str(adapter), ModelOptions(four_bit=True))
    assert any("lora" in name for name, _ in policy.model.named_parameters()), "kept beside the 4-bit weights"
    assert len(answers(policy)) == len(FRAMES)


def test_a_thinking_model_is_named_and_answers_at_once(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    template = folder / "chat_template.jinja"
    template.write_text(template.read_text().replace("<|im_start|>assistant\n", "<|im_start|>assistant\n<think>\n"))
    policy = load_vlm(str(folder))
    assert len(answers(policy)) == len(FRAMES)
    assert f"{folder} is a thinking model" in caplog.text
    assert "--think" in caplog.text


def test_a_base_beside_the_adapter_is_found_by_its_name(adapter: Path, tiny_folder: Path) -> None:
    shutil.copytree(tiny_folder, adapter / "base")
    set_json(adapter / "adapter_config.json", base_model_name_or_path="base")
    assert len(answers(load_vlm(str(adapter)))) == len(FRAMES)


@pytest.mark.parametrize("shape", [{"hidden": 64}, {"layers": 1}, {"layers": 3}])
def test_an_adapter_of_another_base(adapter: Path, tmp_path: Path, shape: dict[str, int]) -> None:
    other = tiny.save_tiny(tmp_path / "other", **shape)  # pyright: ignore[reportArgumentType]
    set_json(adapter / "adapter_config.json", base_model_name_or_path=str(other))
    with pytest.raises(InvalidInputError, match=r"the adapter .* does not fit .*other"):
        load_vlm(str(adapter))


def test_an_adapter_whose_base_is_gone_or_not_named(adapter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    set_json(adapter / "adapter_config.json", base_model_name_or_path="models/gone")
    with pytest.raises(GameEnvError, match="models/gone is neither a folder here nor"):
        load_vlm(str(adapter))
    set_json(adapter / "adapter_config.json", base_model_name_or_path=None)
    set_json(adapter / "gameenv.json", base_model=None)
    with pytest.raises(InvalidInputError, match="does not name the model it belongs to"):
        load_vlm(str(adapter))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda weights: weights.write_bytes(weights.read_bytes()[:5000]), "weights of the adapter .*adapter are dam"),
        (lambda weights: weights.unlink(), "adapter has no adapter_model.safetensors"),
    ],
)
def test_an_adapter_that_is_spoilt(adapter: Path, spoil: Any, says: str) -> None:
    spoil(adapter / "adapter_model.safetensors")
    with pytest.raises(InvalidInputError, match=says):
        load_vlm(str(adapter))


def test_weights_that_do_not_fit_into_memory(tiny_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*args: object, **kwargs: object) -> Any:
        return torch.empty(10**15)

    monkeypatch.setattr("transformers.Qwen3VLForConditionalGeneration.from_pretrained", load)
    with pytest.raises(GameEnvError, match=r"does not fit into memory .*--four-bit"):
        load_vlm(str(tiny_folder))


def test_weights_that_cannot_be_fetched_say_how_and_how_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(GameEnvError, match=r"hf download Qwen/Qwen3-VL-8B-Instruct; .* 18 GB of disk"):
        load_policy("Qwen/Qwen3-VL-8B-Instruct")


@pytest.mark.parametrize("keep", [0, 100, 5000])
def test_damaged_weights(folder: Path, keep: int) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:keep])
    with pytest.raises(InvalidInputError, match=r"damaged|cannot load"):
        load_vlm(str(folder))


def test_weights_that_do_not_fill_the_configuration(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"]["num_hidden_layers"] += 1
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(InvalidInputError, match="do not fill its"):
        load_vlm(str(folder))


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot load"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot load"),
        (lambda folder: set_json(folder / "config.json", model_type="llama"), "is a 'llama' model"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "cannot load"),
        (lambda folder: (folder / "tokenizer.json").unlink(), "has no tokenizer.json; copy"),
        (lambda folder: (folder / "chat_template.jinja").write_text("{% for x in %}"), "cannot load"),
        (lambda folder: (folder / "chat_template.jinja").write_text("no picture"), "does not show the image once"),
        (lambda folder: (folder / "preprocessor_config.json").unlink(), "cannot load"),
        (lambda folder: set_json(folder / "gameenv.json", prompt_version=99), "prompt version 99"),
        (lambda folder: (folder / "config.json").unlink(), "neither config.json .* nor adapter_config.json"),
    ],
)
def test_a_folder_that_is_spoilt(folder: Path, spoil: Any, says: str) -> None:
    spoil(folder)
    with pytest.raises(InvalidInputError, match=says):
        load_vlm(str(folder))


class StandIn(types.ModuleType):
    """Takes unsloth's calls and loads by transformers."""

    def __init__(self) -> None:
        super().__init__("unsloth")
        self.calls: list[Any] = []
        self.FastVisionModel = self

    def from_pretrained(self, name: str, **options: Any) -> tuple[Any, None]:
        self.calls.append((name, options))
        return load_vlm(name, ModelOptions(backend="transformers")).model, None

    def for_inference(self, model: Any) -> Any:
        self.calls.append("for_inference")
        return model


@pytest.mark.slow
def test_unsloth_loads_where_it_is_asked_to(
    adapter: Path, tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stand_in = StandIn()
    monkeypatch.setitem(sys.modules, "unsloth", stand_in)
    policy = load_vlm(str(adapter), ModelOptions(backend="unsloth", four_bit=True, dtype="bfloat16"))
    options = {"dtype": torch.bfloat16, "load_in_4bit": True, "device_map": {"": "cpu"}}
    wanted = {**options, "use_gradient_checkpointing": False}
    assert stand_in.calls == [(str(tiny_folder), wanted), "for_inference"]
    assert answers(policy) == answers(load_vlm(str(adapter)))
    assert not caplog.records
    assert len(stand_in.calls) == 2, "without a GPU it is not what auto takes"

    monkeypatch.setattr(VLMPolicy, "answers_whatever_the_draft", lambda policy: False)
    load_vlm(str(tiny_folder), ModelOptions(backend="unsloth"))
    assert "--backend transformers" in caplog.text


def test_a_model_that_reads_several_tokens_wrongly_is_noticed(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    policy = load_vlm(str(tiny_folder))
    assert isinstance(policy, VLMPolicy)
    assert policy.answers_whatever_the_draft()
    right = policy.model.model.forward

    def confused(**arguments: Any) -> Any:  # as if positions behind a cache were counted from the start
        if "pixel_values" not in arguments:
            arguments["position_ids"] = arguments["position_ids"] * 0
        return right(**arguments)

    monkeypatch.setattr(policy.model.model, "forward", confused)
    assert not policy.answers_whatever_the_draft()


def test_options_that_cannot_be_meant(tiny_folder: Path) -> None:
    with pytest.raises(UnknownNameError, match="Did you mean 'float16'"):
        ModelOptions(dtype="flaot16")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="temperature"):
        ModelOptions(temperature=-1)
    with pytest.raises(InvalidInputError, match="temperature"):
        ModelOptions(temperature=float("nan"))
    with pytest.raises(InvalidInputError, match="device 'cuda:7' cannot be used here"):
        load_vlm(str(tiny_folder), ModelOptions(device="cuda:7"))
    assert pick_dtype(torch, "auto", "cpu") is torch.float32
    assert pick_dtype(torch, "bfloat16", "cpu") is torch.bfloat16
