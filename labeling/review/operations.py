"""What a person can do to clips: some clips in, and what takes their place out.

The rows stay the same: whatever is cut off stays a clip, rejected, so that it can be brought back and no labeler
names it again. Pure functions; they know nothing of files, windows or versions.
"""

import hashlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any, Literal

from gameenv.actions import CHUNK_LENGTH
from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.review.clip import REVIEWED, ReviewClip, State
from labeling.wording import normalize_goal
from policies.prompt import PROMPT_VERSION

Operation = Literal["accept", "edit", "rename", "reject", "delete", "complete", "split", "join", "trim"]
NO_GOAL = "Nothing was named"
"""The goal of a clip that was rejected before anybody named it."""
Clips = tuple[ReviewClip, ...]


def operate(kind: str, clips: Sequence[ReviewClip], numbers: Iterator[int], **how: Any) -> Clips:
    """Return what becomes of some clips.

    Args:
        kind: One of ``Operation``.
        clips: In order of session and row; not empty.
        numbers: Numbers that no clip of the session has.
        how: What the operation needs: ``goal`` (edit, rename), ``completed`` (complete), ``row`` (split), ``start`` and
            ``stop`` (trim).

    Raises:
        UnknownNameError: If there is no such operation.
        InvalidInputError: If it cannot be done to these clips.
    """
    if kind not in _OPERATIONS:
        raise UnknownNameError("operation", kind, _OPERATIONS)
    if not clips:
        raise InvalidInputError("no clip was named")
    after = _OPERATIONS[kind](tuple(clips), numbers, how)
    return tuple(replace(clip, fingerprint=_fingerprint(clip)) for clip in after)


def _accept(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    return tuple(clip.said("accepted", _goal_of(clip), completed=_completed(clip)) for clip in clips)


def _edit(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    goal = _given_goal(how)
    return tuple(clip.said("edited", goal, completed=_completed(clip)) for clip in clips)


def _rename(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    goal = _given_goal(how)
    return tuple(clip.said(_state_after(clip), goal, completed=_completed(clip)) for clip in clips)


def _reject(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    return tuple(clip.said("rejected", _goal_or_none(clip), completed=_completed(clip)) for clip in clips)


def _delete(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    return tuple(clip.said("deleted", _goal_or_none(clip), completed=_completed(clip)) for clip in clips)


def _complete(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    completed = how.get("completed")
    if not isinstance(completed, bool):
        raise InvalidInputError(f"completed is true or false, got {completed!r}")
    return tuple(clip.said(_state_after(clip), _goal_of(clip), completed=completed) for clip in clips)


def _split(clips: Clips, numbers: Iterator[int], how: dict[str, Any]) -> Clips:
    clip, row = _only(clips), how.get("row")
    if not isinstance(row, int) or not clip.start < row < clip.stop:
        raise InvalidInputError(f"a clip is split at a row after its first, {clip.start + 1} to {clip.stop - 1}")
    first = _piece(clip, clip.start, row, clip.number, completed=False)
    return first, _piece(clip, row, clip.stop, next(numbers), completed=_completed(clip))


def _join(clips: Clips, _: Iterator[int], how: dict[str, Any]) -> Clips:
    if len(clips) < 2:
        raise InvalidInputError("there is no clip after this one to join it with")
    for before, after in itertools.pairwise(clips):
        if (before.session, before.take, before.stop) != (after.session, after.take, after.start):
            raise InvalidInputError("clips are joined that follow each other in one take, without a gap")
    named = next((clip for clip in clips if clip.label is not None), None)
    whole = replace(clips[0], stop=clips[-1].stop)
    if named is None:
        return (whole,)
    whole = replace(whole, label=named.label, settings=named.settings)
    return (whole.said("changed", _goal_of(named), completed=_completed(clips[-1])),)


def _trim(clips: Clips, numbers: Iterator[int], how: dict[str, Any]) -> Clips:
    clip = _only(clips)
    start, stop = how.get("start", clip.start), how.get("stop", clip.stop)
    if not (isinstance(start, int) and isinstance(stop, int) and clip.start <= start < stop <= clip.stop):
        raise InvalidInputError(f"a clip is trimmed to some of its own rows, {clip.start} to {clip.stop - 1}")
    if (start, stop) == (clip.start, clip.stop):
        raise InvalidInputError("there is nothing to trim off: the playhead is at the clip's end")
    kept = _piece(clip, start, stop, clip.number, completed=_completed(clip) and stop == clip.stop)
    cut_off = [
        replace(clip, start=first, stop=last, number=next(numbers)).said(
            "rejected", _goal_or_none(clip), completed=False
        )
        for first, last in ((clip.start, start), (stop, clip.stop))
        if first < last
    ]
    return tuple(sorted([kept, *cut_off], key=lambda each: each.start))


_OPERATIONS: dict[str, Callable[[Clips, Iterator[int], dict[str, Any]], Clips]] = {
    "accept": _accept,
    "edit": _edit,
    "rename": _rename,
    "reject": _reject,
    "delete": _delete,
    "complete": _complete,
    "split": _split,
    "join": _join,
    "trim": _trim,
}


def _piece(clip: ReviewClip, start: int, stop: int, number: int, *, completed: bool) -> ReviewClip:
    if stop - start < CHUNK_LENGTH:
        raise InvalidInputError(f"a clip has {CHUNK_LENGTH} ticks or more, and this would leave one of {stop - start}")
    piece = replace(clip, start=start, stop=stop, number=number)
    if clip.label is None:
        return piece
    return piece.said("changed", clip.label.goal, completed=completed)


def _only(clips: Clips) -> ReviewClip:
    if len(clips) != 1:
        raise InvalidInputError(f"this is done to one clip at a time, {len(clips)} are selected")
    return clips[0]


def _state_after(clip: ReviewClip) -> State:
    return clip.state if clip.state in REVIEWED else "changed"


def _goal_of(clip: ReviewClip) -> str:
    if clip.label is None or clip.label.goal == NO_GOAL:
        raise InvalidInputError("nobody has named this clip's goal yet: type one first (e)")
    return clip.label.goal


def _goal_or_none(clip: ReviewClip) -> str:
    return NO_GOAL if clip.label is None else clip.label.goal


def _completed(clip: ReviewClip) -> bool:
    return clip.label is not None and clip.label.completed


def _given_goal(how: dict[str, Any]) -> str:
    goal = how.get("goal")
    if not isinstance(goal, str):
        raise InvalidInputError(f"a goal is a text of 2 to 6 words, got {goal!r:.40}")
    return normalize_goal(goal)


def _fingerprint(clip: ReviewClip) -> str:
    made_of = (PROMPT_VERSION, clip.session, clip.start, clip.stop, clip.label, clip.settings)
    return hashlib.sha256(repr(made_of).encode()).hexdigest()
