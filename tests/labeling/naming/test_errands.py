"""``gameenv-label --dry-run``, ``--export-requests``, ``--import-answers``, ``--report``."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from labeling import load_samples
from labeling.segment_folder import read_record
from tests.labeling.naming.conftest import Done, form
from tests.policies.server.stub import StubServer, say

Run = Callable[..., Done]
OUT = "dataset/labeled_segments"


def test_a_dry_run_asks_nothing_and_needs_no_server_if_the_model_is_named(run: Run, home: Path) -> None:
    done = run("--model", "http://127.0.0.1:9/v1#qwen", "--dry-run", "--price-per-million", "0.5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("5 clips, 4 calls")
    tokens = [int(number.replace(",", "")) for number in re.findall(r"[\d,]+(?= tokens| answered)", lines[1])]
    assert 4 * 200 < tokens[0] < 4 * 600
    assert tokens[1] == 4 * 90
    assert lines[2] == "about 0.0 minutes, assuming 2 s an answer"
    assert lines[3] == "about 0.00 at 0.5 a million tokens"
    assert not list((home / OUT).glob("s_seg*"))


def test_a_dry_run_goes_by_what_replies_took(server: StubServer, run: Run, home: Path) -> None:
    def counted(question: dict[str, Any]) -> tuple[int, str]:
        answer = json.loads(say(form()))
        return 200, json.dumps({**answer, "usage": {"prompt_tokens": 1000, "completion_tokens": 100}})

    server.answer = counted
    assert run("--model", server.address).returncode == 0
    assert "0 calls" in run("--model", server.address, "--dry-run").stdout
    done = run("--model", server.address, "--dry-run", "--look", "sheet", "--passes", "2", "--price-per-million", "100")
    assert "5 clips, 8 calls" in done.stdout
    assert "about 8,000 tokens asked and 800 answered" in done.stdout
    assert "as its replies so far took" in done.stdout
    assert "about 0.88 at 100 a million tokens" in done.stdout
    assert len(server.asked) == 4


def test_requests_go_to_a_batch_engine_and_its_answers_come_back(server: StubServer, run: Run, home: Path) -> None:
    """The engine is played by a loop over the file, as vLLM's run-batch does it; an address is never needed."""
    done = run("--labeler", "server", "--model", "qwen", "--export-requests", "requests.jsonl")
    assert done.returncode == 0, done.stderr
    assert "4 requests written to requests.jsonl" in done.stdout
    requests = [json.loads(line) for line in (home / "requests.jsonl").read_text().splitlines()]
    assert {(each["method"], each["url"], each["body"]["model"]) for each in requests} == {
        ("POST", "/v1/chat/completions", "qwen")
    }
    assert len({each["custom_id"] for each in requests}) == 4
    assert requests[0]["body"]["response_format"]["type"] == "json_schema"
    answers = []
    for number, request in enumerate(requests):
        body = {**json.loads(say(form() if number else "I see a game.")), "model": "qwen"}
        response = {"status_code": 200, "body": body} if number < 3 else None
        error = None if response else {"message": "out of memory"}
        answers.append(json.dumps({"custom_id": request["custom_id"], "response": response, "error": error}))
    (home / "answers.jsonl").write_text("\n".join([*answers, "{oops"]) + "\n")
    done = run("--labeler", "server", "--model", "qwen", "--import-answers", "answers.jsonl")
    assert done.returncode == 1
    assert "3 answers imported, 0 known before; 1 are errors: export again what is left; 1 lines" in done.stderr
    assert "some clips have no answer of the model 'qwen' yet" in done.stderr
    done = run("--labeler", "server", "--model", f"{server.address}#qwen", "--import-answers", "answers.jsonl")
    assert "0 answers imported, 3 known before" in done.stderr
    assert "3 segments (3 built now)" in done.stdout
    assert "1: the labeler's answer could not be used" in done.stdout
    assert len(server.asked) == 1, "only what the batch engine failed at"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--import-answers", "no.jsonl"), "cannot read the answers no.jsonl"),
        (("--import-answers", "goals.csv"), "goals.csv has no answer of a batch in it"),
        (("--export-requests", "no/such/file.jsonl"), "there is no folder no/such"),
        (("--score",), "none of the 1 sessions carries the truth"),
    ],
)
def test_what_cannot_be_done_is_said(server: StubServer, run: Run, home: Path, arguments: Any, said: str) -> None:
    (home / "goals.csv").write_text("session,goal\n")
    done = run("--labeler", "server", "--model", f"{server.address}#qwen", *arguments)
    assert done.returncode == 1
    assert said in done.stderr


def test_nothing_to_ask_is_said(run: Run, home: Path) -> None:
    assert "no labeler can label the session s" in run("--dry-run").stderr
    assert "name who is to be scored" in run("--score").stderr


def test_the_report_shows_goals_doubts_and_what_is_set_aside(server: StubServer, run: Run, home: Path) -> None:
    def answer(question: dict[str, Any]) -> tuple[int, str]:
        asked = json.dumps(question)
        if "in order: d 4.0 s" in asked:
            return 200, say(form("Turn <b>left</b> here" if "seed" not in question else "Open the door"))
        if "in order: w+a" in asked:
            return 200, say(form("unclear", evidence="Too <dark>"))
        return 200, say(form("Go to the lantern"))

    server.answer = answer
    done = run("--model", server.address, "--passes", "2", "--report")
    assert done.returncode == 0, done.stderr
    page = home / OUT / "labels/report.html"
    assert f"report: {OUT}/labels/report.html" in done.stdout
    text = page.read_text()
    assert "3 of 5 clips have a goal; of 20%" in text
    assert "Two passes said the same of 3 of 4 clips" in text
    assert "The keys speak against 1 goals" in text
    assert "the goal says left, and only right or d was pressed" in text
    assert "Too &lt;dark&gt;" in text
    assert "<dark>" not in text
    pictures = re.findall(r'<img src="([^"]+)"', text)
    assert len(pictures) >= 5 * 5
    assert all((page.parent / unquote(picture)).is_file() for picture in pictures)
    goal = read_record(home / OUT / "s_seg0002").goal
    assert goal == "Turn b>left</b here"
    assert goal not in text
    assert "Turn b&gt;left&lt;/b here" in text
    assert {sample.goal for sample in load_samples(home / OUT)} == {"Go to the lantern", goal}
