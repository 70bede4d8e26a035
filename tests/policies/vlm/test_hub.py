"""A model that is not here: said at once, not after the libraries' half minute of asking again."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import huggingface_hub.constants
import pytest

from gameenv.errors import GameEnvError
from policies.load import load_policy
from policies.vlm import tiny
from policies.vlm.hub import check_at_hand

WRONG = "Nobody/Nothing-VL"


@pytest.fixture
def silent() -> Iterator[str]:
    """The address of someone who takes the call and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture
def nobody() -> str:
    """An address where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"http://127.0.0.1:{server.getsockname()[1]}"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))


@pytest.mark.parametrize("who", ["silent", "nobody"])
def test_a_hub_that_cannot_be_reached_is_said_within_two_seconds(
    who: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    address: str = request.getfixturevalue(who)
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", address)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    began = time.monotonic()
    with pytest.raises(OSError, match=rf"{address} cannot be reached: .*"):
        check_at_hand(WRONG)
    assert time.monotonic() - began < 2
    with pytest.raises(GameEnvError, match=rf"{WRONG} is neither a folder here nor .*cannot be reached.*hf download"):
        load_policy(WRONG)


def test_offline_is_not_tried_at_all(monkeypatch: pytest.MonkeyPatch, silent: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", silent)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    began = time.monotonic()
    with pytest.raises(GameEnvError, match="HF_HUB_OFFLINE is set"):
        load_policy(WRONG)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("base", ["./models/gone", "/models/gone", "models/gone/too", "../gone"])
def test_what_can_only_be_a_folder_is_not_asked_for(monkeypatch: pytest.MonkeyPatch, silent: str, base: str) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", silent)
    with pytest.raises(OSError, match="no such folder"):
        check_at_hand(base)


def test_a_folder_a_fetched_model_and_a_hub_that_answers_pass(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, nobody: str
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", nobody)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    check_at_hand(str(tmp_path))
    fetched = tmp_path / "cache" / "models--Some--Model"
    (fetched / "refs").mkdir(parents=True)
    (fetched / "refs" / "main").write_text("abc")
    (fetched / "snapshots" / "abc").mkdir(parents=True)
    (fetched / "snapshots" / "abc" / "config.json").write_text("{}")
    check_at_hand("Some/Model")
    assert huggingface_hub.constants.HF_HUB_OFFLINE, "nobody asks again for each of its files"
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        thread = Thread(target=server.serve_forever, daemon=True)
        thread.start()
        monkeypatch.setattr("huggingface_hub.constants.ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
        check_at_hand(WRONG)  # it answers 501, and whether it has the model is for the libraries to find out
        server.shutdown()


def test_a_model_that_was_fetched_before_loads_without_asking_again(nobody: str, tmp_path: Path) -> None:
    """Each of its files was asked for six times: 141 s."""
    fetched = tmp_path / "hub" / "models--Some--Model"
    (fetched / "snapshots").mkdir(parents=True)
    tiny.save_tiny(fetched / "snapshots" / "abc")
    (fetched / "refs").mkdir()
    (fetched / "refs" / "main").write_text("abc")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    code = "from policies.load import load_policy; print(type(load_policy('Some/Model')).__name__)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60,
        env={**kept, "HF_ENDPOINT": nobody, "HF_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.stdout.strip() == "VLMPolicy", done.stderr
    assert "Some/Model is taken as it was fetched before" in done.stderr
    assert "Retrying" not in done.stderr


def test_the_command_of_a_person_who_is_offline(nobody: str, tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    command = [sys.executable, "-m", "policies.play", "--model", WRONG, "--goal", "Go to the lantern", "--lock-step"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=60,
        env={**kept, "HF_ENDPOINT": nobody, "HF_HOME": str(tmp_path)},
    )  # fmt: skip
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1, "and no retries"
    assert f"{nobody} cannot be reached" in done.stderr
