"""An observation checks itself, so that no policy has to."""

from typing import Any

import numpy as np
import pytest

from gameenv.errors import GameEnvError, InvalidInputError, UnknownNameError
from policies.base import MAX_COMMITTED, MAX_PLAYED, Observation

FRAME = np.zeros((90, 160, 3), np.uint8)


def test_holds_what_it_is_given() -> None:
    words: Any = ["w", "none"]
    observation = Observation(FRAME, "Go", words, words, [FRAME])  # type: ignore[arg-type]
    assert observation.frame is FRAME
    assert (observation.committed, observation.played) == (("w", "none"), ("w", "none"))
    assert observation.earlier == (FRAME,)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"frame": FRAME / 255.0}, InvalidInputError, "uint8"),
        ({"frame": FRAME[..., 0]}, InvalidInputError, "a frame"),
        ({"frame": None}, InvalidInputError, "a frame"),
        ({"earlier": (FRAME, None)}, InvalidInputError, "a frame"),
        ({"goal": " "}, InvalidInputError, "a goal is a short sentence"),
        ({"goal": None}, InvalidInputError, "a goal is a short sentence"),
        ({"goal": "\ud800"}, InvalidInputError, "a goal is a short sentence"),
        ({"committed": ("w",) * (MAX_COMMITTED + 1)}, InvalidInputError, "at most 6 actions may be committed"),
        ({"committed": "w"}, InvalidInputError, "got the string 'w'"),
        ({"committed": ("jump",)}, UnknownNameError, "jump"),
        ({"played": ("w",) * (MAX_PLAYED + 1)}, InvalidInputError, "newest 64"),
        ({"played": ("jump",)}, UnknownNameError, "jump"),
    ],
)
def test_what_no_policy_can_use_is_refused(arguments: dict[str, Any], error: type[GameEnvError], says: str) -> None:
    with pytest.raises(error, match=says):
        Observation(**{"frame": FRAME, "goal": "Go", **arguments})
