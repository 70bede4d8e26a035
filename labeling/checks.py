"""How far a labeler's goals can be trusted, without a person: against the keys, and against a second pass.

Knows nothing of pictures or models.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from labeling.labeler import Label, SetAside
from labeling.rounds import Answer, Asked
from labeling.segment_folder import SegmentRecord
from recording.goals import goal_words

_OPPOSITE = {"left": (("left", "a"), ("right", "d")), "right": (("right", "d"), ("left", "a"))}
_LOOKS = {"look", "looking", "aim", "glance"}
_LOOKED = {"up": (("up",), ("down",)), "down": (("down",), ("up",))}
_NEEDS = {"jump": "space", "leap": "space", "crouch": "c", "crawl": "c", "duck": "c"}


@dataclass(frozen=True, slots=True)
class Contradiction:
    """A goal that the keys speak against, and what they say."""

    record: SegmentRecord
    says: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """How many of the clips that were asked about twice got the same answer twice, and those that did not."""

    same: int
    asked: int
    differing: tuple[Asked, ...]

    def __str__(self) -> str:
        share = f" ({self.same / self.asked:.0%})" if self.asked else ""
        return f"two passes agree on {self.same} of {self.asked} clips{share}"


def contradictions(records: Iterable[SegmentRecord]) -> list[Contradiction]:
    """The clips whose goal has a direction or a move in it (in English) that the keys speak against.

    A goal that says left, while only right was pressed, or jump, while nobody jumped, may still be right: the person
    may have turned earlier. A labeler with many of them is guessing.
    """
    found = []
    for record in records:
        said = _against(goal_words(record.goal), record.words)
        if said:
            found.append(Contradiction(record, said))
    return found


def agreement(asked: Iterable[Asked]) -> Agreement | None:
    """How often a second pass said the same as the first; None if there was none."""
    twice = [each for each in asked if each.others and not _is_unasked(each.answer)]
    if not twice:
        return None
    differing = tuple(each for each in twice if _gist(each.answer) != _gist(each.others[0]))
    return Agreement(len(twice) - len(differing), len(twice), differing)


def _gist(answer: Answer) -> str:
    if isinstance(answer, Label):
        return answer.goal
    return answer.proposal or answer.reason


def _is_unasked(answer: Answer) -> bool:
    return isinstance(answer, SetAside) and answer.reason in ("idle", "no-picture", "failed")


def _against(goal: Sequence[str], words: Mapping[str, int]) -> str | None:
    def rows(keys: Iterable[str]) -> int:
        return sum(words.get(key, 0) for key in keys)

    looks = bool(_LOOKS & set(goal))
    for said in goal:
        own, opposite = _OPPOSITE.get(said) or (_LOOKED.get(said) if looks else None) or ((), ())
        if rows(opposite) and not rows(own):
            return f"the goal says {said}, and only {' or '.join(opposite)} was pressed"
        key = _NEEDS.get(said)
        if key and not rows((key,)):
            return f"the goal says {said}, and {key} was not pressed"
    return None
