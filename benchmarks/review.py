"""How quick the review page is with 10,000 clips, beside 400 of the same: in a headless Chromium, by its own clock.

Makes a dataset of recordings of 100 clips each (real JPEGs, linked; labels by chance), starts ``gameenv-review``, opens
the page and presses keys. Run: python benchmarks/review.py [--clips 10000]
"""

import json
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

import numpy as np
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from gameenv.actions import ACTIONS
from gameenv.frames import FrameSpec, encode_jpeg
from labeling.segment_folder import SAMPLES_FILE, SegmentRecord, write_record
from recording.info import SessionInfo, Totals, write_info
from recording.rows import KeyEvent, SessionRow, encode_row, frame_name

ROOT = Path(__file__).resolve().parent.parent
ROWS, CLIPS = 40, 100  # of a clip, of a recording
FEW = 400
SPEC = FrameSpec(512, 288)
PICTURES = 64
PERIOD_NS = 100_000_000
GOALS = ("Go to the lantern", "Climb the stairs", "Open the door", "Check the posters", "Press the switch")

STEP = """
const [key, done] = arguments, before = document.body.dataset.shown, begun = performance.now();
document.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
const look = () => document.body.dataset.shown !== before
  ? requestAnimationFrame(() => done(performance.now() - begun)) : setTimeout(look, 1);
look();
"""
FIRST = """
const done = arguments[0];
const look = () => document.body.dataset.shown
  ? done([performance.getEntriesByName("first-contentful-paint")[0].startTime, performance.now()])
  : setTimeout(look, 1);
look();
"""


def main() -> None:
    """Measure a few clips, and as many as asked for."""
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=60)
    parser.add_argument("--folder", type=Path, help="where to make the datasets; a temporary folder if left out")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for clips in (FEW, args.clips):
            home = Path(folder) / str(clips)
            begun = time.perf_counter()
            make(home, clips // CLIPS)
            print(f"{clips} clips made in {time.perf_counter() - begun:.0f} s")
            measure(home, args.steps)


def make(home: Path, sessions: int) -> None:
    """Recordings and their segments, as the commands write them, but for the segments' own links to the frames."""
    chance = random.Random(0)
    pictures = home / "pictures"
    pictures.mkdir(parents=True)
    noise = np.random.default_rng(0)
    coarse = noise.integers(0, 256, (PICTURES, 18, 32, 3), dtype=np.uint8)
    for number in range(PICTURES):
        picture = np.kron(coarse[number], np.ones((16, 16, 1), np.uint8))
        (pictures / f"{number}.jpg").write_bytes(encode_jpeg(picture + noise.integers(0, 9, picture.shape, np.uint8)))
    for number in range(sessions):
        name = f"session-{number:03d}"
        record(home / "dataset" / "raw_playthrough" / name, pictures, chance)
        for clip in range(CLIPS):
            label(home / "dataset" / "labeled_segments", name, clip, chance)


def record(folder: Path, pictures: Path, chance: random.Random) -> None:
    """One recording of 100 clips, a take each ten of them."""
    (folder / "frames").mkdir(parents=True)
    lines = []
    held = "w"
    for index in range(ROWS * CLIPS):
        linked = pictures / f"{index % PICTURES}.{folder.name}.jpg"  # no file system links one file without end
        if not linked.exists():
            linked.write_bytes((pictures / f"{index % PICTURES}.jpg").read_bytes())
        os.link(linked, folder / frame_name(index))
        t_ns = index * PERIOD_NS
        word = chance.choice(ACTIONS[1:]) if chance.random() < 0.2 else held
        events = () if word == held else (KeyEvent(t_ns, held, False), KeyEvent(t_ns, word, True))
        lines.append(
            encode_row(
                SessionRow(
                    index=index, t_ns=t_ns, frame=frame_name(index), held=(held,), events=events,
                    end_t_ns=t_ns + PERIOD_NS, source="human", take=index // (10 * ROWS), info={"tick": index},
                )
            )
        )  # fmt: skip
        held = word
    (folder / "steps.jsonl").write_bytes(b"".join(lines))
    totals = Totals(ROWS * CLIPS, 10, ROWS * CLIPS / 10, {}, {"human": ROWS * CLIPS}, 0, 0)
    write_info(
        folder,
        SessionInfo(
            session_id=folder.name, game="none", env_id=None, env_kwargs={}, window=None, fps=10.0, frame=SPEC,
            closed=True, totals=totals,
        ),
    )  # fmt: skip


def label(root: Path, session: str, number: int, chance: random.Random) -> None:
    """One segment."""
    start = number * ROWS
    record = SegmentRecord(
        session_id=session, number=number, take=number // 10, start=start, stop=start + ROWS,
        start_t_ns=start * PERIOD_NS, end_t_ns=(start + ROWS) * PERIOD_NS, goal=chance.choice(GOALS),
        labeler=chance.choice(("vlm", "server")), version="1", confidence=round(chance.random(), 2),
        completed=chance.random() < 0.3, evidence={"seen": "made up"}, goal_span=f"{session}_seg{number:04d}",
        level=None, split=None, task=None, fps=10.0, frame_size=SPEC.size, fit=SPEC.fit, vocabulary=ACTIONS,
        chunk_length=7, chords="error-diffusion", tail="next", seconds=4.0, keep_every=1, prompt_version=1, rows=(),
        dropped={}, sources={"human": ROWS}, words={}, samples_bytes=0, copied_bytes=0, fingerprint="made up",
    )  # fmt: skip
    folder = root / record.name
    folder.mkdir(parents=True)
    (folder / SAMPLES_FILE).touch()
    write_record(folder, record)


def measure(home: Path, steps: int) -> None:
    """Start the command on a dataset, drive the page, print what it took."""
    begun = time.perf_counter()
    command = [sys.executable, "-m", "labeling.review", "--no-open", "--port", "0"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"}
    server = subprocess.Popen(command, cwd=home, env=environment, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    link = server.stdout.readline().strip()
    print(f"  start of the command to its link: {time.perf_counter() - begun:.1f} s")
    options = ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        driver.set_window_size(1280, 720)
        driver.get(link)
        painted, shown = driver.execute_async_script(FIRST)
        print(f"  first paint {painted:.0f} ms, list and first clip {shown:.0f} ms after the link was opened")
        for what, key, count in (
            ("next clip", "j", steps),
            ("ten on", "PageDown", steps // 4),
            ("accept", "Enter", steps),
        ):
            print(f"  {spread(what, [driver.execute_async_script(STEP, key) for _ in range(count)])}")
        driver.execute_script("document.getElementById('filter-state').value = ''")
        begun = time.perf_counter()
        driver.execute_script("document.getElementById('filters').dispatchEvent(new Event('input'))")
        print(f"  filter changed: {1000 * (time.perf_counter() - begun):.0f} ms")
        memory = re.search(r"VmRSS:\s+(\d+)", Path(f"/proc/{server.pid}/status").read_text(encoding="utf-8"))
        print(f"  memory of the server: {int(memory[1]) / 1024 if memory else 0:.0f} MiB")
    finally:
        driver.quit()
        begun = time.perf_counter()
        server.send_signal(signal.SIGINT)
        server.wait(60)
        print(f"  end, with all decisions in the segments: {time.perf_counter() - begun:.1f} s")
    decided = home / "dataset" / "labeled_segments" / "review.jsonl"
    human = sum(json.loads(path.read_text())["labeler"] == "human" for path in decided.parent.glob("*/segment.json"))
    assert human == len(decided.read_text().splitlines()), "a decision is not in its segment"


def spread(what: str, times: list[float]) -> str:
    """Median, 95th percentile and the longest, in milliseconds."""
    times = sorted(times)
    p95 = times[int(0.95 * (len(times) - 1))]
    return f"{what}: median {statistics.median(times):.0f} ms, 95% {p95:.0f} ms, longest {times[-1]:.0f} ms"


if __name__ == "__main__":
    main()
