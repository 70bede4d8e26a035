"""The baseline every VLM must beat: a small goal-conditioned convolutional network, trained on the same samples.

A frame, shrunk, goes through convolutions; the goal's words, as a bag, scale and shift their channels (FiLM: Perez et
al. 2018, https://arxiv.org/abs/1709.07871); seven heads give a word each. It has no memory. Controls are the same
network with the frames or the goals hidden from it. Knows nothing of training.
"""

from __future__ import annotations

import io
import itertools
import logging
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.errors import InvalidInputError, UnknownNameError, require
from gameenv.files import write_atomically
from gameenv.frames import Frame, FrameSpec, fit_frame
from policies.base import Observation
from policies.card import ModelCard
from policies.options import threshold_of
from recording.goals import goal_words

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
KIND = "bc"
WEIGHTS_FILE = "weights.pt"
HEAD = "declaration."
"""How the names of that head's weights begin."""
FIRST_GOAL_WEIGHTS = "goal.0.weight"
INPUT_SIZE = (128, 72)
"""Width, height of what the network sees: a quarter of the default frame each way."""
PATCH = 4
WIDTHS = (48, 64, 96)
GOAL = 64
HIDDEN = 320
SQUEEZED = 32
Without = Literal["frames", "goals"]
"""What a control is not shown, in training and in play."""
GREY = 128
"""The one picture of a policy without frames, 0..255."""


def build_word_list(goals: Iterable[str]) -> tuple[str, ...]:
    """Every word of the training goals, sorted. Words not among them are not heard when playing."""
    return tuple(sorted({word for goal in goals for word in goal_words(goal)}))


def bag_of_words(goals: Sequence[str], words: Sequence[str]) -> np.ndarray:
    """Goals as rows of word counts that add up to 1: ``(len(goals), len(words))`` float32."""
    index = {word: i for i, word in enumerate(words)}
    bags = np.zeros((len(goals), len(words)), np.float32)
    for bag, goal in zip(bags, goals, strict=True):
        heard = [index[word] for word in goal_words(goal) if word in index]
        np.add.at(bag, heard, 1 / max(len(heard), 1))
    return bags


def hide(frames: Any, bags: np.ndarray, without: Without | None) -> tuple[Any, np.ndarray]:
    """Frames and bags as a control is shown them: every frame the same grey picture, or every bag empty.

    ``frames`` is an array, or anything with its ``shape``.
    """
    if without == "frames":
        return np.broadcast_to(np.uint8(GREY), frames.shape), bags
    if without == "goals":
        return frames, np.zeros_like(bags)
    return frames, bags


def build_network(word_count: int, *, declares: bool = True) -> torch.nn.Module:
    """The network, fresh: ``(frames (B, 3, H, W) in 0..1, bags (B, word_count)) -> (words, declaration)``.

    ``words`` are logits ``(B, 7, 12)``; ``declaration`` ``(B,)`` is the logit of "the goal is reached: seven ``none``",
    None from a network without that head.

    Args:
        word_count: Words in a bag.
        declares: Give it the head for declarations.

    Raises:
        MissingExtraError: If torch is not installed.
    """
    torch_: Any = require("torch", "train")
    nn: Any = torch_.nn

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.patches = nn.Conv2d(3, WIDTHS[0], PATCH, stride=PATCH)
            self.convs = nn.ModuleList(nn.Conv2d(a, b, 3, stride=2, padding=1) for a, b in itertools.pairwise(WIDTHS))
            self.norms = nn.ModuleList(nn.GroupNorm(8, width) for width in WIDTHS)
            self.goal = nn.Sequential(nn.Linear(word_count, GOAL), nn.ReLU(), nn.Linear(GOAL, GOAL), nn.ReLU())
            self.films = nn.ModuleList(nn.Linear(GOAL, 2 * width) for width in WIDTHS)
            self.squeeze = nn.Conv2d(WIDTHS[-1], SQUEEZED, 1)
            rows, columns = INPUT_SIZE[1] // PATCH, INPUT_SIZE[0] // PATCH
            for _ in self.convs:
                rows, columns = (rows + 1) // 2, (columns + 1) // 2
            self.body = nn.Sequential(
                nn.Dropout(0.1),
                nn.Linear(SQUEEZED * rows * columns + GOAL, HIDDEN),
                nn.ReLU(),
                nn.Dropout(0.1),
                nn.Linear(HIDDEN, CHUNK_LENGTH * len(ACTIONS)),
            )
            self.declaration = nn.Linear(HIDDEN, 1) if declares else None

        def forward(self, frames: torch.Tensor, bags: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
            return self.say(self.see(frames, bags))

        def see(self, frames: torch.Tensor, bags: torch.Tensor) -> torch.Tensor:
            """What the heads read: ``(B, HIDDEN)``."""
            goal = self.goal(bags)
            x = self.patches(frames)
            for conv, norm, film in zip([None, *self.convs], self.norms, self.films, strict=True):
                x = norm(x if conv is None else conv(x))
                scale, shift = film(goal)[:, :, None, None].chunk(2, dim=1)
                x = torch_.addcmul(shift, x, 1 + scale).relu()
            flat = self.squeeze(x).relu().flatten(1)
            return self.body[:-1](torch_.cat([flat, goal], dim=1))

        def say(self, hidden: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor | None]:
            """What the heads say."""
            words = self.body[-1](hidden).view(-1, CHUNK_LENGTH, len(ACTIONS))
            return words, None if self.declaration is None else self.declaration(hidden).squeeze(1)

    return Network()


def widen(state: Mapping[str, Any], old: Sequence[str], new: Sequence[str]) -> dict[str, Any]:
    """A network's weights for a longer word list: words that it never heard begin by saying nothing.

    Args:
        state: The weights, of a network with the word list ``old``.
        old: Its word list.
        new: One that has all of those words.
    """
    first = state[FIRST_GOAL_WEIGHTS]
    wide = first.new_zeros(len(first), len(new))
    wide[:, [new.index(word) for word in old]] = first
    return {**state, FIRST_GOAL_WEIGHTS: wide}


def choose_words(scores: np.ndarray, declares: np.ndarray | None) -> np.ndarray:
    """The best chunk of each row, which says "the goal is reached" only where that was decided.

    Where it was decided it is not so, the chunk is the likeliest that is not seven ``none``: the likeliest word of each
    slot, and if all of them are ``none``, the one slot whose best other word costs least. As the heads are independent,
    no chunk but seven ``none`` is likelier.

    Args:
        scores: ``(n, slots, 12)``, logits or draws from them, of slots that follow nothing but ``none``.
        declares: ``(n,)`` bool, what was decided; None decides nothing, and leaves the likeliest words as they are.

    Returns:
        ``(n, slots)`` action indices.
    """
    words = scores.argmax(-1)
    if declares is None:
        return words
    words[declares] = 0  # none
    for row in np.flatnonzero(~declares & (words == 0).all(axis=1)):
        slot = (scores[row, :, 1:].max(-1) - scores[row, :, 0]).argmax()
        words[row, slot] = 1 + scores[row, slot, 1:].argmax()
    return words


def save_atomically(content: Any, path: Path) -> None:
    """Write what ``torch.save`` makes of ``content``, under its name only when it is whole.

    Raises:
        DiskFullError: If there is no room.
    """
    buffer = io.BytesIO()
    require("torch", "train").save(content, buffer)
    write_atomically(path, buffer.getbuffer())


class BCPolicy:
    """A trained network behind the ``Policy`` protocol.

    Above temperature 0 each slot's word is drawn from its head's own odds, so that a policy that sees nothing new need
    not repeat itself. The heads do not know of each other's draws. Whether it declares is never drawn: a head of its
    own gives the probability that the goal is reached, and from ``declare_at`` on it declares.

    Args:
        network: What ``build_network`` made.
        words: The word list it was trained with.
        card: What it was trained on; where its ``extra`` says ``without``, that is hidden from the network here too.
        temperature: 0 takes the likeliest word; 1 is the network's own distribution, less is more decided.
        declare_at: Probability from which it declares; None takes the card's. Only for a network with that head:
            one without it declares whenever its words come out as seven ``none``.

    Attributes:
        network: The same.
        words: The same.
        card: The same.

    Raises:
        InvalidInputError: If the temperature is below 0, the card's threshold is no probability, or one is asked for
            that the network has no head for.
        UnknownNameError: If the card hides something else than frames or goals.
    """

    def __init__(
        self,
        network: torch.nn.Module,
        words: Sequence[str],
        card: ModelCard,
        *,
        temperature: float = 0.0,
        declare_at: float | None = None,
    ) -> None:
        if not temperature >= 0:
            raise InvalidInputError(f"a temperature is 0 or above, got {temperature}")
        self._torch: Any = require("torch", "train")
        self.network: Any = network.eval()
        self.words = tuple(words)
        self._temperature = temperature
        self._declare_at = threshold_of(card, declare_at)
        if declare_at is not None and getattr(network, "declaration", None) is None:
            raise InvalidInputError(
                "this network has no head for declarations, it declares by its words alone: leave out --declare-at, or "
                "train it again"
            )
        self._warned: set[str] = set()
        self._dice = np.random.default_rng()
        self._spec = FrameSpec(*INPUT_SIZE, fit=card.recorded.fit)
        self._without: Without | None = card.extra.get("without")
        if self._without not in (None, *get_args(Without)):
            raise UnknownNameError("thing that the model's card hides:", self._without, get_args(Without))
        self.card = card

    @classmethod
    def load(cls, path: str | Path, *, temperature: float = 0.0, declare_at: float | None = None) -> BCPolicy:
        """Read a folder that ``save`` (or ``gameenv-train --policy bc``) wrote.

        Raises:
            InvalidInputError: If the folder is missing, is another kind of model, or its weights cannot be read.
            MissingExtraError: If torch is not installed.
        """
        folder = Path(path)
        card = ModelCard.load(folder)
        if card.kind != KIND:
            raise InvalidInputError(f"{folder} holds a model of kind {card.kind!r}, not {KIND!r}")
        torch: Any = require("torch", "train")
        words = tuple(card.extra.get("words", ()))
        weights = folder / WEIGHTS_FILE
        try:
            state = torch.load(weights, map_location="cpu", weights_only=True)
            network = build_network(len(words), declares=any(name.startswith(HEAD) for name in state))
            network.load_state_dict(state)
        except FileNotFoundError:
            raise InvalidInputError(f"{weights} is missing; the training did not finish. Run it again.") from None
        except Exception as error:  # torch raises many kinds on a damaged file
            raise InvalidInputError(f"cannot read {weights}: {error}. Train the model again.") from error
        return cls(network, words, card, temperature=temperature, declare_at=declare_at)

    def save(self, folder: Path) -> None:
        """Write weights and card; the card last, so a folder with a card is complete."""
        folder.mkdir(parents=True, exist_ok=True)
        save_atomically(self.network.state_dict(), folder / WEIGHTS_FILE)
        self.card.save(folder)

    @property
    def batches(self) -> bool:
        """Whether one instance may serve every environment: at temperature 0; draws belong to an episode's seed."""
        return self._temperature == 0

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; the same seed draws the same. A goal of which it knows no word is warned about, once."""
        if goal not in self._warned and self._without != "goals" and not set(goal_words(goal)) & set(self.words):
            self._warned.add(goal)
            log.warning("this policy knows no word of the goal %r: it plays as if there were none", goal)
        self._dice = np.random.default_rng(seed)

    def predict(self, observation: Observation) -> ActionChunk:
        """A word for each slot; the chunk begins with what is committed."""
        return self.predict_batch([observation])[0]

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        """A chunk for each observation, in one pass through the network."""
        scores, says = self.answer([each.frame for each in observations], [each.goal for each in observations])
        if self._temperature > 0:
            # The best of scores with Gumbel noise is a draw from their softmax (https://arxiv.org/abs/1411.0030). Here
            # as logits / temperature + noise, times what keeps both finite at any temperature.
            noise = self._dice.gumbel(size=scores.shape) * min(self._temperature, 1.0)
            scores = scores / max(self._temperature, 1.0) + noise
        declares = [None] * len(scores) if says is None else list(says >= self._declare_at)
        return [
            _chunk(each.committed, row, decided)
            for each, row, decided in zip(observations, scores, declares, strict=True)
        ]

    def answer(self, frames: Sequence[Frame], goals: Sequence[str]) -> tuple[np.ndarray, np.ndarray | None]:
        """What the network says of each frame and goal.

        Returns:
            The words' logits ``(len(frames), 7, 12)`` float32, and the probability ``(len(frames),)`` float32 that the
            goal is reached, None from a network without that head.
        """
        small = np.stack([fit_frame(frame, self._spec) for frame in frames])
        bags = bag_of_words(goals, self.words)
        small, bags = hide(small, bags, self._without)
        torch = self._torch
        with torch.inference_mode():
            pixels = torch.tensor(small).permute(0, 3, 1, 2).float() / 255
            words, declares = self.network(pixels, torch.from_numpy(bags))
            return words.numpy(), None if declares is None else declares.sigmoid().numpy()


def _chunk(committed: Sequence[Action], scores: np.ndarray, declares: bool | None) -> ActionChunk:
    """The chunk that begins with what is committed.

    Behind any other word than ``none`` it can declare nothing yet: where it would, it lets go behind them, so that the
    next one can.
    """
    moves = any(word != NONE for word in committed)
    decided = None if declares is None or (moves and not declares) else np.array([declares])
    (words,) = choose_words(scores[None, len(committed) :], decided)
    return ActionChunk.of([*committed, *(ACTIONS[index] for index in words)])
