"""Checkpoints as ``transformers.Trainer`` writes them: which are whole, and which is the newest of those.

A kill can cut one short. Knows nothing of what is in the weights.
"""

import json
import shutil
import zipfile
from pathlib import Path

from gameenv.errors import InvalidInputError

FOLDER = "checkpoints"
STATE_FILE = "trainer_state.json"
_PREFIX = "checkpoint-"
_WEIGHTS = ("adapter_model.safetensors", "model.safetensors", "model.safetensors.index.json")


def step_of(checkpoint: Path) -> int:
    """The optimizer's steps that a checkpoint has behind it; -1 for a folder of another name."""
    number = checkpoint.name.removeprefix(_PREFIX)
    return int(number) if checkpoint.name.startswith(_PREFIX) and number.isdecimal() else -1


def is_whole(checkpoint: Path, processes: int = 1) -> bool:
    """Whether a checkpoint has all that a training of so many processes goes on from."""
    try:
        state = json.loads((checkpoint / STATE_FILE).read_text(encoding="utf-8"))  # the first process writes it last
    except (OSError, ValueError):
        return False
    dice = ["rng_state.pth"] if processes == 1 else [f"rng_state_{rank}.pth" for rank in range(processes)]
    return (
        state.get("global_step") == step_of(checkpoint)
        and any((checkpoint / name).is_file() for name in _WEIGHTS)
        # torch's files are zip files, whose directory stands at the end
        and all(zipfile.is_zipfile(checkpoint / name) for name in ("optimizer.pt", "scheduler.pt", *dice))
    )


def newest(folder: Path, processes: int = 1) -> Path | None:
    """The whole checkpoint with the most steps, None if there is none."""
    found = sorted((path for path in folder.glob(f"{_PREFIX}*") if step_of(path) >= 0), key=step_of, reverse=True)
    return next((path for path in found if is_whole(path, processes)), None)


def remove_later(folder: Path, step: int) -> None:
    """Remove what a kill cut short, and what another turn of events left behind a checkpoint that is gone back to."""
    for path in folder.glob(f"{_PREFIX}*"):
        if step_of(path) > step:
            shutil.rmtree(path)


def choose(folder: Path, wanted: str | None, processes: int = 1) -> Path | None:
    """The checkpoint to go on from: the newest, or the one that is asked for by its folder.

    Raises:
        InvalidInputError: If the one asked for is not a whole checkpoint of this training.
    """
    if wanted is None:
        return newest(folder, processes)
    checkpoint = Path(wanted)
    if checkpoint.parent.resolve() != folder.resolve() or not is_whole(checkpoint, processes):
        whole = [path.name for path in sorted(folder.glob(f"{_PREFIX}*"), key=step_of) if is_whole(path, processes)]
        raise InvalidInputError(
            f"{wanted} is not a whole checkpoint of this training; there are: "
            f"{', '.join(f'{folder}/{name}' for name in whole) or 'none'}"
        )
    return folder / checkpoint.name
