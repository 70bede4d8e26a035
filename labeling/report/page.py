"""``labels/report.html``: every goal with some of its clips as film strips, what is doubtful first.

The pictures are the recordings' own files, shown where they lie. Knows nothing of models or of how clips are cut.
"""

import os
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from urllib.parse import quote

from gameenv.errors import require
from gameenv.files import write_atomically
from labeling.book import LABELS_DIR
from labeling.checks import Agreement, Contradiction, agreement, contradictions
from labeling.jobs import Result
from labeling.labeler import Label, Reason, SetAside
from labeling.segment_folder import SegmentRecord
from labeling.tally import REASONS
from policies.film import pick_evenly
from recording.session import frame_name

REPORT_FILE = "report.html"
SHOWN = 12
"""Clips of a goal, or of a reason, that the page shows."""
_FRAMES = 5
_TOP_KEYS = 4


@dataclass(frozen=True, slots=True)
class Strip:
    """A clip on the page.

    Attributes:
        name: Session and clip.
        pictures: Addresses of its frames, relative to the page.
        goal: What it was named, None if nothing.
        lines: What else is said of it, label and text.
    """

    name: str
    pictures: tuple[str, ...]
    goal: str | None
    lines: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """Clips that have something in common, some of them shown."""

    title: str
    count: int
    strips: tuple[Strip, ...]


def write_report(out: Path, results: Sequence[Result]) -> Path:
    """Write the page of a labeling run; returns its path.

    Args:
        out: The folder of labeled segments.
        results: What became of each session.

    Raises:
        MissingExtraError: If jinja2 is not installed.
    """
    jinja2 = require("jinja2", "evaluate")
    looks = resources.files("labeling.report")
    template = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    path = out / LABELS_DIR / REPORT_FILE
    records = [(result, outcome.record) for result in results for outcome in result.outcomes]
    found = contradictions(record for _, record in records)
    agreed = agreement(asked for result in results for asked in result.asked)
    left_out = Counter[Reason](each.aside.reason for result in results for each in result.set_aside)
    page = template.from_string((looks / "report.html").read_text(encoding="utf-8")).render(
        out=out,
        labelers=sorted({(record.labeler, record.version) for _, record in records}),
        total=len(records) + left_out.total(),
        named=len(records),
        unclear=left_out["unclear"],
        agreed=agreed,
        contradictions=len(found),
        goals=Counter(record.goal for _, record in records).most_common(),
        doubtful=[
            each for each in (_against_keys(found, results, path), _disagreeing(agreed, results, path)) if each.count
        ],
        set_aside=_set_aside(results, path),
        groups=_by_goal(records, path),
        reasons=[(REASONS[reason], count) for reason, count in left_out.most_common()],
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, page)
    return path


def _by_goal(records: Sequence[tuple[Result, SegmentRecord]], page: Path) -> list[Group]:
    goals: defaultdict[str, list[tuple[Result, SegmentRecord]]] = defaultdict(list)
    for result, record in records:
        goals[record.goal].append((result, record))
    return [
        Group(goal, len(each), tuple(_of_record(*each[place], page) for place in pick_evenly(len(each), SHOWN)))
        for goal, each in sorted(goals.items(), key=lambda group: (-len(group[1]), group[0]))
    ]


def _set_aside(results: Sequence[Result], page: Path) -> list[Group]:
    reasons: defaultdict[Reason, list[Strip]] = defaultdict(list)
    for result in results:
        for each in result.set_aside:
            segment, aside = each.segment, each.aside
            pictures = _pictures(result.job.path, segment.start, segment.stop, page)
            lines = _said(aside.detail and ("said", aside.detail), aside.proposal and ("proposed", aside.proposal))
            reasons[aside.reason].append(Strip(f"{segment.session_id}, clip {segment.number}", pictures, None, lines))
    return [
        Group(REASONS[reason], len(each), tuple(each[place] for place in pick_evenly(len(each), SHOWN)))
        for reason, each in sorted(reasons.items(), key=lambda group: -len(group[1]))
    ]


def _against_keys(found: Sequence[Contradiction], results: Sequence[Result], page: Path) -> Group:
    owners = {record.name: result for result in results for record in (each.record for each in result.outcomes)}
    shown = found[:SHOWN]
    strips = tuple(_of_record(owners[each.record.name], each.record, page, ("but", each.says)) for each in shown)
    return Group("the keys speak against the goal", len(found), strips)


def _disagreeing(agreed: Agreement | None, results: Sequence[Result], page: Path) -> Group:
    paths = {asked.clip: result.job.path for result in results for asked in result.asked}
    strips = []
    for each in agreed.differing[:SHOWN] if agreed else ():
        session_id, number, start, stop = each.clip
        answers = [_in_words(answer) for answer in (each.answer, *each.others)]
        lines = tuple((f"pass {place}", text) for place, text in enumerate(answers, start=1))
        strips.append(
            Strip(f"{session_id}, clip {number}", _pictures(paths[each.clip], start, stop, page), answers[0], lines)
        )
    return Group("two passes disagree", len(agreed.differing) if agreed else 0, tuple(strips))


def _in_words(answer: Label | SetAside) -> str:
    return answer.goal if isinstance(answer, Label) else answer.reason


def _of_record(result: Result, record: SegmentRecord, page: Path, *more: tuple[str, str]) -> Strip:
    keys = sorted(record.words.items(), key=lambda each: -each[1])[:_TOP_KEYS]
    evidence = record.evidence
    lines = (
        *_said(*more),
        ("labeler", f"{record.labeler}, confidence {record.confidence:.2f}{', reached' if record.completed else ''}"),
        ("keys", ", ".join(f"{word} {count / record.fps:.1f} s" for word, count in keys)),
        *_said(*((name, str(evidence[name])) for name in ("seen", "changes", "wording") if evidence.get(name))),
    )
    name = f"{record.session_id}, clip {record.number}"
    return Strip(name, _pictures(result.job.path, record.start, record.stop, page), record.goal, lines)


def _said(*lines: tuple[str, str] | str | None) -> tuple[tuple[str, str], ...]:
    return tuple(line for line in lines if isinstance(line, tuple))


def _pictures(session: Path, start: int, stop: int, page: Path) -> tuple[str, ...]:
    """Addresses of some of a clip's frames, as the page can load them."""
    found = []
    for offset in pick_evenly(stop - start, _FRAMES):
        file = (session / frame_name(start + offset)).absolute()
        try:
            found.append(quote(Path(os.path.relpath(file, page.parent.absolute())).as_posix()))
        except ValueError:  # on another drive
            found.append(file.as_uri())
    return tuple(found)
