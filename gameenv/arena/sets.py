"""Frozen sets of levels: the first levels of every family in a split, and the proof that they are still the same.

``arena-val-v1`` is for tuning and continuous integration, ``arena-test-v1`` for published tables only. A set's file
ships with the package and is read when it is asked for. Knows nothing of who plays the levels.

    python -m gameenv.arena.sets            makes every level again and says what differs
    python -m gameenv.arena.sets --write    writes the files; a set that is written already is refused
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import MappingProxyType

from gameenv.arena.levels import GENERATOR_VERSION, Split, check_split
from gameenv.arena.tasks import TASKS, level
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, MissingExtraError, UnknownNameError
from gameenv.files import write_atomically

SETS: Mapping[str, Split] = MappingProxyType({"arena-val-v1": "validation", "arena-test-v1": "test"})
"""Name of each set to its split."""
LEVELS = 200
"""Levels of each family in a set: seeds from 0."""
ENGINE = "vizdoom"
FOLDER = Path(__file__).with_name("level_sets")
FORMAT_VERSION = 1
_DIGEST_BYTES = 32
_NAMED = 5


@dataclass(frozen=True, slots=True)
class LevelSet:
    """Levels that stay as they are.

    Attributes:
        name: Such as ``"arena-test-v1"``.
        split: The split that they are levels of.
        generator_version: ``GENERATOR_VERSION`` that makes them.
        engine_version: The version of vizdoom that was installed when the set was written.
        textmaps: SHA-256, in hex, of each level's ``TEXTMAP`` by (task, seed).
        goals: What each level asks for, by (task, seed).
    """

    name: str
    split: Split
    generator_version: int
    engine_version: str
    textmaps: Mapping[tuple[str, int], str]
    goals: Mapping[tuple[str, int], str]

    @property
    def tasks(self) -> tuple[str, ...]:
        """The families, in order."""
        return tuple(dict.fromkeys(task for task, _ in self.textmaps))

    @property
    def size(self) -> int:
        """Levels of each family; their seeds are 0 to ``size - 1``."""
        return len(self.textmaps) // len(self.tasks)

    def verify(self, tasks: Sequence[str] | None = None, count: int | None = None) -> tuple[str, ...]:
        """Make the levels again (a few milliseconds each) and name what differs.

        Args:
            tasks: Families to look at; all by default.
            count: Levels of each; all by default.

        Returns:
            A line for each difference; empty if the levels are these.
        """
        if self.generator_version != GENERATOR_VERSION:
            return (f"the levels are made by generator {self.generator_version}, this one is {GENERATOR_VERSION}",)
        seeds = range(self.size)[:count]
        return tuple(line for task in tasks or self.tasks for line in self._compare(task, seeds))

    @property
    def engine_difference(self) -> str | None:
        """What to know if another engine is installed than the set was written with; None if it is the same.

        Raises:
            MissingExtraError: If vizdoom is not installed.
        """
        here = engine_version()
        if here == self.engine_version:
            return None
        return (
            f"{self.name} was written with {ENGINE} {self.engine_version}, this is {here}: pictures and movement "
            "may differ"
        )

    def _compare(self, task: str, seeds: range) -> Iterator[str]:
        if task not in TASKS:
            yield f"{task}: there is no such family here"
            return
        shapes, goals = [], []
        for seed in seeds:
            textmap, goal = _made(task, self.split, seed)
            if textmap != self.textmaps[task, seed]:
                shapes.append(seed)
            if goal != self.goals[task, seed]:
                goals.append(seed)
        if shapes:
            yield f"{task}: the geometry of {_listed(shapes)}"
        if goals:
            yield f"{task}: the goal of {_listed(goals)}"


def level_set(name: str, folder: Path | None = None) -> LevelSet:
    """Read a frozen set.

    Args:
        name: ``"arena-val-v1"`` or ``"arena-test-v1"``.
        folder: Where its file is; by default where the package keeps it.

    Raises:
        UnknownNameError: If there is no such set.
        InvalidInputError: If its file is missing or cannot be read.
    """
    path = _path(name, folder)
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format_version"] != FORMAT_VERSION:
            raise ValueError(f"its format version is {content['format_version']}, this reads {FORMAT_VERSION}")
        textmaps = {
            (task, seed): text for task, packed in content["textmaps"].items() for seed, text in _unpack(packed)
        }
        goals = {(task, seed): goal for task, lines in content["goals"].items() for seed, goal in enumerate(lines)}
        if not textmaps or list(textmaps) != list(goals):
            raise ValueError("it has not one hash and one goal for each level")
        return LevelSet(
            name,
            check_split(content["split"]),
            content["generator_version"],
            content["engine_version"],
            MappingProxyType(textmaps),
            MappingProxyType(goals),
        )
    except FileNotFoundError:
        raise InvalidInputError(
            f"the set {name} has not been written yet: there is no {path}. Write it with "
            "python -m gameenv.arena.sets --write, or choose levels by their split"
        ) from None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"cannot read the level set {path}: {error}. Install the package again") from error


def write_set(name: str, folder: Path | None = None, *, levels: int = LEVELS, force: bool = False) -> Path:
    """Make a set's levels and write their hashes and goals.

    Args:
        name: Which set.
        folder: Where to; by default where the package keeps it.
        levels: Levels of each family.
        force: Replace a file that is there. Results published on it can then not be repeated.

    Raises:
        UnknownNameError: If there is no such set.
        InvalidInputError: If it is written already.
        MissingExtraError: If vizdoom is not installed.
    """
    path, split = _path(name, folder), SETS[name]
    if path.exists() and not force:
        raise InvalidInputError(
            f"{path} is written already, and a published set never changes: give the new levels a new name in SETS. "
            "If nobody has used it, --force replaces it"
        )
    made = {task: [_made(task, split, seed) for seed in range(levels)] for task in TASKS}
    content = {
        "format_version": FORMAT_VERSION,
        "name": name,
        "split": split,
        "generator_version": GENERATOR_VERSION,
        "engine_version": engine_version(),
        "textmaps": {task: _pack(textmap for textmap, _ in each) for task, each in made.items()},
        "goals": {task: [goal for _, goal in each] for task, each in made.items()},
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, json.dumps(content, separators=(",", ":"), ensure_ascii=False) + "\n")
    return path


def engine_version() -> str:
    """The version of vizdoom that is installed.

    Raises:
        MissingExtraError: If there is none.
    """
    try:
        return metadata.version(ENGINE)
    except metadata.PackageNotFoundError as error:
        raise MissingExtraError(ENGINE, "arena") from error


def _path(name: str, folder: Path | None) -> Path:
    if name not in SETS:
        raise UnknownNameError("level set", name, SETS)
    return (folder or FOLDER) / f"{name}.json"


def _made(task: str, split: Split, seed: int) -> tuple[str, str]:
    """SHA-256 of a level's ``TEXTMAP``, and its goal."""
    made = level(task, split, seed)
    return hashlib.sha256(made.textmap.encode("ascii")).hexdigest(), made.goal


def _pack(hashes: Iterator[str]) -> str:
    return base64.b64encode(b"".join(map(bytes.fromhex, hashes))).decode("ascii")


def _unpack(packed: str) -> Iterator[tuple[int, str]]:
    raw = base64.b64decode(packed, validate=True)
    return enumerate(raw[start : start + _DIGEST_BYTES].hex() for start in range(0, len(raw), _DIGEST_BYTES))


def _listed(seeds: Sequence[int]) -> str:
    more = f" and {len(seeds) - _NAMED} more" if len(seeds) > _NAMED else ""
    return f"level {', '.join(map(str, seeds[:_NAMED]))}{more} differs"


@dataclass(frozen=True, slots=True)
class Args:
    """Make the levels of the frozen sets again and say what differs, or write the sets.

    For example:
        python -m gameenv.arena.sets --write --sets arena-val-v1
    """

    sets: tuple[str, ...] = tuple(SETS)
    """Which sets."""
    write: bool = False
    """Write their files: hashes and goals of 200 levels a family, the generator's and the engine's version."""
    force: bool = False
    """With --write: replace a set that is written already. Results published on it can then not be repeated."""


def run(args: Args, folder: Path | None = None) -> int:
    """Do as told; returns the exit code, 1 if levels differ.

    Raises:
        GameEnvError: If a set cannot be read or written.
    """
    console = Console(soft_wrap=True)
    if args.force and not args.write:
        raise InvalidInputError("--force goes with --write")
    code = 0
    for name in args.sets:
        with console.status(f"making the levels of {name}"):
            if args.write:
                write_set(name, folder, force=args.force)
            found = level_set(name, folder)
            differences = found.verify()
        verdict = "differences: " + "; ".join(differences) if differences else "all as written"
        console.print(f"{name}: {len(found.textmaps):,} levels of {len(found.tasks)} families, {verdict}")
        if found.engine_difference:
            console.print(found.engine_difference)
        code = code or int(bool(differences))
    return code


if __name__ == "__main__":
    run_command(run, Args, "python -m gameenv.arena.sets")
