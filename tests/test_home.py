"""``~`` in the path options of every command, however it is written, and in no other option."""

import dataclasses
import importlib
import os
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, get_args, get_origin, get_type_hints

import pytest
from tyro.conf import Positional

from gameenv.cli import parse
from gameenv.home import is_path

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training", "examples", "benchmarks")
OTHERS = {
    "acts", "chords", "checkpoint", "device", "game", "goal", "hand_back_key", "host", "hotkey", "keys",
    "labeler", "language", "levels", "next_key", "panic_key", "player", "policy", "process", "prompt", "reached_key",
    "reset_key", "rows", "session", "sessions", "sets", "split", "takes", "task", "tasks",
    "ways", "window", "window_id",
}  # fmt: skip
"""Options of text that are no paths: a name, a sentence, a key, a title."""


def modules() -> list[str]:
    """The modules that read a command line."""
    found = []
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            text = path.read_text(encoding="utf-8")
            if re.search(r"(?<!def )\b(run_command|parse)\(\w*,? ?\w*(Args|Command)\b", text) and path.name != "cli.py":
                found.append(".".join(path.relative_to(ROOT).with_suffix("").parts))
    return found


def load(name: str) -> ModuleType:
    with pytest.MonkeyPatch.context() as beside:
        beside.syspath_prepend(ROOT / name.partition(".")[0])  # scripts import what lies beside them
        return importlib.import_module(name)


def dataclasses_of(module: ModuleType) -> list[type[Any]]:
    """Its arguments; one dataclass for each subcommand."""
    if hasattr(module, "Args"):
        return [module.Args]
    return [get_args(part)[0] if get_origin(part) is Annotated else part for part in get_args(module.Command)]


def fields(args: type[Any]) -> list[tuple[dataclasses.Field[Any], Any]]:
    """Every option and its type, those of the dataclasses in it too."""
    found = []
    for field, kind in zip(dataclasses.fields(args), get_type_hints(args, include_extras=True).values(), strict=True):
        plain = get_args(kind)[0] if get_origin(kind) is Annotated else kind
        is_group = isinstance(plain, type) and dataclasses.is_dataclass(plain)
        found += fields(plain) if is_group else [(field, kind)]
    return found


def holds_text(kind: Any) -> bool:
    return kind is str or any(holds_text(part) for part in get_args(kind))


def values_of(args: Any, name: str) -> list[Any]:
    """An option's value, wherever in the dataclass it is."""
    if hasattr(args, name):
        return [getattr(args, name)]
    inner = [getattr(args, field.name) for field in dataclasses.fields(args)]
    return [value for each in inner if dataclasses.is_dataclass(each) for value in values_of(each, name)]


COMMANDS = modules()


def test_there_are_commands() -> None:
    assert {"recording.__main__", "policies.evaluation.__main__", "training.pretrain"} <= set(COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_of_text_is_known_to_be_a_path_or_not(name: str) -> None:
    for args in dataclasses_of(load(name)):
        for field, kind in fields(args):
            if holds_text(kind) and not is_path(kind):
                assert field.name in OTHERS, f"is {field.name} of {name} a path? then PathText is its type"


@pytest.mark.parametrize("name", COMMANDS)
def test_a_tilde_behind_an_equals_sign_is_the_home_folder(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    module = load(name)
    arguments = getattr(module, "Args", None) or module.Command
    for number, args in enumerate(dataclasses_of(module)):
        words = [] if hasattr(module, "Args") else [get_args(get_args(module.Command)[number])[1].name]
        for field, kind in fields(args):
            if not is_path(kind):
                continue
            option = f"--{field.name.replace('_', '-')}="
            others = required(args, field)
            given = ["~/x"] if is_positional(kind) else [f"{option}~/x"]
            monkeypatch.setattr(sys, "argv", ["x", *words, *given, *others])
            (value,) = values_of(parse(arguments), field.name)
            assert str(value[0] if isinstance(value, tuple) else value) == str(tmp_path / "x"), (name, field.name)


def is_positional(kind: Any) -> bool:
    return get_origin(kind) is Annotated and get_args(Positional[str])[1] in kind.__metadata__


def required(args: type[Any], besides: Any) -> list[str]:
    """Words for what has no default."""
    missing = dataclasses.MISSING
    return [
        "something"
        for field, _ in fields(args)
        if field.default is missing and field.default_factory is missing and field is not besides
    ]


def test_a_name_and_a_kind_may_stand_before_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = ("~/a", "mine=~/a", "mine=bc:~/a", "replay:~/a", "package.module:~x", "random", "a~b=~/a")
    monkeypatch.setattr(sys, "argv", ["x", "--policies", *asked])
    found = parse(load("policies.evaluation.__main__").Args).policies
    home = str(tmp_path)
    assert found[:4] == (f"{home}/a", f"mine={home}/a", f"mine=bc:{home}/a", f"replay:{home}/a")
    assert found[4:] == asked[4:]


def test_text_keeps_its_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x", "--window", "~/src - vim", "--goal", "~/x"])
    args = parse(load("recording.__main__").Args)
    assert (args.window, args.goal) == ("~/src - vim", ("~/x",))


@pytest.mark.slow
def test_a_recording_goes_home(tmp_path: Path) -> None:
    home, here = tmp_path / "home", tmp_path / "here"
    home.mkdir()
    here.mkdir()
    subprocess.run(
        [sys.executable, "-m", "recording", "--player", "expert", "--episodes", "1", "--out=~/demos"],
        cwd=here, env={**os.environ, "HOME": str(home), "PYTHONPATH": str(ROOT)}, check=True, capture_output=True,
    )  # fmt: skip
    assert len(list((home / "demos").iterdir())) == 1
    assert not list(here.iterdir())
