"""One wording for each goal, and what the user wrote into the glossary."""

import json
from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling.glossary import Glossary
from labeling.labeler import Label


def learned(**wordings: int) -> Glossary:
    glossary = Glossary()
    glossary.learn({wording.replace("_", " "): count for wording, count in wordings.items()})
    return glossary


def test_the_commonest_of_near_duplicates_is_the_goal_and_the_others_are_kept() -> None:
    glossary = learned(Go_to_the_lantern=2, Go_to_lantern=5, GO_TO_A_LANTERN=1, Go_to_lanterns=1, Open_the_door=1)
    assert glossary.goals == {
        "Go to lantern": ["GO TO A LANTERN", "Go to lanterns", "Go to the lantern"],
        "Open the door": [],
    }


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Go left now", "Go lift now"),
        ("Open door 1", "Open door 2"),
        ("Take the red torch", "Take the blue torch"),
        ("Walk upstairs", "Walk downstairs"),
        ("Lock the door", "Unlock the door"),
        ("Go inside quickly", "Go outside quickly"),
        ("Open the door", "Open the big door"),
    ],
)
def test_what_means_something_else_stays_apart(one: str, other: str) -> None:
    glossary = Glossary()
    glossary.learn({one: 3, other: 1})
    assert set(glossary.goals) == {one, other}


def test_any_language(tmp_path: Path) -> None:
    glossary = Glossary()
    glossary.learn(
        {"Zur Laterne gehen": 2, "zur laterne gehen": 1, "去灯笼那里": 3, "Öffne die Tür": 1, "Öffne Tür": 1}
    )
    assert set(glossary.goals) == {"Zur Laterne gehen", "去灯笼那里", "Öffne Tür"}
    glossary.save(tmp_path / "labels" / "glossary.json")
    assert "去灯笼那里" in (tmp_path / "labels" / "glossary.json").read_text("utf-8")


def test_what_the_user_wrote_stays_and_counts(tmp_path: Path) -> None:
    path = tmp_path / "glossary.json"
    path.write_text('{"Light the way": ["Go to the lantern", "Find the light"]}')
    glossary = Glossary.load(path)
    glossary.learn({"go to lantern": 50, "Find lights": 1})
    assert list(glossary.goals) == ["Light the way"], "near what the user calls a paraphrase is a paraphrase"
    label = Label("go to lantern", "server", "1", 0.9, False, {"seen": "x"})
    worded = glossary.apply(label)
    assert (worded.goal, worded.evidence) == ("Light the way", {"seen": "x", "wording": "go to lantern"})
    glossary.save(path)
    assert json.loads(path.read_text())["Light the way"][0] == "Find lights"
    assert Glossary.load(path).find("GO TO THE LANTERN!") == "Light the way"


def test_the_order_of_what_is_learned_does_not_matter() -> None:
    wordings = {"Go to the lantern": 2, "Go to lantern": 2, "Go to lanterns": 1, "Open a door": 1, "Open the door": 1}
    results = []
    for items in (list(wordings.items()), list(reversed(wordings.items()))):
        glossary = Glossary()
        glossary.learn(dict(items))
        results.append(glossary.goals)
    assert results[0] == results[1]


@pytest.mark.parametrize("content", ["[]", "{", '{"Go": []}', '{"Go to it": ["x"]}', '{"Go to it": "x"}'])
def test_a_glossary_that_is_none_is_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "glossary.json"
    path.write_text(content)
    with pytest.raises(InvalidInputError, match=r"glossary\.json"):
        Glossary.load(path)
