"""Frame, goal and (for training) reply to what the model takes: the one module for playing and for training.

Token ids as the official processor gives them, without torchvision, which that needs. Knows nothing of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from gameenv.actions import ActionChunk
from gameenv.errors import InvalidInputError, require
from gameenv.frames import Frame, FrameSpec, check_frame, fit_frame
from policies.base import check_goal
from policies.prompt import reply_text, user_text
from policies.vlm.tokens import END_OF_TURN, ReplyTokens

if TYPE_CHECKING:
    import torch

IMAGE = "<|image_pad|>"
_GOALS_KEPT = 256
_EXAMPLE = "Go to the lantern"
_THINK, _THOUGHT = "<think>", "</think>"
_LONGEST = 200  # times the short side; the processor refuses more


@dataclass(frozen=True, slots=True)
class ModelInputs:
    """One frame and goal, and in training the reply, as arrays.

    Attributes:
        ids: ``(length,)`` int64 token ids.
        positions: ``(3, length)`` int64: time, row and column of each token, as the model's rotary embedding wants.
        pixels: ``(patches, values)`` float32.
        grid: Patches in time, down and across.
        reply: Where the reply begins; the length where there is none.
        words: Where the reply's seven words are.
    """

    ids: np.ndarray
    positions: np.ndarray
    pixels: np.ndarray
    grid: tuple[int, int, int]
    reply: int
    words: tuple[int, ...] = ()

    @property
    def next_position(self) -> int:
        """The position of the token that follows, the same in all three dimensions."""
        return int(self.positions.max()) + 1


class InputMaker:
    """Makes a model's inputs.

    Args:
        tokenizer: The model's own, with its chat template.
        image_processor: The model's own ``Qwen2VLImageProcessorPil``.
        frame: What every frame is brought to first; None leaves frames as they are.

    Attributes:
        reply: How the tokenizer spells a reply.

    Raises:
        InvalidInputError: If the tokenizer has no chat template or no image token, its template does not show the
            image once, or it does not spell each action with a single token.
    """

    def __init__(self, tokenizer: Any, image_processor: Any, frame: FrameSpec | None = None) -> None:
        if not getattr(tokenizer, "chat_template", None):
            raise InvalidInputError("this model's tokenizer has no chat template; use an instruction-tuned model")
        self.tokenizer = tokenizer
        self.image_processor = image_processor
        self.frame = frame
        self.reply = ReplyTokens.of(tokenizer)
        self.image_id: int = tokenizer.convert_tokens_to_ids(IMAGE)
        if self.image_id is None or self.image_id == getattr(tokenizer, "unk_token_id", None):
            raise InvalidInputError(f"this model's tokenizer has no {IMAGE}; use a vision-language model")
        self._levels = _levels(image_processor)
        self._special = sorted(set(tokenizer.get_added_vocab()))
        self._prompt = lru_cache(_GOALS_KEPT)(self._tokenize)
        self._prompt(_EXAMPLE)  # a template that cannot be used is noticed now

    @property
    def thinks(self) -> bool:
        """Whether it is a thinking model, whose template begins each reply with a thought."""
        return close_thinking(self._chat(_EXAMPLE), user_text(_EXAMPLE))[1]

    @property
    def pad_id(self) -> int:
        """The token to fill up with."""
        pad = self.tokenizer.pad_token_id
        return self.reply.end if pad is None else pad

    def make(self, frame: Frame, goal: str, reply: ActionChunk | None = None) -> ModelInputs:
        """Make the inputs of one frame and goal.

        Args:
            frame: ``(height, width, 3)`` uint8 RGB of any size.
            goal: What to do, in words.
            reply: What the model should answer, in training.

        Raises:
            InvalidInputError: If the frame is not one, or the goal is empty or has one of the tokenizer's special
                tokens in it.
        """
        check_frame(frame)
        if self.frame is not None:
            frame = fit_frame(frame, self.frame)
        pixels, (time, rows, columns) = self.pixels(frame)
        merge = self.image_processor.merge_size
        before, after = self._prompt(check_goal(goal))
        down, across = rows // merge, columns // merge
        prompt = [*before, *[self.image_id] * (time * down * across), *after]
        answer = [] if reply is None else [*self.reply.ids(reply), self.reply.end]
        first = len(prompt) + len(self.reply.prefix)
        ids = np.array([*prompt, *answer], np.int64)
        return ModelInputs(
            ids=ids,
            positions=_positions(len(ids), len(before), (time, down, across)),
            pixels=pixels,
            grid=(time, rows, columns),
            reply=len(prompt),
            words=() if reply is None else tuple(range(first, first + 7 * self.reply.stride, self.reply.stride)),
        )

    def text(self, goal: str, reply: ActionChunk | None = None) -> str:
        """The whole conversation as text, the image as one token; for looking at and for tests."""
        text, _ = close_thinking(self._chat(goal), user_text(goal))
        return text if reply is None else f"{text}{reply_text(reply)}{END_OF_TURN}"

    def _chat(self, goal: str) -> str:
        """What the chat template gives."""
        user = {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": user_text(goal)}]}
        return self.tokenizer.apply_chat_template([user], tokenize=False, add_generation_prompt=True)

    def pixels(self, frame: Frame) -> tuple[np.ndarray, tuple[int, int, int]]:
        """What the image processor gives: a frame that it would not resize is cut up here, much faster."""
        processor, size = self.image_processor, self.image_processor.size
        height, width = frame.shape[:2]
        patch, block = processor.patch_size, processor.patch_size * processor.merge_size
        whole = height % block == 0 and width % block == 0 and max(height, width) <= _LONGEST * min(height, width)
        if self._levels is not None and whole and size["shortest_edge"] <= height * width <= size["longest_edge"]:
            return cut_patches(self._levels[frame, range(3)], processor), (1, height // patch, width // patch)
        try:
            processed = processor(images=[frame], return_tensors="np", input_data_format="channels_last")
        except ValueError as error:
            raise InvalidInputError(f"a frame of {width}x{height} cannot be shown to this model: {error}") from error
        time, rows, columns = (int(count) for count in processed["image_grid_thw"][0])
        return np.asarray(processed["pixel_values"], np.float32), (time, rows, columns)

    def _tokenize(self, goal: str) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The prompt's tokens before and after the image."""
        for token in self._special:
            if token in goal:
                raise InvalidInputError(f"a goal is plain words; {goal!r} has the model's special token {token} in it")
        before, image, after = self.text(goal).partition(IMAGE)
        if not image or IMAGE in after:
            raise InvalidInputError("this model's chat template does not show the image once; use Qwen3-VL's own")
        ids = self.tokenizer(before + IMAGE + after, add_special_tokens=False)["input_ids"]
        place = ids.index(self.image_id)
        return tuple(ids[:place]), tuple(ids[place + 1 :])


def close_thinking(prompt: str, last: str) -> tuple[str, bool]:
    """End a thought that a chat template has opened: what follows is the reply, which holds no thought.

    Args:
        prompt: What the template gives.
        last: The user's last words; what stands before them is theirs.

    Returns:
        The prompt, with an empty thought in Qwen's own form if one was open, and whether it was.
    """
    tail = prompt.rpartition(last)[2]
    if tail.rfind(_THINK) <= tail.rfind(_THOUGHT):
        return prompt, False
    return prompt.rstrip("\n") + f"\n\n{_THOUGHT}\n\n", True


def cut_patches(image: np.ndarray, processor: Any) -> np.ndarray:
    """Cut an image into the rows of values that a Qwen3-VL takes, blocks that are merged later side by side.

    Args:
        image: ``(height, width, 3)`` float32, sides in whole blocks of ``patch_size * merge_size`` pixels.
        processor: Says those sizes.

    Returns:
        ``(patches, 3 * temporal_patch_size * patch_size**2)``: a still image fills every place in time.
    """
    patch, merge, times = processor.patch_size, processor.merge_size, processor.temporal_patch_size
    height, width = image.shape[:2]
    down, across = height // (patch * merge), width // (patch * merge)
    cut = image.reshape(down, merge, patch, across, merge, patch, 3).transpose(0, 3, 1, 4, 6, 2, 5)
    still = np.broadcast_to(cut[:, :, :, :, :, None], (*cut.shape[:5], times, patch, patch))
    return still.reshape(down * across * merge * merge, -1)


def _levels(processor: Any) -> np.ndarray | None:
    """What each of the 256 levels of each colour becomes, to the bit: ``(256, 3)`` float32; None if not so simple."""
    if not (processor.do_rescale and processor.do_normalize and processor.do_resize):
        return None
    scaled = (np.arange(256)[:, None] * np.float64(processor.rescale_factor)).astype(np.float32)
    return (scaled - np.array(processor.image_mean, np.float32)) / np.array(processor.image_std, np.float32)


def _positions(length: int, before: int, grid: tuple[int, int, int]) -> np.ndarray:
    """Time, row and column of each token: text counts up in all three, the image spreads over rows and columns."""
    time, down, across = grid
    count = time * down * across
    positions = np.empty((3, length), np.int64)
    positions[:, :before] = np.arange(before)
    positions[:, before : before + count] = before + np.indices((time, down, across)).reshape(3, -1)
    after = length - before - count
    positions[:, before + count :] = before + max(down, across) + np.arange(after)
    return positions


def collate(batch: Sequence[ModelInputs], pad_id: int, image_id: int, device: Any = "cpu") -> dict[str, torch.Tensor]:
    """Put inputs side by side as the model's keyword arguments, filled up on the left.

    Returns:
        ``input_ids``, ``attention_mask``, ``mm_token_type_ids`` ``(B, L)``; ``position_ids`` ``(3, B, L)``;
        ``pixel_values`` ``(patches of all, values)``; ``image_grid_thw`` ``(B, 3)``.

    Raises:
        MissingExtraError: If torch is not installed.
    """
    torch: Any = require("torch", "vlm")
    length = max(len(each.ids) for each in batch)
    ids = np.full((len(batch), length), pad_id, np.int64)
    mask = np.zeros((len(batch), length), np.int64)
    positions = np.zeros((3, len(batch), length), np.int64)
    for row, each in enumerate(batch):
        start = length - len(each.ids)
        ids[row, start:] = each.ids
        mask[row, start:] = 1
        positions[:, row, start:] = each.positions
    arrays = {
        "input_ids": ids,
        "attention_mask": mask,
        "mm_token_type_ids": ((ids == image_id) & (mask == 1)).astype(np.int64),
        "position_ids": positions,
        "pixel_values": np.concatenate([each.pixels for each in batch]),
        "image_grid_thw": np.array([each.grid for each in batch], np.int64),
    }
    return {name: torch.from_numpy(array).to(device) for name, array in arrays.items()}
