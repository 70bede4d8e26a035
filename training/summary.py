"""What a training leaves to read: a summary file, plots of loss and accuracy, and tables on the terminal."""

import json
import os
import platform
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from gameenv.actions import ACTIONS, KEYS
from gameenv.errors import require
from labeling import Sample
from training.bc import Fitted, Settings
from training.metrics import Accuracy

SUMMARY_FILE = "training_summary.json"
LOSS_PLOT = "loss.png"
ACCURACY_PLOT = "accuracy.png"
CAMERA = ("up", "down", "left", "right")


@dataclass(frozen=True, slots=True)
class Data:
    """What a model is trained on: the folder, a name for its content, and the two sides of the split."""

    root: str
    id: str
    training: Sequence[Sample]
    validation: Sequence[Sample]


def write_summary(out: Path, settings: Settings, data: Data, fitted: Fitted) -> None:
    """Write ``training_summary.json`` atomically: settings, data, versions, the curve and the held-out accuracy."""
    training, validation = data.training, data.validation
    content = {
        "settings": asdict(settings),
        "dataset_id": data.id,
        "data": data.root,
        "training_samples": len(training),
        "validation_samples": len(validation),
        "training_levels": len({s.level for s in training if s.level}),
        "validation_levels": len({s.level for s in validation if s.level}),
        "first_action": dict(Counter(s.chunk[0] for s in training).most_common()),
        "best_epoch": fitted.best_epoch,
        "resumed_from_epoch": fitted.resumed_from,
        "training_seconds": round(fitted.seconds, 1),
        "curve": [{"step": step, "training_loss": a, "validation_loss": b} for step, a, b in fitted.curve],
        "accuracy": asdict(fitted.accuracy),
        "versions": {"python": platform.python_version(), "torch": require("torch", "train").__version__},
    }
    scratch = out / f".{SUMMARY_FILE}.{os.getpid()}"
    scratch.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    scratch.replace(out / SUMMARY_FILE)


def write_plots(out: Path, fitted: Fitted) -> None:
    """Write the loss curve, and the accuracy by slot and by action, as PNG files."""
    figure_type: Any = require("matplotlib.figure", "train").Figure
    figure = figure_type(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    steps = [point[0] for point in fitted.curve]
    axes.plot(steps, [point[1] for point in fitted.curve], "o-", label="training")
    axes.plot(steps, [point[2] for point in fitted.curve], "s-", label="held-out levels")
    axes.set(xlabel="step", ylabel="cross-entropy a word (nats)", title="Loss")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(out / LOSS_PLOT, dpi=120)

    accuracy = fitted.accuracy
    figure = figure_type(figsize=(9, 4), layout="constrained")
    slots, actions = figure.subplots(1, 2)
    slots.bar(range(1, len(accuracy.by_slot) + 1), accuracy.by_slot, color="tab:blue")
    slots.set(ylim=(0, 1), xlabel="slot in the chunk", ylabel="share right", title="Held out, by slot")
    seen = [entry for entry in accuracy.by_action if entry.support]
    actions.barh([entry.action for entry in seen], [entry.recall or 0.0 for entry in seen], color="tab:orange")
    for place, entry in enumerate(seen):
        actions.text(0.01, place, f"n={entry.support}", va="center", fontsize=8)
    actions.set(xlim=(0, 1), xlabel="recall", title="Held out, first slot by action")
    figure.savefig(out / ACCURACY_PLOT, dpi=120)


def print_actions(console: Console, samples: Sequence[Sample]) -> None:
    """Show how often each action comes first, and say which keys the data never press."""
    counts = Counter(sample.chunk[0] for sample in samples)
    table = Table(title=f"{len(samples):,} training samples, first action", title_justify="left")
    table.add_column("action")
    table.add_column("share", justify="right")
    for action in ACTIONS:
        if counts[action]:
            table.add_row(action, f"{counts[action] / len(samples):.1%}")
    console.print(table)
    missing = [key for key in KEYS if not counts[key]]
    if missing:
        console.print(f"never pressed in these samples: {' '.join(missing)}", markup=False)
    if not any(counts[key] for key in CAMERA):
        console.print("warning: no camera action (up down left right) at all: the policy cannot learn to look around")


def print_accuracy(console: Console, accuracy: Accuracy) -> None:
    """Show the held-out accuracy by slot and by action."""
    slots = "  ".join(f"{share:.1%}" for share in accuracy.by_slot)
    console.print(f"held out ({accuracy.samples:,} samples), right by slot: {slots}", markup=False)
    changes = "-" if accuracy.changes is None else f"{accuracy.changes:.1%}"
    console.print(
        f"all seven right {accuracy.chunk:.1%}, right where the action changes {changes}, "
        f"goal reached or not {accuracy.done:.1%}",
        markup=False,
    )
    table = Table(title="held out, first slot", title_justify="left")
    for column in ("action", "samples", "precision", "recall"):
        table.add_column(column, justify="left" if column == "action" else "right")
    for entry in accuracy.by_action:
        if entry.support or entry.precision is not None:
            table.add_row(entry.action, str(entry.support), _share(entry.precision), _share(entry.recall))
    console.print(table)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"
