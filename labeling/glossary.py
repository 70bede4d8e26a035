"""One wording for each goal: near-duplicates share the commonest, and the others are kept beside it as paraphrases.

``<out>/labels/glossary.json`` maps each goal to its paraphrases. It is the user's to edit: what is in it is never
changed, only added to. Knows nothing of labelers.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

from gameenv.errors import InvalidInputError
from gameenv.files import write_atomically
from labeling.book import LABELS_DIR
from labeling.labeler import Label
from labeling.wording import check_goal, fold_goal

GLOSSARY_FILE = "glossary.json"
WORDING = "wording"
"""Of a label's evidence: what the labeler wrote, where the goal now has another wording."""
_LEAST_LETTERS, _ALIKE = 5, 0.85
"""A word of so many letters may be spelled differently, as long as it is so alike: lantern and lanterns, not left and
lift, nor upstairs and downstairs."""


def glossary_path(root: Path) -> Path:
    """The glossary of a folder of labeled segments."""
    return root / LABELS_DIR / GLOSSARY_FILE


class Glossary:
    """Goals and their paraphrases.

    Args:
        goals: For each goal the other wordings that mean it.
    """

    def __init__(self, goals: Mapping[str, Iterable[str]] | None = None) -> None:
        self.goals: dict[str, list[str]] = {goal: list(dict.fromkeys(others)) for goal, others in (goals or {}).items()}
        self._by_fold: dict[str, str] = {}
        for goal, others in self.goals.items():
            for wording in (*others, goal):
                self._by_fold.setdefault(fold_goal(wording), goal)

    @classmethod
    def load(cls, path: Path) -> "Glossary":
        """Read a glossary; an empty one where there is none.

        Raises:
            InvalidInputError: If it is not an object of goals and lists of goals.
        """
        try:
            content = json.loads(path.read_text(encoding="utf-8-sig"))
        except FileNotFoundError:
            return cls()
        except (OSError, ValueError) as error:
            raise InvalidInputError(
                f"{path} cannot be read ({error}); mend it, or delete it: a new one is made of what is labeled"
            ) from error
        if not isinstance(content, dict) or not all(isinstance(each, list) for each in content.values()):
            raise InvalidInputError(f'{path} must map each goal to a list: {{"Go to the lantern": ["Find the light"]}}')
        for goal, others in content.items():
            for wording in (goal, *others):
                try:
                    check_goal(wording)
                except InvalidInputError as error:
                    raise InvalidInputError(f"{path}: {error}") from error
        return cls(content)

    def save(self, path: Path) -> None:
        """Write it, one goal a line."""
        lines = ",\n".join(
            f"  {json.dumps(goal, ensure_ascii=False)}: {json.dumps(sorted(others), ensure_ascii=False)}"
            for goal, others in sorted(self.goals.items())
        )
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, f"{{\n{lines}\n}}\n" if lines else "{}\n")

    def find(self, wording: str) -> str:
        """The goal that a wording means; the wording itself where nobody said."""
        return self._by_fold.get(fold_goal(wording), wording)

    def learn(self, wordings: Mapping[str, int]) -> None:
        """Take in wordings, each with how often it came: the commonest of near-duplicates becomes the goal.

        What the glossary already has stays as it is. The order in which wordings came does not matter.
        """
        counted = Counter[str]()
        spelled: dict[str, str] = {}
        for wording, count in sorted(wordings.items(), key=lambda each: (-each[1], len(each[0]), each[0])):
            spelled.setdefault(fold_goal(wording), wording)
            counted[fold_goal(wording)] += count
        for fold in sorted(counted, key=lambda each: (-counted[each], each)):
            goal = self._by_fold.get(fold) or self._near(fold)
            if goal is None:
                goal = spelled[fold]
                self.goals[goal] = []
            self._by_fold[fold] = goal
        for wording in sorted(wordings):
            goal = self.find(wording)
            if wording != goal and wording not in self.goals[goal]:
                self.goals[goal].append(wording)

    def apply(self, label: Label) -> Label:
        """The label in the glossary's wording; its own is kept in the evidence."""
        goal = self.find(label.goal)
        if goal == label.goal:
            return label
        return replace(label, goal=goal, evidence={**label.evidence, WORDING: label.goal})

    def _near(self, fold: str) -> str | None:
        return next((goal for known, goal in self._by_fold.items() if _nearly_same(fold, known)), None)


def _nearly_same(one: str, other: str) -> bool:
    """Whether two folded goals differ in the spelling of one long word only, and in no number."""
    ours, theirs = one.split(), other.split()
    if len(ours) != len(theirs):
        return False
    differing = [(a, b) for a, b in zip(ours, theirs, strict=True) if a != b]
    if len(differing) != 1:
        return not differing
    a, b = differing[0]
    if min(len(a), len(b)) < _LEAST_LETTERS or any(sign.isdigit() for sign in a + b):
        return False
    return SequenceMatcher(None, a, b, autojunk=False).ratio() >= _ALIKE
