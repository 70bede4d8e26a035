"""The folder a training writes into: empty, this training's, finished, or somebody else's.

Knows nothing of what is in the files.
"""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError
from gameenv.files import write_atomically
from policies.card import CARD_FILE

SUMMARY_FILE = "training_summary.json"
RUN_FILE = "run.json"
CACHE_DIR = "cache"
"""Where a training keeps decoded frames until it is finished."""


@dataclass(frozen=True, slots=True)
class OutFolder:
    """A training's folder.

    Attributes:
        path: Where it is.
        identity: What makes this training the one it is (JSON values); a folder of another is not touched.
        progress: Name of the file or folder with what an unfinished training goes on from.
        scratch: Names of what else only an unfinished training has in it.
    """

    path: Path
    identity: Mapping[str, Any]
    progress: str
    scratch: Sequence[str] = ()

    def is_finished(self, *, overwrite: bool) -> bool:
        """Whether it holds this very model; clears it for a new one where that is allowed.

        Raises:
            InvalidInputError: If it holds another model, another training that is not finished, or something else.
        """
        out = self.path
        if not out.exists():
            return False
        if not out.is_dir():
            raise InvalidInputError(f"{out} is not a folder; name another --out")
        if (out / CARD_FILE).exists():
            if overwrite:  # only what is finished: without a card it is this training, interrupted
                self.tidy()
                self.claim()
                (out / SUMMARY_FILE).unlink(missing_ok=True)
                (out / CARD_FILE).unlink()
                return False
            summary = _read(out / SUMMARY_FILE)
            if all(summary.get(name) == value for name, value in self._plain().items()):
                return True
            raise InvalidInputError(f"{out} holds another model; name another --out, or say --overwrite")
        if (out / RUN_FILE).exists():
            if self._has_progress():
                self._check_run(overwrite=overwrite)
            return False
        known = {self.progress, *self.scratch, SUMMARY_FILE}
        strange = sorted(
            path.name for path in out.iterdir() if path.name not in known and not path.name.startswith(".")
        )
        if strange:
            raise InvalidInputError(f"{out} holds other things ({', '.join(strange[:5])}); name another --out")
        return False

    def claim(self) -> None:
        """Make the folder and note whose it is."""
        self.path.mkdir(parents=True, exist_ok=True)
        write_atomically(self.path / RUN_FILE, json.dumps(self._plain(), indent=2) + "\n")

    def tidy(self) -> None:
        """Remove what only an unfinished training needs."""
        for name in (self.progress, *self.scratch, RUN_FILE):
            path = self.path / name
            if path.is_dir():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)

    def _has_progress(self) -> bool:
        """Whether there is anything that could be lost."""
        path = self.path / self.progress
        return any(path.iterdir()) if path.is_dir() else path.exists()

    def _plain(self) -> dict[str, Any]:
        """The identity as it comes back from a file."""
        return json.loads(json.dumps(dict(self.identity)))

    def _check_run(self, *, overwrite: bool) -> None:
        theirs = _read(self.path / RUN_FILE)
        for name, mine in self._plain().items():
            if theirs.get(name) == mine:
                continue
            if overwrite:
                self.tidy()
                return
            raise InvalidInputError(
                f"{self.path} holds another training, which is not finished: its {name} is "
                f"{_difference(theirs.get(name), mine)}. Use the same to go on with it, name another --out, or say "
                "--overwrite to give it up."
            )


def _read(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _difference(theirs: object, mine: object) -> str:
    """What differs, no longer than need be."""
    if isinstance(theirs, dict) and isinstance(mine, dict):
        names = [name for name in mine if theirs.get(name) != mine[name]]
        return ", ".join(f"{name}={theirs.get(name)} (now {mine[name]})" for name in names)
    return f"{theirs} (now {mine})"
