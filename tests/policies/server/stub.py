"""A real HTTP server on this machine that answers like a model's server, as well or as badly as a test wants."""

import contextlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], tuple[int, str | bytes]]


def say(content: object, finish_reason: str = "stop", **message: Any) -> str:
    """The body of a chat completion."""
    said = {"role": "assistant", "content": content, **message}
    return json.dumps({"choices": [{"message": said, "finish_reason": finish_reason}]})


@dataclass
class StubServer:
    """Answers as told, and remembers what it was asked."""

    answer: Answer
    models: tuple[str, ...] = ("qwen3-vl",)
    listing: tuple[int, str] | None = None
    """What GET answers, in place of the models."""
    asked: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    address: str = ""
    pause_s: float = 0.0  # after each byte of an answer

    def fields(self, *names: str) -> list[set[str]]:
        """Which of these fields each question had."""
        return [{name for name in names if name in question} for question in self.asked]


@contextlib.contextmanager
def serving(answer: Answer) -> Iterator[StubServer]:
    """A server that runs until the end of the block."""
    told = StubServer(answer)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.paths.append(self.path)
            self._reply(*(told.listing or (200, json.dumps({"data": [{"id": name} for name in told.models]}))))

        def do_POST(self) -> None:
            told.paths.append(self.path)
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            told.asked.append(question)
            told.headers.append(dict(self.headers))
            self._reply(*told.answer(question))

        def _reply(self, status: int, content: str | bytes) -> None:
            if status == 0:  # hang up
                self.connection.close()
                return
            body = content.encode() if isinstance(content, str) else content
            pieces = [bytes([byte]) for byte in body] if told.pause_s else [body]
            with contextlib.suppress(OSError):  # the other side hung up
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(piece)
                    time.sleep(told.pause_s)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True).start()
        told.address = f"http://127.0.0.1:{http.server_address[1]}/v1"
        try:
            yield told
        finally:
            http.shutdown()
