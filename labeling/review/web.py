"""The page's addresses: the page itself, the list of clips, one clip, one frame, and what a person decides.

Only keys of clips that are known and whole numbers are taken from a request; no path is ever made of one. Knows nothing
of how decisions are kept.
"""

import contextlib
import json
from collections.abc import Callable
from functools import partial
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from gameenv.errors import GameEnvError, SessionError
from labeling.review.audit import Audit
from labeling.review.clip import ReviewClip
from labeling.review.desk import Change, ConflictError, Desk
from labeling.review.guard import Guard
from labeling.review.rows import NoFrameError, RowReader, read_frame, timeline

_PAGE = resources.files("labeling.review") / "page"
_FILES = {
    "": ("review.html", "text/html; charset=utf-8"),
    "review.css": ("review.css", "text/css; charset=utf-8"),
    **{
        name: (name, "text/javascript; charset=utf-8")
        for name in ("main.js", "server.js", "filters.js", "list.js", "player.js")
    },
}
_MOST_BYTES = 4_000_000  # of a request; ten thousand clips are named in one


def make_app(desk: Desk, token: str, host: str = "127.0.0.1") -> Starlette:
    """The page of a desk as an ASGI application.

    Args:
        desk: What is reviewed.
        token: The secret of the link.
        host: The address that is served.
    """
    site = _Site(desk)
    routes = [Route(f"/{name}", partial(_serve_file, name)) for name in _FILES]
    routes += [
        Route("/api/clips", site.clips),
        Route("/api/clip", site.clip),
        Route("/api/frame", site.frame),
        Route("/api/changes", site.changes),
        Route("/api/decide", site.decide, methods=["POST"]),
        Route("/api/undo", site.undo, methods=["POST"]),
        Route("/api/audit", site.audit, methods=["POST"]),
        Route("/api/verdict", site.verdict, methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(Guard, token=token, host=host)])


def _serve_file(name: str, request: Request) -> Response:
    file, kind = _FILES[name]
    return Response((_PAGE / file).read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


class _Site:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._rows = RowReader()

    def clips(self, request: Request) -> Response:
        """All clips, as tables: ten thousand are half a megabyte."""
        with_all = self._desk.head, self._desk.clips()
        return _json({"clips": [_row(clip) for clip in with_all[1]], "columns": _COLUMNS, **self._status(with_all[0])})

    def clip(self, request: Request) -> Response:
        """What is shown of one clip beside its row in the list."""
        try:
            clip = self._desk.get(request.query_params.get("key", ""))
        except ConflictError as error:
            return _json({"error": str(error)}, 404)
        said = {"key": clip.key, "proposal": clip.proposal, "version": clip.version, "name": clip.name}
        try:
            folder = self._desk.readable.get(clip.session)
            if folder is None:
                raise SessionError(f"the recording {clip.session} is gone: its clips can be seen, not changed")
            when = timeline(self._rows.read(folder, clip.start, clip.stop))
        except SessionError as error:
            times = [100.0 * offset for offset in range(len(clip))]
            return _json({**said, "times": times, "end": 100.0 * len(clip), "keys": {}, "problem": str(error)})
        return _json({**said, "times": when.times, "end": when.end, "keys": when.keys, "problem": None})

    def frame(self, request: Request) -> Response:
        """One frame of a clip."""
        try:
            clip = self._desk.get(request.query_params.get("key", ""))
            offset = int(request.query_params.get("offset", ""))
            if not 0 <= offset < len(clip):
                raise NoFrameError(f"the clip has {len(clip)} frames")
            folder = self._desk.readable.get(clip.session)
            content = read_frame(folder, self._desk.root / clip.name, clip.start + offset, offset)
        except (ConflictError, NoFrameError, ValueError) as error:
            return _json({"error": str(error)}, 404)
        return Response(content, media_type="image/jpeg", headers={"cache-control": "private, max-age=3600"})

    def changes(self, request: Request) -> Response:
        """What other windows have decided, and how far the disk is."""
        try:
            since = int(request.query_params.get("since", "0"))
        except ValueError:
            return _json({"error": "since is a whole number"}, 400)
        head = self._desk.head
        return _json({"changes": [_change(each) for each in self._desk.changes(since)], **self._status(head)})

    async def decide(self, request: Request) -> Response:
        """Save a decision."""

        def save(said: dict[str, Any]) -> dict[str, Any]:
            how = {key: said[key] for key in ("goal", "old", "completed", "row", "start", "stop") if key in said}
            return _change(self._desk.decide(said["request"], said["kind"], said["clips"], how))

        return await self._answer(request, save)

    async def undo(self, request: Request) -> Response:
        """Take the last decision back."""
        return await self._answer(request, lambda said: _change(self._desk.undo(said["request"], said["head"])))

    async def audit(self, request: Request) -> Response:
        """Draw the clips of an audit."""
        return await self._answer(
            request,
            lambda said: _audit(self._desk.draw_audit(said["request"], int(said["seed"]), said.get("labeler"))),
        )

    async def verdict(self, request: Request) -> Response:
        """Save one verdict of an audit."""
        return await self._answer(
            request, lambda said: _audit(self._desk.judge(said["request"], said["audit"], said["clip"], said["right"]))
        )

    async def _answer(self, request: Request, save: Callable[[dict[str, Any]], dict[str, Any]]) -> Response:
        try:
            said = _checked(await _read_body(request))
            answer = await run_in_threadpool(save, said)
        except ConflictError as error:
            return _json({"error": str(error), "now": [_row(clip) for clip in error.clips], "columns": _COLUMNS}, 409)
        except (ValueError, KeyError, TypeError) as error:
            return _json({"error": str(error) if isinstance(error, GameEnvError) else f"not understood: {error}"}, 400)
        except (GameEnvError, OSError) as error:
            return _json({"error": f"not saved: {error}"}, 507)
        return _json({**answer, **self._status(self._desk.head)})

    def _status(self, head: int) -> dict[str, Any]:
        desk = self._desk
        with contextlib.suppress(RuntimeError):  # the writer added one meanwhile
            return {
                "head": head,
                "pending": desk.pending,
                "progress": desk.progress(),
                "problems": list(desk.problems.values()),
            }
        return self._status(head)


async def _read_body(request: Request) -> Any:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _MOST_BYTES:
            raise ValueError("the request is too long")
    return json.loads(body)


def _checked(said: Any) -> dict[str, Any]:
    if not isinstance(said, dict) or not isinstance(said.get("request"), str) or not 8 <= len(said["request"]) <= 64:
        raise ValueError("a request is an object with a name of its own")
    clips = said.get("clips", {})
    if not isinstance(clips, dict) or not all(isinstance(version, int) for version in clips.values()):
        raise ValueError("clips are versions by key")
    return said


_COLUMNS = ("key", "session", "take", "start", "stop", "state", "goal", "labeler", "confidence", "completed", "version")


def _row(clip: ReviewClip) -> list[Any]:
    label, proposal = clip.label, clip.proposal
    labeler = proposal["labeler"] if proposal else label.labeler if label else ""
    confidence = proposal["confidence"] if proposal else label.confidence if label else 0
    return [
        clip.key, clip.session, clip.take, clip.start, clip.stop, clip.state, label.goal if label else "", labeler,
        confidence, bool(label and label.completed), clip.version,
    ]  # fmt: skip


def _change(change: Change) -> dict[str, Any]:
    added = [_row(clip) for clip in change.added]
    return {"id": change.id, "what": change.what, "removed": change.removed, "added": added, "columns": _COLUMNS}


def _audit(audit: Audit) -> dict[str, Any]:
    share = audit.result()
    return {
        "audit": audit.id,
        "seed": audit.seed,
        "of": audit.of,
        "labeler": audit.labeler,
        "drawn": audit.drawn,
        "verdicts": audit.verdicts,
        "result": {"k": share.k, "n": share.n, "rate": share.rate, "low": share.low, "high": share.high},
    }


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return JSONResponse(content, status, headers={"cache-control": "no-store"})
