"""Records whatever is played through an environment, by whomever: one row a tick, written when the tick is over.

Knows nothing of games, players or signals; needs only the ``info`` that every environment of this project gives.
"""

import json
import os
import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym

from gameenv.actions import parse_action
from gameenv.clock import DEFAULT_FPS
from gameenv.errors import InvalidInputError
from gameenv.frames import Frame, FrameSpec, encode_jpeg
from recording.info import SessionInfo
from recording.rows import MARK, REACHED, KeyEvent, SessionRow, Source, frame_name, parse_source
from recording.session import DEFAULT_ROOT
from recording.session_writer import RESERVE_BYTES, SessionWriter

GAP_TICKS = 2
"""A grab more than this many ticks after the one before starts a new take."""
_NEEDED = ("tick", "t_ns", "held", "key_events")
_NOT_IN_INFO = ("key_events", "hotkeys")
"""What of an environment's ``info`` is no row's: a row's events are those until the next grab, and hotkeys are never
recorded."""


@dataclass(frozen=True, slots=True)
class _Grab:
    """A frame whose tick is not over yet."""

    jpeg: bytes
    info: dict[str, Any]


class RecordingWrapper(gym.Wrapper[Frame, int, Frame, int]):
    """Writes every tick that is played through it into a session.

    A row pairs a grab with the keys until the next one, so the last grab of a take is not written. A new take begins
    with every ``reset``, and where the game was paused, lost the focus, or skipped more than two ticks; nothing is
    written while it is paused or without the focus. Where a person took over from a policy, the source is
    ``"correction"``. The observation passes through untouched and uncopied.

    Beside the environment's own ``info`` a row's ``info`` holds ``reward`` where it was not 0, in an episode's last row
    ``ended``: ``"terminated"`` or ``"truncated"``, and ``mark``: ``"reached"`` where the person said so.

    Args:
        env: Any environment whose ``info`` has ``tick``, ``t_ns``, ``held`` and ``key_events``.
        root: The folder sessions live in.
        session_id: The session's name; by default the UTC time and four random letters.
        game: Name of the game, for the record.
        source: Who chooses the actions; ``wrapper.source`` may be changed between steps.
        resume: Go on with the session if it exists.
        settings: What else to record about how it was made (JSON values); compared when resuming.
        reserve_bytes: Free disk to leave.
        writer: Record into this open session instead, and leave it open on ``close``; the arguments before are
            then not used, but for ``source``.

    Raises:
        SessionError: If the session cannot be opened; see ``SessionWriter``.
        DiskFullError: If there is not enough free disk, then or at any later step.
    """

    def __init__(  # noqa: PLR0917 (the order of the public contract)
        self,
        env: gym.Env[Frame, int],
        root: str | os.PathLike[str] = DEFAULT_ROOT,
        session_id: str | None = None,
        game: str = "arena",
        source: Source = "human",
        resume: bool = False,
        *,
        settings: Mapping[str, Any] | None = None,
        reserve_bytes: int = RESERVE_BYTES,
        writer: SessionWriter | None = None,
    ) -> None:
        super().__init__(env)
        self._source: Source = parse_source(source)
        self.paused = False
        """While True nothing is recorded; what follows is a new take."""
        self.notes: dict[str, Any] = {}
        """Values added to the ``info`` of every row from now on, such as the episode's number."""
        self.goal: str | None = None
        """What the player is about from the next row on; None is what the environment says."""
        self.reached_keys: Collection[str] = ()
        """Hotkeys with which a person says that the goal is reached: the row in which one is pressed gets the mark."""
        self.marked = 0
        """Rows with the mark, so far."""
        self._owns_writer = writer is None
        if writer is None:
            info = session_info(env, session_id or new_session_id(), game, settings or {})
            writer = SessionWriter(root, info, resume=resume, reserve_bytes=reserve_bytes)
        self.writer = writer
        self._grab: _Grab | None = None
        self._take: int | None = None
        self._closed = False

    @property
    def source(self) -> Source:
        """Who chooses the action of the next ``step``.

        Raises:
            InvalidInputError: When set to what is not a source.
        """
        return self._source

    @source.setter
    def source(self, source: Source) -> None:
        self._source = parse_source(source)

    @property
    def take(self) -> int | None:
        """The number of the take that is being written; None while nothing is."""
        return self._take

    def end_take(self) -> None:
        """Have the next row begin a take of its own; none is lost."""
        self._take = None

    @property
    def path(self) -> Path:
        """The session's folder."""
        return self.writer.path

    @property
    def session_id(self) -> str:
        """The session's name."""
        return self.writer.session_id

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Reset the environment and begin a new take."""
        self._grab = self._take = None
        frame, info = self.env.reset(seed=seed, options=options)
        if missing := [name for name in _NEEDED if name not in info]:
            raise InvalidInputError(
                f"the info of {self.env} lacks {', '.join(missing)}, without which it cannot be recorded; "
                "see docs/formats.md"
            )
        self._begin_tick(frame, info)
        return frame, info

    def step(self, action: int) -> tuple[Frame, SupportsFloat, bool, bool, dict[str, Any]]:
        """Play one tick and write the row it ends.

        Raises:
            DiskFullError: If the disk is full; the session is closed then and holds every earlier tick.
        """
        frame, reward, terminated, truncated, info = self.env.step(action)
        outcome: dict[str, Any] = {"reward": float(reward)} if reward else {}
        if terminated or truncated:
            outcome["ended"] = "terminated" if terminated else "truncated"
        self._end_tick(info, outcome)
        if terminated or truncated:
            self._grab = None
        else:
            self._begin_tick(frame, info)
        return frame, reward, terminated, truncated, info

    def close(self) -> None:
        """Close the session and the environment. May be called twice."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._owns_writer:
                self.writer.close()
        finally:
            super().close()

    def _begin_tick(self, frame: Frame, info: dict[str, Any]) -> None:
        if self._is_idle(info):
            self._grab = None
            return
        if frame.shape != self.writer.info.frame.shape:
            raise InvalidInputError(
                f"the session's frames are {self.writer.info.frame.shape}, the environment gave {frame.shape}"
            )
        # Encoded now, so that an environment may draw its next frame into the same array.
        self._grab = _Grab(encode_jpeg(frame), dict(info))

    def _end_tick(self, after: dict[str, Any], outcome: dict[str, Any]) -> None:
        """Write the row of the grab before, now that ``after``, the info of the grab that ends it, is known."""
        grab = self._grab
        if grab is None or self._is_idle(after) or after["tick"] - grab.info["tick"] > GAP_TICKS:
            self._take = None
            return
        if self._take is None:
            self._take = self.writer.takes
        before = {name: value for name, value in grab.info.items() if name not in _NOT_IN_INFO}
        its_goal = before.pop("goal", None)
        goal = its_goal if self.goal is None else self.goal
        if any(key in after.get("hotkeys", ()) for key in self.reached_keys):
            outcome = {**outcome, MARK: REACHED}
            self.marked += 1
        row = SessionRow(  # what has a field of its own is taken out of what is left for info
            index=self.writer.ticks,
            t_ns=int(before.pop("t_ns")),
            frame=frame_name(self.writer.ticks),
            held=tuple(parse_action(word) for word in before.pop("held")),
            events=_key_events(after["key_events"]),
            end_t_ns=int(after["t_ns"]),
            source="correction" if self._source == "policy" and before.get("control") == "human" else self._source,
            take=self._take,
            late=bool(before.pop("late", False)),
            focused=bool(before.pop("focused", True)),
            new_frame=bool(before.pop("new_frame", True)),
            goal=None if goal is None else str(goal),
            info={**before, **self.notes, **outcome},
        )
        self.writer.append(grab.jpeg, row)

    def _is_idle(self, info: dict[str, Any]) -> bool:
        return self.paused or not info.get("focused", True)


def new_session_id() -> str:
    """Return a name that sorts by time and that no other recorder will choose: ``20260131-170501-x7k2``."""
    letters = "".join(secrets.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(4))
    return f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{letters}"


def session_info(
    env: gym.Env[Any, Any], session_id: str, game: str, settings: Mapping[str, Any], **kwargs: Any
) -> SessionInfo:
    """Return what ``session.json`` says of an environment that is about to be recorded.

    Args:
        env: The environment, or one of several that differ only in ``kwargs``.
        session_id: The session's name.
        game: Name of the game.
        settings: What the recorder was told.
        kwargs: Put in place of what the environment was made with.

    Raises:
        InvalidInputError: If its observations are not frames.
    """
    bare = env.unwrapped
    shape = getattr(env.observation_space, "shape", None) or ()
    if len(shape) != 3 or shape[2] != 3:
        raise InvalidInputError(f"only frames (height, width, 3) can be recorded; {env} observes {shape}")
    spec = env.spec
    kwargs = {**(spec.kwargs if spec else {}), **kwargs}
    return SessionInfo(
        session_id=session_id,
        game=game,
        env_id=spec.id if spec else None,
        env_kwargs=_as_json(kwargs),
        window=getattr(bare, "window", None),
        fps=float(getattr(bare, "fps", None) or bare.metadata.get("render_fps") or DEFAULT_FPS),
        frame=getattr(bare, "frame_spec", None) or FrameSpec(shape[1], shape[0]),
        settings=_as_json(settings),
    )


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(dict(values), default=str))


def _key_events(events: Any) -> tuple[KeyEvent, ...]:
    found = tuple([KeyEvent(int(t_ns), parse_action(word), bool(down)) for t_ns, word, down in events])
    return tuple(sorted(found, key=lambda event: event.t_ns)) if len(found) > 1 else found
