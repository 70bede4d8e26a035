"""Tiny models, made once."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

from policies.vlm import tiny
from policies.vlm.inputs import InputMaker


@pytest.fixture(scope="session")
def tokenizer() -> Any:
    return tiny.build_tokenizer()


@pytest.fixture(scope="session")
def maker(tokenizer: Any) -> InputMaker:
    """Leaves frames as they are."""
    return InputMaker(tokenizer, tiny.build_image_processor())


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Any:
    """Qwen's real merges, with the special tokens of Qwen3-VL."""
    dashscope = pytest.importorskip("dashscope")
    from transformers import Qwen2Tokenizer  # noqa: PLC0415
    from transformers.convert_slow_tokenizer import TikTokenConverter  # noqa: PLC0415

    ranks = Path(dashscope.__file__).parent / "resources" / "qwen.tiktoken"
    vocab, merges = TikTokenConverter(str(ranks), extra_special_tokens=[]).extract_vocab_merges_from_model(str(ranks))
    return Qwen2Tokenizer(
        vocab=vocab,
        merges=merges,  # pyright: ignore[reportArgumentType] (pairs, which it takes)
        extra_special_tokens=list(tiny.SPECIAL[1:]),
        chat_template=tiny.CHAT_TEMPLATE,
        eos_token="<|im_end|>",
    )


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.save_tiny(tmp_path_factory.mktemp("tiny"), initializer_range=0.3)
