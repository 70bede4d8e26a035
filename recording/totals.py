"""What a recording amounts to: the numbers of ``session.json`` and a few lines of text for a person.

Knows nothing of folders.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise

from gameenv.actions import ACTIONS
from gameenv.clock import NS_PER_S
from gameenv.errors import SessionError
from recording.chords import DEFAULT, METHODS
from recording.info import Totals
from recording.rows import LABELED, SessionRow
from recording.session import Session


def count_totals(rows: Sequence[SessionRow]) -> Totals:
    """Count a session's rows.

    Raises:
        SessionError: If keys in them are not in this version's vocabulary.
    """
    keys = {key for row in rows for key in (*row.held, *(event.word for event in row.events))}
    if other := sorted(keys.difference(ACTIONS)):
        raise SessionError(
            f"it was recorded with another vocabulary: expected {' '.join(ACTIONS)}, found also {' '.join(other)}; "
            "use the version of gameenv that recorded it"
        )
    words = Counter(METHODS[DEFAULT](rows))
    dropped = 0
    takes = min(1, len(rows))
    for before, row in pairwise(rows):
        if row.take != before.take:
            takes += 1
        else:
            dropped += max(0, row.info.get("tick", 0) - before.info.get("tick", 0) - 1)
    ends = [row for row in rows if "ended" in row.info]
    return Totals(
        ticks=len(rows),
        takes=takes,
        seconds=round(sum(row.end_t_ns - row.t_ns for row in rows) / NS_PER_S, 3),
        actions={word: words[word] for word in ACTIONS},
        sources=dict(sorted(Counter(row.source for row in rows).items())),
        late=sum(row.late for row in rows),
        dropped=dropped,
        episodes=len(ends),
        successes=sum(row.info.get("reward", 0) > 0 for row in ends),
    )


def add_totals(parts: Sequence[Totals]) -> Totals:
    """Return the totals of several sessions together."""
    actions: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for part in parts:
        actions.update(part.actions)
        sources.update(part.sources)
    return Totals(
        ticks=sum(part.ticks for part in parts),
        takes=sum(part.takes for part in parts),
        seconds=sum(part.seconds for part in parts),
        actions={word: actions[word] for word in ACTIONS},
        sources=dict(sorted(sources.items())),
        late=sum(part.late for part in parts),
        dropped=sum(part.dropped for part in parts),
        episodes=sum(part.episodes for part in parts),
        successes=sum(part.successes for part in parts),
    )


def describe_totals(totals: Totals) -> str:
    """Return a few lines: minutes, takes, sources, and how often each action was pressed."""
    lines = [
        f"{totals.seconds / 60:.1f} minutes, {totals.ticks:,} ticks, {totals.takes:,} takes, "
        f"{totals.late:,} late, {totals.dropped:,} dropped",
        "sources: " + (_shares(totals.sources, totals.ticks) or "none"),
    ]
    if totals.episodes:
        share = totals.successes / totals.episodes
        lines.append(f"episodes: {totals.episodes:,} recorded to their end, {share:.1%} of them a success")
    most = max(totals.actions.values(), default=0)
    for word, count in totals.actions.items():
        bar = "#" * round(30 * count / most) if most else ""
        share = count / totals.ticks if totals.ticks else 0.0
        lines.append(f"  {word:<6}{count:>8,} {share:6.1%} {bar}".rstrip())
    return "\n".join(lines)


def describe(session: Session) -> str:
    """Return a few lines about a session, closed or not."""
    state = "" if session.closed else " (not closed: its recorder was killed or is still recording)"
    return f"{session.session_id}: {session.info.game}{state}\n{describe_totals(count_totals(session))}"


def describe_goals(session: Session) -> list[str]:
    """Say what the takes are about, as far as a person said so: a line for neighbouring takes of one goal."""
    stretches: list[tuple[str, int, int, int]] = []
    for row in session:
        if "goal_reached" in row.info and not row.info.get(LABELED):
            continue  # the arena's own
        goal = row.goal or "no goal"
        if stretches and stretches[-1][0] == goal and row.take <= stretches[-1][2] + 1:
            _, first, _, reached = stretches.pop()
        else:
            first, reached = row.take, 0
        stretches.append((goal, first, row.take, reached + row.reached))
    lines = []
    for goal, first, last, reached in stretches:
        takes = f"take {first}" if first == last else f"takes {first}-{last}"
        lines.append(f"{takes}: {goal}" + (f", reached {reached} times" if reached > 1 else ", reached" * reached))
    return lines


def _shares(counts: Mapping[str, int], whole: int) -> str:
    return ", ".join(f"{name} {count / whole:.0%}" for name, count in counts.items())
