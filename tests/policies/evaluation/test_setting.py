"""The rate, the size and the fit of frames that the models of an evaluation share, or do not."""

from pathlib import Path
from typing import Any

import pytest

from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec
from policies.card import ModelCard
from policies.evaluation.setting import Setting, find_setting
from policies.load import NamedSpec

USUAL: dict[str, Any] = {"kind": "bc", "fps": 10.0, "recorded": FrameSpec(256, 144)}


def model(folder: Path, name: str, **changes: Any) -> NamedSpec:
    ModelCard(**{**USUAL, **changes}).save(folder / name)
    return NamedSpec(name, f"bc:{folder / name}")


def test_policies_without_a_card_play_at_the_usual_setting() -> None:
    assert find_setting([NamedSpec("random", "random"), NamedSpec("e", "expert")]) == Setting(10, FrameSpec(512, 288))


def test_models_play_as_they_were_recorded(tmp_path: Path) -> None:
    slow = FrameSpec(256, 144, "stretch")
    found = find_setting([NamedSpec("random", "random"), model(tmp_path, "slow", fps=5.0, recorded=slow)])
    assert found == Setting(5.0, slow)
    assert find_setting([model(tmp_path, "slow", recorded=slow)], 20, (64, 64)) == Setting(
        20, FrameSpec(64, 64, "stretch")
    )


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"fps": 5.0}, "different rates: 'one' 10 ticks a second, 'other' 5 ticks a second.*by themselves"),
        ({"fps": 10.5}, "different rates: 'one' 10 ticks a second, 'other' 10.5"),
        (
            {"recorded": FrameSpec(256, 144, "stretch")},
            "different fits: 'one' letterbox, 'other' stretch.*by themselves",
        ),
        (
            {"recorded": FrameSpec(128, 72)},
            "frame sizes: 'one' 256x144, 'other' 128x72.*or give --frame-size",
        ),
    ],
)
def test_models_that_cannot_share_an_environment_are_refused_by_name(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    both = [model(tmp_path, "one"), model(tmp_path, "other", **change)]
    with pytest.raises(InvalidInputError, match=said):
        find_setting(both)


def test_a_frame_size_of_ones_own_settles_it(tmp_path: Path) -> None:
    both = [model(tmp_path, "one"), model(tmp_path, "other", recorded=FrameSpec(128, 72))]
    assert find_setting(both, frame_size=(64, 36)).frame == FrameSpec(64, 36)
