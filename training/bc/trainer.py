"""Trains the convolutional baseline (``policies.bc``) on labeled samples, with checkpoints and resume.

Knows nothing of the command line. What it is told to report, it reports through ``on_progress``.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.actions import CHUNK_LENGTH, Action, action_index
from gameenv.errors import InvalidInputError, require
from policies.bc import Without, bag_of_words, build_network, hide, save_atomically
from training.data import goal_order
from training.frame_cache import Frames
from training.step_report import StepReport

CHECKPOINT_FILE = "checkpoint.pt"
_EVAL_BATCH = 1024
_CLIP_NORM = 1.0
RARE: tuple[Action, ...] = ("enter", "space", "c", "up", "down")
"""Keys that are pressed for a moment, and decide a task."""
_SHORTEST = 20  # steps; a one-cycle schedule divides by its first tenth less one


@dataclass(frozen=True, slots=True)
class BCSettings:
    """What decides the outcome of a training; a resumed one must agree in all of it.

    Attributes:
        epochs: Times as many samples are drawn as there are.
        batch_size: Samples a step.
        learning_rate: Peak of the schedule.
        weight_decay: AdamW's.
        jitter: How far brightness and contrast vary, as a share.
        seed: Of the weights, the batches and the held-out levels.
        shuffle_goals: Each sample has the goal of another.
        without: What is hidden.
        declares: The network has a head for declarations.
        oversample: How many times as often as others the moments that matter (``Arrays.matters``) are drawn.
        init: The model whose weights are begun with.
    """

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    jitter: float
    seed: int
    shuffle_goals: bool
    without: Without | None = None
    declares: bool = True
    oversample: float = 1.0
    init: str | None = None


@dataclass(frozen=True, slots=True)
class Arrays:
    """Samples as arrays.

    Attributes:
        frames: ``(n, h, w, 3)`` uint8.
        bags: ``(n, words)`` float32.
        chunks: ``(n, 7)`` int64 action indices.
        declared: ``(n,)`` bool: seven ``none`` that say "the goal is reached".
        previous: ``(n,)``: what was done a tick before, -1 where it is not known; None where that does not matter.
    """

    frames: Frames
    bags: np.ndarray
    chunks: np.ndarray
    declared: np.ndarray
    previous: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.chunks)

    @property
    def matters(self) -> np.ndarray:
        """``(n,)`` bool: a rare key within the chunk, another action than a tick before, or a declaration."""
        matters = np.isin(self.chunks, [action_index(word) for word in RARE]).any(axis=1) | self.declared
        if self.previous is not None:
            matters |= (self.previous >= 0) & (self.chunks[:, 0] != self.previous)
        return matters


@dataclass(frozen=True, slots=True)
class Answers:
    """What the network says of held-out samples: ``logits`` ``(n, 7, 12)`` and, from a network with that head, the
    probability ``(n,)`` that the goal is reached."""

    logits: np.ndarray
    declares: np.ndarray | None


@dataclass(frozen=True, slots=True)
class FittedBC:
    """A trained network.

    Attributes:
        network: With the weights of its best epoch.
        answers: Its answers to the held-out samples.
        word_loss: Their mean cross-entropy a word, nats.
        best_epoch: Counted from 1.
        curve: (step, training loss, held-out loss) after each epoch; both with the declaration's, where there is one.
        resumed_from: The epoch that a checkpoint held, 0 for none.
        seconds: This run's time.
    """

    network: Any
    answers: Answers
    word_loss: float
    best_epoch: int
    curve: tuple[tuple[int, float, float], ...]
    resumed_from: int
    seconds: float


class Trainer:
    """Trains one network; call ``fit`` once.

    Args:
        settings: What decides the outcome.
        words: The word list of the bags.
        training: Samples to learn from.
        validation: Held-out samples; the epoch with the lowest loss on them is kept.
        folder: Where the checkpoint is kept, one an epoch.
        dataset_id: Names the data, so that a checkpoint is not resumed on another dataset.
        start: A trained network's weights to begin with.
    """

    def __init__(
        self,
        settings: BCSettings,
        words: tuple[str, ...],
        *,
        training: Arrays,
        validation: Arrays,
        folder: Path,
        dataset_id: str,
        start: Mapping[str, Any] | None = None,
    ) -> None:
        self._torch: Any = require("torch", "train")
        self._settings = settings
        self._training, self._validation = (_hide(each, settings.without) for each in (training, validation))
        self._jitter = 0.0 if settings.without == "frames" else settings.jitter  # or the one picture would flicker
        self._checkpoint = folder / CHECKPOINT_FILE
        self._identity = {"settings": asdict(settings), "words": list(words), "dataset": dataset_id}
        self._torch.manual_seed(settings.seed)
        self._network: Any = build_network(len(words), declares=settings.declares)
        if start is not None:
            self._network.load_state_dict(start)
        self._network.to(memory_format=self._torch.channels_last)
        self._steps_per_epoch = max(1, len(training) // settings.batch_size)
        steps = settings.epochs * self._steps_per_epoch
        self._optimizer = self._torch.optim.AdamW(
            self._network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay
        )
        self._schedule = self._torch.optim.lr_scheduler.OneCycleLR(
            self._optimizer, max_lr=settings.learning_rate, total_steps=max(steps + 1, _SHORTEST), pct_start=0.1
        )
        self._goals = goal_order(len(training), settings.seed, shuffled=settings.shuffle_goals)

    def fit(self, on_progress: Callable[[StepReport], object] = lambda point: None) -> FittedBC:
        """Train to the end, from the last checkpoint on if there is one.

        Raises:
            InvalidInputError: If there is a checkpoint of other settings or data, or of a damaged file.
        """
        started = time.perf_counter()
        epoch, best, curve = self._restore()
        resumed_from = epoch
        while epoch < self._settings.epochs:
            train_loss = self._run_epoch(epoch, on_progress)
            answers, word_loss, loss = self._evaluate()
            epoch += 1
            step = epoch * self._steps_per_epoch
            curve.append((step, train_loss, loss))
            if best is None or loss < best["loss"]:
                weights = {name: value.clone() for name, value in self._network.state_dict().items()}
                best = {"loss": loss, "epoch": epoch, "weights": weights}
            self._save(epoch, best, curve)
            steps = self._steps_per_epoch * self._settings.epochs
            first_right = float((answers.logits[:, 0].argmax(-1) == self._validation.chunks[:, 0]).mean())
            on_progress(StepReport(step, steps, 0.0, 0.0, train_loss, (word_loss, first_right)))
        if best is None:
            raise InvalidInputError(f"nothing to train: epochs is {self._settings.epochs}, expected at least 1")
        self._network.load_state_dict(best["weights"])
        answers, word_loss, _ = self._evaluate()
        seconds = time.perf_counter() - started
        return FittedBC(self._network, answers, word_loss, best["epoch"], tuple(curve), resumed_from, seconds)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """The samples of an epoch in their order: each once, or as many draws in which some come up more often."""
        count = len(self._training)
        if self._settings.oversample == 1:
            return rng.permutation(count)
        odds = np.where(self._training.matters, self._settings.oversample, 1.0)
        return rng.choice(count, count, p=odds / odds.sum())

    def _run_epoch(self, epoch: int, on_progress: Callable[[StepReport], object]) -> float:
        torch, settings = self._torch, self._settings
        rng = np.random.default_rng([settings.seed, 2, epoch])  # by epoch, so that a resumed run sees the same batches
        torch.manual_seed(settings.seed * 1_000_003 + epoch)
        order = self.draw(rng)
        total = settings.epochs * self._steps_per_epoch
        self._network.train()
        running, started = 0.0, time.perf_counter()
        for number in range(self._steps_per_epoch):
            batch = np.sort(order[number * settings.batch_size : (number + 1) * settings.batch_size])
            pixels = self._pixels(self._training.frames[batch], rng)
            bags = torch.from_numpy(self._training.bags[self._goals[batch]])
            loss: Any = sum(self._losses(self._network(pixels, bags), self._training, batch))
            self._optimizer.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(self._network.parameters(), _CLIP_NORM)
            self._optimizer.step()
            self._schedule.step()
            running += loss.item()
            step = epoch * self._steps_per_epoch + number + 1
            pace = (time.perf_counter() - started) / (number + 1)
            on_progress(StepReport(step, total, settings.batch_size / pace, pace, running / (number + 1)))
        return running / self._steps_per_epoch

    def _losses(self, answers: tuple[Any, Any], data: Arrays, rows: Any) -> list[Any]:
        """The words' cross-entropy and, where there is that head, the declaration's: means, nats."""
        torch, (words, declares) = self._torch, answers
        losses = [torch.nn.functional.cross_entropy(words.flatten(0, 1), torch.from_numpy(data.chunks[rows]).flatten())]
        if declares is not None:
            truth = torch.from_numpy(data.declared[rows]).to(declares)
            losses.append(torch.nn.functional.binary_cross_entropy_with_logits(declares, truth))
        return losses

    def _pixels(self, frames: np.ndarray, rng: np.random.Generator | None = None) -> Any:
        """``(n, 3, h, w)`` float32 in 0..1; with dice, brightness and contrast vary a little from frame to frame."""
        torch = self._torch
        pixels = torch.from_numpy(np.array(frames)).permute(0, 3, 1, 2).float().div_(255)
        if rng is not None and self._jitter:
            gain, shift = 1 + self._jitter * rng.uniform(-1, 1, (2, len(frames), 1, 1, 1)).astype(np.float32)
            pixels.mul_(torch.from_numpy(gain)).add_(torch.from_numpy((shift - 1) / 2)).clamp_(0, 1)
        return pixels

    def _evaluate(self) -> tuple[Answers, float, float]:
        """Answers to the held-out samples, the loss a word, and the loss that is minimized."""
        torch, data = self._torch, self._validation
        self._network.eval()
        words, declares, losses = [], [], []
        with torch.inference_mode():
            for start in range(0, len(data), _EVAL_BATCH):
                rows = np.arange(start, min(start + _EVAL_BATCH, len(data)))
                answers = self._network(self._pixels(data.frames[rows]), torch.from_numpy(data.bags[rows]))
                losses.append([len(rows) * float(loss) for loss in self._losses(answers, data, rows)])
                words.append(answers[0].numpy())
                if answers[1] is not None:
                    declares.append(answers[1].sigmoid().numpy())
        means = np.sum(losses, axis=0) / len(data)
        said = np.concatenate(declares) if declares else None
        return Answers(np.concatenate(words), said), float(means[0]), float(means.sum())

    def _save(self, epoch: int, best: dict[str, Any], curve: list[tuple[int, float, float]]) -> None:
        state = {
            "identity": self._identity,
            "epoch": epoch,
            "network": self._network.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "schedule": self._schedule.state_dict(),
            "best": best,
            "curve": curve,
        }
        save_atomically(state, self._checkpoint)

    def _restore(self) -> tuple[int, dict[str, Any] | None, list[tuple[int, float, float]]]:
        if not self._checkpoint.exists():
            return 0, None, []
        try:
            state = self._torch.load(self._checkpoint, map_location="cpu", weights_only=True)
        except Exception as error:  # torch raises many kinds on a damaged file
            raise InvalidInputError(
                f"cannot read {self._checkpoint}: {error}. Delete it and train from the start."
            ) from error
        for name, mine in self._identity.items():
            if state["identity"][name] != mine:
                raise InvalidInputError(
                    f"{self._checkpoint} belongs to a training with other {name}: it has "
                    f"{_brief(state['identity'][name])}, now {_brief(mine)}. "
                    "Use the same ones, name another --out, or delete it."
                )
        self._network.load_state_dict(state["network"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._schedule.load_state_dict(state["schedule"])
        return state["epoch"], state["best"], [tuple(point) for point in state["curve"]]


def chunks_to_array(chunks: Any) -> np.ndarray:
    """Chunks as ``(n, 7)`` int64 action indices."""
    return np.array([chunk.indices for chunk in chunks], np.int64).reshape(-1, CHUNK_LENGTH)


def make_arrays(
    frames: Frames,
    goals: list[str],
    chunks: Any,
    words: tuple[str, ...],
    *,
    declared: np.ndarray,
    previous: np.ndarray | None = None,
) -> Arrays:
    """Put samples into arrays; a goal's bag is computed once."""
    unique = sorted(set(goals))
    bags = bag_of_words(unique, words)
    index = {goal: i for i, goal in enumerate(unique)}
    return Arrays(frames, bags[[index[goal] for goal in goals]], chunks_to_array(chunks), declared, previous)


def _hide(arrays: Arrays, without: Without | None) -> Arrays:
    frames, bags = hide(arrays.frames, arrays.bags, without)
    return replace(arrays, frames=frames, bags=bags)


def _brief(value: object) -> str:
    text = str(value)
    return text if len(text) < 300 else text[:300] + "..."
