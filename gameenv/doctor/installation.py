"""Looks at the installation: Python, the optional parts, the built-in game, the disk. Knows nothing of desktops."""

import contextlib
import importlib.metadata
import platform
import re
import shutil
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import gymnasium as gym

from gameenv import ARENA_ID
from gameenv.doctor.finding import Finding
from gameenv.errors import GameEnvError, require

_OLDEST_PYTHON = (3, 11)
_LOW_DISK_GB, _SMALL_DISK_GB = 1.0, 10.0
_NAME = re.compile(r"[A-Za-z0-9._-]+")
_EXTRA = re.compile(r"extra == ['\"]([\w-]+)['\"]")
_SYSTEM = re.compile(r"platform_system ([!=]=) ['\"](\w+)['\"]")


def check_python() -> Finding:
    """Whether this Python can run everything."""
    version = platform.python_version()
    bits = 8 * struct.calcsize("P")
    if sys.version_info < _OLDEST_PYTHON:
        return Finding("python", "red", f"{version} is too old", "install Python 3.11 (64-bit)")
    if bits < 64:
        return Finding(
            "python", "red", f"{version} is a {bits}-bit one, for which there is no torch", "install a 64-bit"
        )
    return Finding("python", "green", f"{version}, {bits}-bit, {platform.system()} {platform.machine()}")


def check_extras() -> Iterator[Finding]:
    """Which optional parts are installed, one line each."""
    try:
        metadata = importlib.metadata.metadata("gameenv")
    except importlib.metadata.PackageNotFoundError:
        yield Finding("parts", "red", "gameenv itself is not installed", 'pip install -c constraints.txt -e "."')
        return
    required = metadata.get_all("Requires-Dist") or []
    for extra in metadata.get_all("Provides-Extra") or []:
        if extra == "dev":
            continue
        packages = packages_of(extra, required, platform.system())
        missing = [package for package in packages if not is_installed(package)]
        if not missing:
            yield Finding(f"part {extra}", "green", f"installed: {', '.join(packages)}")
        else:
            yield Finding(
                f"part {extra}",
                "yellow",
                f"not installed: {', '.join(missing)}",
                f'if you want it: pip install -c constraints.txt -e ".[{extra}]"',
            )


def packages_of(extra: str, required: Iterable[str], system: str) -> tuple[str, ...]:
    """The packages that an extra brings on a system, from the lines of ``Requires-Dist``.

    Args:
        extra: Its name.
        required: Lines such as ``mss>=10.2; extra == 'live'``.
        system: ``Linux``, ``Windows`` or ``Darwin``.
    """
    found = []
    for line in required:
        name, extras, systems = _NAME.match(line), _EXTRA.findall(line), _SYSTEM.findall(line)
        wanted_here = all((sign == "==") == (wanted == system) for sign, wanted in systems)
        if name and extra in extras and wanted_here:
            found.append(name.group())
    return tuple(found)


def is_installed(package: str) -> bool:
    """Whether a package is installed, whatever its version."""
    with contextlib.suppress(importlib.metadata.PackageNotFoundError):
        importlib.metadata.version(package)
        return True
    return False


def check_arena() -> Finding:
    """Whether the built-in game starts and can be played."""
    name = "built-in game"
    try:
        require("vizdoom", "arena")
    except GameEnvError as error:
        return Finding(name, "yellow", str(error))
    try:
        with contextlib.closing(gym.make(ARENA_ID, task="go-to-lantern", disable_env_checker=True)) as env:
            env.reset(seed=0)
            env.step(1)
    except Exception as error:  # whatever keeps it from starting is what we are here to tell
        return Finding(
            name,
            "red",
            f"does not start: {type(error).__name__}: {error}",
            'reinstall its engine: pip install --force-reinstall --no-deps "vizdoom>=1.3,<1.4"',
        )
    return Finding(name, "green", "starts and can be played")


def check_disk(
    folder: Path = Path("dataset"), free_bytes: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free
) -> Finding:
    """Whether there is room for recordings.

    Args:
        folder: Where they go; need not exist yet.
        free_bytes: Free room at a folder.
    """
    there = next(each for each in (folder.resolve(), *folder.resolve().parents) if each.exists())
    free_gb = free_bytes(there) / 1e9
    text = f"{free_gb:.1f} GB free for {folder}{'' if folder.exists() else ' (not there yet)'}"
    if free_gb < _LOW_DISK_GB:
        return Finding("disk", "red", text, "make room, or record to another disk with --out")
    if free_gb < _SMALL_DISK_GB:
        return Finding("disk", "yellow", text, "make room before you record for hours")
    return Finding("disk", "green", text)
