"""``gameenv-label --model http://...``: a model behind an address, as good or as bad as servers are."""

import base64
import io
import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gameenv.errors import ServerError
from labeling import load_samples
from labeling.choice import load_labeler
from labeling.conformance import check_labeler
from labeling.labeler import Clip, Label, SetAside
from labeling.naming.options import NamingOptions
from labeling.segment_folder import read_record
from labeling.segments import cut
from recording.session import Session
from tests.labeling.naming.conftest import Done, form, replies
from tests.policies.server.stub import StubServer, say

Run = Callable[..., Done]
OUT = "dataset/labeled_segments"


def label(server: StubServer, session: Session, root: Path, **options: Any) -> list[Label | SetAside]:
    told = {"timeout_s": 5.0, "first_timeout_s": 5.0, "retries": 1, **options}
    labeler = load_labeler("server", NamingOptions(model=server.address, **told), root)
    return list(labeler.label([Clip(session, segment) for segment in cut(session)]))


def test_conforms(server: StubServer, session: Session, tmp_path: Path) -> None:
    check_labeler(load_labeler("server", NamingOptions(model=server.address), tmp_path), session)


def test_the_command_names_every_clip_but_the_idle_one(server: StubServer, run: Run, home: Path) -> None:
    done = run("--model", server.address)
    assert done.returncode == 0, done.stderr
    assert "4 segments (4 built now)" in done.stdout
    assert "  1: nothing was pressed" in done.stdout
    assert {sample.goal for sample in load_samples(home / OUT)} == {"Go to the lantern"}
    made = read_record(home / OUT / "s_seg0001")
    assert (made.labeler, made.confidence, made.completed, made.goal_span) == ("server", 0.9, False, "s_seg0000")
    assert made.version.startswith("qwen3-vl/")
    assert made.evidence == {"changes": "It comes nearer.", "seen": "A light."}
    assert "4 segments (4 there already)" in run("--model", server.address).stdout
    assert len(server.asked) == 4


def test_what_is_asked(server: StubServer, session: Session, tmp_path: Path) -> None:
    label(server, session, tmp_path)
    question = next(each for each in server.asked if "d 4.0 s" in json.dumps(each))
    *pictures, text = question["messages"][0]["content"]
    assert [each["type"] for each in pictures] == ["image_url"] * 3
    raw = base64.b64decode(pictures[0]["image_url"]["url"].removeprefix("data:image/jpeg;base64,"))
    assert raw == session.frame_path(80).read_bytes()  # the recording's own file: nothing is lost, nothing computed
    for said in ("before, in the middle of, and after 4.0 seconds", "3 to 5 words in English", "do not infer success"):
        assert said in text["text"]
    assert question["chat_template_kwargs"] == {"enable_thinking": False}
    schema = question["response_format"]["json_schema"]["schema"]
    assert list(schema["properties"]) == ["changes", "goal", "completed", "confidence", "evidence"]


@pytest.mark.parametrize(("look", "counts"), [("sheet", (1, 1)), ("anchored", (6, 7))])
def test_other_looks(server: StubServer, session: Session, tmp_path: Path, look: Any, counts: tuple[int, int]) -> None:
    label(server, session, tmp_path, look=look)
    content = server.asked[0]["messages"][0]["content"]
    kinds = [each["type"] for each in content]
    assert (kinds.count("image_url"), kinds.count("text")) == counts
    raw = base64.b64decode(next(e for e in content if e["type"] == "image_url")["image_url"]["url"].partition(",")[2])
    assert Image.open(io.BytesIO(raw)).size == ((96, 32) if look == "sheet" else (32, 16))
    if look == "anchored":
        assert content[2]["text"].startswith("Picture 2, at 0.8 s")


def test_keys_can_be_left_out(server: StubServer, session: Session, tmp_path: Path) -> None:
    label(server, session, tmp_path, tell_keys=False)
    assert "held these keys" not in json.dumps(server.asked[0])


def test_a_list_of_goals_is_chosen_from(server: StubServer, run: Run, home: Path) -> None:
    (home / "goals.txt").write_text("# mine\nGo to the lantern\n\nopen the door\n")
    server.answer = replies(form("OPEN DOOR."))
    assert run("--model", server.address, "--goals-list", "goals.txt").returncode == 0
    schema = server.asked[0]["response_format"]["json_schema"]["schema"]
    assert schema["properties"]["goal"]["enum"] == ["Go to the lantern", "Open the door", "unclear"]
    assert {sample.goal for sample in load_samples(home / OUT)} == {"Open the door"}
    shutil.rmtree(home / OUT)
    server.answer = replies(form("Eat the cake"))
    done = run("--model", server.address, "--goals-list", "goals.txt")
    assert "4: the labeler's answer could not be used" in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "The player walks to the lantern.",
        json.dumps(["Go to the lantern"]),
        "",
        form(" ".join(["go"] * 40)),
        form(""),
        form(None),
        "{}",
        form("Go to the lantern") + form("Open the door"),
        '{"goal": "Go to the lan',
        "[" * 100_000,
    ],
)
def test_what_is_no_answer_sets_its_clip_aside(server: StubServer, session: Session, tmp_path: Path, text: str) -> None:
    server.answer = lambda question: (200, say(text if "d 4.0 s" in json.dumps(question) else form()))
    answers = label(server, session, tmp_path)
    kinds = [each.reason if isinstance(each, SetAside) else each.goal for each in answers]
    assert kinds == ["Go to the lantern", "Go to the lantern", "invalid-reply", "Go to the lantern", "idle"]


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        (f"Sure!\n```json\n{form()}\n```\n", "Go to the lantern"),
        (f"[{form()}]", "Go to the lantern"),
        (form("Goal: go to the lantern!"), "Go to the lantern"),
        (form("zur Laterne gehen"), "Zur Laterne gehen"),
        (form("去灯笼那里"), "去灯笼那里"),
        (form(completed="yes", confidence="80%"), "Go to the lantern"),
        (json.dumps({"Goal": "Go to the lantern"}), "Go to the lantern"),
    ],
)
def test_what_means_a_goal_beyond_doubt_is_read(
    server: StubServer, session: Session, tmp_path: Path, text: str, goal: str
) -> None:
    server.answer = replies(text)
    first = label(server, session, tmp_path)[0]
    assert isinstance(first, Label), first
    assert first.goal == goal
    if "80%" in text:
        assert (first.completed, first.confidence) == (True, 0.8)


@pytest.mark.parametrize("said", ["unclear", "Unclear.", "unknown"])
def test_unclear_is_no_goal(server: StubServer, session: Session, tmp_path: Path, said: str) -> None:
    server.answer = replies(form(said))
    first = label(server, session, tmp_path)[0]
    assert isinstance(first, SetAside)
    assert (first.reason, first.detail) == ("unclear", "A light.")


def test_the_unsure_are_set_aside_and_keep_what_was_proposed(server: StubServer, run: Run, home: Path) -> None:
    server.answer = lambda question: (200, say(form(confidence=0.2 if "d 4.0 s" in json.dumps(question) else 0.7)))
    assert "1: the labeler was too unsure" in run("--model", server.address).stdout
    assert not (home / OUT / "s_seg0002").exists()
    assert "4 segments (1 built now, 3 there already)" in run("--model", server.address, "--min-confidence", "0").stdout
    assert len(server.asked) == 4


@pytest.mark.parametrize("status", [0, 429, 500, 503])
def test_a_hiccup_is_asked_again(server: StubServer, session: Session, tmp_path: Path, status: int) -> None:
    turned_away: set[str] = set()

    def hiccup(question: dict[str, Any]) -> tuple[int, str]:
        name = json.dumps(question["messages"])
        if len(server.asked) > 1 and name not in turned_away:
            turned_away.add(name)
            return status, "busy"
        return 200, say(form())

    server.answer = hiccup
    answers = label(server, session, tmp_path, retries=2)
    assert [isinstance(each, Label) for each in answers] == [True] * 4 + [False]


def test_one_clip_that_fails_ends_no_other_and_is_asked_again_next_time(
    server: StubServer, run: Run, home: Path
) -> None:
    good = server.answer
    server.answer = lambda question: (400, "no") if "d 4.0 s" in json.dumps(question) else good(question)
    done = run("--model", server.address)
    assert "3 segments (3 built now)" in done.stdout
    assert "1: the labeler failed; the same command asks again" in done.stdout
    server.answer = good
    assert "4 segments (1 built now, 3 there already)" in run("--model", server.address).stdout


def test_a_wrong_key_ends_it_at_once(server: StubServer, run: Run, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong")
    server.answer = lambda question: (401, "bad key")
    done = run("--model", server.address)
    assert done.returncode == 1
    assert "wants a key: set the environment variable OPENAI_API_KEY" in done.stderr
    assert "sk-wrong" not in done.stderr + done.stdout
    assert len(server.asked) == 1


def test_a_server_that_goes_away_is_given_up_and_what_it_said_is_kept(
    server: StubServer, session: Session, tmp_path: Path
) -> None:
    good = server.answer
    server.answer = lambda question: good(question) if len(server.asked) <= 2 else (503, "gone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("labeling.naming.asking.FAILED_IN_A_ROW", 2)
        with pytest.raises(ServerError, match=r"503: gone.*what was answered is kept"):
            label(server, session, tmp_path, retries=0, in_flight=1)
    server.answer = good
    before = len(server.asked)
    assert all(isinstance(each, Label) for each in label(server, session, tmp_path)[:4])
    assert len(server.asked) - before == 2


def test_pictures_too_large_are_shown_smaller(server: StubServer, session: Session, tmp_path: Path) -> None:
    def picky(question: dict[str, Any]) -> tuple[int, str]:
        url = question["messages"][0]["content"][0]["image_url"]["url"]
        width = Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).width
        return (413, "payload too large") if width > 16 else (200, say(form()))

    server.answer = picky
    assert isinstance(label(server, session, tmp_path)[0], Label)


def test_a_schema_that_is_refused_is_left_out_from_then_on(
    server: StubServer, session: Session, tmp_path: Path
) -> None:
    good = server.answer
    server.answer = lambda q: (400, "response_format is not supported") if "response_format" in q else good(q)
    assert isinstance(label(server, session, tmp_path)[0], Label)
    assert ["response_format" in question for question in server.asked] == [True, *[False] * 4]
    assert "one JSON object and nothing else" in json.dumps(server.asked[-1])


def test_so_many_questions_are_on_their_way_at_once_and_answers_keep_their_order(
    server: StubServer, session: Session, tmp_path: Path
) -> None:
    now = most = 0
    lock = threading.Lock()

    def slow(question: dict[str, Any]) -> tuple[int, str]:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        seconds = json.dumps(question).partition("in order: ")[2].split()[0]
        time.sleep(0.3 if seconds == "w" else 0.1)
        with lock:
            now -= 1
        return 200, say(form(f"Press key {seconds.replace('+', ' ')}"))

    server.answer = slow
    answers = label(server, session, tmp_path, in_flight=2)
    goals = [each.goal for each in answers if isinstance(each, Label)]
    assert goals == ["Press key w", "Press key w", "Press key d", "Press key w a"]
    assert most == 2


def test_a_session_deleted_while_labeling_is_reported(server: StubServer, run: Run, home: Path) -> None:
    good = server.answer

    def deletes(question: dict[str, Any]) -> tuple[int, str | bytes]:
        shutil.rmtree(home / "dataset/raw_playthrough/s", ignore_errors=True)
        return good(question)

    server.answer = deletes
    done = run("--model", server.address, "--in-flight", "1")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "s" in done.stderr


def test_missing_frames_are_replaced_by_their_neighbours(server: StubServer, session: Session, tmp_path: Path) -> None:
    session.frame_path(0).unlink()
    session.frame_path(20).write_bytes(b"\xff\xd8 cut short")
    for row in range(40, 80):
        session.frame_path(row).unlink()
    answers = label(server, session, tmp_path)
    assert isinstance(answers[0], Label)
    assert isinstance(answers[1], SetAside)
    assert answers[1].reason == "no-picture"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--labeler", "server"), "the labeler 'server' needs a model: --model http://"),
        (("--labeler", "vlm"), "the labeler 'vlm' needs a model: --model Qwen/"),
        (("--labeler", "vlm", "--model", "http://x/v1"), "is a server's address: --labeler server asks it"),
        (("--model", "http://x/v1", "--workers", "2"), "--workers is for labelers that read the recording"),
        (("--labeler", "server", "--model", "m", "--goals-list", "no.txt"), "cannot read the list of goals no.txt"),
        (("--min-confidence", "2"), "a confidence is 0 to 1, got 2.0"),
        (("--in-flight", "0"), "in_flight is 1 or more"),
    ],
)
def test_wrong_arguments(run: Run, arguments: tuple[str, ...], said: str) -> None:
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr
