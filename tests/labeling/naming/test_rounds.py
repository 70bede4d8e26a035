"""From first answers to what is written: one wording, a second look at stray clips, a hand-edited file."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from labeling import load_samples
from labeling.segment_folder import read_record, write_record
from tests.labeling.naming.conftest import Done, form, replies
from tests.policies.server.stub import StubServer, say

Run = Callable[..., Done]
OUT = "dataset/labeled_segments"
BY_KEYS = ("in order: d 4.0 s", "in order: w+a 4.0 s")
"""What tells the third and the fourth clip from the first two."""


def by_clip(first: str, third: str, fourth: str) -> Callable[[dict[str, Any]], tuple[int, str]]:
    def answer(question: dict[str, Any]) -> tuple[int, str]:
        asked = json.dumps(question)
        return 200, say(form(third if BY_KEYS[0] in asked else fourth if BY_KEYS[1] in asked else first))

    return answer


def test_near_duplicates_get_one_wording_and_are_joined(server: StubServer, run: Run, home: Path) -> None:
    server.answer = by_clip("Go to the lantern", "go to lantern", "Open the door")
    assert run("--model", server.address).returncode == 0
    records = [read_record(home / OUT / f"s_seg000{number}") for number in range(4)]
    assert [each.goal for each in records] == ["Go to the lantern"] * 3 + ["Open the door"]
    assert [each.goal_span for each in records] == ["s_seg0000"] * 3 + ["s_seg0003"]
    assert records[2].evidence["wording"] == "Go to lantern"
    glossary = json.loads((home / OUT / "labels/glossary.json").read_text())
    assert glossary == {"Go to the lantern": ["Go to lantern"], "Open the door": []}


def test_an_edited_glossary_rewords_without_asking(server: StubServer, run: Run, home: Path) -> None:
    run("--model", server.address)
    (home / OUT / "labels/glossary.json").write_text('{"Find the light": ["Go to the lantern"]}')
    assert "4 segments (4 built now)" in run("--model", server.address).stdout
    assert {sample.goal for sample in load_samples(home / OUT)} == {"Find the light"}
    assert len(server.asked) == 4


def test_a_line_edited_by_hand_counts_and_a_broken_one_is_reported(server: StubServer, run: Run, home: Path) -> None:
    run("--model", server.address)
    path = home / OUT / "labels/server.jsonl"
    lines = path.read_text().splitlines()
    assert [json.loads(line)["number"] for line in lines] == list(range(5))
    edited = {**json.loads(lines[1]), "goal": "Open the door"}
    path.write_text("\n".join([lines[0], json.dumps(edited), '{"number": 2, oops', *lines[3:]]) + "\n")
    done = run("--model", server.address)
    assert done.returncode == 0, done.stderr
    assert f"1 lines of {OUT}/labels/server.jsonl cannot be read: they stay there" in done.stderr
    assert [read_record(home / OUT / f"s_seg000{n}").goal for n in (1, 2)] == ["Open the door", "Go to the lantern"]
    assert len(server.asked) == 4, "its answer is still among the replies"
    assert '{"number": 2, oops' in path.read_text()


def test_versions_stand_side_by_side(server: StubServer, run: Run, home: Path) -> None:
    run("--model", server.address)
    run("--model", server.address, "--look", "sheet")
    entries = [json.loads(line) for line in (home / OUT / "labels/server.jsonl").read_text().splitlines()]
    assert len(entries) == 10
    assert len({each["version"] for each in entries}) == 2


def test_a_person_s_label_wins_and_is_not_asked_about(server: StubServer, run: Run, home: Path) -> None:
    run("--model", server.address)
    folder = home / OUT / "s_seg0001"
    write_record(folder, replace(read_record(folder), labeler="human", goal="Look at it"))
    before = len(server.asked)
    assert "1 labeled by a person, kept" in run("--model", server.address, "--look", "sheet").stdout
    assert len(server.asked) - before == 3
    assert read_record(folder).goal == "Look at it"


def test_auto_prefers_what_the_recording_carries(server: StubServer, run: Run, home: Path) -> None:
    from tests.labeling.recordings import Ticks, record  # noqa: PLC0415

    record(home / "dataset/raw_playthrough", "known", Ticks(["w"] * 40, goal="Open the door"))
    assert run("--model", server.address).returncode == 0
    assert read_record(home / OUT / "known_seg0000").labeler == "referee"
    assert read_record(home / OUT / "s_seg0000").labeler == "server"


def test_a_stray_clip_is_looked_at_again_with_what_its_neighbours_were_named(
    server: StubServer, run: Run, home: Path
) -> None:
    def answer(question: dict[str, Any]) -> tuple[int, str]:
        asked = json.dumps(question)
        if "Someone else named" in asked:
            assert 'the seconds before \\"Go to the lantern\\" and the seconds after' in asked
            return 200, say(form("Go to the lantern"))
        return 200, say(form("unclear" if BY_KEYS[0] in asked else "Go to the lantern"))

    server.answer = answer
    assert "3 segments" in run("--model", server.address).stdout
    assert "4 segments (1 built now, 3 there already)" in run("--model", server.address, "--relabel").stdout
    made = read_record(home / OUT / "s_seg0002")
    assert (made.goal, made.evidence["first_answer"]) == ("Go to the lantern", "unclear")
    assert len(server.asked) == 5
    run("--model", server.address, "--relabel")
    assert len(server.asked) == 5


def test_two_passes_are_compared(server: StubServer, run: Run, home: Path) -> None:
    def answer(question: dict[str, Any]) -> tuple[int, str]:
        second = question.get("seed") == 1
        return 200, say(form("Open the door" if second and BY_KEYS[0] in json.dumps(question) else "Go to the lantern"))

    server.answer = answer
    done = run("--model", server.address, "--passes", "2")
    assert len(server.asked) == 8
    assert "two passes agree on 3 of 4 clips" in done.stdout
    assert "--passes 2 asks twice" in run("--model", server.address).stdout


def test_nothing_but_unusable_answers_is_no_dataset_but_no_crash(server: StubServer, run: Run) -> None:
    server.answer = replies("Hello!")
    done = run("--model", server.address)
    assert done.returncode == 0
    assert "0 segments" in done.stdout
    assert "4: the labeler's answer could not be used" in done.stdout
