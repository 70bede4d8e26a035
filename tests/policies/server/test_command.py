"""``gameenv-play`` with a policy behind an address: what the person at the command line gets to read."""

import os
import subprocess
import sys

import pytest

from tests.policies.server.stub import StubServer, say

pytest.importorskip("vizdoom")


def play(*options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "policies.play", "--lock-step", *options]
    environment = {**os.environ, "ALL_PROXY": "socks5://127.0.0.1:9", "HTTP_PROXY": "http://127.0.0.1:9"}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=120, check=False, stdin=subprocess.DEVNULL
    )


def test_a_server_that_never_answers_well_ends_the_command(server: StubServer) -> None:
    server.answer = lambda question: (200, say("I am a language model."))
    done = play("--model", server.address)
    assert done.returncode == 1
    assert "20 replies" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(server.asked) == 20


def test_options_reach_the_server_and_a_declaration_ends_the_goal(server: StubServer) -> None:
    reply = 'The goal is reached.\n```json\n{"actions": ["none", "none", "none", "none", "none", "none", "none"]}\n```'
    server.answer = lambda question: (200, say(reply))
    done = play("--model", server.address, "--max-tokens", "77", "--prompt", "{goal}!", "--think")
    assert done.returncode == 0, done.stderr
    assert "had to be mended" in done.stderr
    assert "the policy says that the goal is reached" in done.stdout
    (question,) = server.asked
    assert question["max_tokens"] == 77
    assert "chat_template_kwargs" not in question
    assert question["messages"][0]["content"][1]["text"].endswith("!")
