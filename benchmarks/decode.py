"""Forward passes and time a chunk: this project's decoding beside ``generate``, as the specification's agent calls it.

Both sides get the same model, the same frames and the same prompt, 144 image tokens at the default frame size.
``generate`` gives exactly the 25 tokens of a whole reply, where a trained model would stop, with its cache and
greedily. Ours is timed with a draft that is right, with one that has one word wrong (what follows it is drafted anew),
and with one that is wrong everywhere. Rounds of the sides alternate; ratios are of medians.

How many passes real play takes depends on the words alone, not on the weights' speed: ``--play`` lets a policy play the
built-in game and counts those that its chunks need, drafted as ``VLMPolicy`` drafts.

    python benchmarks/decode.py                                     the tiny model and one of half a billion parameters
    python benchmarks/decode.py --sizes 8b --dtype bfloat16 --device cuda      on a GPU, random weights
    python benchmarks/decode.py --sizes 8b --four-bit --device cuda
    python benchmarks/decode.py --sizes --play expert models/bc --execute 7 3
"""

import gc
import importlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch

import gameenv  # noqa: F401 (registers the arena)
from gameenv.actions import CHUNK_LENGTH, ActionChunk, action_index
from gameenv.cli import parse
from gameenv.frames import DEFAULT_SIZE
from gameenv.home import PathText
from policies import load_policy, run_episode
from policies.base import Observation
from policies.vlm import tiny
from policies.vlm.decoding import Decoder, ReplyRow
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker, ModelInputs, collate
from policies.vlm.policy import Drafter

REPLY_TOKENS = 25
GOAL = "Go to the lantern"
Size = Literal["tiny", "half", "8b"]


@dataclass(frozen=True, slots=True)
class Args:
    """Measure decoding."""

    sizes: tuple[Size, ...] = ("tiny", "half")
    """Models with random weights: tiny (2 M parameters), half (0.5 B), 8b (Qwen3-VL-8B's own sizes)."""
    rounds: int = 11
    """Chunks on each side."""
    dtype: Literal["float32", "bfloat16", "float16"] = "float32"
    """Number format of the weights."""
    four_bit: bool = False
    """Put the linear layers into 4 bits (nf4)."""
    device: str = "cpu"
    """Where to run."""
    passes: float = 1.35
    """Passes a chunk to interpolate for; the default is what --play gave for a trained tiny model."""
    play: tuple[PathText, ...] = ()
    """Policies whose chunks in real play are counted."""
    task: str = "go-to-lantern"
    """What they play."""
    episodes: int = 20
    """Validation levels they play."""
    execute: tuple[int, ...] = (CHUNK_LENGTH, 3)
    """How many of a chunk's actions are played before looking again."""


def main(args: Args) -> None:
    """Print a table for each size, then the passes of each policy's play."""
    for size in args.sizes:
        measure(size, args)
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
    for spec in args.play:
        for execute in args.execute:
            count_passes(spec, execute, args)


def measure(size: Size, args: Args) -> None:
    """Time both sides on one model."""
    tokenizer = tiny.build_tokenizer()
    maker = InputMaker(tokenizer, tiny.build_image_processor())
    model = build(size, tokenizer, args)
    decoder = Decoder(model, maker.reply, maker.pad_id, maker.image_id)
    width, height = DEFAULT_SIZE
    frames = np.random.default_rng(0).integers(0, 256, (args.rounds + 1, height, width, 3), np.uint8)
    embed = model.model.visual.patch_embed
    stock = embed.forward
    speed_up_vision(model)
    flat = embed.forward
    sides: dict[str, Callable[[ModelInputs], tuple[float, float, int]]] = {
        "generate": lambda inputs: time_generate(model, maker, inputs),
        "ours, right draft": lambda inputs: time_ours(decoder, inputs, wrong=None),
        "ours, one word wrong": lambda inputs: time_ours(decoder, inputs, wrong=3),
        "ours, all wrong": lambda inputs: time_ours(decoder, inputs, wrong=0),
    }
    times: dict[str, list[tuple[float, float, int]]] = {name: [] for name in sides}
    making: list[float] = []
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    inputs = maker.make(frames[0], GOAL)
    for number, frame in enumerate(frames):
        began = time.perf_counter()
        inputs = maker.make(frame, GOAL)
        making.append(time.perf_counter() - began)
        for name, side in sides.items():
            embed.forward = stock if name == "generate" else flat
            taken = side(inputs)
            if number:  # the first warms up
                times[name].append(taken)
    parameters = sum(each.numel() for each in model.parameters())
    kind = "4-bit" if args.four_bit else args.dtype
    print(f"\n{size}: {parameters / 1e6:,.1f} M numbers, {kind}, {args.device}, {torch.get_num_threads()} threads, "
          f"{int((inputs.ids == maker.image_id).sum())} image tokens, prompt of {len(inputs.ids)}")  # fmt: skip
    print(f"frame and goal to inputs: {1000 * statistics.median(making):.1f} ms (in neither side's time)")
    print(f"{'':22}{'p50 ms':>9}{'p99 ms':>9}{'first word':>12}{'passes':>8}{'times faster':>14}")
    base = statistics.median(whole for whole, _, _ in times["generate"])
    for name, rows in times.items():
        whole = [each[0] for each in rows]
        first = statistics.median(each[1] for each in rows)
        passes = statistics.mean(each[2] for each in rows)
        p50 = statistics.median(whole)
        print(f"{name:22}{1000 * p50:9.1f}{1000 * np.percentile(whole, 99):9.1f}{1000 * first:12.1f}{passes:8.1f}"
              f"{base / p50:14.1f}")  # fmt: skip
    right, wrong = times["ours, right draft"], times["ours, all wrong"]
    passes = statistics.mean(each[2] for each in wrong)
    one = statistics.median(each[0] for each in right)
    extra = (statistics.median(each[0] for each in wrong) - one) / (passes - 1)
    usual = one + extra * (args.passes - 1)
    print(f"at {args.passes:g} passes a chunk: {1000 * usual:.1f} ms, {base / usual:.1f} times faster "
          f"(a further pass takes {1000 * extra:.1f} ms)")  # fmt: skip
    if args.device.startswith("cuda"):
        print(f"peak memory {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB")


def build(size: Size, tokenizer: Any, args: Args) -> Any:
    """A model with random weights."""
    sizes: dict[str, dict[str, Any]] = {
        "tiny": {},
        "half": {
            "hidden": 1024,
            "layers": 20,
            "vision_hidden": 768,
            "vision_layers": 12,
            "num_attention_heads": 16,
            "num_key_value_heads": 8,
            "head_dim": 64,
            "vocab_size": 75_000,
        },
        "8b": {},
    }
    config = config_8b(tokenizer) if size == "8b" else tiny.build_config(tokenizer, **sizes[size])
    dtype = getattr(torch, args.dtype)
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device(args.device):
            model = tiny.build_model(config)
    finally:
        torch.set_default_dtype(before)
    if args.four_bit:
        quantize(model, dtype)
    return model.to(args.device)


def config_8b(tokenizer: Any) -> Any:
    """Qwen3-VL-8B's sizes, with the token numbers of the tiny tokenizer."""
    config = tiny.build_config(
        tokenizer,
        hidden=4096,
        layers=36,
        vision_hidden=1152,
        vision_layers=27,
        vocab_size=151_936,
        intermediate_size=12_288,
        num_attention_heads=32,
        num_key_value_heads=8,
        head_dim=128,
        initializer_range=0.02,
        rope_parameters={
            "rope_type": "default",
            "rope_theta": 5e6,
            "mrope_section": [24, 20, 20],
            "mrope_interleaved": True,
        },
    )
    vision = config.vision_config
    vision.num_heads, vision.intermediate_size = 16, 4304
    vision.num_position_embeddings, vision.deepstack_visual_indexes = 2304, [8, 16, 24]
    return config


def quantize(model: Any, dtype: torch.dtype) -> None:
    """Replace the text part's linear layers by 4-bit ones, in place."""
    layers: Any = importlib.import_module("bitsandbytes.nn")
    for name, module in list(model.model.language_model.named_modules()):
        if type(module) is torch.nn.Linear:
            parent = model.model.language_model.get_submodule(name.rpartition(".")[0])
            small = layers.Linear4bit(
                module.in_features, module.out_features, bias=False, compute_dtype=dtype, quant_type="nf4"
            )
            small.weight = layers.Params4bit(module.weight.data.cpu(), requires_grad=False, quant_type="nf4")
            setattr(parent, name.rpartition(".")[2], small)


def time_generate(model: Any, maker: InputMaker, inputs: ModelInputs) -> tuple[float, float, int]:
    """Seconds to the whole reply, to its first word's token, and forward passes."""
    arguments = collate([inputs], maker.pad_id, maker.image_id, model.device)
    del arguments["position_ids"]
    common = {**arguments, "do_sample": False, "use_cache": True, "pad_token_id": maker.pad_id}
    began = _now(model)
    first_tokens = len(maker.reply.prefix) + 1
    with torch.inference_mode():
        model.generate(**common, max_new_tokens=first_tokens, min_new_tokens=first_tokens)
        first = _now(model) - began
        began = _now(model)
        model.generate(**common, max_new_tokens=REPLY_TOKENS, min_new_tokens=REPLY_TOKENS)
    return _now(model) - began, first, REPLY_TOKENS


def time_ours(decoder: Decoder, inputs: ModelInputs, wrong: int | None) -> tuple[float, float, int]:
    """Seconds to the whole chunk and to its first word, and passes; ``wrong`` is the first wrong word of the draft.

    With ``wrong=0`` every word of the draft is wrong.
    """
    row = ReplyRow([1] * CHUNK_LENGTH, 0)
    for _ in decoder.passes([inputs], [row]):
        pass
    draft = list(row.words)
    if wrong is not None:
        for place in range(CHUNK_LENGTH) if wrong == 0 else (wrong,):
            draft[place] = (draft[place] + 1) % 12
    row = ReplyRow(draft, 0)
    model = decoder._model
    began, first, passes = _now(model), 0.0, 0
    for _ in decoder.passes([inputs], [row]):
        passes += 1
        first = first or _now(model) - began
    return _now(model) - began, first, passes


def _now(model: Any) -> float:
    if model.device.type == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


class Counting:
    """A policy whose chunks are counted by the passes they would need."""

    def __init__(self, policy: Any) -> None:
        self._policy = policy
        self._drafter = Drafter()
        self.passes: Counter[int] = Counter()
        if hasattr(policy, "attach"):
            self.attach = policy.attach

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode."""
        self._policy.reset(goal, seed=seed)
        self._drafter = Drafter()

    def predict(self, observation: Observation) -> ActionChunk:
        """The policy's chunk."""
        chunk = self._policy.predict(observation)
        words = [action_index(word) for word in chunk]
        row = ReplyRow(self._drafter.draft(observation.played), 0)
        self.passes[sum(1 for _ in _passes_of(row, words))] += 1
        self._drafter.learn(words, observation.played)
        return chunk


def _passes_of(row: ReplyRow, words: list[int]) -> Iterator[None]:
    """Settle a row as a model that says ``words`` would."""
    while row.known < CHUNK_LENGTH:
        row.settle(words)
        yield


def count_passes(spec: str, execute: int, args: Args) -> None:
    """Play, and print how many passes the chunks need."""
    env = gym.make("gameenv/Arena-v0", task=args.task, split="validation", disable_env_checker=True)
    policy = Counting(load_policy(spec))
    try:
        reached = sum(run_episode(env, policy, seed=seed, execute=execute).success for seed in range(args.episodes))
    finally:
        env.close()
    total = policy.passes.total()
    mean = sum(passes * count for passes, count in policy.passes.items()) / total
    shares = "  ".join(f"{passes}: {policy.passes[passes] / total:.0%}" for passes in sorted(policy.passes))
    print(f"{spec} on {args.task}, looks every {execute}: {mean:.2f} passes a chunk over {total} chunks ({shares}); "
          f"{reached} of {args.episodes} succeed")  # fmt: skip


if __name__ == "__main__":
    main(parse(Args))
