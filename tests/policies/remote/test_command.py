"""``gameenv-serve`` as a user runs it, with ``gameenv-play`` and ``gameenv-evaluate`` at the other end."""

import contextlib
import json
import os
import signal
import ssl
import stat
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import trustme

from gameenv.errors import ServerError
from gameenv.frames import FrameSpec
from policies import Observation, load_policy
from policies.card import ModelCard
from policies.options import ModelOptions, RemoteOptions
from policies.remote import PolicyClient
from tests.gameenv.live.display import Probe, wait_for
from tests.policies.remote.serving import HASTY, PATIENT, TOKEN, Command, free_port
from tests.policies.test_bc import make_declaring

POLICIES = """
from gameenv import ActionChunk

class Walks:
    batches = True

    def reset(self, goal, *, seed=None):
        pass

    def predict(self, observation):
        return ActionChunk.of([*observation.committed, *["w"] * 7][:7])

    def predict_batch(self, observations):
        return [self.predict(each) for each in observations]

class Turns(Walks):
    def predict(self, observation):
        return ActionChunk.of([*observation.committed, *["left"] * 7][:7])
"""
FRAME = np.full((72, 128, 3), 90, np.uint8)
Start = Callable[..., Command]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    (tmp_path / "players.py").write_text(POLICIES)
    with contextlib.ExitStack() as opened:

        def begin(*options: str, **more: str | None) -> Command:
            return opened.enter_context(contextlib.closing(Command(tmp_path, *options, **more)))

        yield begin


def run(module: str, *options: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", module, *options], cwd=folder, capture_output=True, text=True, timeout=120, check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "GAMEENV_TOKEN": TOKEN, "COLUMNS": "200", "PYTHONPATH": os.pathsep.join(sys.path)},
    )  # fmt: skip


def test_a_token_is_made_and_printed_and_works(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    server = start("--model", "none", "--port", "0", token=None)
    address = server.wait_until_serving()
    (token,) = [line.split()[1] for line in server.said.splitlines() if line.startswith("token:")]
    assert len(token) >= 32
    monkeypatch.setenv("GAMEENV_TOKEN", token)
    assert load_policy(address).predict(Observation(FRAME, "Go")).done
    assert address.startswith("remote://127.0.0.1:"), "this machine only"


def test_a_token_file_is_made_for_its_owner_only_and_stays(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "secrets" / "token"
    first = start("--model", "none", "--port", "0", "--token-file", str(file))
    first.wait_until_serving()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    token = file.read_text()
    first.close()
    second = start("--model", "none", "--port", "0", "--token-file", str(file))
    address = second.wait_until_serving()
    assert file.read_text() == token
    assert token.strip() not in second.said
    options = ModelOptions(remote=RemoteOptions(remote_token_file=file))
    assert load_policy(address, options).predict(Observation(FRAME, "Go")).done


def test_ctrl_c_and_a_kill_end_it(start: Start) -> None:
    for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        server = start("--model", "none", "--port", "0")
        policy = load_policy(server.wait_until_serving())
        server.process.send_signal(number)
        assert server.process.wait(20) == code, server.said
        assert "Traceback" not in server.said
        assert isinstance(policy, PolicyClient)
        policy.close()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", "0.0.0.0"), "give --cert and --key for TLS"),
        (("--host", "::"), "give --cert and --key for TLS"),
        (("--key", "key.pem"), "give --cert, too"),
        (("--cert", "nowhere.pem"), "cannot use the certificate in nowhere.pem"),
        (("--token-file", "short"), "a token is at least 8"),
        (("--model", "expert"), "needs the game itself"),
        (("--model", "rndom"), "Did you mean 'random'"),
        (("--clients", "0"), "at least 1"),
    ],
)
def test_what_cannot_be_meant_is_refused(start: Start, tmp_path: Path, options: tuple[str, ...], says: str) -> None:
    (tmp_path / "short").write_text("abc\n")
    server = start("--model", "none", "--port", "0", *options)
    assert server.process.wait(60) == 1
    assert says in server.said
    assert "Traceback" not in server.said


def test_with_tls_the_server_is_known_by_its_certificate(start: Start, tmp_path: Path) -> None:
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost", "127.0.0.1")
    certificate.private_key_and_cert_chain_pem.write_to_path(tmp_path / "server.pem")
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    trustme.CA().cert_pem.write_to_path(tmp_path / "other.pem")
    server = start("--model", "none", "--port", "0", "--cert", "server.pem")
    address = server.wait_until_serving()
    assert address.startswith("remotes://")

    def options(ca: str | None) -> ModelOptions:
        return ModelOptions(remote=RemoteOptions(remote_ca=None if ca is None else tmp_path / ca))

    assert load_policy(address, options("ca.pem")).predict(Observation(FRAME, "Go")).done
    for ca in ("other.pem", None):
        with pytest.raises(ServerError, match=r"not known by its certificate.*--remote-ca"):
            load_policy(address, options(ca))
    with pytest.raises(ServerError, match="does it speak TLS"):
        load_policy(address.replace("remotes", "remote"))
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))
    health = address.replace("remotes", "https") + "/healthz"
    with urllib.request.urlopen(health, context=context, timeout=10) as answer:
        assert answer.status == 200


def test_a_server_that_is_started_again_goes_on_answering(start: Start) -> None:
    port = str(free_port())
    server = start("--model", "players:Walks", "--port", port)
    policy = load_policy(server.wait_until_serving(), PATIENT)
    assert policy.predict(Observation(FRAME, "Go"))[0] == "w"
    server.kill()
    again = start("--model", "players:Walks", "--port", port)
    assert policy.predict(Observation(FRAME, "Go"))[0] == "w", again.said
    assert isinstance(policy, PolicyClient)
    assert policy.reconnected == 1


def test_another_policy_at_the_same_address_is_not_taken_for_it(start: Start) -> None:
    port = str(free_port())
    server = start("--model", "players:Walks", "--port", port)
    policy = load_policy(server.wait_until_serving(), PATIENT)
    server.kill()
    start("--model", "players:Turns", "--port", port).wait_until_serving()
    with pytest.raises(ServerError, match="now serves another policy"):
        policy.predict(Observation(FRAME, "Go"))


def test_a_server_that_stays_away_ends_the_wait_with_what_to_do(start: Start) -> None:
    server = start("--model", "players:Walks", "--port", "0")
    policy = load_policy(server.wait_until_serving(), HASTY)
    server.kill()
    with pytest.raises(ServerError, match=r"was not back within 0.5 s .*start gameenv-serve there again"):
        policy.predict(Observation(FRAME, "Go"))


@pytest.mark.slow
def test_keys_come_up_while_the_server_is_away_and_play_goes_on(probe: Probe, start: Start, tmp_path: Path) -> None:
    port = str(free_port())
    server = start("--model", "players:Walks", "--port", port)
    address = server.wait_until_serving()
    said = tmp_path / "played.txt"
    output = said.open("w")
    play = subprocess.Popen(
        [sys.executable, "-m", "policies.play", "--model", address, "--window", "^Probe$", "--goal", "Go"],
        env={**os.environ, "GAMEENV_TOKEN": TOKEN, "PYTHONPATH": os.pathsep.join(sys.path)}, cwd=tmp_path,
        stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        wait_for(lambda: probe.down == ["w"])
        server.kill()
        wait_for(lambda: "is away" in said.read_text())
        wait_for(lambda: probe.down == [], 10)
        assert play.poll() is None, "it waits for the server"
        start("--model", "players:Walks", "--port", port)
        wait_for(lambda: "is back" in said.read_text())
        wait_for(lambda: probe.down == ["w"])
    finally:
        play.terminate()
        play.wait(30)
        output.close()
    wait_for(lambda: probe.down == [])


def test_the_environment_is_made_as_the_far_model_learned(start: Start, tmp_path: Path) -> None:
    model = make_declaring(0.9, "w")
    ModelCard("bc", 5, recorded=FrameSpec(256, 144), extra=model.card.extra).save(tmp_path / "bc")
    (tmp_path / "own").mkdir()
    model.save(tmp_path / "own")
    (tmp_path / "own" / "weights.pt").rename(tmp_path / "bc" / "weights.pt")
    address = start("--model", f"bc:{tmp_path / 'bc'}", "--port", "0").wait_until_serving()
    played = run("policies.play", "--model", address, "--lock-step", "--max-steps", "14", folder=tmp_path)
    assert played.returncode == 0, played.stderr
    assert "the policy says that the goal is reached" in played.stdout
    wrong = run("policies.play", "--model", address, "--lock-step", "--fps", "10", folder=tmp_path)
    assert wrong.returncode == 1
    assert "fps: the model learned at 5, the environment runs at 10" in wrong.stderr


@pytest.mark.slow
def test_an_evaluation_of_a_far_policy_is_that_of_the_near_one(start: Start, tmp_path: Path) -> None:
    make_declaring(0.2, "w").save(tmp_path / "bc")
    near = f"bc:{tmp_path / 'bc'}"
    address = start("--model", near, "--port", "0").wait_until_serving()
    dice = start("--model", "random", "--port", "0").wait_until_serving()
    done = run(
        "policies.evaluation", "--policies", f"near={near}", f"far={address}", f"dice={dice}", "--remote-lossless",
        "--tasks", "go-to-lantern", "--episodes", "3", "--out", "runs/far", "--no-report", folder=tmp_path,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    rows = [json.loads(line) for line in (tmp_path / "runs/far/episodes.jsonl").read_text().splitlines()]
    assert len(rows) == 9
    assert not any(row["error"] for row in rows)
    played = {name: [row["actions"] for row in sorted(rows, key=lambda row: row["seed"]) if row["policy"] == name]
              for name in ("near", "far")}  # fmt: skip
    assert played["near"] == played["far"]
