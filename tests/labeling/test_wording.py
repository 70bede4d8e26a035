import pytest

from gameenv.errors import InvalidInputError
from labeling.wording import check_goal, normalize_goal


@pytest.mark.parametrize(
    ("text", "goal"),
    [
        ("Go to the lantern", "Go to the lantern"),
        ('"go to the lantern."\n', "Go to the lantern"),
        ("Goal: Go to the lantern", "Go to the lantern"),
        ('**Goal:** "Open the door!"', "Open the door"),
        ("“Climb  the\tstairs”", "Climb the stairs"),
        ("Open the door, quietly", "Open the door quietly"),
        ("Don't wake the night-guard", "Don't wake the night-guard"),
        ("go - left", "Go left"),
        ("Öffne die Tür.", "Öffne die Tür"),
        ("иди к фонарю!", "Иди к фонарю"),
        ("「走到灯笼那里」。", "走到灯笼那里"),
        ("दरवाज़ा खोलो।", "दरवाज़ा खोलो"),
        ("ไปที่โคมไฟ", "ไปที่โคมไฟ"),
    ],
)
def test_wordings_become_one_goal(text: str, goal: str):
    assert normalize_goal(text) == goal
    assert normalize_goal(goal) == goal


@pytest.mark.parametrize("text", ["", "  ", "...", "Run", "one two three four five six seven", "门", "走" * 19])
def test_what_is_not_two_to_six_words_is_refused_and_quoted(text: str):
    with pytest.raises(InvalidInputError, match="2 to 6 words"):
        normalize_goal(text)


def test_a_known_goal_is_never_altered():
    assert check_goal("go to the Lantern!") == "go to the Lantern!"
    with pytest.raises(InvalidInputError, match="got 1: 'Run'"):
        check_goal("Run")
    with pytest.raises(InvalidInputError, match="one line"):
        check_goal("Go to\nthe lantern")
    with pytest.raises(InvalidInputError, match="got None"):
        check_goal(None)
