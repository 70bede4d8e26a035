"""What a labeler that has to be asked says of a session, from first answers to what is written.

First answers are remembered; where it is wished, stray ones are asked about again with what their neighbours were
named; unsure ones are set aside; and one goal gets one wording. Knows nothing of samples or folders of segments.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from labeling.glossary import Glossary
from labeling.labeler import Clip, Label, Labeler, SetAside
from labeling.naming.namer import Namer
from recording.session import Session

Answer = Label | SetAside
FIRST = "first_answer"
"""Of a label's evidence: what was said before the neighbours were known."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A clip that was asked about.

    Attributes:
        clip: Its session, rows and number, by which answers are told apart.
        answer: What counts.
        others: What further passes said.
    """

    clip: tuple[str, int, int, int]
    answer: Answer
    others: tuple[Answer, ...] = ()


def name_of(clip: Clip) -> tuple[str, int, int, int]:
    """Session, number and rows of a clip."""
    segment = clip.segment
    return segment.session_id, segment.number, segment.start, segment.stop


def ask_all(
    clips: Sequence[Clip],
    labeler: Labeler,
    remember: Callable[[Labeler], Labeler],
    on_clip: Callable[[int, int], object] = lambda done, total: None,
) -> list[Asked]:
    """Ask about every clip: once, and in further passes and about stray ones again where the labeler's options say so.

    Args:
        clips: Of one session, in order.
        labeler: Who is asked.
        remember: Gives a labeler its memory.
        on_clip: Called after each answer with how many there are and how many there will be.
    """
    passes = labeler.options.passes if isinstance(labeler, Namer) else 1
    total, done = passes * len(clips), 0
    rounds: list[list[Answer]] = []
    for number in range(passes):
        asked = labeler.again(number) if number and isinstance(labeler, Namer) else labeler
        answers: list[Answer] = []
        for answer in remember(asked).label(clips):
            answers.append(answer)
            done += 1
            on_clip(done, total)
        rounds.append(answers)
    if isinstance(labeler, Namer):
        if labeler.options.relabel:
            rounds[0] = _relabel(clips, rounds[0], labeler)
        rounds = [[_sure(each, labeler.options.min_confidence) for each in answers] for answers in rounds]
    return [Asked(name_of(clip), answer, tuple(others)) for clip, answer, *others in zip(clips, *rounds, strict=True)]


def count_goals(asked: Iterable[Asked]) -> Counter[str]:
    """How often each goal was named."""
    return Counter(each.answer.goal for each in asked if isinstance(each.answer, Label))


def word(asked: Asked, glossary: Glossary) -> Asked:
    """The answers in the glossary's wording."""
    said = (glossary.apply(each) if isinstance(each, Label) else each for each in (asked.answer, *asked.others))
    answer, *others = said
    return replace(asked, answer=answer, others=tuple(others))


class Given:
    """A labeler whose answers are there already.

    Args:
        labeler: Whose answers they are.
        answers: By the names of their clips.
    """

    def __init__(self, labeler: Labeler, answers: Mapping[tuple[str, int, int, int], Answer]) -> None:
        self.name = labeler.name
        self.version = labeler.version
        self._answers = answers

    def objection(self, session: Session) -> str | None:
        """None: whoever answered had none."""
        return None

    def label(self, clips: Sequence[Clip]) -> Iterator[Answer]:
        """Yield the answer of each clip; one that changed since is set aside."""
        changed = SetAside("failed", self.name, self.version, "the recording has changed meanwhile")
        for clip in clips:
            yield self._answers.get(name_of(clip), changed)


def _sure(answer: Answer, least: float) -> Answer:
    if not isinstance(answer, Label) or answer.confidence >= least:
        return answer
    detail = f"confidence {answer.confidence:.2f}"
    return SetAside("low-confidence", answer.labeler, answer.version, detail, answer.goal, answer.evidence)


def _relabel(clips: Sequence[Clip], answers: list[Answer], namer: Namer) -> list[Answer]:
    """Ask again about clips that stray, told what their neighbours were named; a goal that comes counts."""
    contexts: dict[tuple[str, int], str] = {}
    stray: list[int] = []
    for place, clip in enumerate(clips):
        before, after = (_goal_at(clips, answers, place, step) for step in (-1, 1))
        if (before or after) and _strays(answers[place], before, after, namer.options.min_confidence):
            said = [f'the seconds before "{before}"'] if before else []
            said += [f'the seconds after "{after}"'] if after else []
            contexts[clip.segment.session_id, clip.segment.number] = (
                f"Someone else named {' and '.join(said)}; this may be a part of the same, or something of its own."
            )
            stray.append(place)
    changed = list(answers)
    if stray:
        again = namer.in_context(contexts).label([clips[place] for place in stray])
        for place, answer in zip(stray, again, strict=True):
            if isinstance(answer, Label):
                first = answers[place]
                was = first.goal if isinstance(first, Label) else first.reason
                changed[place] = replace(answer, version=namer.version, evidence={**answer.evidence, FIRST: was})
    return changed


def _goal_at(clips: Sequence[Clip], answers: Sequence[Answer], place: int, step: int) -> str | None:
    """The goal of a clip's neighbour, if it has one and lies in the same take."""
    at = place + step
    if not 0 <= at < len(clips):
        return None
    here, there = clips[place].segment, clips[at].segment
    neighbour = answers[at]
    if there.take != here.take or there.number != here.number + step or not isinstance(neighbour, Label):
        return None
    return neighbour.goal


def _strays(answer: Answer, before: str | None, after: str | None, least: float) -> bool:
    if isinstance(answer, SetAside):
        return answer.reason == "unclear"
    return answer.confidence < least or (before is not None and before == after != answer.goal)
