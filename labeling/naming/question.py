"""How a model is asked for a clip's goal: the text, and the form of its answer.

One home for the words; knows nothing of who is asked.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gameenv.errors import InvalidInputError
from labeling.labeler import Clip
from labeling.naming.held_keys import MEANINGS, describe
from labeling.naming.options import NamingOptions
from labeling.naming.pictures import show
from labeling.wording import normalize_goal
from policies.server.client import Question
from recording.goals import ASKED_WORDS

QUESTION_VERSION = 1
"""Goes up whenever the text or the form changes: answers to another question are another label."""
UNCLEAR = "unclear"
CHANGES, GOAL, COMPLETED, CONFIDENCE, EVIDENCE = KEYS = ("changes", "goal", "completed", "confidence", "evidence")
"""Of the answer, in this order: first what is seen, then what follows from it."""
_FORM = (
    '{"changes": "...", "goal": "...", "completed": true or false, "confidence": a number from 0 to 1, '
    '"evidence": "..."}'
)


def ask_about(
    clip: Clip,
    options: NamingOptions,
    goals: Sequence[str] = (),
    *,
    context: str | None = None,
    seed: int | None = None,
) -> Question:
    """The question for one clip.

    Args:
        clip: What it is about.
        options: What is shown and told of it.
        goals: The goals there are; free wording without any.
        context: What is known of the clips before and after, as a sentence.
        seed: Of the answer; another one is another question.

    Raises:
        InvalidInputError: If the clip has no frame that can be read.
    """
    pictures = show(clip, options.look)
    seconds = (clip.segment.end_t_ns - clip.segment.start_t_ns) / 1e9
    parts = [f"{pictures.told} {seconds:.1f} seconds of play."]
    if options.tell_keys:
        parts.append(f"The player held these keys, in order: {describe(clip)}. ({MEANINGS}.)")
    if context:
        parts.append(context)
    parts.append(_task(options, goals))
    text = "\n\n".join(parts)
    return Question(
        text=text,
        plain_text=f"{text}\n\nAnswer with one JSON object and nothing else: {_FORM}",
        pictures=pictures.jpegs,
        captions=pictures.captions,
        schema=_schema(goals),
        name="goal",
        temperature=options.temperature,
        seed=seed,
    )


def read_goals(path: str | Path) -> tuple[str, ...]:
    """Read a list of goals: one a line; empty lines and those that begin with ``#`` are passed over.

    Raises:
        InvalidInputError: If the file cannot be read, has no goal, or a line is none.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidInputError(f"cannot read the list of goals {path}: {error}") from error
    goals: dict[str, None] = {}
    for number, line in enumerate(lines, start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                goals[normalize_goal(line)] = None
            except InvalidInputError as error:
                raise InvalidInputError(f"{path} line {number}: {error}") from error
    if not goals:
        raise InvalidInputError(f"the list of goals {path} has no goal in it; write one a line")
    return tuple(goals)


def _task(options: NamingOptions, goals: Sequence[str]) -> str:
    fewest, most = ASKED_WORDS
    text = (
        "First say what changes from picture to picture. Then say what the player was trying to do. "
        "Judge by what you can see; do not infer success: completed is true only if the last moment shows that the "
        f'goal was reached. If the pictures do not tell, the goal is "{UNCLEAR}".\n'
    )
    if goals:
        listed = "\n".join(f"- {goal}" for goal in goals)
        text += f'The goal is one of these, word for word, or "{UNCLEAR}":\n{listed}\n'
    else:
        text += (
            f"The goal is a short instruction of {fewest} to {most} words in {options.language}, such as "
            '"Go to the lantern" or "Check the posters": what was wanted, not the steps.\n'
        )
    return f"{text}The confidence is from 0 (a guess) to 1 (certain); the evidence is what in the pictures shows it."


def _schema(goals: Sequence[str]) -> dict[str, Any]:
    goal: dict[str, Any] = {"type": "string"}
    if goals:
        goal["enum"] = [*goals, UNCLEAR]
    kinds: dict[str, dict[str, Any]] = {
        CHANGES: {"type": "string"},
        GOAL: goal,
        COMPLETED: {"type": "boolean"},
        CONFIDENCE: {"type": "number", "minimum": 0, "maximum": 1},
        EVIDENCE: {"type": "string"},
    }
    return {"type": "object", "properties": kinds, "required": list(KEYS), "additionalProperties": False}
