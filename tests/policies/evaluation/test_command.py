"""``gameenv-evaluate`` from the first episode to the summary, stopped and gone on with on the way."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gameenv.arena import sets
from gameenv.arena.tasks import TASKS
from gameenv.console import Console
from gameenv.errors import DiskFullError, GameEnvError, InvalidInputError, MissingExtraError, UnknownNameError
from gameenv.frames import FrameSpec
from policies.bc import BCPolicy, build_network
from policies.card import ModelCard
from policies.evaluation.__main__ import Args, check_cards, evaluate, run
from policies.evaluation.plan import EvaluationPlan
from policies.load import NamedSpec
from policies.realtime.runner import Manner

av = pytest.importorskip("av")
SMALL = {"split": "validation", "frame_size": (256, 144), "report": False}
SLOW = "slow=tests.policies.evaluation.players:Slow"


def rows(out: Path) -> list[dict[str, Any]]:
    path = out / "episodes.jsonl"
    lines = path.read_text().splitlines() if path.exists() else []
    return [json.loads(line) for line in lines if line.endswith("}")]


def cell(out: Path, policy: str, execute: int, task: str = "all") -> dict[str, Any]:
    summary = json.loads((out / "summary.json").read_text())
    keys = ("policy", "execute", "task")
    (found,) = [row for row in summary["results"] if tuple(row[key] for key in keys) == (policy, execute, task)]
    return found


@pytest.mark.slow
def test_policies_are_measured_on_the_same_levels(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    args = Args(
        policies=("expert", "dice=random"),
        tasks=("go-to-lantern", "climb-stairs"),
        episodes=2,
        execute=(1,),
        out=tmp_path,
        **SMALL,
    )
    evaluate(args)
    played = rows(tmp_path)
    levels = {
        name: sorted(row["level"] for row in played if row["policy"] == name and row["execute"] == 1)
        for name in ("expert", "dice")
    }
    assert levels["expert"] == levels["dice"]
    assert len(set(levels["expert"])) == 4
    assert all(len(row["actions"]) == row["steps"] for row in played)
    assert cell(tmp_path, "expert", 1)["success"]["k"] == 4
    assert cell(tmp_path, "dice", 1)["n"] == 4
    summary = json.loads((tmp_path / "summary.json").read_text())
    assert summary["complete"]
    assert {row["policy"]: row["n"] for row in summary["latency"]} == {"expert": 30, "dice": 30}
    assert all(row["p50_s"] is not None for row in summary["latency"])
    printed = capsys.readouterr().out
    assert "100% [51, 100]" in printed
    assert "McNemar" in printed

    before = (tmp_path / "episodes.jsonl").read_bytes()
    evaluate(args)  # again: nothing is left to play
    assert (tmp_path / "episodes.jsonl").read_bytes() == before
    assert "Every episode of this evaluation has been played" in capsys.readouterr().out


@pytest.mark.slow
def test_an_interrupted_evaluation_plays_only_what_is_missing(tmp_path: Path) -> None:
    args = Args(policies=("none",), episodes=6, out=tmp_path, **SMALL)
    evaluate(args)
    path = tmp_path / "episodes.jsonl"
    whole = path.read_bytes()
    kept = whole.splitlines(keepends=True)[:3]
    (tmp_path / "summary.json").unlink()
    path.write_bytes(b"".join(kept) + b'{"policy":"none","spe')
    evaluate(args)
    assert path.read_bytes().startswith(b"".join(kept))
    assert sorted(row["seed"] for row in rows(tmp_path)) == list(range(6))
    assert cell(tmp_path, "none", 7)["n"] == 6


@pytest.fixture
def frozen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of a small frozen set."""
    monkeypatch.setattr(sets, "FOLDER", tmp_path / "level_sets")
    return sets.write_set("arena-val-v1", levels=3)


def ask_frozen(tmp_path: Path, **changes: Any) -> Args:
    asked = {"policies": ("none",), "episodes": 2, "levels": "arena-val-v1", "out": tmp_path / "out", "report": False}
    return Args(**{**asked, "frame_size": (256, 144), **changes})


@pytest.mark.slow
def test_a_frozen_set_is_played_from_its_first_level_and_named(
    tmp_path: Path, frozen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    evaluate(ask_frozen(tmp_path))
    assert sorted((row["split"], row["seed"]) for row in rows(tmp_path / "out")) == [
        ("validation", 0),
        ("validation", 1),
    ]
    assert json.loads((tmp_path / "out" / "summary.json").read_text())["levels"] == "arena-val-v1"
    printed = capsys.readouterr().out
    assert "arena-val-v1, 2 a task" in printed
    assert "was written with" not in printed


@pytest.mark.slow
def test_another_engine_than_the_sets_is_warned_about(
    tmp_path: Path, frozen: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen.write_text(json.dumps({**json.loads(frozen.read_text()), "engine_version": "0.9"}))
    evaluate(ask_frozen(tmp_path))
    assert "arena-val-v1 was written with vizdoom 0.9, this is" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("generator_version", 999, "made by generator 999"),
        ("goals", {task: ["Sing"] * 3 for task in TASKS}, "go-to-lantern: the goal of level 0, 1 differs"),
    ],
)
def test_levels_that_are_not_the_sets_are_refused_before_anything_is_played(
    tmp_path: Path, frozen: Path, name: str, value: object, said: str
) -> None:
    frozen.write_text(json.dumps({**json.loads(frozen.read_text()), name: value}))
    with pytest.raises(InvalidInputError, match=f"not the levels of arena-val-v1: .*{said}"):
        evaluate(ask_frozen(tmp_path))
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_a_policy_that_fails_is_measured_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    evaluate(
        Args(
            policies=("raises=tests.policies.evaluation.players:Raising", "none"),
            episodes=2,
            out=tmp_path,
            **SMALL,
        )
    )
    assert cell(tmp_path, "raises", 7)["errors"] == 1
    assert cell(tmp_path, "none", 7)["errors"] == 0
    assert (
        "1 episode of 'raises' failed with an error, counted as failures. The first: ValueError: odd levels"
        in " ".join(capsys.readouterr().out.split())
    )


@pytest.mark.parametrize(
    ("change", "error", "said"),
    [
        ({"policies": ("randon",)}, UnknownNameError, "Did you mean 'random'"),
        ({"policies": ("mine=bc:nowhere",)}, InvalidInputError, "no model folder"),
        ({"tasks": ("climb-stars",)}, UnknownNameError, "Did you mean 'climb-stairs'"),
        ({"workers": 0}, InvalidInputError, "workers must be at least 1"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_played(
    tmp_path: Path, change: dict[str, Any], error: type[GameEnvError], said: str
) -> None:
    asked: dict[str, Any] = {"policies": ("none",), "episodes": 2, "out": tmp_path / "out", **SMALL}
    with pytest.raises(error, match=said):
        evaluate(Args(**{**asked, **change}))
    assert not rows(tmp_path / "out")


@pytest.mark.parametrize(("package", "extra"), [("vizdoom", "arena"), ("scipy.stats", "evaluate")])
def test_a_missing_extra_is_said_before_anything_is_played(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, extra: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError, match=rf"pip install .*\[{extra}\]"):
        evaluate(Args(policies=("none",), episodes=2, out=tmp_path / "out", **SMALL))
    assert not (tmp_path / "out").exists()


def card_plan(tmp_path: Path, card: ModelCard) -> EvaluationPlan:
    card.save(tmp_path / "model")
    policies = NamedSpec("none", "none"), NamedSpec("tuned", f"bc:{tmp_path / 'model'}")
    return EvaluationPlan(policies, ("go-to-lantern",), "validation", 2, frame_size=(256, 144))


def test_a_model_that_does_not_fit_is_refused_by_name(tmp_path: Path) -> None:
    plan = card_plan(tmp_path, ModelCard(kind="bc", fps=30))
    with pytest.raises(InvalidInputError, match=r"policy 'tuned': .*fps: the model learned at 30"):
        run(plan, tmp_path / "out", 1, Console())
    assert not (tmp_path / "out").exists()


def test_a_model_of_another_frame_size_is_warned_about_by_name(tmp_path: Path) -> None:
    console = Console(record=True, width=300)
    check_cards(card_plan(tmp_path, ModelCard(kind="bc", fps=10, recorded=FrameSpec(128, 72))), console)
    assert "policy 'tuned': frame size: the model learned from recordings of 128x72" in console.export_text()


def test_a_model_of_another_rate_and_fit_is_evaluated_as_it_learned(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    recorded = FrameSpec(128, 72, "stretch")
    card = ModelCard(kind="bc", fps=5.0, recorded=recorded, extra={"words": ["lantern"]})
    BCPolicy(build_network(1), ("lantern",), card).save(tmp_path / "slow")
    args = Args(policies=(f"slow=bc:{tmp_path / 'slow'}", "none"), episodes=1, out=tmp_path / "out", workers=1)
    evaluate(args)
    evaluate(args)  # goes on with its own folder
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert (config["fps"], config["frame_size"], config["fit"]) == (5.0, [128, 72], "stretch")
    assert cell(tmp_path / "out", "slow", 7)["errors"] == 0
    film = next((tmp_path / "out" / "media").glob("none-*.mp4"))
    with av.open(str(film)) as container:
        assert float(container.streams.video[0].average_rate) == 5.0
    page = (tmp_path / "out" / "report.html").read_text()
    assert "Film of" not in page, "every episode was played again as it was"
    assert "--frame-size 128 72 --fps 5 " in page


def test_models_of_different_rates_are_refused_by_name(tmp_path: Path) -> None:
    for name, fps in (("quick", 10.0), ("slow", 5.0)):
        ModelCard(kind="bc", fps=fps).save(tmp_path / name)
    named = (f"quick=bc:{tmp_path / 'quick'}", f"slow=bc:{tmp_path / 'slow'}")
    with pytest.raises(InvalidInputError, match="'quick' 10 ticks a second, 'slow' 5 ticks a second"):
        evaluate(Args(policies=named, episodes=1, out=tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("fps", [9.0, 10.5, 15.0])
def test_a_model_of_another_rate_than_the_environments_is_refused(tmp_path: Path, fps: float) -> None:
    with pytest.raises(InvalidInputError, match=f"policy 'tuned': .*fps: the model learned at {fps:g}"):
        check_cards(card_plan(tmp_path, ModelCard(kind="bc", fps=fps)), Console())


def start(out: Path, episodes: int = 8) -> subprocess.Popen[str]:
    options = f"--policies {SLOW} none --episodes {episodes} --frame-size 256 144 --no-report".split()
    return subprocess.Popen(
        [sys.executable, "-m", "policies.evaluation", *options, "--out", str(out)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,  # as a terminal does for a command: Ctrl-C goes to its whole group
    )


def children(pid: int) -> list[int]:
    """Every process below ``pid``."""
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout.split()
    parents = dict(zip(map(int, found[::2]), map(int, found[1::2]), strict=True))
    below = [pid]
    for each in below:
        below += [child for child, parent in parents.items() if parent == each]
    return below[1:]


def within(seconds: float, holds: Callable[[], object]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def finish(out: Path, episodes: int = 8) -> None:
    """Give the same command again, in this process."""
    evaluate(Args(policies=(SLOW, "none"), episodes=episodes, out=out, **SMALL))
    assert len({(row["policy"], row["seed"]) for row in rows(out)}) == len(rows(out)) == 2 * episodes
    assert not any(row["error"] for row in rows(out))


@pytest.mark.slow
def test_ctrl_c_stops_the_workers_and_the_same_command_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert within(60, lambda: len(rows(tmp_path)) >= 2)
    below = children(process.pid)
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Run the same command again to go on" in said
    assert "Traceback" not in said
    assert within(5, lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    assert not (tmp_path / "summary.json").exists()
    assert len(rows(tmp_path)) < 16
    finish(tmp_path)


@pytest.mark.slow
def test_a_killed_evaluation_leaves_no_worker_and_goes_on(tmp_path: Path) -> None:
    process = start(tmp_path)
    assert within(60, lambda: len(rows(tmp_path)) >= 2)
    below = children(process.pid)
    assert below
    process.kill()
    process.communicate(timeout=30)
    assert within(10, lambda: not any(Path(f"/proc/{pid}").exists() for pid in below))
    finish(tmp_path)


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_the_episodes_are_kept(tmp_path: Path, small_disk: Path) -> None:
    args = Args(policies=("none",), episodes=2, workers=1, out=small_disk / "out", **SMALL)
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(shutil.disk_usage(small_disk).free - room_for_all_but_the_summary(tmp_path)))
    with pytest.raises(DiskFullError, match="is full; everything until now is saved"):
        evaluate(args)
    assert len(rows(args.out)) == 2
    assert sorted(path.name for path in args.out.iterdir()) == [".lock", "config.json", "episodes.jsonl"]
    ballast.unlink()
    evaluate(args)
    assert len(rows(args.out)) == 2
    assert (args.out / "summary.json").exists()


def room_for_all_but_the_summary(tmp_path: Path) -> int:
    """Bytes, in whole pages, that an evaluation of two episodes takes before its last file."""
    out = tmp_path / "elsewhere"
    evaluate(Args(policies=("none",), episodes=2, workers=1, out=out, **SMALL))
    sizes = [path.stat().st_size for path in out.iterdir() if path.name != "summary.json"]
    return sum(-(-size // resource.getpagesize()) * resource.getpagesize() for size in sizes)


def test_bad_workers_leave_no_folder_behind(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="--workers must be at least 1"):
        evaluate(Args(policies=("none",), workers=0, out=tmp_path / "out", **SMALL))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("manner", ["ahead", "stop"])
def test_answers_may_take_time(tmp_path: Path, manner: Manner, capsys: pytest.CaptureFixture[str]) -> None:
    args = Args(
        policies=("expert", "none"), tasks=("press-switch",), episodes=2, execute=(3,), latency_ms=300, manner=manner,
        out=tmp_path, report=True,
    )  # fmt: skip
    evaluate(args)
    said = capsys.readouterr().out
    unplanned = {row["policy"]: row["unplanned"] for row in rows(tmp_path)}
    if manner == "ahead":
        assert unplanned["expert"] == 0
        assert "nothing was planned" not in said
    else:
        assert unplanned["expert"] > 10, "it stands still while it thinks"
        assert "expert: nothing was planned on" in said
    assert json.loads((tmp_path / "config.json").read_text())["pace"] == {
        "latency_ms": 300,
        "manner": manner,
        "gap": "none",
    }
    with pytest.raises(InvalidInputError, match="pace"):
        evaluate(replace(args, latency_ms=100))
    with pytest.raises(InvalidInputError, match="add --latency-ms"):
        evaluate(replace(args, latency_ms=None, manner="naive", out=tmp_path / "other"))
