"""Teaches a vision part by three throw-away heads: what is where, how far, and what the expert does about it.

The heads read the image tokens alone, so that whatever a text part may be asked later has to be in them. Knows nothing
of text models, files of samples or the command line.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.arena.scene import SURFACES, THINGS
from gameenv.errors import require
from policies.bc import bag_of_words, build_word_list, save_atomically
from policies.vlm.inputs import InputMaker
from training.sight.stream import CELL, UNKNOWN, Mix, Shard, goals_of, joined, make_shard, stream
from training.vlm.muon import build_optimizer
from training.vlm.settings import VLMSettings
from training.vlm.teach_vision import build_head

STATE_FILE = "sight.pt"
_WINDOW = 24
"""Shards that are mixed with one another: some 7,000 frames."""
_REPLAYS = 2
_FRAMES_A_SHARD = 200  # at least, nearly always
_FLOOR = 0.02
_CLIP_NORM = 1.0
_PRESENT_WEIGHT = 4.0
_ACTION_WEIGHT = 1.0
_HELD_OUT_SHARDS = 6
_BATCH = 256


@dataclass(frozen=True, slots=True)
class SightScores:
    """How well held-out frames are seen.

    Attributes:
        surface: Share of the points whose surface is right.
        distance: Median error of their distance, as a factor from 1 up.
        things: Share of the things in sight that are found (in the right token, named first or with probability 1/2).
        false: Things found that are not there, for each that is.
        by_thing: Share found, by name.
        first_word: Share of the expert's next words that are right, in the families that act.
    """

    surface: float
    distance: float
    things: float
    false: float
    by_thing: dict[str, float]
    first_word: float


@dataclass(frozen=True, slots=True)
class SightPlan:
    """What is learned, and how.

    Attributes:
        mix: The frames.
        steps: In all.
        settings: Batch size, learning rates, seed.
        folder: Where the state is kept.
        save_steps: A kill loses at most so many steps.
    """

    mix: Mix
    steps: int
    settings: VLMSettings
    folder: Path
    save_steps: int


class SightTeacher:
    """Teaches one vision part; call ``teach`` once.

    Args:
        visual: Trained in place.
        maker: Makes pixels of frames.
        plan: What to learn.
    """

    def __init__(self, visual: Any, maker: InputMaker, plan: SightPlan) -> None:
        self._torch: Any = require("torch", "train")
        mix, settings = plan.mix, plan.settings
        self._maker, self._mix, self._settings, self.steps = maker, mix, settings, plan.steps
        self._file, self._save_steps = plan.folder / STATE_FILE, plan.save_steps
        self._words = build_word_list(goals_of(mix.acts))
        width, merge = visual.config.out_hidden_size, maker.image_processor.merge_size
        self._side = maker.image_processor.patch_size * merge
        self._across, self._down = mix.spec.width // self._side, mix.spec.height // self._side
        points = (self._side // CELL) ** 2
        nn = self._torch.nn
        self._torch.manual_seed(settings.seed)
        heads = {
            "places": nn.Sequential(nn.LayerNorm(width), nn.Linear(width, points * (len(SURFACES) + 1))),
            "things": nn.Sequential(nn.LayerNorm(width), nn.Linear(width, len(THINGS) * 4)),
            "actions": build_head(self._across * self._down, width, len(self._words)),
        }
        self._parts: Any = nn.ModuleDict({"visual": visual, **heads})
        self._optimizer: Any = build_optimizer(self._parts, settings)
        self._peaks = [group["lr"] for group in self._optimizer.param_groups]
        frames = plan.steps * settings.batch_size // _REPLAYS
        self._window = min(_WINDOW, 1 + frames // _FRAMES_A_SHARD)
        self._next_shard = 0

    def teach(
        self, pool: ProcessPoolExecutor, on_progress: Callable[[int, float, SightScores | None], object]
    ) -> SightScores:
        """Train to the end, from where a killed run was saved on.

        Args:
            pool: Makes the frames.
            on_progress: Called with steps done, recent loss, and scores where they were just taken.
        """
        held_out = list(pool.map(_held_out, range(_HELD_OUT_SHARDS), [self._mix] * _HELD_OUT_SHARDS))
        step = self._restore()
        losses: list[float] = []
        self._parts.train()
        for batch in self._batches(pool):
            if step >= self.steps:
                break
            losses.append(self._step(step, batch))
            step += 1
            scored = step % (self._save_steps * 4) == 0 and step < self.steps
            if step % self._save_steps == 0 or step == self.steps:
                self._save(step)
            on_progress(step, float(np.mean(losses[-100:])), self.score(held_out) if scored else None)
        return self.score(held_out)

    def _batches(self, pool: ProcessPoolExecutor) -> Iterator[dict[str, Any]]:
        """Batches from windows of shards; a resumed run begins with the window it was in."""
        shards = stream(pool, self._mix, self._next_shard, self._window)
        size = self._settings.batch_size
        while True:
            window = [next(shards) for _ in range(self._window)]
            whole = joined(window)
            dice = np.random.default_rng([self._settings.seed, self._next_shard])
            count = len(whole.frames)
            bounds = np.searchsorted(whole.things[:, 0], np.arange(count + 1))
            for _ in range(_REPLAYS):
                order = dice.permutation(count)
                for start in range(0, count - size + 1, size):
                    yield self._batch(whole, order[start : start + size], bounds)
            self._next_shard += self._window

    def _batch(self, shard: Shard, rows: np.ndarray, bounds: np.ndarray) -> dict[str, Any]:
        torch = self._torch
        made = [self._maker.pixels(shard.frames[int(row)]) for row in rows]
        points = self._side // CELL

        def by_token(grid: np.ndarray) -> np.ndarray:
            cut = grid.reshape(len(grid), self._down, points, self._across, points)
            return cut.transpose(0, 1, 3, 2, 4).reshape(len(grid), self._down * self._across, points * points)

        present = np.zeros((len(rows), self._down * self._across, len(THINGS)), np.float32)
        where = np.zeros((*present.shape, 3), np.float32)
        width, height = self._mix.spec.size
        inner = width * 9 / 16
        for place, row in enumerate(rows):
            for _, thing, u, v, distance in shard.things[bounds[row] : bounds[row + 1]]:
                x, y = u * width / self._side, ((height - inner) / 2 + v * inner) / self._side
                token = min(int(y), self._down - 1) * self._across + min(int(x), self._across - 1)
                if present[place, token, int(thing)] and where[place, token, int(thing), 2] < math.log(distance):
                    continue
                present[place, token, int(thing)] = 1
                where[place, token, int(thing)] = x % 1, y % 1, math.log(distance)
        goals = [shard.goals[int(row)] for row in rows]
        return {
            "pixels": torch.from_numpy(np.concatenate([pixels for pixels, _ in made])),
            "grids": torch.tensor([grid for _, grid in made]),
            "surfaces": torch.from_numpy(by_token(shard.surfaces[rows]).astype(np.int64)),
            "distances": torch.from_numpy(np.log(by_token(shard.distances[rows]).astype(np.float32).clip(1, None))),
            "present": torch.from_numpy(present),
            "where": torch.from_numpy(where),
            "bags": torch.from_numpy(bag_of_words(goals, self._words)),
            "chunks": torch.from_numpy(shard.chunks[rows].astype(np.int64)),
        }

    def _answers(self, batch: dict[str, Any]) -> tuple[Any, Any, Any, Any, Any]:
        """Logits of surfaces, log distances, logits of things, where they are, logits of words."""
        seen = self._parts["visual"](batch["pixels"], grid_thw=batch["grids"]).pooler_output
        tokens = seen.view(len(batch["grids"]), -1, seen.shape[-1])
        places = self._parts["places"](tokens).unflatten(-1, (-1, len(SURFACES) + 1))
        things = self._parts["things"](tokens).unflatten(-1, (len(THINGS), 4))
        return (
            places[..., :-1],
            places[..., -1] + 5,
            things[..., 0],
            things[..., 1:],
            self._parts["actions"](tokens, batch["bags"]),
        )

    def _loss(self, batch: dict[str, Any]) -> Any:
        functional = self._torch.nn.functional
        surfaces, distances, things, where, words = self._answers(batch)
        known = batch["surfaces"] != UNKNOWN
        present = batch["present"]
        loss = functional.cross_entropy(surfaces[known], batch["surfaces"][known])
        loss = loss + functional.smooth_l1_loss(distances[known], batch["distances"][known], beta=0.1)
        weights = 1 + (_PRESENT_WEIGHT - 1) * present
        loss = loss + 30 * functional.binary_cross_entropy_with_logits(things, present, weight=weights)
        there = present > 0
        if bool(there.any()):
            aim = batch["where"][there] - batch["where"].new_tensor([0.0, 0.0, 5.0])
            loss = loss + functional.smooth_l1_loss(where[there], aim, beta=0.1)
        told = batch["chunks"][:, 0] >= 0
        if bool(told.any()):
            loss = loss + _ACTION_WEIGHT * functional.cross_entropy(
                words[told].flatten(0, 1), batch["chunks"][told].flatten()
            )
        return loss

    def _step(self, step: int, batch: dict[str, Any]) -> float:
        rate = self._rate((step + 1) / self.steps)
        for group, peak in zip(self._optimizer.param_groups, self._peaks, strict=True):
            group["lr"] = peak * rate
        loss = self._loss(batch)
        loss.backward()
        self._torch.nn.utils.clip_grad_norm_(self._parts.parameters(), _CLIP_NORM)
        self._optimizer.step()
        self._optimizer.zero_grad()
        return float(loss.detach())

    def _rate(self, done: float) -> float:
        warmup = self._settings.warmup
        if done < warmup:
            return done / warmup
        return max(_FLOOR, 0.5 * (1 + math.cos(math.pi * (done - warmup) / (1 - warmup))))

    def score(self, shards: list[Shard]) -> SightScores:
        """How well these frames are seen."""
        whole = joined(shards)
        bounds = np.searchsorted(whole.things[:, 0], np.arange(len(whole.frames) + 1))
        self._parts.eval()
        right = points = told = words_right = 0
        errors, hits, there, false = [], np.zeros(len(THINGS)), np.zeros(len(THINGS)), 0
        with self._torch.no_grad():
            for start in range(0, len(whole.frames), _BATCH):
                batch = self._batch(whole, np.arange(start, min(start + _BATCH, len(whole.frames))), bounds)
                surfaces, distances, things, _, words = self._answers(batch)
                known = batch["surfaces"] != UNKNOWN
                right += int((surfaces.argmax(-1) == batch["surfaces"])[known].sum())
                points += int(known.sum())
                errors.append((distances - batch["distances"])[known].abs())
                found, present = things > 0, batch["present"] > 0
                hits += (found & present).sum((0, 1)).numpy()
                there += present.sum((0, 1)).numpy()
                false += int((found & ~present).sum())
                acting = batch["chunks"][:, 0] >= 0
                words_right += int((words[:, 0].argmax(-1) == batch["chunks"][:, 0])[acting].sum())
                told += int(acting.sum())
        self._parts.train()
        return SightScores(
            surface=right / points,
            distance=float(self._torch.cat(errors).median().exp()),
            things=float(hits.sum() / there.sum()),
            false=float(false / there.sum()),
            by_thing={name: float(hit / max(count, 1)) for name, hit, count in zip(THINGS, hits, there, strict=True)},
            first_word=words_right / max(told, 1),
        )

    def even_out(self, shard: Shard) -> None:
        """Give the image tokens the spread that a text part expects; what no head taught begins by adding nothing."""
        torch, visual = self._torch, self._parts["visual"]
        rows = np.arange(min(_BATCH, len(shard.frames)))
        batch = self._batch(shard, rows, np.searchsorted(shard.things[:, 0], np.arange(len(shard.frames) + 1)))
        with torch.no_grad():
            spread = visual(batch["pixels"], grid_thw=batch["grids"]).pooler_output.std()
            visual.merger.linear_fc2.weight /= spread
            visual.merger.linear_fc2.bias /= spread
            for side in visual.deepstack_merger_list:
                side.linear_fc2.weight.zero_()
                side.linear_fc2.bias.zero_()

    def _save(self, step: int) -> None:
        self._file.parent.mkdir(parents=True, exist_ok=True)
        state = {"parts": self._parts.state_dict(), "optimizer": self._optimizer.state_dict(), "step": step}
        save_atomically({**state, "next_shard": self._next_shard, "dice": self._torch.get_rng_state()}, self._file)

    def _restore(self) -> int:
        if not self._file.exists():
            return 0
        state = self._torch.load(self._file, map_location="cpu", weights_only=True)
        self._parts.load_state_dict(state["parts"])
        self._optimizer.load_state_dict(state["optimizer"])
        self._torch.set_rng_state(state["dice"])
        self._next_shard = int(state["next_shard"])
        return int(state["step"])


def _held_out(number: int, mix: Mix) -> Shard:
    return make_shard(number, mix, held_out=True)
