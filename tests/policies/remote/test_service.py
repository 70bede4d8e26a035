"""What a server of policies does with strangers, half messages and floods: clear, counted, and it lives."""

import contextlib
import logging
import socket
import struct
import threading
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from gameenv.errors import InvalidInputError, ServerError
from policies import Observation, load_policy
from policies.conformance import example_frames
from policies.remote import service, wire
from policies.remote.packing import pack_jpeg
from policies.remote.service import Limits, PolicyServer
from tests.gameenv.live.display import wait_for
from tests.policies.remote.serving import HASTY, TOKEN, Echo, health, metric, served

FRAME = example_frames()[0]


@pytest.fixture
def server() -> Iterator[PolicyServer]:
    with served(Echo) as server:
        yield server
        policy = load_policy(str(server.address))
        assert policy.predict(Observation(FRAME, "Go"))[0] == "s", "the server lives"
        assert health(server.address.http)[0] == 200


def call(server: PolicyServer, token: str = TOKEN, **more: Any) -> Any:
    return connect(
        server.address.websocket, additional_headers={"Authorization": f"Bearer {token}"}, compression=None, **more
    )


def refused(server: PolicyServer, reason: str) -> float:
    return metric(server.address.http, f'gameenv_refused_total{{reason="{reason}"}}')


@pytest.mark.parametrize("given", ["wrong-token-of-tests", TOKEN[:-1], TOKEN + "x", ""])
def test_a_wrong_token_is_turned_away(server: PolicyServer, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidStatus, match="401"), call(server, given):
        pass
    with monkeypatch.context() as patched:
        patched.setenv("GAMEENV_TOKEN", given or "no-such-token")
        with pytest.raises(ServerError, match=r"wants its token.*GAMEENV_TOKEN, or --remote-token-file"):
            load_policy(str(server.address))
    assert refused(server, "token") == 2


def test_without_a_token_it_is_asked_for(server: PolicyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patched:
        patched.delenv("GAMEENV_TOKEN")
        with pytest.raises(ServerError, match="wants its token"):
            load_policy(str(server.address))


def test_a_web_page_may_not_call(server: PolicyServer) -> None:
    with pytest.raises(InvalidStatus, match="403"), call(server, origin="https://example.org"):
        pass


def test_a_client_of_another_version_is_told_so(server: PolicyServer) -> None:
    with call(server) as line:
        line.send(msgspec.msgpack.encode({"kind": "hello", "v": 2, "client": "later", "new": [1]}))
        refusal = wire.from_server(line.recv(10))
        assert isinstance(refusal, wire.Refused)
        assert refusal.reason == "version"
        assert "speaks version 2" in refusal.text
        assert "update the older" in refusal.text
        with pytest.raises(ConnectionClosed):
            line.recv(10)
    assert refused(server, "version") == 1


def test_a_server_of_another_version_is_told_of(server: PolicyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    policy = load_policy(str(server.address))
    monkeypatch.setattr(server, "_welcome", msgspec.msgpack.encode({"kind": "welcome", "v": 2, "model": "later"}))
    with pytest.raises(ServerError, match=r"is not understood: it speaks version 2 .* this side speaks 1; update"):
        load_policy(str(server.address))
    monkeypatch.undo()
    monkeypatch.setenv("GAMEENV_TOKEN", TOKEN)
    assert policy.predict(Observation(FRAME, "Go"))[0] == "s"


def hello() -> bytes:
    return wire.pack(wire.Hello(client="test"))


def ask(frame: bytes = pack_jpeg(FRAME), goal: str = "Go", committed: Any = ()) -> bytes:
    seen = [frame, goal, committed, (), ()]
    return msgspec.msgpack.encode({"kind": "ask", "v": 1, "id": 1, "seen": [seen]})


@pytest.mark.parametrize(
    ("message", "says"),
    [
        (ask()[:-20], "cannot be read"),
        (b"", "cannot be read"),
        (b"\x80\x04\x95pickle", "cannot be read"),
        (b"\x91" * 100_000, "cannot be read"),
        ("text", "a message is binary"),
        (ask(frame=b"no picture"), "no JPEG or PNG"),
        (ask(committed=("fly",)), "cannot be read"),
        (ask(committed=("w",) * 7), "at most 6"),
        (ask(goal=" "), "a goal is a short sentence"),
        (msgspec.msgpack.encode({"kind": "ask", "v": 1, "id": 1, "seen": []}), "at least one"),
        (msgspec.msgpack.encode({"kind": "reset", "v": 1, "goal": "Go", "seed": "-1"}), "a seed is a whole number"),
        (hello(), "says hello once"),
    ],
)
def test_a_message_that_makes_no_sense_is_hung_up_on(server: PolicyServer, message: Any, says: str) -> None:
    with call(server) as line:
        line.send(hello())
        assert isinstance(wire.from_server(line.recv(10)), wire.Welcome)
        line.send(message)
        refusal = wire.from_server(line.recv(10))
        assert isinstance(refusal, wire.Refused)
        assert refusal.reason == "malformed"
        assert says in refusal.text
    assert refused(server, "malformed") == 1


def test_a_frame_of_100_mb_is_not_taken(server: PolicyServer) -> None:
    with call(server) as line:
        line.send(hello())
        line.recv(10)
        with contextlib.suppress(OSError):  # it hangs up while we still talk
            line.send(bytes(100_000_000))
        with pytest.raises((ConnectionClosed, OSError)):
            line.recv(20)
    wait_for(lambda: refused(server, "too-large") == 1, 20)


def test_a_connection_that_breaks_in_the_middle_of_a_message_is_counted(server: PolicyServer) -> None:
    with call(server) as line:
        line.send(hello())
        line.recv(10)
        whole = ask()
        line.socket.sendall(b"\x82\xfe" + struct.pack("!H", len(whole)) + b"\0\0\0\0" + whole[: len(whole) // 2])
        line.socket.shutdown(socket.SHUT_RDWR)
        wait_for(lambda: refused(server, "cut") == 1, 20)


def test_one_who_calls_and_says_nothing_is_hung_up_on(server: PolicyServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(service, "_GREETING_S", 0.2)
    with call(server) as line, pytest.raises(ConnectionClosed):
        line.recv(10)
    assert refused(server, "silent") == 1


def test_noise_on_the_port_is_survived(server: PolicyServer) -> None:
    for noise in (b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\n\r\n", bytes(range(256)) * 300):
        with socket.create_connection((server.address.host, server.address.port), timeout=10) as raw:
            raw.sendall(noise)


def test_more_clients_than_there_may_be_are_told_so() -> None:
    with served(Echo, Limits(clients=1)) as server:
        first = load_policy(str(server.address))
        with pytest.raises(ServerError, match=r"1 clients are connected, as many as may be \(--clients\)"):
            load_policy(str(server.address))
        assert first.predict(Observation(FRAME, "Go"))[0] == "s"
        assert refused(server, "busy") == 1


def test_a_policy_that_hangs_is_seen_in_its_health(monkeypatch: pytest.MonkeyPatch) -> None:
    let_go = threading.Event()

    class Hangs(Echo):
        def predict(self, observation: Observation) -> Any:
            let_go.wait(30)
            return super().predict(observation)

    with served(Hangs) as server:
        monkeypatch.setattr(service, "STUCK_S", 0.2)
        policy = load_policy(str(server.address), HASTY)
        with pytest.raises(ServerError, match=r"did not answer in time .*is its model stuck\? See http://.*/healthz"):
            policy.predict(Observation(FRAME, "Go"))
        status, body = health(server.address.http)
        assert status == 503
        assert '"stuck"' in body
        let_go.set()
        wait_for(lambda: health(server.address.http)[0] == 200, 20)


def test_what_needs_the_game_itself_is_not_served() -> None:
    with pytest.raises(InvalidInputError, match="play it on the machine where the game runs"):
        PolicyServer(lambda: load_policy("expert"), service.About("expert"), TOKEN)


def test_the_token_is_never_logged(server: PolicyServer, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        policy = load_policy(str(server.address))
        policy.predict(Observation(FRAME, "Go"))
    assert TOKEN not in caplog.text
