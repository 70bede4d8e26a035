"""Engine processes: which ones are ours, and which ones lost their owner (Linux; elsewhere none are known).

An engine works in a folder named after the process that owns it, so that whoever starts the next engine can end
those whose owner was killed. Knows nothing of what the engine does.
"""

import contextlib
import os
import re
import shutil
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from gameenv import temporary

_PREFIX = "gameenv-arena"
_FOLDER = re.compile(rf"{_PREFIX}-(\d+)-\w+")
_PROGRAM = b"vizdoom"
_LONGEST_PATH = 220
"""Bytes in the path of an engine's folder: of one with more than 255 in a file's path, ViZDoom 1.3 crashes, and Python
with it (tried)."""
_STALE_S = 3600.0
"""A folder whose owner is gone and that no engine works in is removed after this: its owner may live in a container
that shares the folder of temporary files but not the process numbers."""


def make_engine_folder() -> Path:
    """Make an engine's working folder, named after this process.

    Raises:
        GameEnvError: If it cannot be made.
    """
    return temporary.make_folder(f"{_PREFIX}-{os.getpid()}-", _LONGEST_PATH)


def own_engines() -> set[int]:
    """Process numbers of the engines that are children of this process."""
    return {pid for pid, parent in _engines() if parent == os.getpid()}


def end_processes(pids: set[int]) -> None:
    """Kill processes; those that are gone or another user's are left out."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)


def sweep_orphans() -> None:
    """End engines whose owner is gone and remove their folders. Folders of living owners are never touched."""
    if not Path("/proc/self").exists():
        return
    for pid, _ in _engines():
        with contextlib.suppress(OSError):
            folder = Path(os.readlink(f"/proc/{pid}/cwd").removesuffix(" (deleted)"))
            if _is_orphaned(folder):
                os.kill(pid, signal.SIGKILL)  # before the folder: another user's process raises here
                shutil.rmtree(folder, ignore_errors=True)
    for folder in (each for parent in temporary.folders() for each in parent.glob(f"{_PREFIX}-*")):
        with contextlib.suppress(OSError):
            if _is_orphaned(folder) and time.time() - folder.stat().st_mtime > _STALE_S:
                shutil.rmtree(folder, ignore_errors=True)


def _is_orphaned(folder: Path) -> bool:
    """Whether this is an engine's folder and its owner is gone."""
    named = _FOLDER.fullmatch(folder.name)
    return named is not None and not Path(f"/proc/{named[1]}").exists()


def _engines() -> Iterator[tuple[int, int]]:
    """Number and parent's number of every engine process that can be seen."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # As bytes: Linux cuts a program's name after 15 of them, in the middle of a letter if need be.
            name, _, rest = stat.read_bytes().rpartition(b")")
            state, parent = rest.split()[:2]
            if name.endswith(b"(" + _PROGRAM) and state != b"Z":
                yield int(stat.parent.name), int(parent)
