"""What naming goals costs beside the model: time, memory, questions in flight, and what a kill loses.

The model is a server in a process of its own that answers after so many seconds. Measured: ``gameenv-label`` on an hour
of play (900 clips) with answers that cost nothing, in time and memory, beside the same hour whose goal is known
(``--goal``), and beside a quarter of it; eight questions in flight against one at a time; SIGKILL at random moments,
until everything is named.

Run: python benchmarks/naming.py [--clips 900] [--kills 20]
"""

import json
import multiprocessing
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections import Counter
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.frames import FrameSpec, encode_jpeg
from labeling.naming.replies import REPLIES_FILE
from recording.info import SessionInfo
from recording.rows import KeyEvent, SessionRow, frame_name
from recording.session_writer import SessionWriter

ROWS_A_CLIP = 40
PERIOD_NS = 100_000_000
IN_FLIGHT = 8
GOALS = ("Go to the lantern", "Open the door", "Climb the stairs", "Check the posters", "Press the switch")


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run of the command went."""

    seconds: float
    peak_mib: float
    returncode: int


class QuietServer(ThreadingHTTPServer):
    """Says nothing of those who hang up."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass


def serve(pipe: Connection, wait_s: float) -> None:
    """The server: answers after ``wait_s`` and tells for every line it is sent what it was asked so far."""
    asked: Counter[int] = Counter()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            question = self.rfile.read(int(self.headers["Content-Length"]))
            asked[hash(question)] += 1
            time.sleep(wait_s)
            form = {"changes": "x", "goal": GOALS[hash(question) % len(GOALS)], "completed": False}
            said = json.dumps({**form, "confidence": 0.9, "evidence": "y"})
            body = json.dumps({"choices": [{"message": {"content": said}, "finish_reason": "stop"}]}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

    with QuietServer(("127.0.0.1", 0), Handler) as server:
        pipe.send(server.server_address[1])
        threading.Thread(target=server.serve_forever, daemon=True).start()
        while pipe.recv():
            pipe.send(dict(asked))


class Server:
    """The server's process."""

    def __init__(self, wait_s: float) -> None:
        self._pipe, theirs = multiprocessing.Pipe()
        self._process = multiprocessing.Process(target=serve, args=(theirs, wait_s), daemon=True)
        self._process.start()
        self.model = f"http://127.0.0.1:{self._pipe.recv()}/v1#stub"

    def asked(self) -> Counter[int]:
        """How often each question was asked."""
        self._pipe.send(True)
        return Counter(self._pipe.recv())

    def close(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.join()


def record(root: Path, clips: int) -> None:
    """A recording of ``clips`` clips, 512x288, in which each clip's keys differ."""
    spec = FrameSpec()
    noise = np.random.default_rng(0).integers(0, 256, spec.shape, np.uint8)
    picture = encode_jpeg(np.repeat(np.repeat(noise[::16, ::16], 16, 0), 16, 1)[: spec.height, : spec.width])
    info = SessionInfo(session_id="s", game="x", env_id=None, env_kwargs={}, window=None, fps=10.0, frame=spec)
    with SessionWriter(root, info, reserve_bytes=0) as writer:
        for index in range(clips * ROWS_A_CLIP):
            clip, at = divmod(index, ROWS_A_CLIP)
            word = "w" if clip >> (at % 10) & 1 else "d"
            t_ns = index * PERIOD_NS
            row = SessionRow(
                index=index,
                t_ns=t_ns,
                frame=frame_name(index),
                held=(),
                events=(KeyEvent(t_ns, word, True), KeyEvent(t_ns + PERIOD_NS - 1, word, False)),
                end_t_ns=t_ns + PERIOD_NS,
                source="human",
                take=0,
            )
            writer.append(picture, row)


def label(home: Path, model: str, *more: str, kill_after_s: float | None = None) -> Ran:
    """Run the command; its peak memory is the kernel's figure."""
    command = [sys.executable, "-m", "labeling", *(("--model", model) if model else ()), *more]
    began = time.monotonic()
    process = subprocess.Popen(command, cwd=home, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _peak_mib(process.pid))
        if kill_after_s is not None and time.monotonic() - began > kill_after_s:
            process.send_signal(signal.SIGKILL)
        time.sleep(0.02)
    if process.returncode not in (0, -signal.SIGKILL) and process.stderr:
        sys.exit(process.stderr.read().decode())
    return Ran(time.monotonic() - began, peak, process.returncode)


def _peak_mib(pid: int) -> float:
    try:
        found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    except OSError:
        return 0.0
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=900)
    parser.add_argument("--kills", type=int, default=20)
    args = parser.parse_args()
    os.environ["PYTHONPATH"] = str(Path(__file__).resolve().parent.parent)
    with tempfile.TemporaryDirectory() as folder:
        homes = {count: Path(folder) / str(count) for count in (args.clips, args.clips // 4, 64)}
        for count, home in homes.items():
            record(home / "dataset" / "raw_playthrough", count)
        at_once = Server(0.0)
        for count in (args.clips // 4, args.clips):
            known = label(homes[count], "", "--goal", "Go to it", "--out", "known")
            named = label(homes[count], at_once.model)
            print(
                f"{count} clips: {named.seconds:.1f} s and {named.peak_mib:.0f} MiB with a model that answers at once, "
                f"{known.seconds:.1f} s and {known.peak_mib:.0f} MiB where the goal is known: "
                f"{named.seconds - known.seconds:.1f} s and {named.peak_mib - known.peak_mib:.0f} MiB for naming"
            )
        again = label(homes[args.clips], at_once.model)
        print(f"{args.clips} clips again, everything known: {again.seconds:.1f} s")
        at_once.close()
        slow = Server(0.5)
        one, eight = (
            label(homes[64], slow.model, "--in-flight", str(count), "--out", f"out{count}") for count in (1, IN_FLIGHT)
        )
        print(f"64 clips, 0.5 s an answer: {one.seconds:.1f} s one at a time, {eight.seconds:.1f} s eight in flight")
        slow.close()
        _kill(homes[args.clips // 4], args.clips // 4, args.kills)


def _kill(home: Path, clips: int, kills: int) -> None:
    server = Server(0.1)
    draw = random.Random(0)
    killed = 0
    while killed < kills:
        ran = label(home, server.model, "--out", "killed", kill_after_s=draw.uniform(0.8, 2.0))
        killed += ran.returncode != 0
        if ran.returncode == 0:
            break
    while label(home, server.model, "--out", "killed").returncode:
        pass
    asked = server.asked()
    kept = [json.loads(line)["key"] for line in (home / "killed" / "labels" / REPLIES_FILE).read_text().splitlines()]
    segments = len(list((home / "killed").glob("s_seg*")))
    print(
        f"{killed} kills: {segments} of {clips} clips named; {asked.total()} calls for {len(asked)} questions, "
        f"{asked.total() - len(asked)} of them asked again because they were on their way when it was killed (at most "
        f"{killed * IN_FLIGHT}); {len(kept) - len(set(kept))} answers kept twice"
    )
    server.close()


if __name__ == "__main__":
    main()
