"""What counts as a goal, and what its words are, in any language."""

import pytest

from gameenv.errors import InvalidInputError
from recording.goals import check_goal, goal_words, is_goal


@pytest.mark.parametrize(
    "goal",
    [
        "Go to the lantern",
        "Иди к фонарю",
        "Öffne die Tür",
        "走到灯笼那里",
        "开门",
        "ランタンへ行く",
        "ไปที่โคมไฟ",
        "पर जाओ",
    ],
)
def test_goals_of_any_language_are_taken(goal: str) -> None:
    assert check_goal(goal) == goal


@pytest.mark.parametrize("goal", ["Jump", "Прыгай", "门", "走" * 19, "", "a b c d e f g", "Go\nthere"])
def test_one_word_and_too_many_are_refused_in_any_language(goal: str) -> None:
    assert not is_goal(goal)
    with pytest.raises(InvalidInputError, match="2 to 6 words"):
        check_goal(goal)


@pytest.mark.parametrize(
    ("goal", "words"),
    [
        ("Go to the RED torch, now!", ["go", "to", "the", "red", "torch", "now"]),
        ("Иди к Фонарю", ["иди", "к", "фонарю"]),
        ("ÖFFNE die Straße", ["öffne", "die", "strasse"]),
        ("走到灯笼", ["走", "到", "灯", "笼"]),
        ("到red门", ["到", "red", "门"]),
        ("\uff47\uff4f 2nd", ["go", "2nd"]),  # full-width letters
        ("दरवाज़ा खोलो", ["दरवाज़ा", "खोलो"]),
        ("...!", []),
        ("under_score", ["under", "score"]),
    ],
)
def test_words_are_heard_in_any_script(goal: str, words: list[str]) -> None:
    assert goal_words(goal) == words
