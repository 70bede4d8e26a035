"""``gameenv-train`` as a user runs it, on a small recording of the real arena."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from gameenv.arena.env import ArenaEnv
from gameenv.frames import load_frame
from labeling import load_samples
from policies import load_policy
from policies.base import Observation
from policies.conformance import check_policy, example_frames
from tests.training.conftest import command, record_and_label
from training.data import load_data

pytestmark = pytest.mark.slow


def train(segments: Path, out: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return command(
        "training", "--policy", "bc", "--data", segments, "--out", out, "--epochs", "2", "--batch-size", "32", *more
    )


@pytest.fixture(scope="module")
def model(segments: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("models") / "bc"
    done = train(segments, out)
    assert done.returncode == 0, done.stderr
    return out


def test_leaves_a_policy_that_plays(model: Path):
    policy = load_policy(f"bc:{model}")
    check_policy(policy)
    env = ArenaEnv(task="go-to-torch", split="validation", frame_size=(128, 72))
    frame, info = env.reset(seed=0)
    policy.reset(info["goal"])
    assert len(policy.predict(Observation(frame, info["goal"], ("w",)))) == 7
    env.close()


def test_leaves_a_summary_and_plots_and_nothing_else(model: Path):
    names = {path.name for path in model.iterdir()}
    written = {"gameenv.json", "weights.pt", "training_summary.json"}
    assert names == written | {"loss.png", "accuracy.png", "declarations.png"}
    summary = json.loads((model / "training_summary.json").read_text())
    card = json.loads((model / "gameenv.json").read_text())
    assert len(summary["curve"]) == 2
    assert summary["training_samples"] > 300
    assert summary["training_levels"] > 0
    assert summary["validation_levels"] > 0
    assert card["trained_tasks"] == ["go-to-torch"]
    assert (card["fps"], card["recorded"]["width"]) == (10.0, 128)
    assert card["extra"]["declare_at"] == summary["calibration"]["threshold"]
    assert sum(summary["calibration"]["counts"]) == summary["validation_samples"]


def test_the_accuracy_is_that_of_the_policy_that_was_saved(segments: Path, model: Path):
    summary = json.loads((model / "training_summary.json").read_text())
    held_out = load_data(str(segments), 0.07, 0, 32).validation
    policy = load_policy(f"bc:{model}")
    right = 0
    for sample in held_out:
        right += policy.predict(Observation(load_frame(sample.image), sample.goal)) == sample.chunk
    assert summary["accuracy"]["chunk"] == pytest.approx(right / len(held_out))


def test_without_the_head_a_network_declares_by_its_words(segments: Path, tmp_path: Path):
    done = train(segments, tmp_path / "bc", "--no-declaration-head")
    assert done.returncode == 0, done.stderr
    assert "declare_at" not in json.loads((tmp_path / "bc" / "gameenv.json").read_text())["extra"]
    assert not (tmp_path / "bc" / "declarations.png").exists()
    check_policy(load_policy(f"bc:{tmp_path / 'bc'}"))


def test_running_it_again_has_nothing_to_do(segments: Path, model: Path):
    (model / "cache").mkdir()  # as a run leaves it that is killed after the last file was written
    again = train(segments, model)
    assert again.returncode == 0
    assert "nothing to do" in again.stderr
    assert not (model / "cache").exists()


def test_another_model_is_not_overwritten_unless_asked(segments: Path, model: Path, tmp_path: Path):
    out = tmp_path / "bc"
    shutil.copytree(model, out)
    refused = train(segments, out, "--seed", "5")
    assert refused.returncode == 1
    assert "--overwrite" in refused.stderr
    assert (out / "gameenv.json").exists()
    assert train(segments, out, "--seed", "5", "--overwrite").returncode == 0
    assert json.loads((out / "training_summary.json").read_text())["settings"]["seed"] == 5


def test_a_blind_control_says_so_on_its_card_and_plays_blind(segments: Path, tmp_path: Path):
    out = tmp_path / "bc_blind"
    done = train(segments, out, "--without", "frames")
    assert done.returncode == 0, done.stderr
    assert json.loads((out / "gameenv.json").read_text())["extra"]["without"] == "frames"
    assert "nothing to do" in train(segments, out, "--without", "frames").stderr
    refused = train(segments, out)
    assert refused.returncode == 1
    assert "another model" in refused.stderr
    policy = load_policy(f"bc:{out}")
    policy.reset("Go to the red torch")
    assert len({policy.predict(Observation(frame, "Go to the red torch")).actions for frame in example_frames()}) == 1


def test_a_damaged_frame_costs_its_sample_only_and_ends_no_training(segments: Path, tmp_path: Path):
    root, out = tmp_path / "segments", tmp_path / "bc"
    shutil.copytree(segments, root)
    total = len(load_samples(root))
    cut, spoilt = (load_samples(root)[number].image for number in (5, 200))
    cut.write_bytes(cut.read_bytes()[:1000])
    spoilt.write_bytes(bytes(20) + spoilt.read_bytes()[20:-2] + b"\xff\xd9")
    spoilt.write_bytes(b"\xff\xd8" + spoilt.read_bytes()[2:])  # only decoding shows it
    done = train(root, out, "--seed", "3")
    assert done.returncode == 0, done.stderr
    said = " ".join(done.stderr.split())
    assert f"1 of {total} frames in {root} are missing or cut short: {cut}. Their samples are left out." in said
    assert f"1 of {total - 1} frames in {root} cannot be read: {spoilt}. Their samples are left out." in said
    summary = json.loads((out / "training_summary.json").read_text())
    assert summary["training_samples"] + summary["validation_samples"] == total - 2


def test_more_than_a_hundredth_of_damaged_frames_is_refused(segments: Path, tmp_path: Path):
    root = tmp_path / "segments"
    shutil.copytree(segments, root)
    for sample in load_samples(root)[:20]:
        sample.image.write_bytes(b"\xff\xd8 no picture \xff\xd9")
    refused = train(root, tmp_path / "bc")
    assert refused.returncode == 1
    assert "cannot be read" in refused.stderr
    assert "More than 1% is refused" in refused.stderr


def test_other_peoples_folders_are_left_alone(segments: Path, tmp_path: Path):
    (tmp_path / "thesis.tex").write_text("x")
    refused = train(segments, tmp_path)
    assert refused.returncode == 1
    assert "thesis.tex" in refused.stderr


def test_ctrl_c_keeps_what_is_finished_and_the_same_command_goes_on(segments: Path, tmp_path: Path):
    out = tmp_path / "bc"
    line = [
        sys.executable,
        "-m",
        "training",
        "--policy",
        "bc",
        "--data",
        segments,
        "--out",
        out,
        "--epochs",
        "12",
        "--batch-size",
        "32",
    ]
    running = subprocess.Popen([*map(str, line)], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    deadline = time.monotonic() + 60
    while not (out / "checkpoint.pt").exists():
        assert time.monotonic() < deadline, "no checkpoint within a minute"
        time.sleep(0.05)
    running.send_signal(signal.SIGINT)
    _, error = running.communicate(timeout=60)
    assert running.returncode == 130, error
    assert "Run the same command again" in error
    assert not (out / "gameenv.json").exists()
    again = subprocess.run([*map(str, line)], capture_output=True, text=True, timeout=120, check=False)
    assert again.returncode == 0, again.stderr
    assert json.loads((out / "training_summary.json").read_text())["resumed_from_epoch"] >= 1


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send and no process groups")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_decoder_outlives_a_killed_training(segments: Path, tmp_path: Path, number: int):
    line = [
        sys.executable,
        "-m",
        "training",
        "--policy",
        "bc",
        "--data",
        segments,
        "--out",
        tmp_path / "bc",
        "--workers",
        "2",
    ]
    running = subprocess.Popen([*map(str, line)], stderr=subprocess.DEVNULL, stdout=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not list((tmp_path / "bc").glob("cache/.partial-*")):
        assert time.monotonic() < deadline, "no decoding within a minute"
        time.sleep(0.01)
    running.send_signal(number)
    running.communicate(timeout=30)  # returns when the last process that holds its output has ended
    assert running.returncode == (143 if number == signal.SIGTERM else -signal.SIGKILL)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policy", "bcc"), "Did you mean 'bc'"),
        (("--epochs", "0"), "--epochs is at least 1"),
        (("--learning-rate", "-1"), "--learning-rate is above 0"),
        (("--without", "goals", "--shuffle-goals"), "not both"),
        (("--oversample", "0.5"), "--oversample is at least 1"),
        (("--validation", "1"), "--validation is a share"),
        (("--batch-size", "100000"), "lower --batch-size"),
        (("--data", "nowhere"), "Run gameenv-label first"),
    ],
)
def test_bad_arguments_get_one_line(segments: Path, tmp_path: Path, words: tuple[str, ...], said: str):
    refused = train(segments, tmp_path / "bc", *words)
    assert refused.returncode == 1
    assert said in refused.stderr
    assert "Traceback" not in refused.stderr


def test_test_levels_are_refused_and_validation_levels_held_out(segments: Path, tmp_path: Path):
    test = record_and_label(tmp_path / "test", "test", 120)
    refused = train(test, tmp_path / "bc")
    assert refused.returncode == 1
    assert "test levels" in refused.stderr
    mixed = record_and_label(tmp_path / "validation", "validation", 120)
    refused = train(mixed, tmp_path / "bc")
    assert refused.returncode == 1
    assert "validation levels only" in refused.stderr
    held_out = len(load_samples(mixed))
    for folder in segments.glob("*_seg*"):
        shutil.copytree(folder, mixed / folder.name)
    done = train(mixed, tmp_path / "bc")
    assert done.returncode == 0, done.stderr
    summary = json.loads((tmp_path / "bc" / "training_summary.json").read_text())
    assert summary["validation_samples"] == held_out
