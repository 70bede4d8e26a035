"""What a dataset can hardly teach is said before the training."""

import io
from pathlib import Path

import pytest

from gameenv.actions import ActionChunk
from gameenv.console import Console
from labeling import Sample
from training.balance import find_gaps, print_actions
from training.data import previous_actions


def sample(row: int, words: str, goal: str = "Go to the lantern", take: int = 0, completed: bool = True) -> Sample:
    chunk = ActionChunk.of((words.split() * 7)[:7])
    return Sample(Path("x.jpg"), goal, chunk, "s", 0, row, take, None, None, None, completed, "s_seg0000")


def varied() -> list[Sample]:
    """Nothing to complain of."""
    words = ["w", "s", "a", "d", "up", "down", "left", "right", "c", "space", "enter", "none"]
    goals = ("Go to the lantern", "Open the door")
    return [sample(row, words[row // 2 % 12], goals[take % 2], take) for take in range(10) for row in range(60)]


def without(*words: str) -> list[Sample]:
    return [each for each in varied() if each.chunk[0] not in words]


def test_a_varied_dataset_has_no_gaps():
    assert list(find_gaps(varied())) == []


def test_a_pause_in_a_clip_that_is_not_completed_is_no_declaration():
    pauses = [sample(row, "none", take=11, completed=False) for row in range(5)]
    assert [gap for gap in find_gaps([*varied(), *pauses]) if "take a pause" in gap] == [
        "5 samples take a pause for a goal that is reached: run gameenv-label again, it leaves them out"
    ]
    only = [*without("none"), *pauses]
    assert any("cannot learn to stop" in gap for gap in find_gaps(only))


@pytest.mark.parametrize(
    ("samples", "says"),
    [
        (without("c", "enter"), "never pressed in these samples: c enter"),
        (without("up", "down", "left", "right"), "no camera action"),
        ([*without("up", "down", "left"), *[sample(n, "w") for n in range(1000)]], "of the samples move the camera"),
        ([*varied(), *[sample(n, "left", take=99) for n in range(200)]], "it will lean left"),
        ([*varied(), *[sample(n, "none", take=99) for n in range(2000)]], "nothing is done in 7"),
        ([sample(n, "w" if n < 300 else "left") for n in range(600)], "the action changes on 0.2% of the frames"),
        ([each for each in varied() if each.take < 3], "only 3 levels or takes"),
        (without("none"), "no sample says that a goal is reached"),
        ([sample(n, "w", "Go") for n in range(300)], "not of 2 to 6 words, such as 'Go'"),
        ([sample(n, "w") for n in range(300)], "every sample has the goal 'Go to the lantern'"),
        ([*varied(), *[sample(n, "w", "Climb the stairs") for n in range(3000)]], "the others may be ignored"),
        ([*varied(), sample(0, "w", "Climb the stairs")], "1 of 3 goals have fewer than 100 samples"),
    ],
)
def test_each_gap_is_named(samples: list[Sample], says: str):
    assert any(says in gap for gap in find_gaps(samples))


def test_neighbours_are_of_one_take():
    samples = [sample(0, "w"), sample(1, "left"), sample(3, "c"), sample(4, "c", take=1)]
    assert previous_actions(samples).tolist() == [-1, 1, -1, -1]


def test_the_histogram_tells_where_an_action_begins():
    said = io.StringIO()
    print_actions(Console(file=said, width=100), [sample(row, "w" if row < 6 else "left") for row in range(9)])
    rows = {line.split()[1]: line.split()[3::2] for line in said.getvalue().splitlines() if "%" in line}
    assert rows == {"w": ["66.7%", "0"], "left": ["33.3%", "1"]}
