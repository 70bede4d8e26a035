"""A policy behind an OpenAI-compatible address: what a good server says, and every way that one misbehaves."""

import base64
import contextlib
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply
from policies import load_policy
from policies.base import Observation
from policies.conformance import check_policy
from policies.options import ModelOptions
from policies.server import ServerPolicy

pytest.importorskip("httpx")
FRAME = np.full((288, 512, 3), 90, np.uint8)
GOAL = "Go to the lantern"
LOOK = Observation(FRAME, GOAL)
WORDS = ["w", "w", "right", "none", "space", "enter", "c"]
Answer = Callable[[dict[str, Any]], tuple[int, str | bytes]]


def say(text: object) -> str:
    return json.dumps({"choices": [{"message": {"role": "assistant", "content": text}}]})


def well_behaved(question: dict[str, Any]) -> tuple[int, str]:
    return 200, say(json.dumps({"actions": WORDS}))


@dataclass
class Server:
    """Answers as told, and remembers what it was asked."""

    answer: Answer = well_behaved
    models: tuple[str, ...] = ("qwen3-vl",)
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    address: str = ""
    pause_s: float = 0.0  # after each byte of an answer


@pytest.fixture
def server() -> Iterator[Server]:
    told = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply(200, json.dumps({"data": [{"id": name} for name in told.models]}))

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.asked.append(question)
            told.headers.append(dict(self.headers))
            self._reply(*told.answer(question))

        def _reply(self, status: int, content: str | bytes) -> None:
            if status == 0:  # hang up
                self.connection.close()
                return
            body = content.encode() if isinstance(content, str) else content
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            pieces = [bytes([byte]) for byte in body] if told.pause_s else [body]
            with contextlib.suppress(OSError):  # the other side hung up
                for piece in pieces:
                    self.wfile.write(piece)
                    time.sleep(told.pause_s)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, daemon=True).start()
        told.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
        yield told
        http.shutdown()


def make(server: Server, **options: Any) -> ServerPolicy:
    policy = ServerPolicy(server.address, **{"timeout_s": 5.0, **options})
    policy.reset(GOAL, seed=3)
    return policy


def test_conforms(server: Server) -> None:
    check_policy(load_policy(server.address))


def test_what_is_asked(server: Server) -> None:
    policy = load_policy(server.address, ModelOptions(temperature=0.5))
    policy.reset(GOAL, seed=3)
    assert list(policy.predict(Observation(FRAME, GOAL, ("a", "s")))) == ["a", "s", *WORDS[2:]]
    (question,) = server.asked
    assert (question["model"], question["temperature"], question["seed"]) == ("qwen3-vl", 0.5, 3)
    image, text = question["messages"][0]["content"]
    assert text == {"type": "text", "text": "Goal: Go to the lantern\n\nPredict the next 7 actions:"}
    raw = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(raw)).size == (512, 288)
    schema = question["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["actions"]["maxItems"] == 7


def test_a_server_without_structured_output_is_asked_plainly_from_then_on(server: Server) -> None:
    def plain(question: dict[str, Any]) -> tuple[int, str]:
        return (400, "unknown field response_format") if "response_format" in question else well_behaved(question)

    server.answer = plain
    policy = make(server)
    for _ in range(3):
        assert list(policy.predict(LOOK)) == WORDS
    assert ["response_format" in question for question in server.asked] == [True, False, False, False]


@pytest.mark.slow
@pytest.mark.parametrize(
    "reply",
    [
        say("I would walk forward."),
        say(json.dumps({"actions": WORDS[:6]})),
        say(json.dumps({"actions": [*WORDS[:6], "jump"]})),
        say(None),
        json.dumps({"choices": []}),
        json.dumps([1]),
        "<html>",
        b"\xff\xfe\x00",
        "",
        "[" * 200_000,
        say("[" * 200_000),
        b"x" * 3_000_000,
    ],
)
def test_garbage_is_an_invalid_reply(server: Server, reply: str | bytes) -> None:
    server.answer = lambda question: (200, reply)
    policy = make(server)
    with pytest.raises(InvalidReply):
        policy.predict(LOOK)
    server.answer = well_behaved
    assert list(policy.predict(LOOK)) == WORDS


@pytest.mark.slow
@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_a_hiccup_is_tried_again(server: Server, status: int) -> None:
    def hiccup(question: dict[str, Any]) -> tuple[int, str]:
        return (status, "busy") if len(server.asked) < 3 else well_behaved(question)

    server.answer = hiccup
    assert list(make(server).predict(LOOK)) == WORDS
    assert len(server.asked) == 3


@pytest.mark.slow
def test_a_server_that_stays_broken(server: Server) -> None:
    server.answer = lambda question: (503, "overloaded")
    with pytest.raises(GameEnvError, match=r"does not answer .*503: overloaded"):
        make(server).predict(LOOK)
    assert len(server.asked) == 3


def test_a_slow_server_is_given_up_in_time(server: Server) -> None:
    def slow(question: dict[str, Any]) -> tuple[int, str]:
        time.sleep(2.0)
        return well_behaved(question)

    server.answer = slow
    began = time.monotonic()
    with pytest.raises(GameEnvError, match=r"no answer within 0.5 s"):
        make(server, timeout_s=0.5).predict(LOOK)
    assert time.monotonic() - began < 1.5


def test_an_answer_that_trickles_is_given_up_in_time(server: Server) -> None:
    policy = make(server, timeout_s=0.6)
    server.pause_s = 0.2
    began = time.monotonic()
    with pytest.raises(GameEnvError, match=r"no answer within 0.6 s"):
        policy.predict(LOOK)
    assert time.monotonic() - began < 2.0
    server.pause_s = 0.0
    assert list(policy.predict(LOOK)) == WORDS


def test_what_could_not_be_read_is_shown_once(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    server.answer = lambda question: (200, say("I would walk forward."))
    policy = make(server)
    for _ in range(3):
        with pytest.raises(InvalidReply):
            policy.predict(LOOK)
    (record,) = caplog.records
    assert "I would walk forward." in record.getMessage()


@pytest.mark.slow
def test_nobody_there() -> None:
    with pytest.raises(GameEnvError, match="does not answer"):
        load_policy("http://127.0.0.1:9/v1")
    policy = load_policy("http://127.0.0.1:9/v1#any")
    policy.reset("Go to the lantern")
    with pytest.raises(GameEnvError, match="does not answer"):
        policy.predict(LOOK)


@pytest.mark.parametrize(
    ("models", "says"),
    [(("one", "two"), r"#<model>; it has one, two"), ((), "does not list any")],
)
def test_which_model_is_asked_for(server: Server, models: tuple[str, ...], says: str) -> None:
    server.models = models
    with pytest.raises(InvalidInputError, match=says):
        ServerPolicy(server.address)
    assert ServerPolicy(f"{server.address}#two").model == "two"


def test_a_key_is_sent_and_missed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answer = lambda question: (401, "no key")
    with pytest.raises(GameEnvError, match="OPENAI_API_KEY"):
        make(server).predict(LOOK)
    monkeypatch.setenv("OPENAI_API_KEY", "secret")
    server.answer = well_behaved
    policy = load_policy(server.address)
    policy.reset("Go to the lantern")
    policy.predict(LOOK)
    assert server.headers[-1]["Authorization"] == "Bearer secret"
    for key in ("secret\n", "schlüssel"):
        monkeypatch.setenv("OPENAI_API_KEY", key)
        with pytest.raises(InvalidInputError, match="OPENAI_API_KEY"):
            load_policy(server.address)


@pytest.mark.parametrize("status", [302, 404])
def test_a_model_that_cannot_see(server: Server, status: int) -> None:
    server.answer = lambda question: (status, "no such model")
    with pytest.raises(GameEnvError, match=rf"refused \(HTTP {status}.*can that see pictures"):
        make(server).predict(LOOK)


@pytest.mark.parametrize("address", ["http://", "ftp://x/v1", "http:///v1", "http://x:port/v1", "http://[::1/v1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidInputError, match="a server's address is such as"):
        load_policy(address)
