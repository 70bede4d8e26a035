"""``gameenv-label --score``: a labeler against the referee."""

import json
import sys
from pathlib import Path

import pytest

from labeling.__main__ import main
from labeling.labeler import Label, SetAside
from labeling.rounds import Asked
from labeling.score import Families, Judged, judge
from tests.labeling.recordings import Ticks, holds_from, record


def judged(task: str, truth: str, said: str | None, sure: float = 1.0, *, reached: bool = False) -> Judged:
    label = Label(truth, "referee", "1", 1.0, False, {})
    answer = SetAside("unclear", "x", "1") if said is None else Label(said, "x", "1", sure, reached, {})
    return Judged(task, label, Asked(("s", 0, 0, 1), answer))


TRUTHS = [
    judged("go-to-lantern", "Go to the lantern", None),
    judged("go-to-lantern", "Walk to the lantern", None),
    judged("open-door", "Open the door", None),
    judged("lantern-below", "Look down at the lantern", None),
]


@pytest.mark.parametrize(
    ("goal", "task"),
    [
        ("Walk up to lantern", "go-to-lantern"),
        ("Approach the door", "open-door"),
        ("Look down", "lantern-below"),
        ("Eat some cake", None),
    ],
)
def test_a_goal_belongs_to_the_task_whose_words_it_has(goal: str, task: str | None) -> None:
    assert Families(TRUTHS).of(goal) == task


def test_what_is_counted() -> None:
    score = judge(
        [
            judged("open-door", "Open the door", "open door", 0.9),
            judged("open-door", "Open the door", "Approach the door", 0.9),
            judged("go-to-lantern", "Go to the lantern", "Open the door", 0.9, reached=True),
            judged("go-to-lantern", "Go to the lantern", "Find the lantern", 0.3),
            judged("go-to-lantern", "Go to the lantern", None),
        ],
        "x",
        "1",
    )
    assert (score.answered.k, score.answered.n) == (4, 5)
    assert (score.exact.k, score.family.k, score.completed.k) == (1, 3, 3)
    assert {name: (each.k, each.n) for name, each in score.families.items()} == {
        "go-to-lantern": (1, 2),
        "open-door": (2, 2),
    }
    assert score.set_aside == {"unclear": 1}
    assert [each.right.n for each in score.calibration] == [0, 1, 0, 0, 3]
    assert score.calibration_error == pytest.approx((0.7 + 3 * (0.9 - 2 / 3)) / 4)


OWN = """
from labeling.labeler import Label

class Guess:
    name, version = "guess", "1"

    def objection(self, session):
        return None

    def label(self, clips):
        for clip in clips:
            yield Label("Go to lantern", self.name, self.version, 0.8, clip.segment.number == 1, {})
"""


def test_the_command_scores_any_labeler(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    raw = tmp_path / "dataset" / "raw_playthrough"
    record(raw, "a", Ticks(["w"] * 80, reached=holds_from(70, 80), level="train/go-to-lantern/1/g1"))
    record(raw, "b", Ticks(["w"] * 40, goal="Open the door", level="train/open-door/1/g1"))
    record(raw, "live", Ticks(["w"] * 40, goal=None, reached=()))
    (tmp_path / "guessing.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["gameenv-label", "--labeler", "guessing:Guess", "--score"])
    with pytest.raises(SystemExit) as ended:
        main()
    out = capsys.readouterr()
    assert ended.value.code == 0, out.err
    assert "guess 1, 3 clips with a truth" in out.out
    score = json.loads((tmp_path / "dataset/labeled_segments/labels/score-guess.json").read_text())
    assert [(score[name]["k"], score[name]["n"]) for name in ("answered", "exact", "family", "completed")] == [
        (3, 3),
        (2, 3),
        (2, 3),
        (3, 3),
    ]
    assert score["exact"]["low"] < 2 / 3 < score["exact"]["high"]
    assert not list((tmp_path / "dataset/labeled_segments").glob("*_seg*"))
