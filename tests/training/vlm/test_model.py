"""What is put on the base, and by whom."""

import inspect
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from gameenv.errors import InvalidInputError, MissingExtraError
from tests.training.vlm.conftest import SPEC, arguments
from training.args import Args
from training.vlm import trainer
from training.vlm.model import begin, find_base, load_learner, pick_backend, ready_to_play
from training.vlm.settings import Lora
from training.vlm.trainer import Conduct

LOGITS = "UNSLOTH_RETURN_LOGITS"


def layers(model: Any) -> set[str]:
    return {name.rpartition(".lora_A")[0] for name, _ in model.named_parameters() if ".lora_A." in name}


def load(base: Path, lora: Lora, **more: Any) -> Any:
    options = {"backend": "trl", "device": "cpu", "four_bit": False, "seed": 0, **more}
    return load_learner(find_base(str(base)), SPEC, lora, **options)


def test_every_linear_layer_of_text_and_vision_gets_an_adapter(base: Path) -> None:
    both, text = layers(load(base, Lora()).model), layers(load(base, Lora(vision=False)).model)
    assert text < both
    assert not [name for name in text if "visual" in name]
    assert {name.rpartition(".")[2] for name in text} == {
        *("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
    }
    assert {name.rpartition(".")[2] for name in both - text} == {"qkv", "proj", "linear_fc1", "linear_fc2"}
    assert not [name for name in both if "lm_head" in name or "patch_embed" in name]


def test_the_seed_decides_the_adapter(base: Path) -> None:
    def first(seed: int) -> torch.Tensor:
        model = load(base, Lora(), seed=seed).model
        return next(value for name, value in model.named_parameters() if "lora_A" in name)

    assert torch.equal(first(1), first(1))
    assert not torch.equal(first(1), first(2))


class StandIn(types.ModuleType):
    """Takes unsloth's calls and does as little as will do."""

    def __init__(self) -> None:
        super().__init__("unsloth")
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.FastVisionModel = self

    def from_pretrained(self, name: str, **options: Any) -> tuple[Any, None]:
        self.calls.append((f"from_pretrained {name}", options))
        return load(Path(name), Lora(vision=False)).model.unload(), None

    def get_peft_model(self, model: Any, **options: Any) -> Any:
        self.calls.append(("get_peft_model", options))
        return begin(model, Lora(rank=options["r"], vision=options["finetune_vision_layers"]))

    def for_training(self, model: Any) -> Any:
        self.calls.append(("for_training", {}))
        os.environ[LOGITS] = "0"
        return model

    def for_inference(self, model: Any) -> Any:
        self.calls.append(("for_inference", {}))
        return model


def test_unsloth_loads_and_adapts_where_it_is_asked_to(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_in = StandIn()
    monkeypatch.delenv(LOGITS, raising=False)
    monkeypatch.setitem(sys.modules, "unsloth", stand_in)
    assert pick_backend("unsloth", "cuda") == "unsloth"
    learner = load(base, Lora(rank=4), backend="unsloth", four_bit=True, seed=7)
    ready_to_play(learner.model, "unsloth")
    (name, loading), (_, adapting), *rest = stand_in.calls
    assert name == f"from_pretrained {base}"
    assert loading["load_in_4bit"] is True
    assert loading["use_gradient_checkpointing"] == "unsloth"
    assert (adapting["r"], adapting["lora_alpha"], adapting["lora_dropout"], adapting["random_state"]) == (
        4,
        16,
        0.05,
        7,
    )
    assert [call for call, _ in rest] == ["for_training", "for_inference"]
    assert os.environ[LOGITS] == "1"
    assert layers(learner.model)


def test_unsloth_is_told_to_give_logits_before_it_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "unsloth"
    package.mkdir()
    (package / "__init__.py").write_text(f"import os\nprint('imported with', os.environ.get({LOGITS!r}))")
    code = "from training.vlm.model import pick_backend; pick_backend('unsloth', 'cuda')"
    path = os.pathsep.join([str(tmp_path), *sys.path])
    environment = {**{name: value for name, value in os.environ.items() if name != LOGITS}, "PYTHONPATH": path}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "imported with 1\n"


@pytest.mark.slow
def test_every_forward_pass_of_a_training_with_unsloth_gives_logits(
    segments: Path, base: Path, tmp_path: Path, tune: Callable[[Args], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the variable back as a training begins and after each step of an evaluation."""
    import transformers  # noqa: PLC0415 (heavy)

    monkeypatch.setitem(sys.modules, "unsloth", StandIn())
    monkeypatch.delenv(LOGITS, raising=False)
    train, predict = transformers.Trainer._inner_training_loop, transformers.Trainer.prediction_step
    forward = transformers.Qwen3VLForConditionalGeneration.forward
    seen: list[str | None] = []

    def begins(self: Any, *args: Any, **kwargs: Any) -> Any:
        os.environ[LOGITS] = "0"
        return train(self, *args, **kwargs)

    def evaluates(self: Any, *args: Any, **kwargs: Any) -> Any:
        os.environ[LOGITS] = "1"
        try:
            return predict(self, *args, **kwargs)
        finally:
            os.environ[LOGITS] = "0"

    def runs(self: Any, *args: Any, **kwargs: Any) -> Any:
        seen.append(os.environ.get(LOGITS))
        return forward(self, *args, **kwargs)

    runs.__signature__ = inspect.signature(forward)  # type: ignore[attr-defined]
    monkeypatch.setattr(transformers.Trainer, "_inner_training_loop", begins)
    monkeypatch.setattr(transformers.Trainer, "prediction_step", evaluates)
    monkeypatch.setattr(transformers.Qwen3VLForConditionalGeneration, "forward", runs)
    tune(arguments(segments, base, tmp_path / "tuned", epochs=1, evaluations=2))
    assert len(seen) > 10
    assert set(seen) == {"1"}


def test_without_a_gpu_or_without_unsloth(monkeypatch: pytest.MonkeyPatch) -> None:
    assert pick_backend("auto", "cpu") == "trl"
    with pytest.raises(InvalidInputError, match="use --backend trl"):
        pick_backend("unsloth", "cpu")
    monkeypatch.setitem(sys.modules, "unsloth", None)
    with pytest.raises(MissingExtraError, match=r"\.\[unsloth\]"):
        pick_backend("unsloth", "cuda")


def test_memory_that_does_not_suffice_is_told_with_what_to_lower(
    tmp_path: Path, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from gameenv.errors import GameEnvError  # noqa: PLC0415
    from tests.training.vlm.test_pretrain import settings  # noqa: PLC0415
    from training.vlm.batches import Examples  # noqa: PLC0415

    class Full:
        def train(self, **_: Any) -> None:
            raise RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried 9 bytes")

    monkeypatch.setattr(trainer, "build_trainer", lambda *_: Full())
    monkeypatch.setattr(trainer, "watch", lambda *_: None)
    wanted = settings(lora=Lora(), batch_size=2, accumulation=4)
    with pytest.raises(GameEnvError, match=r"can't allocate memory.*--batch-size 1 --accumulation 8.*--no-lora-vision"):
        trainer.fit(load(base, Lora()), Examples([], [], [], 0), wanted, Conduct(tmp_path, "cpu"))
