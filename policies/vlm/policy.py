"""``VLMPolicy``: a Qwen3-VL behind the ``Policy`` protocol.

Joins inputs, drafts and decoding. Knows nothing of files or of where the weights came from.
"""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, Action, ActionChunk, action_index
from gameenv.errors import GameEnvError, InvalidInputError
from gameenv.frames import DEFAULT_SIZE, Frame
from policies.base import check_committed, check_goal
from policies.card import ModelCard
from policies.vlm.decoding import Decoder, ReplyRow
from policies.vlm.failures import out_of_memory
from policies.vlm.inputs import InputMaker, ModelInputs

_FIRST_GUESS = action_index("w")
_FORGETS = 0.8  # a shift's score fades so much with every chunk


class Drafter:
    """Guesses the next chunk from the last: its tail, shifted by as many actions as were played of it.

    How many are played before the policy is asked again is the runner's to choose and not told, so the shift is the
    one that would have guessed best until now.
    """

    def __init__(self) -> None:
        self._last: list[int] | None = None
        self._scores = [0.0] * (CHUNK_LENGTH + 1)

    def draft(self) -> list[int]:
        """Seven words, as indices of ``ACTIONS``."""
        if self._last is None:
            return [_FIRST_GUESS] * CHUNK_LENGTH
        best = max(range(1, CHUNK_LENGTH + 1), key=lambda shift: (self._scores[shift], shift))
        return _shifted(self._last, best)

    def learn(self, words: Sequence[int]) -> None:
        """Note the chunk that came."""
        if self._last is not None:
            for shift in range(1, CHUNK_LENGTH + 1):
                right = _agreeing(_shifted(self._last, shift), words)
                self._scores[shift] = _FORGETS * self._scores[shift] + right
        self._last = list(words)


def _shifted(words: Sequence[int], shift: int) -> list[int]:
    """What is left of a chunk after ``shift`` of it were played, its last word repeated."""
    return [*words[shift:], *[words[-1]] * shift]


def _agreeing(one: Sequence[int], other: Sequence[int]) -> int:
    """How many words two chunks share from the start."""
    return next((place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), CHUNK_LENGTH)


class VLMPolicy:
    """A Qwen3-VL that answers with exactly the chunk that greedy decoding, restricted to the twelve words, gives.

    Args:
        model: A ``Qwen3VLForConditionalGeneration`` with its weights.
        maker: Makes its inputs.
        card: What it was trained on; None for a model as it came.

    Attributes:
        passes: How many chunks took how many forward passes, one by one or together.
    """

    temperature = 0.0

    def __init__(self, model: Any, maker: InputMaker, card: ModelCard | None = None) -> None:
        self.model = model
        self.maker = maker
        self.card = card
        self.passes: Counter[int] = Counter()
        self._decoder = Decoder(model, maker.reply, maker.pad_id, maker.image_id, self.temperature)
        self._goal: str | None = None
        self._drafter = Drafter()

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal."""
        self._goal = check_goal(goal)
        self._drafter = Drafter()

    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        """The likeliest chunk that begins with ``committed``.

        Raises:
            InvalidInputError: If the frame is not one, more than six words are committed, or ``reset`` was not called.
            GameEnvError: If the model's output is not numbers, or memory runs out; says what to do.
        """
        return ActionChunk(tuple(self.predict_stream(frame, committed)))

    def predict_stream(self, frame: Frame, committed: Sequence[Action] = ()) -> Iterator[Action]:
        """The words of ``predict``'s chunk, each as soon as it is settled; the first come after one forward pass.

        Raises:
            GameEnvError: As ``predict``.
        """
        if self._goal is None:
            raise InvalidInputError("no goal yet; call reset(goal) before predict")
        promised = [action_index(word) for word in check_committed(committed)]
        row = ReplyRow([*promised, *self._drafter.draft()[len(promised) :]], len(promised), self._noise())
        with self._advising():
            inputs = self.maker.make(frame, self._goal)
        return self._stream(inputs, row)

    def _stream(self, inputs: ModelInputs, row: ReplyRow) -> Iterator[Action]:
        said = count = 0
        with self._advising():
            for _ in self._decoder.passes([inputs], [row]):
                count += 1
                for word in row.words[said : row.known]:
                    yield ACTIONS[word]
                said = row.known
        self.passes[count] += 1
        self._drafter.learn(row.words)

    def _decode(self, batch: Sequence[ModelInputs], rows: Sequence[ReplyRow]) -> int:
        """Decode all rows; returns how many passes that took."""
        with self._advising():
            return sum(1 for _ in self._decoder.passes(batch, rows))

    def _noise(self) -> np.ndarray | None:
        return None

    @contextlib.contextmanager
    def _advising(self) -> Iterator[None]:
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            said = out_of_memory(error)
            if said is None:
                raise
            raise GameEnvError(
                f"memory is full ({said}). Close other programs, load the model with --four-bit, or evaluate with "
                "fewer --workers and a smaller --frame-size"
            ) from error


class GreedyVLMPolicy(VLMPolicy):
    """Has no memory that changes an answer, so it also answers many environments at once."""

    def predict_batch(
        self, frames: Sequence[Frame], goals: Sequence[str], committed: Sequence[Sequence[Action]]
    ) -> list[ActionChunk]:
        """A chunk for each frame and goal, decoded together.

        Raises:
            GameEnvError: As ``predict``.
        """
        promised = [[action_index(word) for word in check_committed(words)] for words in committed]
        rows = [ReplyRow([*words, *[_FIRST_GUESS] * (CHUNK_LENGTH - len(words))], len(words)) for words in promised]
        with self._advising():
            batch = [self.maker.make(frame, goal) for frame, goal in zip(frames, goals, strict=True)]
        self.passes[self._decode(batch, rows)] += 1
        return [ActionChunk.of([ACTIONS[word] for word in row.words]) for row in rows]

    def answers_whatever_the_draft(self) -> bool:
        """Whether answers that took several passes are what one pass gives with them as its draft, as they must be.

        A forward pass that misreads several tokens behind a cache shows here. Looks at three plain pictures.
        """
        return all(self._agrees_with_itself(shade) for shade in (20, 127, 235))

    def _agrees_with_itself(self, shade: int) -> bool:
        frame = np.full((*reversed(DEFAULT_SIZE), 3), shade, np.uint8)
        inputs = self.maker.make(frame, "Go to the lantern")
        several = ReplyRow([_FIRST_GUESS] * CHUNK_LENGTH, 0)
        self._decode([inputs], [several])
        one = ReplyRow(list(several.words), 0)
        return self._decode([inputs], [one]) == 1 and one.words == several.words


class SamplingVLMPolicy(VLMPolicy):
    """Draws each word with the model's own probability at a temperature, given the words before it.

    Seven draws are made before the first pass, so what is drawn does not depend on what was drafted.

    Args:
        temperature: Above 0; 1 is the model's own distribution over the twelve words, less is more decided.
    """

    def __init__(self, model: Any, maker: InputMaker, card: ModelCard | None = None, *, temperature: float) -> None:
        if not temperature > 0:
            raise InvalidInputError(f"a temperature to sample with is above 0, got {temperature}")
        self.temperature = float(temperature)
        super().__init__(model, maker, card)
        self._rng = np.random.default_rng()

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode with this goal; the same seed draws the same."""
        super().reset(goal, seed=seed)
        self._rng = np.random.default_rng(seed)

    def _noise(self) -> np.ndarray:
        # The best of scores with Gumbel noise is a draw from their softmax (https://arxiv.org/abs/1411.0030).
        return self._rng.gumbel(size=(CHUNK_LENGTH, len(ACTIONS)))
