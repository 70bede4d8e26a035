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
from gameenv.frames import DEFAULT_SIZE
from policies.base import MAX_PLAYED, Observation
from policies.card import ModelCard
from policies.options import threshold_of
from policies.vlm.declaring import instead_of_declaring
from policies.vlm.decoding import Decoder, ReplyRow
from policies.vlm.failures import out_of_memory
from policies.vlm.inputs import InputMaker, ModelInputs

_FIRST_GUESS = action_index("w")


class Drafter:
    """Guesses the next chunk: what is left of the last one after as much of it as was really played."""

    def __init__(self) -> None:
        self._last: tuple[Action, ...] = ()
        self._before: tuple[Action, ...] = ()
        self._shift = CHUNK_LENGTH

    def draft(self, played: tuple[Action, ...]) -> list[int]:
        """Seven words, as indices of ``ACTIONS``.

        Args:
            played: The words played so far, as ``Observation`` has them.
        """
        shifts = [shift for shift in range(1, CHUNK_LENGTH + 1) if self._explains(shift, played)]
        if not shifts:  # the first chunk; or something else was played, by a person say
            return guess(played)
        if self._shift not in shifts:  # of a long row of one word the end does not tell; it is most often as before
            self._shift = shifts[-1]
        return [action_index(word) for word in (*self._last[self._shift :], *[self._last[-1]] * self._shift)]

    def learn(self, words: Sequence[int], played: tuple[Action, ...]) -> None:
        """Note the chunk that came, and what had been played before it."""
        self._last = tuple(ACTIONS[word] for word in words)
        self._before = played

    def _explains(self, shift: int, played: tuple[Action, ...]) -> bool:
        """Whether ``played`` is what had been played, and then so many words of the last chunk."""
        return len(self._last) >= shift and (self._before + self._last[:shift])[-MAX_PLAYED:] == played


def guess(played: Sequence[Action]) -> list[int]:
    """Seven words for one who knows no chunk: the word played last, repeated."""
    return [action_index(played[-1]) if played else _FIRST_GUESS] * CHUNK_LENGTH


class VLMPolicy:
    """A Qwen3-VL that answers with exactly the chunk that decoding word by word, restricted to the twelve words, gives.

    At temperature 0 that is greedy decoding: the answer depends on the observation alone, so one instance may answer
    many environments at once. Above, each word is drawn with the model's own probability, given the words before it;
    seven draws are made before the first pass, so that what is drawn does not depend on what was drafted.

    One chunk may be taken back: seven ``none``, which says "the goal is reached", stands only if the model itself gives
    the seven as a whole (those that are not committed) the probability ``declare_at`` or more. Where it does not, the
    likeliest first key is pressed instead (``policies.vlm.declaring``).

    Args:
        model: A ``Qwen3VLForConditionalGeneration`` with its weights.
        maker: Makes its inputs.
        card: What it was trained on; None for a model as it came.
        temperature: 0 takes the likeliest word; 1 is the model's own distribution over the twelve.
        declare_at: Probability of seven ``none`` from which it declares; None takes the card's, else one half.

    Attributes:
        passes: How many chunks took how many forward passes, one by one or together.

    Raises:
        InvalidInputError: If the temperature is below 0, or the card's threshold is no probability.
    """

    def __init__(
        self,
        model: Any,
        maker: InputMaker,
        card: ModelCard | None = None,
        *,
        temperature: float = 0.0,
        declare_at: float | None = None,
    ) -> None:
        if not temperature >= 0:
            raise InvalidInputError(f"a temperature is 0 or above, got {temperature}")
        self.model = model
        self.maker = maker
        self.card = card
        self.passes: Counter[int] = Counter()
        self._temperature = float(temperature)
        self._declare_at = threshold_of(card, declare_at)
        self._decoder = Decoder(model, maker.reply, maker.pad_id, maker.image_id, self._temperature)
        self._drafter = Drafter()
        self._rng = np.random.default_rng()

    @property
    def batches(self) -> bool:
        """Whether one instance may serve every environment: at temperature 0; draws belong to an episode's seed."""
        return self._temperature == 0

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; the same seed draws the same."""
        self._drafter = Drafter()
        self._rng = np.random.default_rng(seed)

    def predict(self, observation: Observation) -> ActionChunk:
        """The chunk that begins with what is committed.

        Raises:
            GameEnvError: If the model's output is not numbers, or memory runs out; says what to do.
        """
        return ActionChunk(tuple(self.predict_stream(observation)))

    def predict_stream(self, observation: Observation) -> Iterator[Action]:
        """The words of ``predict``'s chunk, each as soon as it is settled; the first come after one forward pass.

        Raises:
            GameEnvError: As ``predict``.
        """
        row = self._row(observation, self._drafter.draft(observation.played))
        with self._advising():
            inputs = self.maker.make(observation.frame, observation.goal)
        return self._stream(inputs, row, observation.played)

    def _stream(self, inputs: ModelInputs, row: ReplyRow, played: tuple[Action, ...]) -> Iterator[Action]:
        said = count = 0
        with self._advising():
            for reply in self._replies(row):
                for _ in self._decoder.passes([inputs], [reply]):
                    count += 1
                    if any(reply.words[: reply.known]):  # until a key is pressed, it may all be taken back
                        for word in reply.words[said : reply.known]:
                            yield ACTIONS[word]
                        said = reply.known
                row = reply
        for word in row.words[said:]:
            yield ACTIONS[word]
        self.passes[count] += 1
        self._drafter.learn(row.words, played)

    def _replies(self, row: ReplyRow) -> Iterator[ReplyRow]:
        """What is to be decoded: a reply, and once it turns out to be a declaration that is not made, another."""
        committed = row.known
        yield row
        instead = instead_of_declaring(row, committed, self._declare_at)
        if instead is not None:
            yield instead

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        """A chunk for each observation, decoded together.

        Raises:
            GameEnvError: As ``predict``.
        """
        rows = [self._row(each, guess(each.played)) for each in observations]
        with self._advising():
            batch = [self.maker.make(each.frame, each.goal) for each in observations]
        passes = self._decode(batch, rows)
        taken_back: dict[int, ReplyRow] = {}
        for place, (each, row) in enumerate(zip(observations, rows, strict=True)):
            instead = instead_of_declaring(row, len(each.committed), self._declare_at)
            if instead is not None:
                taken_back[place] = rows[place] = instead
        if taken_back:
            passes += self._decode([batch[place] for place in taken_back], list(taken_back.values()))
        self.passes[passes] += 1
        return [ActionChunk.of([ACTIONS[word] for word in row.words]) for row in rows]

    def answers_whatever_the_draft(self) -> bool:
        """Whether answers that took several passes are what one pass gives with them as its draft, as they must be.

        A forward pass that misreads several tokens behind a cache shows here. Looks at three plain pictures; draws
        nothing.
        """
        return all(self._agrees_with_itself(shade) for shade in (20, 127, 235))

    def _agrees_with_itself(self, shade: int) -> bool:
        frame = np.full((*reversed(DEFAULT_SIZE), 3), shade, np.uint8)
        inputs = self.maker.make(frame, "Go to the lantern")
        several = ReplyRow([_FIRST_GUESS] * CHUNK_LENGTH, 0)
        self._decode([inputs], [several])
        one = ReplyRow(list(several.words), 0)
        return self._decode([inputs], [one]) == 1 and one.words == several.words

    def _row(self, observation: Observation, draft: Sequence[int]) -> ReplyRow:
        """A reply in the making: what is committed, then the draft."""
        promised = [action_index(word) for word in observation.committed]
        noise = None
        if self._temperature > 0:
            # The best of scores with Gumbel noise is a draw from their softmax (https://arxiv.org/abs/1411.0030).
            noise = self._rng.gumbel(size=(CHUNK_LENGTH, len(ACTIONS)))
        return ReplyRow([*promised, *draft[len(promised) :]], len(promised), noise)

    def _decode(self, batch: Sequence[ModelInputs], rows: Sequence[ReplyRow]) -> int:
        """Decode all rows; returns how many passes that took."""
        with self._advising():
            return sum(1 for _ in self._decoder.passes(batch, rows))

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
