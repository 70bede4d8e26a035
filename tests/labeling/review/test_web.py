"""The page's addresses: who is let in, what can be read, what comes back."""

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from labeling.review.desk import Desk
from labeling.review.guard import TOKEN_HEADER
from labeling.review.web import make_app
from labeling.segment_folder import read_record
from recording.session import Session
from tests.labeling.review.conftest import OpenDesk
from tests.labeling.review.deciding import FIRST, SECOND, decide, settle

TOKEN = "the-token-of-this-test"
HERE = "http://127.0.0.1:8765"


@pytest.fixture
def page(desk: Desk) -> Iterator[TestClient]:
    """A browser that has followed the link."""
    with TestClient(make_app(desk, TOKEN), base_url=HERE, headers={"origin": HERE}) as client:
        assert client.get(f"/?token={TOKEN}").status_code == 200
        yield client


@pytest.fixture
def stranger(desk: Desk) -> Iterator[TestClient]:
    with TestClient(make_app(desk, TOKEN), base_url=HERE) as client:
        yield client


def said(kind: str, *keys: str, **how: Any) -> dict[str, Any]:
    return {"request": f"{kind}-{'-'.join(keys)}", "kind": kind, "clips": dict.fromkeys(keys, 0), **how}


def test_the_link_lets_in_and_leaves_no_token_in_the_address(stranger: TestClient) -> None:
    answer = stranger.get(f"/?token={TOKEN}", follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = stranger.get("/")
    assert "<title>Review</title>" in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].startswith("default-src 'self'")


@pytest.mark.parametrize("path", ["/", "/main.js", "/api/clips", "/api/frame?key=s:0:40&offset=0", "/?token=wrong"])
def test_without_the_token_nothing_is_read(stranger: TestClient, path: str) -> None:
    answer = stranger.get(path)
    assert answer.status_code == 403
    assert "gameenv-review printed" in answer.text


def test_a_program_may_send_the_token_as_a_header(stranger: TestClient, desk: Desk) -> None:
    answer = stranger.post("/api/decide", json=said("accept", FIRST), headers={TOKEN_HEADER: TOKEN})
    assert answer.status_code == 200
    settle(desk)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8765", "127.0.0.1.evil.example", "10.0.0.7:8765", "["])
def test_a_name_that_was_made_to_point_here_is_refused(page: TestClient, host: str) -> None:
    assert page.get("/api/clips", headers={"host": host, "origin": f"http://{host}"}).status_code == 421


@pytest.mark.parametrize("origin", ["http://evil.example", "http://127.0.0.1:9999", "null"])
def test_another_page_cannot_decide_or_read(page: TestClient, desk: Desk, origin: str) -> None:
    answer = page.post("/api/decide", json=said("reject", FIRST), headers={"origin": origin})
    assert answer.status_code == 403
    assert page.get("/api/clips", headers={"origin": origin}).status_code == 403
    assert desk.head == 0


def test_a_cookie_alone_decides_nothing(stranger: TestClient, desk: Desk) -> None:
    stranger.get(f"/?token={TOKEN}")
    assert stranger.post("/api/decide", json=said("reject", FIRST)).status_code == 403
    assert desk.head == 0


def test_clips_are_listed_and_shown(page: TestClient, session: Session) -> None:
    listed = page.get("/api/clips").json()
    first = dict(zip(listed["columns"], listed["clips"][0], strict=True))
    assert (first["key"], first["goal"], first["labeler"], first["state"]) == (
        FIRST, "Go to the lantern", "referee", "proposed",
    )  # fmt: skip
    assert listed["progress"]["all"] == 4
    clip = page.get("/api/clip", params={"key": FIRST}).json()
    assert clip["times"] == [100.0 * row for row in range(40)]
    assert clip["end"] == 4000.0
    assert clip["keys"]["w"] == [[0.0, 100.0], [1100.0, 1200.0], [2200.0, 2300.0], [3300.0, 3400.0]]
    frame = page.get("/api/frame", params={"key": SECOND, "offset": 3})
    assert frame.content == session.frame_path(43).read_bytes()
    assert frame.headers["content-type"] == "image/jpeg"


@pytest.mark.parametrize(
    "path",
    [
        "/../segment.json",
        "/..%2f..%2fetc%2fpasswd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/page/main.js",
        "/desk.py",
        "/api/frame?key=../../etc/passwd&offset=0",
        "/api/frame?key=/etc/passwd&offset=0",
        "/api/frame?key=..:0:40&offset=0",
        "/api/frame?key=s:0:40&offset=../../session.json",
        "/api/frame?key=s:0:40&offset=40",
        "/api/frame?key=s:0:40&offset=-1",
        "/api/clip?key=../s:0:40",
    ],
)
def test_no_path_outside_the_recordings_can_be_read(page: TestClient, path: str) -> None:
    answer = page.get(path)
    assert answer.status_code == 404
    assert "root:" not in answer.text


def test_links_that_lead_out_of_a_recording_are_not_followed(
    page: TestClient, session: Session, tmp_path: Path
) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"\xff\xd8 not yours")
    for row, target in ((1, secret), (2, Path(os.path.relpath(secret, session.frame_path(2).parent)))):
        session.frame_path(row).unlink()
        session.frame_path(row).symlink_to(target)
        (tmp_path / "out" / "s_seg0000" / f"frame_{row:04d}.jpg").unlink()
        assert page.get("/api/frame", params={"key": FIRST, "offset": row}).status_code == 404


def test_a_recording_that_is_a_link_to_elsewhere_is_not_shown(
    session: Session, tmp_path: Path, open_desk: OpenDesk
) -> None:
    session.path.rename(tmp_path / "elsewhere")
    (tmp_path / "raw" / "s").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "out").mkdir()
    with pytest.raises(Exception, match="there is nothing to review"):
        open_desk()


def test_what_is_no_picture_is_not_shown(page: TestClient, session: Session) -> None:
    session.frame_path(5).write_bytes(b"#!/bin/sh")  # and the segment's, which is the same file
    assert page.get("/api/frame", params={"key": FIRST, "offset": 5}).status_code == 404


def test_a_decision_is_answered_with_what_is_there_now(page: TestClient, desk: Desk, labeled: Path) -> None:
    answer = page.post("/api/decide", json=said("split", FIRST, row=20)).json()
    assert (answer["removed"], [row[0] for row in answer["added"]]) == ([FIRST], ["s:0:20", "s:20:40"])
    assert answer["head"] == 1
    undone = page.post("/api/undo", json={"request": "undo that", "head": 1}).json()
    assert [row[0] for row in undone["added"]] == [FIRST]
    settle(desk)
    assert page.get("/api/changes?since=1").json()["changes"][0]["what"] == "undo split"
    assert read_record(labeled / "s_seg0000").labeler == "referee"


def test_a_conflict_shows_what_is_there_now(page: TestClient, desk: Desk) -> None:
    decide(desk, "edit", FIRST, goal="Find the light")
    answer = page.post("/api/decide", json=said("accept", FIRST))
    assert answer.status_code == 409
    assert answer.json()["now"][0][6] == "Find the light"


@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "{", "7", "null", '"accept"',
        json.dumps({"kind": "accept", "clips": {FIRST: 0}}),
        json.dumps(said("acept", FIRST)),
        json.dumps(said("accept")),
        json.dumps(said("accept", FIRST) | {"clips": [FIRST]}),
        json.dumps(said("accept", FIRST) | {"clips": {FIRST: "0"}}),
        json.dumps(said("edit", FIRST)),
        json.dumps(said("edit", FIRST, goal=7)),
        json.dumps(said("edit", FIRST, goal="")),
        json.dumps(said("edit", FIRST, goal="one\x00")),
        json.dumps(said("split", FIRST, row="20")),
        json.dumps(said("split", FIRST, row=40)),
        json.dumps(said("trim", FIRST, start=-5)),
        json.dumps(said("complete", FIRST, completed="yes")),
        json.dumps(said("rename", old="No such goal", goal="Find the light")),
    ],
)  # fmt: skip
def test_what_cannot_be_understood_is_refused_and_saves_nothing(page: TestClient, desk: Desk, body: str) -> None:
    answer = page.post("/api/decide", content=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["error"]
    assert desk.head == 0


def test_a_request_that_never_ends_is_cut_off(page: TestClient) -> None:
    assert page.post("/api/decide", content=b" " * 4_100_000).status_code == 400


def test_a_full_disk_is_said_and_nothing_is_lost(page: TestClient, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr(os, "fsync", full)
        answer = page.post("/api/decide", json=said("accept", FIRST))
    assert (answer.status_code, desk.head) == (507, 0)
    assert "is full" in answer.json()["error"]
    assert page.post("/api/decide", json=said("accept", FIRST)).status_code == 200
    settle(desk)


def test_an_audit_gives_the_share_of_right_labels_and_outlives_a_restart(
    page: TestClient, desk: Desk, open_desk: OpenDesk
) -> None:
    asked = {"request": "draw an audit", "seed": 3, "labeler": None}
    audit = page.post("/api/audit", json=asked).json()
    assert audit["of"] == len(audit["drawn"]) == 4
    result: dict[str, Any] = {}
    for number, (key, _) in enumerate(audit["drawn"][:3]):
        judged = {"request": f"verdict {number}", "audit": audit["audit"], "clip": key, "right": number != 1}
        result = page.post("/api/verdict", json=judged).json()["result"]
    assert (result["k"], result["n"]) == (2, 3)
    assert (round(result["low"], 3), round(result["high"], 3)) == (0.208, 0.939)
    wrong = {"request": "verdict 9", "audit": audit["audit"], "clip": "s:1:2", "right": True}
    assert page.post("/api/verdict", json=wrong).status_code == 400
    desk.close()
    again = open_desk().draw_audit("draw it again", 3, None)
    assert again.drawn == tuple((key, goal) for key, goal in audit["drawn"])
    assert len(again.verdicts) == 3
