"""Episodes in which something went wrong, in sentences: for the terminal and for the top of a report.

Knows nothing of where they are shown.
"""

from collections.abc import Sequence

from policies.evaluation.results import EpisodeRow


def lost_episodes(rows: Sequence[EpisodeRow]) -> list[str]:
    """A sentence for each policy that lost episodes for want of its server."""
    text = "{} of {!r} could not be played, as its server was not there. They are not counted; the same command plays "
    return [
        f"{text.format(count, name)}them again. The first: {error}"
        for name, count, error in _first_errors([row for row in rows if not row.is_result])
    ]


def raised_episodes(rows: Sequence[EpisodeRow]) -> list[str]:
    """A sentence for each policy in whose episodes something raised, be it the policy or the environment."""
    return [
        f"{count} of {name!r} failed with an error, counted as failures. The first: {error}"
        for name, count, error in _first_errors([row for row in rows if row.is_result])
    ]


def _first_errors(rows: Sequence[EpisodeRow]) -> list[tuple[str, str, str]]:
    """Policy, ``3 episodes``, and the first error, for each policy with any."""
    errors: dict[str, list[str]] = {}
    for row in rows:
        if row.error is not None:
            errors.setdefault(row.policy, []).append(row.error)
    return [(name, _episodes(len(found)), found[0]) for name, found in errors.items()]


def _episodes(count: int) -> str:
    return "1 episode" if count == 1 else f"{count} episodes"
