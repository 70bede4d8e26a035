"""Goals against the keys, and one pass against another."""

from pathlib import Path

import pytest

from labeling.build import label_session
from labeling.checks import Agreement, agreement, contradictions
from labeling.labeler import Label, SetAside
from labeling.rounds import Asked
from tests.labeling.recordings import Ticks, record
from tests.labeling.test_set_aside import Says


@pytest.mark.parametrize(
    ("goal", "word", "says"),
    [
        ("Turn left here", "right", "the goal says left, and only right or d was pressed"),
        ("Turn left here", "left", None),
        ("Turn left here", "w", None),
        ("Step to the right", "a", "the goal says right, and only left or a was pressed"),
        ("Jump onto the ledge", "w", "the goal says jump, and space was not pressed"),
        ("Jump onto the ledge", "space", None),
        ("Crawl through the vent", "w", "the goal says crawl, and c was not pressed"),
        ("Look down at it", "up", "the goal says down, and only up was pressed"),
        ("Go down the stairs", "up", None),
        ("Go to the lantern", "d", None),
    ],
)
def test_goals_against_the_keys(tmp_path: Path, goal: str, word: str, says: str | None) -> None:
    session = record(tmp_path / "raw", "s", Ticks([word] * 40))
    outcomes = label_session(session, tmp_path / "out", Says({0: goal}))
    found = contradictions(outcome.record for outcome in outcomes)
    assert [each.says for each in found] == ([says] if says else [])


def asked(first: str | None, *others: str | None) -> Asked:
    answers = [
        SetAside("unclear", "x", "1") if goal is None else Label(goal, "x", "1", 1.0, False, {})
        for goal in (first, *others)
    ]
    return Asked(("s", 0, 0, 40), answers[0], tuple(answers[1:]))


def test_agreement_counts_what_was_asked_twice() -> None:
    idle = Asked(("s", 1, 40, 80), SetAside("idle", "x", "1"), (SetAside("idle", "x", "1"),))
    differing = asked("Open the door", None)
    assert agreement([asked("Go on now", "Go on now"), asked(None, None), differing, idle]) == Agreement(
        2, 3, (differing,)
    )
    assert agreement([asked("Go on now")]) is None
