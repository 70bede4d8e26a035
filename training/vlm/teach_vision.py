"""Teaches a new model's vision part to see, before the whole is trained: the first stage of ``training.pretrain``.

A throw-away head reads the seven actions off the image tokens and the goal's words, all at once: no word before the
one asked for can be copied, and the gradient reaches the pictures from the first step on. Knows nothing of text models.
"""

import math
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import require
from policies.bc import bag_of_words, build_word_list, save_atomically
from training.step_report import StepReport
from training.vlm.batches import Examples
from training.vlm.model import Learner
from training.vlm.muon import build_optimizer
from training.vlm.settings import VLMSettings
from training.vlm.trainer import Conduct

FILE = "vision.pt"
GOAL = 64
SQUEEZED = 64
HIDDEN = 320
_CLIP_NORM = 1.0
_FLOOR = 0.02  # of the peak learning rate, at the end of the cosine
_EVAL_BATCH = 256
_DROPOUT = 0.1


class VisionTeacher:
    """Teaches one model's vision part; call ``teach`` once.

    Args:
        learner: Its vision part is trained in place.
        examples: Samples; those held out are scored after each epoch.
        settings: ``vision_epochs``, batch size, learning rates, seed.
        conduct: Where the state is kept and how often, and how many held-out samples are scored.
    """

    def __init__(self, learner: Learner, examples: Examples, settings: VLMSettings, conduct: Conduct) -> None:
        self._torch: Any = require("torch", "train")
        self._maker, self._examples, self._settings = learner.maker, examples, settings
        self._file, self._save_steps = conduct.checkpoints / FILE, conduct.save_steps
        goals = list(dict.fromkeys(examples.goals[: examples.training]))
        words = build_word_list(goals)
        unique = sorted(set(examples.goals))
        number = {goal: place for place, goal in enumerate(unique)}
        self._bags = self._torch.from_numpy(bag_of_words(unique, words))
        self._goals = np.array([number[goal] for goal in examples.goals])
        self._chunks = np.array([chunk.indices for chunk in examples.chunks], np.int64)
        held_out = np.arange(examples.training, len(examples.goals))
        count = min(conduct.eval_samples, len(held_out))
        self._scored = held_out[np.linspace(0, len(held_out) - 1, count).astype(int)]
        sample = self._maker.make(examples.frames[0], examples.goals[0])
        tokens = int(np.prod(sample.grid)) // self._maker.image_processor.merge_size**2
        self._torch.manual_seed(settings.seed)
        visual = learner.model.model.visual
        head = build_head(tokens, visual.config.out_hidden_size, len(words))
        self._parts: Any = self._torch.nn.ModuleDict({"visual": visual, "head": head})
        self._device = next(visual.parameters()).device
        self._parts.to(self._device)
        self._optimizer: Any = build_optimizer(self._parts, settings)
        self._peaks = [group["lr"] for group in self._optimizer.param_groups]
        self._steps_an_epoch = examples.training // settings.batch_size
        self.steps = settings.vision_epochs * self._steps_an_epoch

    def teach(self, on_progress: Callable[[StepReport], object] = lambda point: None) -> tuple[float, float]:
        """Train to the end, from where a killed run was saved on.

        Returns:
            Held-out loss a word (nats), and share of first words right.
        """
        first = step = self._restore()
        self._parts.train()
        started, losses = time.perf_counter(), []
        while step < self.steps:
            losses.append(self._step(step))
            step += 1
            pace = (time.perf_counter() - started) / (step - first)
            recent = float(np.mean(losses[-50:]))
            on_progress(StepReport(step, self.steps, self._settings.batch_size / pace, pace, recent))
            if step % self._steps_an_epoch == 0 and step < self.steps:
                on_progress(StepReport(step, self.steps, 0.0, pace, recent, self._score()))
            if step % self._save_steps == 0 or step == self.steps:
                self._save(step)
        score = self._score()
        on_progress(StepReport(step, self.steps, 0.0, 0.0, float(np.mean(losses[-50:] or [math.nan])), score))
        self._even_out()
        return score

    def _step(self, step: int) -> float:
        settings, torch = self._settings, self._torch
        epoch, place = divmod(step, self._steps_an_epoch)
        order = np.random.default_rng([settings.seed, 3, epoch]).permutation(self._examples.training)
        rows = np.sort(order[place * settings.batch_size : (place + 1) * settings.batch_size])
        rate = self._rate((step + 1) / self.steps)
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
        loss = self._loss(self._answer(rows), rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._parts.parameters(), _CLIP_NORM)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(loss.detach())

    def _rate(self, done: float) -> float:
        """The learning rate's share of its peak: it rises, then falls along a cosine."""
        warmup = self._settings.warmup
        if done < warmup:
            return done / warmup
        return max(_FLOOR, 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))))

    def _answer(self, rows: np.ndarray) -> Any:
        """Logits ``(B, 7, 12)``."""
        torch, frames = self._torch, self._examples.frames
        made = [self._maker.pixels(frames[int(row)]) for row in rows]
        pixels = torch.from_numpy(np.concatenate([pixels for pixels, _ in made])).to(self._device)
        grids = torch.tensor([grid for _, grid in made], device=self._device)
        seen = self._parts["visual"](pixels, grid_thw=grids).pooler_output
        return self._parts["head"](seen.view(len(rows), -1, seen.shape[-1]), self._bags[self._goals[rows]].to(seen))

    def _loss(self, logits: Any, rows: np.ndarray) -> Any:
        wanted = self._torch.from_numpy(self._chunks[rows]).to(logits.device)
        return self._torch.nn.functional.cross_entropy(logits.flatten(0, 1), wanted.flatten())

    def _score(self) -> tuple[float, float]:
        self._parts.eval()
        losses, right = 0.0, 0
        with self._torch.no_grad():
            for start in range(0, len(self._scored), _EVAL_BATCH):
                rows = self._scored[start : start + _EVAL_BATCH]
                logits = self._answer(rows)
                losses += float(self._loss(logits, rows)) * len(rows)
                right += int((logits[:, 0].argmax(-1).cpu().numpy() == self._chunks[rows, 0]).sum())
        self._parts.train()
        return losses / len(self._scored), right / len(self._scored)

    def _even_out(self) -> None:
        """Give the image tokens the spread that the text part expects; the head did not care, and they grew."""
        torch, visual = self._torch, self._parts["visual"]
        made = [self._maker.pixels(self._examples.frames[int(row)]) for row in self._scored[:_EVAL_BATCH]]
        with torch.no_grad():
            pixels = torch.from_numpy(np.concatenate([pixels for pixels, _ in made])).to(self._device)
            grids = torch.tensor([grid for _, grid in made], device=self._device)
            spread = visual(pixels, grid_thw=grids).pooler_output.std()
            visual.merger.linear_fc2.weight /= spread
            visual.merger.linear_fc2.bias /= spread
            for side in visual.deepstack_merger_list:  # nothing has taught these: they begin by adding nothing
                side.linear_fc2.weight.zero_()
                side.linear_fc2.bias.zero_()

    def _save(self, step: int) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        state = {"parts": self._parts.state_dict(), "optimizer": self._optimizer.state_dict(), "step": step}
        save_atomically({**state, "dice": self._torch.get_rng_state()}, self._file)

    def _restore(self) -> int:
        if not self._file.exists():
            return 0
        state = self._torch.load(self._file, map_location="cpu", weights_only=True)
        self._parts.load_state_dict(state["parts"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._torch.set_rng_state(state["dice"])
        return int(state["step"])


def build_head(tokens: int, width: int, word_count: int) -> Any:
    """``(image tokens (B, tokens, width), bags (B, word_count)) -> logits (B, 7, 12)``; goals scale and shift channels.

    As the convolutional baseline does it (``policies.bc``).
    """
    torch: Any = require("torch", "train")
    nn = torch.nn

    class Head(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.goal = nn.Sequential(nn.Linear(word_count, GOAL), nn.ReLU(), nn.Linear(GOAL, GOAL), nn.ReLU())
            self.norm = nn.LayerNorm(width)
            self.film = nn.Linear(GOAL, 2 * width)
            self.squeeze = nn.Linear(width, SQUEEZED)
            self.body = nn.Sequential(
                nn.Dropout(_DROPOUT),
                nn.Linear(SQUEEZED * tokens + GOAL, HIDDEN),
                nn.ReLU(),
                nn.Dropout(_DROPOUT),
                nn.Linear(HIDDEN, CHUNK_LENGTH * len(ACTIONS)),
            )

        def forward(self, seen: Any, bags: Any) -> Any:
            goal = self.goal(bags)
            scale, shift = self.film(goal)[:, None].chunk(2, dim=-1)
            flat = self.squeeze((self.norm(seen) * (1 + scale) + shift).relu()).relu().flatten(1)
            return self.body(torch.cat([flat, goal], dim=1)).view(-1, CHUNK_LENGTH, len(ACTIONS))

    return Head()
