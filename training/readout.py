"""What a training leaves to read: a summary file, plots of loss and accuracy, and tables on the terminal."""

import json
import platform
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import metadata
from pathlib import Path
from typing import Any

from rich.table import Table

from gameenv.console import Console
from gameenv.errors import require
from gameenv.files import replacing, write_atomically
from training.data import Data
from training.declaring import THRESHOLDS, Calibration
from training.folder import SUMMARY_FILE
from training.metrics import Accuracy

LOSS_PLOT = "loss.png"
ACCURACY_PLOT = "accuracy.png"
CALIBRATION_PLOT = "declarations.png"
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "bitsandbytes", "unsloth")
Points = Sequence[tuple[int, float]]
"""A curve: (step, nats)."""


def write_summary(out: Path, data: Data, accuracy: Accuracy, details: Mapping[str, Any]) -> None:
    """Write ``training_summary.json`` atomically: the data, the held-out accuracy, the versions in use and ``details``.

    Args:
        out: The folder.
        data: What was trained on.
        accuracy: On held-out samples.
        details: The settings, the curve and whatever else this kind of training has to tell (JSON values).
    """
    training, validation = data.training, data.validation
    content = {
        **details,
        "dataset_id": data.id,
        "data": data.root,
        "training_samples": len(training),
        "validation_samples": len(validation),
        "training_levels": len({s.level for s in training if s.level}),
        "validation_levels": len({s.level for s in validation if s.level}),
        "first_action": dict(Counter(s.chunk[0] for s in training).most_common()),
        "accuracy": asdict(accuracy),
        "versions": _versions(),
    }
    write_atomically(out / SUMMARY_FILE, json.dumps(content, indent=2) + "\n")


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def write_plots(out: Path, training: Points, validation: Points, accuracy: Accuracy, unit: str = "word") -> None:
    """Write the loss curve, and the accuracy by slot and by action, as PNG files.

    Args:
        out: The folder.
        training, validation: The loss on either side of the split.
        accuracy: On held-out samples.
        unit: What the loss is the mean of.
    """
    figure_type: Any = require("matplotlib.figure", "train").Figure
    figure = figure_type(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    axes.plot(*zip(*training, strict=True), "o-", markersize=3, label="training")
    axes.plot(*zip(*validation, strict=True), "s-", label="held-out levels")
    axes.set(xlabel="step", ylabel=f"cross-entropy a {unit} (nats)", title="Loss")
    axes.grid(alpha=0.3)
    axes.legend()
    with replacing(out / LOSS_PLOT) as scratch:
        figure.savefig(scratch, dpi=120)

    figure = figure_type(figsize=(9, 4), layout="constrained")
    slots, actions = figure.subplots(1, 2)
    slots.bar(range(1, len(accuracy.by_slot) + 1), accuracy.by_slot, color="tab:blue")
    slots.set(ylim=(0, 1), xlabel="slot in the chunk", ylabel="share right", title="Held out, by slot")
    seen = [entry for entry in accuracy.by_action if entry.support]
    actions.barh([entry.action for entry in seen], [entry.recall or 0.0 for entry in seen], color="tab:orange")
    for place, entry in enumerate(seen):
        actions.text(0.01, place, f"n={entry.support}", va="center", fontsize=8)
    actions.set(xlim=(0, 1), xlabel="recall", title="Held out, first slot by action")
    with replacing(out / ACCURACY_PLOT) as scratch:
        figure.savefig(scratch, dpi=120)


def write_calibration_plot(out: Path, calibration: Calibration) -> None:
    """Write, as a PNG file, how often the goal was reached where it was said so, and what each threshold would do."""
    figure_type: Any = require("matplotlib.figure", "train").Figure
    figure = figure_type(figsize=(9, 4), layout="constrained")
    trust, choice = figure.subplots(1, 2)
    trust.plot([0, 1], [0, 1], "--", color="gray", label="as it should be")
    trust.plot(calibration.said, calibration.came, "o-", label="held out")
    for said, came, count in zip(calibration.said, calibration.came, calibration.counts, strict=True):
        trust.annotate(f"{count:,}", (said, came), textcoords="offset points", xytext=(4, -10), fontsize=7)
    trust.set(xlim=(0, 1), ylim=(0, 1), xlabel="probability of a declaration", ylabel="share that are", title="Trust")
    trust.legend()
    if calibration.right:
        choice.plot(THRESHOLDS, calibration.right, "o-", markersize=3)
    choice.axvline(calibration.threshold, color="tab:red", label=f"declare from {calibration.threshold:g}")
    choice.set(xlim=(0, 1), ylim=(0, 1), xlabel="threshold", ylabel="share of held-out stretches")
    choice.set_title("First declaration at the goal")
    choice.legend()
    with replacing(out / CALIBRATION_PLOT) as scratch:
        figure.savefig(scratch, dpi=120)


def print_accuracy(console: Console, accuracy: Accuracy) -> None:
    """Show the held-out accuracy by slot and by action."""
    slots = "  ".join(f"{share:.1%}" for share in accuracy.by_slot)
    console.print(f"held out ({accuracy.samples:,} samples), right by slot: {slots}")
    changes = "-" if accuracy.changes is None else f"{accuracy.changes:.1%}"
    console.print(
        f"all seven right {accuracy.chunk:.1%}, right where the action changes {changes}, "
        f"goal reached or not {accuracy.done:.1%}",
    )
    if accuracy.turns is not None and accuracy.copied is not None:
        console.print(
            f"first word right where the action differs from the tick before's {accuracy.turns:.1%}; over all frames "
            f"{accuracy.by_slot[0]:.1%}, where repeating the last action gets {accuracy.copied:.1%}",
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


def warn(console: Console, text: str) -> None:
    """Say what is wrong and can be lived with."""
    console.print(f"warning: {text}")
