"""A Qwen3-VL in this process that answers questions about clips, several at a time.

Any folder, adapter or hub id that plays can be asked, and is loaded as for playing. Knows nothing of clips or goals.
"""

import io
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from PIL import Image

from gameenv.errors import GameEnvError, InvalidInputError, require
from gameenv.frames import fit_frame
from labeling.naming.asking import Keep
from labeling.naming.options import NamingOptions
from labeling.naming.replies import Said
from policies.evaluation.config import fingerprint
from policies.server.client import Question
from policies.vlm.failures import out_of_memory
from policies.vlm.inputs import IMAGE, InputMaker

BEGUN = '{"changes": "'
"""What every answer begins with: the model goes on from here, and cannot chat first."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A question as a model takes it.

    Attributes:
        ids: Token ids up to the beginning of the answer; each picture is as many image tokens as it has merged patches.
        pixels: ``(patches of all pictures, values)`` float32.
        grids: Patches in time, down and across of each picture.
    """

    ids: list[int]
    pixels: np.ndarray
    grids: list[tuple[int, int, int]]


class ModelHere:
    """Asks a model that runs in this process; it is loaded when it is first asked.

    Args:
        spec: A folder with a model or a LoRA adapter, or the hub id of a Qwen3-VL.
        options: How to load it, and how many questions it answers together.
    """

    def __init__(self, spec: str, options: NamingOptions) -> None:
        self._spec = spec
        self._options = options
        self._loaded: tuple[Any, InputMaker] | None = None

    @property
    def model(self) -> str:
        """The name, and for a folder a hash of its files."""
        return self._name

    @cached_property
    def _name(self) -> str:
        files = fingerprint(self._spec)
        return f"{self._spec}@{files}" if files else self._spec

    def ask(self, questions: Iterable[Question], keep: Keep) -> Iterator[Said]:
        """Answer each question, in order.

        Raises:
            InvalidInputError: If there is no such model, or it is no Qwen3-VL.
            GameEnvError: If it cannot be fetched, or memory does not suffice.
            MissingExtraError: If an optional package is missing.
        """
        source = iter(questions)
        while group := list(islice(source, self._options.batch)):
            for question, said in zip(group, self._answer(group), strict=True):
                keep(question, said)
                yield said

    def close(self) -> None:
        """Let go of the model. May be called twice."""
        self._loaded = None

    def _answer(self, group: Sequence[Question]) -> list[Said]:
        torch: Any = require("torch", "vlm")
        model, maker = self._model()
        prepared = [prepare(question, maker) for question in group]
        longest = max(len(each.ids) for each in prepared)
        ids = np.full((len(group), longest), maker.pad_id, np.int64)
        mask = np.zeros((len(group), longest), np.int64)
        for row, each in enumerate(prepared):
            ids[row, longest - len(each.ids) :] = each.ids
            mask[row, longest - len(each.ids) :] = 1
        arrays = {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": ((ids == maker.image_id) & (mask == 1)).astype(np.int64),
            "pixel_values": np.concatenate([each.pixels for each in prepared]),
            "image_grid_thw": np.array([grid for each in prepared for grid in each.grids], np.int64),
        }
        inputs = {name: torch.from_numpy(array).to(model.device) for name, array in arrays.items()}
        began = time.monotonic()
        try:
            with torch.inference_mode(), torch.random.fork_rng():
                torch.manual_seed(group[0].seed or 0)
                written = model.generate(**inputs, **self._how_to_write(maker))[:, longest:].cpu().numpy()
        except (MemoryError, RuntimeError) as error:
            said = out_of_memory(error)
            if said is None:
                raise
            raise GameEnvError(
                f"memory is full ({said}). Ask for fewer clips together (--batch 1), load the model with --four-bit, "
                "or show less of a clip (--look three)"
            ) from error
        seconds = (time.monotonic() - began) / len(group)
        return [_said(row, each, maker, seconds) for row, each in zip(written, prepared, strict=True)]

    def _how_to_write(self, maker: InputMaker) -> dict[str, Any]:
        warm = self._options.temperature > 0
        drawn = {"do_sample": True, "temperature": self._options.temperature, "top_p": 1.0, "top_k": 0}
        return {
            "max_new_tokens": self._options.max_tokens,
            "pad_token_id": maker.pad_id,
            "eos_token_id": maker.reply.end,
            **(drawn if warm else {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}),
        }

    def _model(self) -> tuple[Any, InputMaker]:
        if self._loaded is None:
            from policies.vlm.loading import load_vlm  # noqa: PLC0415 (torch loads where it is used)

            policy = load_vlm(self._spec, self._options.for_model())
            self._loaded = policy.model, policy.maker
        return self._loaded


def prepare(question: Question, maker: InputMaker) -> Prepared:
    """A question as a model takes it.

    Raises:
        InvalidInputError: If it has one of the model's special tokens in it, or the chat template hides a picture.
    """
    text = _conversation(question, maker)
    pixels, grids = [], []
    for picture in question.pictures:
        with Image.open(io.BytesIO(picture)) as image:
            frame = np.array(image.convert("RGB"))
        values, grid = maker.pixels(frame if maker.frame is None else fit_frame(frame, maker.frame))
        pixels.append(values)
        grids.append(grid)
    ids: list[int] = []
    shown = iter(grids)
    merge = maker.image_processor.merge_size
    for token in maker.tokenizer(text, add_special_tokens=False)["input_ids"]:
        time, down, across = next(shown) if token == maker.image_id else (1, merge, merge)
        ids += [token] * (time * (down // merge) * (across // merge))
    return Prepared(ids, np.concatenate(pixels), grids)


def _conversation(question: Question, maker: InputMaker) -> str:
    """The conversation up to the beginning of the answer, each picture as one token."""
    parts: list[dict[str, str]] = []
    for number in range(len(question.pictures)):
        if question.captions:
            parts.append({"type": "text", "text": question.captions[number]})
        parts.append({"type": "image"})
    parts.append({"type": "text", "text": question.plain_text})
    for token in maker.tokenizer.get_added_vocab():
        if token in question.plain_text:
            raise InvalidInputError(f"a question is plain words; this has the model's token {token} in it")
    text = maker.tokenizer.apply_chat_template(
        [{"role": "user", "content": parts}], tokenize=False, add_generation_prompt=True
    )
    if text.count(IMAGE) != len(question.pictures):
        raise InvalidInputError("this model's chat template does not show each picture once; use Qwen3-VL's own")
    return f"{text}{BEGUN}"


def _said(row: np.ndarray, prepared: Prepared, maker: InputMaker, seconds: float) -> Said:
    tokens = row.tolist()
    ended = maker.reply.end in tokens
    if ended:
        tokens = tokens[: tokens.index(maker.reply.end)]
    text = maker.tokenizer.decode(tokens, skip_special_tokens=True)
    return Said(
        f"{BEGUN}{text}",
        cut_off=not ended,
        asked_tokens=len(prepared.ids),
        said_tokens=len(tokens) + ended,
        seconds=round(seconds, 3),
    )
