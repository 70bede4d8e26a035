"""The connection to a server: what is said while it is silent, and the proxies in between."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from gameenv.errors import ServerError
from policies.server.proxies import is_loopback, proxy_for
from policies.server.transport import HttpServer, Patience
from tests.policies.server.stub import StubServer, say, serving

pytest.importorskip("httpx")
ONCE = Patience(timeout_s=5.0, retries=0)
NAMES = ("ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)


@contextmanager
def connected(address: str) -> Iterator[HttpServer]:
    server = HttpServer(address, {})
    try:
        yield server
    finally:
        server.close()


def test_it_says_that_it_waits(server: StubServer) -> None:
    said = threading.Event()
    server.answer = lambda question: (200, "yes" if said.wait(10) else "never said")
    patience = Patience(10.0, 0, waiting=said.set, say_after_s=0.1)
    with connected(server.address) as http:
        assert http.ask("POST", "/chat/completions", {}, patience).text == "yes"


def test_it_says_nothing_where_the_answer_is_quick(server: StubServer) -> None:
    said = threading.Event()
    with connected(server.address) as http:
        http.ask("GET", "/models", None, Patience(10.0, 0, waiting=said.set, say_after_s=0.3))
    time.sleep(0.5)
    assert not said.is_set()


@pytest.mark.parametrize("name", [name for name in NAMES if name != "NO_PROXY"])
@pytest.mark.parametrize("proxy", ["socks5://127.0.0.1:9", "http://127.0.0.1:9", "nonsense"])
def test_this_machine_is_never_asked_through_a_proxy(
    server: StubServer, monkeypatch: pytest.MonkeyPatch, name: str, proxy: str
) -> None:
    monkeypatch.setenv(name, proxy)
    for address in (server.address, server.address.replace("127.0.0.1", "localhost")):
        with connected(address) as http:
            assert http.ask("GET", "/models", None, ONCE).ok


def test_what_is_this_machine() -> None:
    here = ("localhost", "LOCALHOST.", "a.localhost", "127.0.0.1", "127.8.0.1", "::1", "0.0.0.0")
    assert [is_loopback(host) for host in here] == [True] * len(here)
    elsewhere = ("192.168.0.2", "example.com", "localhost.example.com", "")
    assert [is_loopback(host) for host in elsewhere] == [False] * len(elsewhere)


def test_others_are_asked_through_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda question: (200, say("by way of the proxy"))) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.address.removesuffix("/v1"))
        with connected("http://models.invalid:8000/v1") as http:
            assert "by way of the proxy" in http.ask("POST", "/chat/completions", {}, ONCE).text
        assert proxy.paths == ["http://models.invalid:8000/v1/chat/completions"]
        monkeypatch.setenv("NO_PROXY", "models.invalid")
        assert proxy_for("http://models.invalid:8000/v1") is None


def test_a_proxy_that_fails_is_named_without_its_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALL_PROXY", "http://me:secret@127.0.0.1:9")
    with connected("http://models.invalid:8000/v1") as http, pytest.raises(ServerError) as caught:
        http.ask("GET", "/models", None, ONCE)
    assert "by way of the proxy http://127.0.0.1:9 (ALL_PROXY)" in str(caught.value)
    assert "secret" not in str(caught.value)


def test_a_proxy_that_cannot_be_used_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("all_proxy", "gopher://127.0.0.1:9")
    with pytest.raises(ServerError, match=r"the proxy gopher://127\.0\.0\.1:9 \(all_proxy\) cannot be used"):
        HttpServer("http://models.invalid/v1", {})
