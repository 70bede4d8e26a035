"""``python -m training.reinforce``: from a ``bc`` model that imitates to one that has tried."""

import json
from collections import deque
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

import gymnasium as gym

import gameenv  # noqa: F401 (registers the environment ids)
from gameenv.arena import tasks
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, UnknownNameError, require
from gameenv.files import write_atomically
from gameenv.frames import FrameSpec
from gameenv.home import PathText
from gameenv.progress import Progress
from policies.bc import INPUT_SIZE, BCPolicy
from policies.card import ModelCard
from policies.options import DECLARE_AT_FIELD
from training.reinforce.chunk_env import ChunkEnv

CHECKPOINT_FILE = "checkpoint.zip"
CURVE_FILE = "curve.jsonl"
SETTINGS_FILE = "reinforce.json"
_RECENT = 600


@dataclass(frozen=True, slots=True)
class Args:
    """Fine-tune a bc model by playing: PPO on training levels, held near the imitation by their divergence.

    For example:
        python -m training.reinforce --init models/bc --decisions 1000000 --out models/bc-rl

    The result is a bc model like any other: gameenv-evaluate --policies before=bc:models/bc after=bc:models/bc-rl
    --execute 3. Killed, the same command goes on from its last checkpoint; curve.jsonl beside it tells how it went.
    """

    init: PathText = "models/bc"
    """The bc model to begin with."""
    out: PathText = "models/bc-rl"
    """Where the result goes."""
    tasks: tuple[str, ...] = ()
    """Task families to play. None: those it was trained on."""
    decisions: int = 500_000
    """Decisions in all, some 35 an episode."""
    execute: int = 3
    """Ticks a decision: play it with the same --execute."""
    envs: int = 16
    """Levels played side by side."""
    rollout: int = 128
    """Decisions in each level between two updates."""
    learning_rate: float = 1e-4
    """Adam's; falls to 0 along a line."""
    anchor: float = 0.02
    """Weight of the divergence from the imitation, nats a decision."""
    epochs: int = 3
    """Times each decision is learned from."""
    batch_size: int = 512
    """Decisions a step."""
    seed: int = 0
    """Of levels and draws."""


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments, the model or the folder cannot be used.
    """
    sb3: Any = require("stable_baselines3", "rl")
    start = BCPolicy.load(args.init)
    families = _check(args, start.card)
    from training.reinforce.actor import AnchoredActor  # noqa: PLC0415 (needs stable_baselines3)

    out = Path(args.out)
    console = Console(stderr=True, soft_wrap=True)
    settings = json.loads(json.dumps({**asdict(args), "out": None}))
    began = out / SETTINGS_FILE
    if began.exists() and json.loads(began.read_text()) != settings:
        raise InvalidInputError(f"{out} holds a training with other settings; choose another --out or remove it")
    if (out / "gameenv.json").exists() and not (out / CHECKPOINT_FILE).exists():
        console.print(f"{out} is finished already" if began.exists() else f"{out} holds another model")
        return 0 if began.exists() else 2
    out.mkdir(parents=True, exist_ok=True)
    write_atomically(began, json.dumps(settings))
    require("torch", "train").manual_seed(args.seed)
    levels = _levels(args, start, families)
    learner = sb3.PPO(
        AnchoredActor,
        levels,
        policy_kwargs={"imitation": lambda: start.network},
        learning_rate=lambda left: args.learning_rate * left,
        n_steps=args.rollout,
        batch_size=args.batch_size,
        n_epochs=args.epochs,
        gamma=0.995,
        ent_coef=args.anchor,
        seed=args.seed,
        device="cpu",
    )
    checkpoint = out / CHECKPOINT_FILE
    if checkpoint.exists():
        learner.set_parameters(checkpoint)
        learner.num_timesteps = require("stable_baselines3.common.save_util", "rl").load_from_zip_file(checkpoint)[0][
            "num_timesteps"
        ]
    with Progress(console) as progress:
        learner.learn(
            args.decisions - learner.num_timesteps,
            callback=_follow(args, out, progress),
            reset_num_timesteps=learner.num_timesteps == 0,
        )
    levels.close()
    _save(learner, start, families, args, out)
    checkpoint.unlink(missing_ok=True)
    console.print(f"written to {out} (policy: bc:{out})")
    return 0


def _levels(args: Args, start: BCPolicy, families: tuple[str, ...]) -> Any:
    vectors: Any = require("stable_baselines3.common.vec_env", "rl")
    recorded = start.card.recorded
    spec = FrameSpec(*INPUT_SIZE, fit=recorded.fit)

    def make() -> gym.Env[Any, Any]:
        arena = gym.make(
            "gameenv/Arena-v0", frame_size=recorded.size, fit=recorded.fit, fps=start.card.fps, split="train"
        )
        return ChunkEnv(arena.unwrapped, families, spec, start.words, args.execute)

    levels = vectors.DummyVecEnv([make] * args.envs)
    levels.seed(args.seed)
    return levels


def _follow(args: Args, out: Path, progress: Progress) -> Any:
    """Shows how it goes, writes the curve, and saves a checkpoint after every rollout."""
    callbacks: Any = require("stable_baselines3.common.callbacks", "rl")
    work = progress.begin("trying", "decisions", args.decisions)
    recent: deque[tuple[str, bool]] = deque(maxlen=_RECENT)

    class Follow(callbacks.BaseCallback):
        def _on_step(self) -> bool:
            for done, info in zip(self.locals["dones"], self.locals["infos"], strict=True):
                if done:
                    recent.append((info["task"], bool(info["success"])))
            return True

        def _on_rollout_end(self) -> None:
            won = sum(success for _, success in recent) / max(len(recent), 1)
            work.update(self.num_timesteps, text=f"{won:.0%} of the last {len(recent)} levels")
            by_task = {
                task: round(sum(won for name, won in recent if name == task) / count, 3)
                for task in sorted({name for name, _ in recent})
                if (count := sum(name == task for name, _ in recent))
            }
            divergence = self.logger.name_to_value.get("train/entropy_loss")
            point = {"decisions": self.num_timesteps, "success": round(won, 4), "by_task": by_task}
            with (out / CURVE_FILE).open("a", encoding="utf-8") as file:
                file.write(json.dumps({**point, "divergence": divergence}) + "\n")
            self.model.save(out / f"new-{CHECKPOINT_FILE}", exclude=["policy_kwargs"])
            (out / f"new-{CHECKPOINT_FILE}").replace(out / CHECKPOINT_FILE)

    return Follow()


def _save(learner: Any, start: BCPolicy, families: tuple[str, ...], args: Args, out: Path) -> None:
    extra = {**start.card.extra, DECLARE_AT_FIELD: 0.5, "reinforced": {"decisions": args.decisions, "from": args.init}}
    card = replace(start.card, extra=extra, trained_tasks=tuple(sorted({*start.card.trained_tasks, *families})))
    BCPolicy(learner.policy.network, start.words, card).save(out)


def _check(args: Args, card: ModelCard) -> tuple[str, ...]:
    families = args.tasks or card.trained_tasks
    for family in families:
        if family not in tasks.TASKS:
            raise UnknownNameError("task", family, tasks.TASKS)
    if not families:
        raise InvalidInputError(f"{args.init} does not say what it was trained on: give --tasks")
    if card.extra.get("without"):
        raise InvalidInputError(f"{args.init} is a control without {card.extra['without']}: begin with a whole one")
    if not 1 <= args.execute <= 7 or min(args.envs, args.rollout, args.decisions, args.epochs) < 1:
        raise InvalidInputError("--execute is 1 to 7; --envs, --rollout, --decisions and --epochs are at least 1")
    return tuple(families)


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "python -m training.reinforce")


if __name__ == "__main__":
    main()
