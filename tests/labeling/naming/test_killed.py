"""The labeler is killed with SIGKILL while a model is asked, and started again: no answer is asked for twice."""

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from labeling.segment_folder import read_record, segment_folders
from tests.labeling.naming.conftest import form
from tests.labeling.recordings import Ticks, record
from tests.policies.server.stub import StubServer, say

CLIPS, IN_FLIGHT = 60, 4


@pytest.mark.slow
def test_no_answer_is_asked_for_twice_and_no_clip_is_lost(server: StubServer, tmp_path: Path) -> None:
    """Killed at random moments; a clip whose answer is in the file is never asked about again."""
    words = [word for clip in range(CLIPS) for word in ["w"] * (5 + clip % 30) + ["d"] * (35 - clip % 30)]
    record(tmp_path / "dataset/raw_playthrough", "s", Ticks(words, goal=None, reached=()))
    asked = Counter[str]()

    def slow(question: dict[str, Any]) -> tuple[int, str]:
        asked[json.dumps(question["messages"])] += 1
        time.sleep(0.05)
        return 200, say(form())

    server.answer = slow
    command = [sys.executable, "-m", "labeling", "--model", server.address, "--in-flight", str(IN_FLIGHT)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    replies = tmp_path / "dataset/labeled_segments/labels/replies.jsonl"
    draw = random.Random(0)
    kills = 0
    for _ in range(6):
        before = len(replies.read_bytes()) if replies.is_file() else 0
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.PIPE)
        deadline = time.monotonic() + 60
        while process.poll() is None and time.monotonic() < deadline:
            if replies.is_file() and len(replies.read_bytes()) > before:
                time.sleep(draw.uniform(0, 0.15))
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.005)
        process.communicate(timeout=60)
        kills += process.returncode == -signal.SIGKILL
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert kills >= 3
    assert len(asked) == CLIPS
    again = sum(count - 1 for count in asked.values())
    assert again <= kills * IN_FLIGHT, "only what was on its way when it was killed is asked for again"
    assert len(replies.read_text().splitlines()) == CLIPS, "each answer was kept once"
    folders = segment_folders(tmp_path / "dataset/labeled_segments")
    assert [read_record(folder).number for folder in folders] == list(range(CLIPS))


def test_a_reply_cut_short_by_a_kill_is_asked_for_again_and_the_rest_stands(
    server: StubServer, home: Path, run: Any
) -> None:
    assert run("--model", server.address).returncode == 0
    out = home / "dataset/labeled_segments"
    replies = out / "labels/replies.jsonl"
    os.truncate(replies, replies.stat().st_size - 20)
    (out / "labels/server.jsonl").unlink()
    done = run("--model", server.address)
    assert len(server.asked) == 5
    assert "1 lines of" in done.stderr
    assert "4 segments (4 there already)" in done.stdout
    assert len(replies.read_bytes().splitlines()) == 5
