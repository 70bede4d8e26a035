"""The clips under review: what they are now, what a person decides, and that it gets to the disk.

A decision is saved in the journal, then answered, then brought to the segments by a thread of its own, in order; after
a crash the next start brings what is missing. Each clip has a version, so that of two windows the later one is told.
Knows nothing of HTTP.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from gameenv.errors import GameEnvError, InvalidInputError, SessionError
from gameenv.files import LOCK_FILE, FileLock, LockedError
from labeling.review.audit import Audit, add_to, check_verdict, draw, read_audits
from labeling.review.clip import REVIEWED, ReviewClip
from labeling.review.journal import Entry, Journal
from labeling.review.operations import operate
from labeling.review.shelf import OpenSessions, Shelf
from labeling.segment_folder import HUMAN
from labeling.segments import DEFAULT_SECONDS
from recording.info import read_info
from recording.session import find_sessions


class ConflictError(GameEnvError):
    """A clip is not any more what the window thought it was.

    Attributes:
        clips: What is there now, in place of those that were named.
    """

    def __init__(self, text: str, clips: Sequence[ReviewClip] = ()) -> None:
        super().__init__(text)
        self.clips = tuple(clips)


@dataclass(frozen=True, slots=True)
class Change:
    """What a decision changed in the list of clips."""

    id: int
    what: str
    removed: tuple[str, ...]
    added: tuple[ReviewClip, ...]


class Desk:
    """All clips of a folder of segments and of the recordings beside it. A context manager; closing waits for the disk.

    Args:
        recordings: The recordings' folder.
        root: The segments' folder; made if it is missing.
        seconds: Length of the clips that nobody has labeled yet.
        on_session: Called while reading, with how many sessions are read and how many there are.

    Raises:
        SessionError: If there is nothing to review, or another command is writing the folder.
        InvalidInputError: If the journal is damaged.
    """

    def __init__(
        self,
        recordings: Path,
        root: Path,
        seconds: float = DEFAULT_SECONDS,
        on_session: Callable[[int, int], object] = lambda done, total: None,
    ) -> None:
        self.recordings, self.root = recordings, root
        with contextlib.ExitStack() as opened:
            root.mkdir(parents=True, exist_ok=True)
            opened.enter_context(_lock(root))
            self._journal = Journal(root)
            opened.callback(self._journal.close)
            self.sessions = OpenSessions(recordings)
            self.shelf = Shelf(root, self.sessions)
            self.problems: dict[str, str] = {f"segment {n}": text for n, text in enumerate(self.shelf.broken)}
            self.readable: dict[str, Path] = _find(recordings, self.problems)
            self._clips: dict[str, ReviewClip] = {}
            self._mutex = threading.RLock()
            self._queue: queue.Queue[Entry | None] = queue.Queue()
            self._pending = 0
            self._requests = {entry.request: entry for entry in self._journal.entries}
            self.audits: dict[int, Audit] = read_audits(self._journal.entries)
            repairs = self._read(seconds, on_session)
            if not self._clips:
                raise SessionError(
                    f"there is nothing to review: no labeled segments in {root} and no recordings in {recordings}. "
                    "Record with gameenv-record, or name the folders with --root and --out."
                )
            self._thread = threading.Thread(target=self._apply_all, name="review-writer", daemon=True)
            self._thread.start()
            for repair in repairs:
                self._enqueue(repair)
            self._opened = opened.pop_all()

    def close(self) -> None:
        """Bring all that was decided to the disk, and let go of the folder; may be called twice."""
        self._queue.put(None)
        self._thread.join()
        self._opened.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def head(self) -> int:
        """Number of the last entry of the journal."""
        return self._journal.next_id - 1

    @property
    def pending(self) -> int:
        """Decisions that are saved and not yet in the segments."""
        return self._pending

    def clips(self) -> list[ReviewClip]:
        """All clips, by session and row."""
        with self._mutex:
            return sorted(self._clips.values(), key=lambda clip: (clip.session, clip.start))

    def get(self, key: str) -> ReviewClip:
        """The clip of this key.

        Raises:
            ConflictError: If there is none, or none any more; brings those that cover its rows now.
        """
        with self._mutex:
            clip = self._clips.get(key)
            if clip is None:
                raise ConflictError(f"the clip {key!r:.80} is not there any more", self._covering(key))
            return clip

    def decide(self, request: str, kind: str, versions: Mapping[str, int], how: Mapping[str, Any]) -> Change:
        """Save what a person decides of some clips.

        Args:
            request: The window's own name for this; the same one is never done twice.
            kind, how: See ``operations.operate``. ``rename`` takes ``old`` and names all clips of that goal itself.
            versions: The clips by key, each with the version that the person saw.

        Raises:
            ConflictError: If a clip is another by now; nothing is done to any.
            InvalidInputError: If it cannot be done.
            DiskFullError: If it cannot be saved.
        """
        with self._mutex:
            if done := self._requests.get(request):
                return _change(done)
            clips = self._named(kind, versions, how)
            sessions = {clip.session for clip in clips}
            for name in sessions:
                if not (self.sessions.folder(name) / "session.json").is_file():
                    raise InvalidInputError(
                        f"the recording {name} is not in {self.recordings} any more, and samples are made from it. "
                        "Bring it back, or name its folder with --root."
                    )
            numbers = self.shelf.free_numbers(clip for clip in self._clips.values() if clip.session in sessions)
            entry_id = self._journal.next_id
            after = operate(kind, clips, numbers, **{key: value for key, value in how.items() if key != "old"})
            after = tuple(replace(clip, version=entry_id) for clip in after)
            return self._save(Entry(entry_id, "decision", time.time_ns(), request, kind, None, clips, after))

    def undo(self, request: str, head: int) -> Change:
        """Take back the last decision that stands.

        Args:
            request: As for ``decide``.
            head: The last entry that the window has seen.

        Raises:
            ConflictError: If another window has decided since.
            InvalidInputError: If there is nothing to take back.
        """
        with self._mutex:
            if done := self._requests.get(request):
                return _change(done)
            decisions = [entry for entry in self._journal.entries if entry.kind == "decision"]
            gone = {entry.undoes for entry in decisions}
            last = next((e for e in reversed(decisions) if e.undoes is None and e.id not in gone), None)
            if last is None:
                raise InvalidInputError("there is nothing to undo")
            if decisions[-1].id > head:
                raise ConflictError(f"another window has decided since; undo would take back its {last.what!r}")
            entry_id = self._journal.next_id
            after = tuple(replace(clip, version=entry_id) for clip in last.before)
            if missing := [clip.key for clip in last.after if not _same(self._clips.get(clip.key), clip)]:
                raise InvalidInputError(f"{missing[0]} was labeled anew since, so that cannot be undone")
            what = f"undo {last.what}"
            return self._save(Entry(entry_id, "decision", time.time_ns(), request, what, last.id, last.after, after))

    def changes(self, since: int) -> list[Change]:
        """What was decided after the entry ``since``, in order."""
        with self._mutex:
            return [_change(entry) for entry in self._journal.entries[max(0, since) :] if entry.kind == "decision"]

    def draw_audit(self, request: str, seed: int, labeler: str | None) -> Audit:
        """Draw clips for an audit, or return the one that was drawn so before and is not finished.

        Raises:
            InvalidInputError: If there are no labels to draw from.
        """
        with self._mutex:
            for audit in reversed(self.audits.values()):
                if (audit.seed, audit.labeler) == (seed, labeler) and len(audit.verdicts) < len(audit.drawn):
                    return audit
            said = draw(self.clips(), seed, labeler)
            entry = Entry(self._journal.next_id, "draw", time.time_ns(), request, audit=said)
            self._journal.append(entry)
            add_to(self.audits, entry)
            return self.audits[entry.id]

    def judge(self, request: str, audit: int, clip: str, right: bool) -> Audit:
        """Save a verdict.

        Raises:
            InvalidInputError: If there is no such audit or clip in it.
        """
        with self._mutex:
            said = {"audit": audit, "clip": clip, "right": right}
            check_verdict(self.audits, said)
            entry = Entry(self._journal.next_id, "verdict", time.time_ns(), request, audit=said)
            self._journal.append(entry)
            add_to(self.audits, entry)
            return self.audits[audit]

    def progress(self) -> dict[str, int]:
        """How many clips there are in each state; ``reviewed`` and ``all`` do not count deleted ones."""
        with self._mutex:
            states: dict[str, int] = {}
            for clip in self._clips.values():
                states[clip.state] = states.get(clip.state, 0) + 1
        gone = states.get("deleted", 0)
        reviewed = sum(states.get(state, 0) for state in REVIEWED) - gone
        return {**states, "reviewed": reviewed, "all": sum(states.values()) - gone}

    def _named(self, kind: str, versions: Mapping[str, int], how: Mapping[str, Any]) -> tuple[ReviewClip, ...]:
        if kind == "rename":
            old = how.get("old")
            clips = [clip for clip in self._clips.values() if clip.label and clip.label.goal == old]
            if not clips:
                raise InvalidInputError(f"no clip has the goal {old!r:.80}")
        else:
            clips = [self.get(key) for key in versions]
            changed = [clip for clip in clips if clip.version != versions[clip.key]]
            if changed:
                raise ConflictError("changed in another window", changed)
        return tuple(sorted(clips, key=lambda clip: (clip.session, clip.start)))

    def _save(self, entry: Entry) -> Change:
        self._journal.append(entry)
        self._requests[entry.request] = entry
        for clip in entry.before:
            self._clips.pop(clip.key, None)
        for clip in entry.after:
            self._clips[clip.key] = clip
        self._enqueue(entry)
        return _change(entry)

    def _covering(self, key: str) -> list[ReviewClip]:
        session, _, rows = key.rpartition(":")[0].rpartition(":")[0], None, key.split(":")[-2:]
        if len(rows) != 2 or not all(row.isdecimal() for row in rows):
            return []
        start, stop = map(int, rows)
        return [c for c in self._clips.values() if c.session == session and c.start < stop and start < c.stop]

    def _read(self, seconds: float, on_session: Callable[[int, int], object]) -> list[Entry]:
        """Find all clips; what has to be written again for the disk to say what the journal says."""
        decided: dict[str, dict[str, ReviewClip]] = {}
        for entry in self._journal.entries:
            for clip in entry.before:
                decided.get(clip.session, {}).pop(clip.key, None)
            for clip in entry.after:
                decided.setdefault(clip.session, {})[clip.key] = clip
        names = sorted({*self.readable, *self.shelf.records})
        repairs: list[Entry] = []
        for done, name in enumerate(names, start=1):
            clips, broken = self._reconcile(name, list(decided.get(name, {}).values()))
            if broken:
                repairs.append(Entry(0, "decision", 0, "", "restore", None, (), tuple(broken)))
            if name in self.readable:
                try:
                    clips += self._rest(name, clips, seconds)
                except GameEnvError as error:
                    self.problems[name] = str(error)
            for clip in clips:
                self._clips[clip.key] = clip
            on_session(done, len(names))
        return repairs

    def _reconcile(self, name: str, decided: list[ReviewClip]) -> tuple[list[ReviewClip], list[ReviewClip]]:
        """The clips of a session by the journal and the disk, and those of them that the disk lacks."""
        kept: list[ReviewClip] = []
        broken: list[ReviewClip] = []
        on_disk = self.shelf.clips(name)
        for clip in sorted(decided, key=lambda each: each.start):
            if clip.label is None:  # a cut, and nobody has named it since
                if self.shelf.human_overlaps(clip):
                    broken.append(clip)
                elif any(_overlap(clip, other) for other in on_disk):
                    continue
                kept.append(clip)
            elif clip.label.labeler == HUMAN:
                kept.append(clip)
                if not self.shelf.is_there(clip):
                    broken.append(clip)
            elif self.shelf.human_overlaps(clip) or not any(_overlap(clip, other) for other in on_disk):
                kept.append(clip)  # an undo that had not reached the disk
                broken.append(clip)
            elif self.shelf.is_there(clip):
                kept.append(clip)
        kept += [each for each in on_disk if not any(_overlap(each, other) for other in kept)]
        return sorted(kept, key=lambda each: each.start), broken

    def _rest(self, name: str, clips: Sequence[ReviewClip], seconds: float) -> list[ReviewClip]:
        info = read_info(self.readable[name])
        covered = sum(len(clip) for clip in clips)
        if info.closed and info.totals is not None and covered == info.totals.ticks:
            return []  # nothing is left, so the recording need not be read
        return self.shelf.unlabeled(name, clips, seconds)

    def _enqueue(self, entry: Entry) -> None:
        with self._mutex:
            self._pending += 1
        self._queue.put(entry)

    def _apply_all(self) -> None:
        while (entry := self._queue.get()) is not None:
            for name in sorted({clip.session for clip in (*entry.before, *entry.after)}):
                try:
                    self.shelf.put(name, _of(name, entry.before), _of(name, entry.after))
                    self.problems.pop(f"writing {name}", None)
                except (GameEnvError, OSError) as error:
                    self.problems[f"writing {name}"] = (
                        f"a decision on {name} is saved and could not be brought to its segments: {error} "
                        "The next start of gameenv-review tries again."
                    )
            with self._mutex:
                self._pending -= 1


def _same(now: ReviewClip | None, then: ReviewClip) -> bool:
    return now is not None and replace(now, version=0) == replace(then, version=0)


def _overlap(one: ReviewClip, other: ReviewClip) -> bool:
    return one.start < other.stop and other.start < one.stop


def _of(session: str, clips: Iterable[ReviewClip]) -> list[ReviewClip]:
    return [clip for clip in clips if clip.session == session]


def _change(entry: Entry) -> Change:
    return Change(entry.id, entry.what, tuple(clip.key for clip in entry.before), entry.after)


def _find(recordings: Path, problems: dict[str, str]) -> dict[str, Path]:
    """The recordings that lie in their folder; links that lead out of it are named as problems."""
    if not recordings.is_dir():
        return {}
    found: dict[str, Path] = {}
    inside = recordings.resolve()
    for path in find_sessions(recordings):
        if not path.resolve().is_relative_to(inside):
            problems[path.name] = f"{path} is a link out of {recordings} and is not shown"
            continue
        try:
            info = read_info(path)
        except SessionError as error:
            problems[path.name] = str(error)
            continue
        if info.session_id != path.name:
            problems[path.name] = f"{path} is a copy of the session {info.session_id} and is not shown"
            continue
        found[path.name] = path
    return found


def _lock(root: Path) -> FileLock:
    try:
        return FileLock(root / LOCK_FILE)
    except LockedError as holder:
        raise SessionError(
            f"another gameenv-review or gameenv-label{holder} is writing {root}. Use the page that is open, wait for "
            "it, or name another --out."
        ) from None
