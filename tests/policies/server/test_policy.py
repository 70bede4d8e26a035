"""A policy behind an OpenAI-compatible address: what a good server says, and every way that one misbehaves."""

import base64
import io
import json
import time
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gameenv.actions import ACTIONS
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, ServerError
from policies import load_policy
from policies.base import Observation
from policies.conformance import check_policy
from policies.options import ModelOptions, ServerOptions
from policies.server import ServerPolicy
from tests.policies.server.stub import StubServer, say

pytest.importorskip("httpx")
FRAME = np.full((288, 512, 3), 90, np.uint8)
GOAL = "Go to the lantern"
LOOK = Observation(FRAME, GOAL)
WORDS = ["w", "w", "right", "none", "space", "enter", "c"]
NOT_THINKING = ("chat_template_kwargs", "reasoning_effort")


def well_behaved(question: dict[str, Any]) -> tuple[int, str]:
    return 200, say(json.dumps({"actions": WORDS}))


def make(server: StubServer, **options: Any) -> ServerPolicy:
    told = {"timeout_s": 5.0, "first_timeout_s": 5.0, **options}
    policy = ServerPolicy(server.address, ServerOptions(**told))
    policy.reset("Go to the lantern", seed=3)
    return policy


def test_conforms(server: StubServer) -> None:
    check_policy(load_policy(server.address))


def test_what_is_asked(server: StubServer) -> None:
    policy = load_policy(server.address, ModelOptions(temperature=0.5))
    policy.reset("Go to the lantern", seed=3)
    assert list(policy.predict(Observation(FRAME, GOAL, ("a", "s")))) == ["a", "s", *WORDS[2:]]
    (question,) = server.asked
    assert (question["model"], question["temperature"], question["seed"]) == ("qwen3-vl", 0.5, 3)
    image, text = question["messages"][0]["content"]
    assert text == {"type": "text", "text": "Goal: Go to the lantern\n\nPredict the next 7 actions:"}
    raw = base64.b64decode(image["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    assert Image.open(io.BytesIO(raw)).size == (512, 288)
    schema = question["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["actions"]["maxItems"] == 7


def test_a_server_without_structured_output_is_asked_plainly_from_then_on(server: StubServer) -> None:
    def plain(question: dict[str, Any]) -> tuple[int, str]:
        return (400, "unknown field response_format") if "response_format" in question else well_behaved(question)

    server.answer = plain
    policy = make(server)
    for _ in range(3):
        assert list(policy.predict(LOOK)) == WORDS
    assert ["response_format" in question for question in server.asked] == [True, False, False, False]


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
def test_garbage_is_an_invalid_reply(server: StubServer, reply: str | bytes) -> None:
    server.answer = lambda question: (200, reply)
    policy = make(server)
    with pytest.raises(InvalidReply):
        policy.predict(LOOK)
    server.answer = well_behaved
    assert list(policy.predict(LOOK)) == WORDS


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_a_hiccup_is_tried_again(server: StubServer, status: int) -> None:
    def hiccup(question: dict[str, Any]) -> tuple[int, str]:
        return (status, "busy") if len(server.asked) < 3 else well_behaved(question)

    server.answer = hiccup
    assert list(make(server).predict(LOOK)) == WORDS
    assert len(server.asked) == 3


def test_a_server_that_stays_broken(server: StubServer) -> None:
    server.answer = lambda question: (503, "overloaded")
    with pytest.raises(GameEnvError, match=r"does not answer .*503: overloaded"):
        make(server).predict(LOOK)
    assert len(server.asked) == 3


def test_a_slow_server_is_given_up_in_time(server: StubServer) -> None:
    def slow(question: dict[str, Any]) -> tuple[int, str]:
        time.sleep(2.0)
        return well_behaved(question)

    server.answer = slow
    began = time.monotonic()
    with pytest.raises(GameEnvError, match=r"no answer within 0.5 s"):
        make(server, timeout_s=0.5, first_timeout_s=0.5).predict(LOOK)
    assert time.monotonic() - began < 1.5


def test_an_answer_that_trickles_is_given_up_in_time(server: StubServer) -> None:
    policy = make(server, timeout_s=0.6, first_timeout_s=0.6)
    server.pause_s = 0.2
    began = time.monotonic()
    with pytest.raises(GameEnvError, match=r"no answer within 0.6 s"):
        policy.predict(LOOK)
    assert time.monotonic() - began < 2.0
    server.pause_s = 0.0
    assert list(policy.predict(LOOK)) == WORDS


def test_what_could_not_be_read_is_shown_once(server: StubServer, caplog: pytest.LogCaptureFixture) -> None:
    server.answer = lambda question: (200, say("I would walk forward."))
    policy = make(server)
    for _ in range(3):
        with pytest.raises(InvalidReply):
            policy.predict(LOOK)
    (record,) = caplog.records
    assert "I would walk forward." in record.getMessage()


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
def test_which_model_is_asked_for(server: StubServer, models: tuple[str, ...], says: str) -> None:
    server.models = models
    with pytest.raises(InvalidInputError, match=says):
        ServerPolicy(server.address)
    assert ServerPolicy(f"{server.address}#two").model == "two"


def test_a_key_is_sent_and_missed(server: StubServer, monkeypatch: pytest.MonkeyPatch) -> None:
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
def test_a_model_that_cannot_see(server: StubServer, status: int) -> None:
    server.answer = lambda question: (status, "no such model")
    with pytest.raises(GameEnvError, match=rf"refused \(HTTP {status}.*can that see pictures"):
        make(server).predict(LOOK)


@pytest.mark.parametrize("address", ["http://", "ftp://x/v1", "http:///v1", "http://x:port/v1", "http://[::1/v1"])
def test_what_is_no_address(address: str) -> None:
    with pytest.raises(InvalidInputError, match="a server's address is such as"):
        load_policy(address)


def refusing(*names: str, status: int = 400, text: str = "") -> Any:
    """Answers well where none of these fields is asked for."""

    def answer(question: dict[str, Any]) -> tuple[int, str]:
        had = [name for name in names if name in question]
        return (status, text or f"unknown field {had[0]}") if had else well_behaved(question)

    return answer


def test_a_model_is_asked_not_to_think(server: StubServer) -> None:
    make(server).predict(LOOK)
    assert server.asked[0]["chat_template_kwargs"] == {"enable_thinking": False}
    assert server.asked[0]["reasoning_effort"] == "none"
    make(server, think=True).predict(LOOK)
    assert server.fields(*NOT_THINKING)[1] == set()


@pytest.mark.parametrize("field", NOT_THINKING)
def test_a_server_that_refuses_such_a_field_is_asked_without_it_from_then_on(server: StubServer, field: str) -> None:
    server.answer = refusing(field)
    policy = make(server)
    for _ in range(2):
        assert list(policy.predict(LOOK)) == WORDS
    (other,) = {*NOT_THINKING} - {field}
    form = "response_format"
    assert server.fields(*NOT_THINKING, form) == [{form, other, field}, {form, other}, {form, other}]


@pytest.mark.parametrize("names", [(), ("response_format",), NOT_THINKING, ("response_format", *NOT_THINKING)])
@pytest.mark.parametrize("status", [400, 422])
def test_a_refusal_that_names_nothing_costs_only_what_is_refused(
    server: StubServer, names: tuple[str, ...], status: int
) -> None:
    server.answer = refusing(*names, status=status, text="bad request")
    policy = make(server)
    for _ in range(3):
        assert list(policy.predict(LOOK)) == WORDS
    everything = {"response_format", *NOT_THINKING}
    assert server.fields(*everything)[-2:] == [everything - set(names)] * 2


def test_a_server_that_breaks_only_when_a_schema_is_asked_for_is_asked_plainly(server: StubServer) -> None:
    server.answer = refusing("response_format", status=500, text="grammar: internal error")
    policy = make(server)
    for _ in range(4):
        assert list(policy.predict(LOOK)) == WORDS
    asked = ["response_format" in question for question in server.asked]
    assert asked == [True, False, True, False, False, False]  # it may have been a hiccup, once
    assert all(question["chat_template_kwargs"] for question in server.asked)


def test_a_server_that_breaks_at_everything_says_so(server: StubServer) -> None:
    server.answer = lambda question: (500, "out of memory")
    with pytest.raises(ServerError, match=r"fails at every question \(HTTP 500: out of memory\)"):
        make(server, retries=0).predict(LOOK)


def test_once_a_schema_has_worked_an_internal_error_is_a_hiccup(server: StubServer) -> None:
    policy = make(server)
    policy.predict(LOOK)
    server.answer = lambda question: (500, "busy") if len(server.asked) == 2 else well_behaved(question)
    policy.predict(LOOK)
    assert server.fields("response_format") == [{"response_format"}] * 3


def test_what_cannot_be_held_to_a_schema_is_told_the_form_in_words(server: StubServer) -> None:
    server.answer = refusing("response_format")
    make(server).predict(LOOK)
    held, plain = (question["messages"][0]["content"][1]["text"] for question in server.asked)
    assert held == "Goal: Go to the lantern\n\nPredict the next 7 actions:"
    assert plain.startswith(held)
    assert '{"actions": [...]}' in plain
    assert all(f" {word}" in plain for word in ACTIONS)


def test_a_prompt_of_ones_own(server: StubServer) -> None:
    server.answer = refusing("response_format")
    make(server, prompt='What next for "{goal}"? {"actions": [...]}').predict(LOOK)
    texts = {question["messages"][0]["content"][1]["text"] for question in server.asked}
    assert texts == {'What next for "Go to the lantern"? {"actions": [...]}'}
    with pytest.raises(InvalidInputError, match=r"has \{goal\} in it"):
        ServerOptions(prompt="What next?")


OBJECT = json.dumps({"actions": WORDS})


@pytest.mark.parametrize(
    "body",
    [
        say(f"```json\n{OBJECT}\n```"),
        say(f"Here it is: {OBJECT}"),
        say(f"{OBJECT} I am going to the lantern."),
        say(json.dumps({"why": {"seen": ["a lantern"]}, "actions": WORDS})),
        say(OBJECT.upper()),
        say(json.dumps({"actions": [f" {word} " for word in WORDS]})),
        say(json.dumps({"actions": [*WORDS, "w", "none"]})),
        say(f"<think>Where is {{it}}?</think>\n{OBJECT}"),
        say(f"The lantern is left.\n</think>\n\n{OBJECT}"),
        say([{"type": "thinking", "thinking": "hm {"}, {"type": "text", "text": OBJECT}]),
        say("", reasoning_content=OBJECT),
    ],
)
def test_a_reply_that_means_one_chunk_beyond_doubt_is_mended(server: StubServer, body: str) -> None:
    server.answer = lambda question: (200, body)
    policy = make(server)
    for count in (1, 2):
        assert list(policy.predict(LOOK)) == WORDS
        assert policy.mended == count
    with pytest.raises(InvalidReply):
        make(server, strict=True).predict(LOOK)


def test_what_is_spelled_as_it_should_be_is_not_mended(server: StubServer) -> None:
    for body in (say(f" {OBJECT}\n"), say(OBJECT, reasoning="I thought"), say(OBJECT, reasoning_content=None)):
        server.answer = lambda question, body=body: (200, body)
        for strict in (False, True):
            policy = make(server, strict=strict)
            assert (list(policy.predict(LOOK)), policy.mended) == (WORDS, 0)


NONES = ["none"] * 7


@pytest.mark.parametrize(
    "text",
    [
        "",
        "The goal is reached.",
        "none none none none none none none",
        json.dumps(NONES),
        f"{OBJECT} or {OBJECT}",
        f"{json.dumps({'actions': NONES})}{OBJECT}",
        f"{{not json}} {OBJECT}",
        '{"actions": ["none", "none", "none", "none", "none", "none", "none"',
        json.dumps({"actions": NONES[:6]}),
        json.dumps({"actions": [*NONES[:6], "stop"]}),
        json.dumps({"actions": [*NONES, "w", "w"]}),
        json.dumps({"actions": [None] * 7}),
        json.dumps({"actions": [""] * 7}),
        json.dumps({"actions": [[]] * 7}),
        json.dumps({"actions": NONES, "alternative": WORDS}),
        json.dumps({"actions": "none"}),
        json.dumps({"actions": dict.fromkeys("abcdefg", "none")}),
        json.dumps({"result": {"actions": NONES}}),
        '{"actions": ["none","none","none","none","none","none","none"], "Actions": ["w"]}',
        f"<think>{json.dumps({'actions': NONES})}",
        f"<think>{json.dumps({'actions': NONES})}</think>",
    ],
)
def test_what_can_be_read_in_two_ways_is_invalid_and_never_a_declaration(server: StubServer, text: str) -> None:
    server.answer = lambda question: (200, say(text))
    policy = make(server)
    with pytest.raises(InvalidReply):
        policy.predict(LOOK)
    assert policy.mended == 0


def test_all_replies_invalid_ends_after_twenty(server: StubServer) -> None:
    policy = make(server)
    server.answer = lambda question: (200, say("I cannot."))
    for _ in range(19):
        with pytest.raises(InvalidReply):
            policy.predict(LOOK)
    server.answer = well_behaved
    policy.predict(LOOK)
    server.answer = lambda question: (200, say("I cannot."))
    for _ in range(19):
        with pytest.raises(InvalidReply):
            policy.predict(LOOK)
    with pytest.raises(ServerError, match=r"20 replies .* in a row could not be used; .*'I cannot\.'"):
        policy.predict(LOOK)


THOUGHTS = "First I look around. " * 20


@pytest.mark.parametrize(
    "body",
    [
        say("", "length", reasoning=THOUGHTS),
        say(None, "length", reasoning_content=THOUGHTS),
        say(f"<think>{THOUGHTS}", "length"),
        say("", "length"),
    ],
)
def test_a_model_that_thinks_its_tokens_away(server: StubServer, body: str) -> None:
    server.answer = lambda question: (200, body)
    policy = make(server)
    for _ in range(4):
        with pytest.raises(InvalidReply, match="cut off while thinking: raise --max-tokens or turn thinking off"):
            policy.predict(LOOK)
    with pytest.raises(ServerError, match=r"5 replies .* cut off while thinking: raise --max-tokens"):
        policy.predict(LOOK)


def test_a_reply_that_is_cut_off_says_so(server: StubServer) -> None:
    server.answer = lambda question: (200, say(OBJECT[:20], "length"))
    with pytest.raises(InvalidReply, match=r"cut off after 40 tokens; raise --max-tokens"):
        make(server, max_tokens=40).predict(LOOK)
    assert server.asked[0]["max_tokens"] == 40


NO_SUCH_PLACE = json.dumps({"error": "Unexpected endpoint or method. (POST /chat/completions)"})


def test_an_address_without_v1_that_answers_with_an_error_as_a_success(server: StubServer) -> None:
    server.listing = 200, json.dumps({"error": "Unexpected endpoint or method. (GET /models)"})
    server.answer = lambda question: (200, NO_SUCH_PLACE)
    root = server.address.removesuffix("/v1")
    says = rf"Unexpected endpoint.*under /v1: {root}/v1"
    with pytest.raises(InvalidInputError, match=says):
        ServerPolicy(root)
    policy = ServerPolicy(f"{root}#any")
    policy.reset("Go to the lantern")
    with pytest.raises(ServerError, match=says):
        policy.predict(LOOK)


def test_an_error_that_comes_as_a_success_is_said(server: StubServer) -> None:
    server.answer = lambda question: (200, json.dumps({"error": {"message": "no images for you"}}))
    with pytest.raises(ServerError, match="no images for you"):
        make(server).predict(LOOK)
    busy = json.dumps({"error": {"message": "slow down", "code": 429}})
    server.asked.clear()
    server.answer = lambda question: (200, busy) if len(server.asked) < 2 else well_behaved(question)
    assert list(make(server).predict(LOOK)) == WORDS


def test_a_cold_model_may_take_long_once_and_it_is_said(
    server: StubServer, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("policies.server.client.SAY_AFTER_S", 0.4)

    def slow(question: dict[str, Any]) -> tuple[int, str]:
        time.sleep(1.0)
        return well_behaved(question)

    server.answer = slow
    policy = make(server, timeout_s=0.3, first_timeout_s=20.0)
    assert list(policy.predict(LOOK)) == WORDS
    assert "it may be loading its model (at most 20 s" in caplog.text
    with pytest.raises(ServerError, match=r"no answer within 0\.3 s"):
        policy.predict(LOOK)


def test_a_model_that_says_it_is_loading_is_waited_for(server: StubServer) -> None:
    pauses: list[float] = []

    def loading(question: dict[str, Any]) -> tuple[int, str]:
        return well_behaved(question) if len(server.asked) > 6 else (503, '{"error": {"message": "Loading model"}}')

    server.answer = loading
    policy = ServerPolicy(server.address, pause=pauses.append)
    policy.reset("Go to the lantern")
    assert list(policy.predict(LOOK)) == WORDS
    assert len(pauses) == 6
    server.answer = lambda question: (503, '{"error": {"message": "Loading model"}}')
    with pytest.raises(ServerError, match="503"):
        policy.predict(LOOK)


def test_what_waits_waits_by_the_clock_it_is_given(server: StubServer) -> None:
    pauses: list[float] = []
    server.answer = lambda question: (503, "overloaded")
    policy = ServerPolicy(server.address, ServerOptions(retries=4), pause=pauses.append)
    policy.reset("Go to the lantern")
    with pytest.raises(ServerError, match="503: overloaded"):
        policy.predict(LOOK)
    assert pauses == [0.25, 0.5, 1.0, 2.0]


@pytest.mark.parametrize(
    "options",
    [{"timeout_s": 0}, {"timeout_s": float("nan")}, {"first_timeout_s": -1}, {"retries": -1}, {"max_tokens": 0}],
)
def test_options_that_cannot_be(options: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        ServerOptions(**options)
