"""A small labeled dataset and a tiny model to tune; both real, both made in a moment."""

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from gameenv.console import Console
from gameenv.frames import FrameSpec
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from policies.vlm import tiny
from tests.labeling.recordings import Ticks, holds_from, record
from training.args import Args, VlmOptions
from training.options import ConductOptions, ReplyOptions, SampleOptions
from training.vlm import run as command

torch = pytest.importorskip("torch")
pytest.importorskip("trl")


SPEC = FrameSpec(64, 32)
WORDS = (["w"] * 5 + ["right"] * 3 + ["up"] * 2 + ["left"] * 2 + ["space"]) + ["none"] * 8
GOALS = ("Go to the lantern", "Open the door")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    """Matrices this small are multiplied faster by one thread than by two that wait for each other."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def segments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four sessions of about twenty samples."""
    root = tmp_path_factory.mktemp("labeled")
    for number in range(4):
        words = WORDS[number:]
        ticks = Ticks(words, goal=GOALS[number % 2], reached=holds_from(len(words) - 8, len(words)))
        label_session(record(root / "raw", f"s{number}", ticks), root / "segments", Referee(), SampleSettings())
    return root / "segments"


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("base")
    return tiny.save_tiny(folder, frame=SPEC, hidden=64, vision_hidden=64, vision_layers=2)


def options_of(kind: type, more: dict[str, object]) -> dict[str, object]:
    """Takes out of ``more`` what is an option of this kind."""
    return {field.name: more.pop(field.name) for field in fields(kind) if field.name in more}


def arguments(segments: Path, base: Path, out: Path, **more: object) -> Args:
    """Arguments of a training of seven steps an epoch; options are told apart by their names."""
    chosen = {"epochs": 2, "batch_size": 2, "validation": 0.25, "learning_rate": 1e-3, "accumulation": 4, **more}
    reply: Any = options_of(ReplyOptions, chosen)
    conduct: Any = {"evaluations": 1, "save_steps": 2, **options_of(ConductOptions, chosen)}
    samples: Any = options_of(SampleOptions, chosen)
    vlm: Any = options_of(VlmOptions, chosen)
    rest: Any = chosen
    return Args(
        out=str(out),
        samples=SampleOptions(data=str(segments), **samples),
        vlm=VlmOptions(base=str(base), reply=ReplyOptions(**reply), conduct=ConductOptions(**conduct), **vlm),
        **rest,
    )


def words_of(args: Args) -> list[str]:
    """The same arguments as words for a command line."""
    vlm = args.vlm
    return [
        *("--data", args.samples.data, "--out", str(args.out), "--base", vlm.base, "--epochs", str(args.epochs)),
        *("--batch-size", str(args.batch_size), "--validation", str(args.samples.validation)),
        *("--learning-rate", str(args.learning_rate), "--accumulation", str(vlm.accumulation)),
        *("--evaluations", str(vlm.conduct.evaluations), "--save-steps", str(vlm.conduct.save_steps)),
    ]


@pytest.fixture(scope="session")
def tune() -> Callable[[Args], str]:
    """Run the command in this process; returns what it said."""

    def run(args: Args) -> str:
        said = io.StringIO()
        console = Console(file=said, width=200)
        with contextlib.redirect_stderr(io.StringIO()):
            assert command.run(args, console, console) == 0
        return said.getvalue()

    return run


@pytest.fixture(scope="session")
def tuned(segments: Path, base: Path, tmp_path_factory: pytest.TempPathFactory, tune: Callable[[Args], str]) -> Path:
    """An adapter, trained without a break."""
    out = tmp_path_factory.mktemp("models") / "tuned"
    tune(arguments(segments, base, out))
    return out
