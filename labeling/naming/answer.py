"""Reads what a model answered about a clip: a goal, "unclear", or nothing that can be used.

Models wrap the form in prose and fences, write "yes" for true and "80%" for 0.8; what such an answer means beyond doubt
is read, anything else is not. Knows nothing of servers.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from gameenv.errors import InvalidInputError, InvalidReply
from labeling.naming.question import CHANGES, COMPLETED, CONFIDENCE, EVIDENCE, GOAL, UNCLEAR
from labeling.wording import fold_goal, normalize_goal

_NO_GOALS = {UNCLEAR, "none", "unknown", "n a", "not clear", "uncertain", "cannot tell", "no goal"}
_YES = {"true", "yes", "1", "completed", "reached"}
_WORDS = {"very high": 0.95, "high": 0.85, "medium": 0.6, "moderate": 0.6, "low": 0.3, "very low": 0.1}
UNSAID = 0.5
"""Confidence of an answer that does not say any."""
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class Proposal:
    """What a model says of a clip; ``goal`` is None where it says that it cannot tell."""

    goal: str | None
    completed: bool
    confidence: float
    changes: str
    evidence: str


def read_answer(text: str, goals: Sequence[str] = ()) -> Proposal:
    """Read an answer.

    Args:
        text: What the model said.
        goals: The goals there are; without any, every goal of 2 to 6 words is one.

    Raises:
        InvalidReply: If it has no JSON object with a goal, the goal is not one, or it is not on the list.
    """
    found = _object(text)
    said = found.get(GOAL)
    if not isinstance(said, str) or not said.strip():
        raise InvalidReply(f'the answer has no "{GOAL}": {_short(text)}')
    goal = None if fold_goal(said) in _NO_GOALS else _goal(said, goals)
    return Proposal(
        goal=goal,
        completed=_truth(found.get(COMPLETED)),
        confidence=_confidence(found.get(CONFIDENCE)),
        changes=_line(found.get(CHANGES)),
        evidence=_line(found.get(EVIDENCE)),
    )


def _goal(said: str, goals: Sequence[str]) -> str:
    if goals:
        folded = fold_goal(said)
        for goal in goals:
            if fold_goal(goal) == folded:
                return goal
        raise InvalidReply(f"the goal {said[:_SHOWN]!r} is not one of the {len(goals)} on the list")
    try:
        return normalize_goal(said)
    except InvalidInputError as error:
        raise InvalidReply(str(error)[: 2 * _SHOWN]) from None


def _object(text: str) -> dict[str, Any]:
    """The first JSON object in a text that has a goal, by lower-case keys; one in a list counts if it is alone."""
    begin = text.find("{")
    while begin >= 0:
        try:
            found, _ = json.JSONDecoder().raw_decode(text, begin)
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            keys = {str(key).strip().casefold(): value for key, value in found.items()}
            if GOAL in keys:
                if len(_goals_in(text)) > 1:
                    raise InvalidReply(f"the answer names more than one goal: {_short(text)}")
                return keys
        begin = text.find("{", begin + 1)
    raise InvalidReply(f"the answer has no JSON object with a goal in it: {_short(text)}")


def _goals_in(text: str) -> set[str]:
    """The goals of all objects in a text."""
    found: set[str] = set()
    begin = text.find("{")
    while begin >= 0:
        try:
            each, end = json.JSONDecoder().raw_decode(text, begin)
        except (ValueError, RecursionError):
            end = begin + 1
        else:
            found |= {str(value) for key, value in each.items() if str(key).strip().casefold() == GOAL}
        begin = text.find("{", end)
    return found


def _truth(value: object) -> bool:
    """Whether it is a yes; what is neither is a no: success is not inferred."""
    return value is True or str(value).strip().casefold() in _YES


def _confidence(value: object) -> float:
    if isinstance(value, bool) or value is None:
        return UNSAID
    if isinstance(value, str):
        text = value.strip().casefold().replace(",", ".")
        if text in _WORDS:
            return _WORDS[text]
        try:
            value = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            return UNSAID
    if not isinstance(value, int | float) or not value >= 0:
        return UNSAID
    share = float(value)
    if share > 1:
        share /= 100 if share > 10 else 10
    return min(share, 1.0)


def _line(value: object) -> str:
    if isinstance(value, list):
        value = "; ".join(str(each) for each in value)
    return " ".join(str(value or "").split())[: 2 * _SHOWN]


def _short(text: str) -> str:
    return repr(" ".join(text.split())[:_SHOWN])
