"""A tiny Qwen3-VL: the real classes with a small configuration, for tests, for learning on a CPU, for a look inside.

Its tokenizer has Qwen's way of splitting text, its special tokens and its chat format, and a small vocabulary that
spells every action with one token.
"""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gameenv.actions import ACTIONS, CHUNK_LENGTH, ActionChunk
from gameenv.errors import require
from gameenv.frames import FrameSpec
from policies.card import ModelCard
from policies.prompt import PROMPT_VERSION, reply_text, user_text

FRAME = FrameSpec(128, 96)
"""Twelve visual tokens."""
SPECIAL = (
    *("<|endoftext|>", "<|im_start|>", "<|im_end|>"),
    *("<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>"),
)
CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n"
    "{% if message.content is string %}{{ message.content }}{% else %}{% for part in message.content %}"
    "{% if part.type == 'image' %}<|vision_start|><|image_pad|><|vision_end|>{% else %}{{ part.text }}{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""What Qwen3-VL's own template gives for a picture, a text and a reply."""
WORDS = """
go to the lantern torch red blue green open door climb stairs check posters crawl through vent jump onto ledge press
switch slip past guard find reach walk over up down look at stand near next nearest get take use turn left right room
wall floor light lamp button sneak without being seen by and then first second on in of a
"""
_VOCABULARY = 1024


def build_tokenizer(goals: Iterable[str] = ()) -> Any:
    """A byte-level tokenizer of about a thousand tokens, with a token for every word of the prompt.

    Args:
        goals: Sentences whose words should be tokens, too.

    Raises:
        MissingExtraError: If transformers is not installed.
    """
    transformers: Any = require("transformers", "vlm")
    tokenizers: Any = require("tokenizers", "vlm")
    blank = transformers.Qwen2Tokenizer(vocab={}, merges=[])
    trained = tokenizers.Tokenizer(tokenizers.models.BPE())
    trained.pre_tokenizer = blank.backend_tokenizer.pre_tokenizer
    trained.normalizer = blank.backend_tokenizer.normalizer
    trainer = tokenizers.trainers.BpeTrainer(
        vocab_size=_VOCABULARY - len(SPECIAL),
        initial_alphabet=sorted(tokenizers.pre_tokenizers.ByteLevel.alphabet()),
        min_frequency=2,
        show_progress=False,
    )
    replies = [reply_text(ActionChunk.of([word] * CHUNK_LENGTH)) for word in ACTIONS]
    prompts = [user_text(goal) for goal in ("Go to the lantern", *goals)]
    words = [f"{form} the {form}, {form}" for word in WORDS.split() for form in (word, word.capitalize())]
    trained.train_from_iterator([*replies * 3, "system\nuser\nassistant\n" * 3, *prompts * 3, *words], trainer)
    learned = json.loads(trained.to_str())["model"]
    return transformers.Qwen2Tokenizer(
        vocab=learned["vocab"],
        merges=[tuple(pair) for pair in learned["merges"]],
        extra_special_tokens=list(SPECIAL[1:]),
        chat_template=CHAT_TEMPLATE,
        pad_token="<|endoftext|>",
        eos_token="<|im_end|>",
    )


def build_image_processor() -> Any:
    """Qwen3-VL's own, with its sizes opened for small pictures."""
    module: Any = require("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl", "vlm")
    return module.Qwen2VLImageProcessorPil(
        patch_size=16,
        temporal_patch_size=2,
        merge_size=2,
        image_mean=[0.5, 0.5, 0.5],
        image_std=[0.5, 0.5, 0.5],
        size={"shortest_edge": 32 * 32, "longest_edge": 4096 * 4096},
    )


def build_config(
    tokenizer: Any, *, hidden: int = 128, layers: int = 2, vision_hidden: int = 128, vision_layers: int = 3, **text: Any
) -> Any:
    """A configuration for ``tokenizer``; further words go to the text part."""
    transformers: Any = require("transformers", "vlm")
    ids = {name: tokenizer.convert_tokens_to_ids(f"<|{name}|>") for name in ("image_pad", "video_pad", "vision_start")}
    head = max(32, hidden // 4)
    sixth = head // 8
    return transformers.Qwen3VLConfig(
        text_config={
            "vocab_size": len(tokenizer),
            "hidden_size": hidden,
            "intermediate_size": 3 * hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": 4,
            "num_key_value_heads": 2,
            "head_dim": head,
            "max_position_embeddings": 4096,
            "initializer_range": 0.08,
            "rope_parameters": {
                "rope_type": "default",
                "rope_theta": 10_000.0,
                "mrope_section": [head // 2 - 2 * sixth, sixth, sixth],
                "mrope_interleaved": True,
            },
            "pad_token_id": tokenizer.pad_token_id,
            "eos_token_id": tokenizer.eos_token_id,
            **text,
        },
        vision_config={
            "depth": vision_layers,
            "hidden_size": vision_hidden,
            "intermediate_size": 3 * vision_hidden,
            "num_heads": 4,
            "patch_size": 16,
            "spatial_merge_size": 2,
            "temporal_patch_size": 2,
            "out_hidden_size": hidden,
            "num_position_embeddings": 256,
            "deepstack_visual_indexes": [vision_layers - 2],
            "initializer_range": 0.08,
        },
        image_token_id=ids["image_pad"],
        video_token_id=ids["video_pad"],
        vision_start_token_id=ids["vision_start"],
        vision_end_token_id=tokenizer.convert_tokens_to_ids("<|vision_end|>"),
        tie_word_embeddings=False,
    )


def build_model(config: Any, seed: int = 0) -> Any:
    """A model with random weights that depend on ``seed`` alone.

    Raises:
        MissingExtraError: If transformers or torch is not installed.
    """
    torch: Any = require("torch", "vlm")
    transformers: Any = require("transformers", "vlm")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return transformers.Qwen3VLForConditionalGeneration(config).eval()


def save_tiny(folder: Path, seed: int = 0, *, fps: float = 10.0, frame: FrameSpec = FRAME, **config: Any) -> Path:
    """Write a tiny model with random weights, as a folder that ``load_policy`` reads.

    Args:
        folder: Where to; made where it is missing.
        seed: Of the weights.
        fps: For its card.
        frame: What it sees; for its card.
        config: Further words go to ``build_config``.
    """
    folder = Path(folder)
    tokenizer = build_tokenizer()
    build_model(build_config(tokenizer, **config), seed).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    build_image_processor().save_pretrained(folder)
    ModelCard(kind="vlm", fps=fps, seen=frame, prompt_version=PROMPT_VERSION).save(folder)
    return folder
