"""Recording to labeled samples: ours beside the specification's way, in the same run.

The specification's way, as a user would write it: for every sample, open the frame, encode it again as a JPEG into the
segment's folder, and write the sample as a JSON file of its own. Both read the same session from disk and cut the same
clips with the same words.

    python benchmarks/dataset_build.py                    36,000 frames, an hour of recording
    python benchmarks/dataset_build.py --frames 3600      six minutes of recording
"""

import json
import os
import shutil
import statistics
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from gameenv.actions import ACTIONS, Action
from gameenv.cli import parse
from gameenv.console import Console
from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec, encode_jpeg
from gameenv.progress import track
from labeling import load_samples
from labeling.build import label_session
from labeling.labeler import Clip
from labeling.referee import Referee
from labeling.samples import read_take, slide
from labeling.segments import cut
from policies.prompt import sample_messages
from recording.info import SessionInfo
from recording.rows import KeyEvent, SessionRow, frame_name
from recording.session import Session
from recording.session_writer import SessionWriter

PERIOD_NS = 100_000_000
EPISODE_TICKS = 60
HOLD_TICKS = 5
GRAIN = 3.7  # gives JPEGs of about 94 kB, the mean of the arena's
TARGET_RATIO, TARGET_DISK = 20.0, 1.05


@dataclass(frozen=True, slots=True)
class Args:
    """Time the building of a dataset, and measure its disk."""

    frames: int = 36_000
    """Frames in the recording; 36000 is an hour."""
    session: Path | None = None
    """A real recording with the arena's truth to use instead of a synthetic one."""
    baseline_frames: int | None = None
    """Run the baseline on the clips among the first so many rows only, and scale its time up. By default on all."""
    repeat: int = 3
    """Runs of ours; the median counts. The baseline, which is long, runs once."""
    folder: Path | None = None
    """Where to put the recording and both datasets; by default a temporary folder."""


def main(args: Args) -> int:
    console = Console(soft_wrap=True)
    work = Path(tempfile.mkdtemp(prefix="dataset_build-", dir=args.folder))
    try:
        session = Session(args.session or make_recording(work / "raw", args.frames))
        return compare(session, work, args, console)
    finally:
        shutil.rmtree(work)


def compare(session: Session, work: Path, args: Args, console: Console) -> int:
    rows, recording_bytes = len(session), disk_bytes(session.path)
    console.print(f"recording: {rows} frames, {recording_bytes / 1e6:.0f} MB, {len(session.takes)} takes")
    times: list[float] = []
    cpu: list[float] = []
    samples = 0
    for number in range(args.repeat):
        out = work / f"ours{number}"
        start, cpu_start = time.perf_counter(), time.process_time()
        samples = build_ours(session.path, out)
        times.append(time.perf_counter() - start)
        cpu.append(time.process_time() - cpu_start)
        if number:
            shutil.rmtree(out)
    ours_s, ours_cpu_s = statistics.median(times), statistics.median(cpu)
    both_bytes = disk_bytes(session.path, work / "ours0")
    start = time.perf_counter()
    loaded = len(load_samples(work / "ours0"))
    load_s = time.perf_counter() - start

    limit = min(args.baseline_frames or rows, rows)
    start, cpu_start = time.perf_counter(), time.process_time()
    written, covered = build_baseline(session.path, work / "baseline", limit)
    baseline_s = (time.perf_counter() - start) * rows / covered
    baseline_cpu_s = (time.process_time() - cpu_start) * rows / covered
    baseline_bytes = disk_bytes(work / "baseline") * rows / covered
    scaled = "" if covered == rows else f" (run on {covered} of {rows} rows and scaled by {rows / covered:.2f})"

    ratio, disk = baseline_s / ours_s, both_bytes / recording_bytes
    console.print(f"ours:     {ours_s:8.2f} s for {samples} samples (runs: {', '.join(f'{t:.2f}' for t in times)} s)")
    console.print(f"baseline: {baseline_s:8.2f} s for {round(written * rows / covered)} samples{scaled}")
    console.print(f"ratio:    {ratio:8.1f} x faster (target: at least {TARGET_RATIO:g})")
    cpu_ratio = baseline_cpu_s / ours_cpu_s
    console.print(f"  by processor time {cpu_ratio:.1f} x ({baseline_cpu_s:.2f} s against {ours_cpu_s:.2f} s)")
    console.print(f"disk:     {disk:8.3f} x the recording with the dataset (target: at most {TARGET_DISK:g}); ", end="")
    console.print(f"baseline {(recording_bytes + baseline_bytes) / recording_bytes:.3f} x")
    console.print(f"loading:  {load_s:8.2f} s for {loaded} samples")
    return 0 if ratio >= TARGET_RATIO and disk <= TARGET_DISK else 1


def build_ours(session: Path, out: Path) -> int:
    return sum(len(outcome.record.rows) for outcome in label_session(Session(session), out, Referee()))


def build_baseline(path: Path, out: Path, limit: int) -> tuple[int, int]:
    """The specification's way. Returns the samples written and the rows they come from."""
    session = Session(path)
    referee = Referee()
    words = {take.number: read_take(session, take, "error-diffusion") for take in session.takes}
    written = covered = 0
    for segment in cut(session):
        if segment.stop > limit and covered:
            break
        folder = out / f"{segment.session_id}_seg{segment.number:04d}"
        folder.mkdir(parents=True)
        (label,) = referee.label([Clip(session, segment)])
        for window in slide(segment, words[segment.take], label.completed).kept:
            name = f"frame_{window.row - segment.start:04d}"
            with Image.open(session.frame_path(window.row)) as image:
                image.save(folder / f"{name}.jpg")
            message = sample_messages(f"{name}.jpg", label.goal, window.chunk)
            (folder / f"{name}.json").write_text(json.dumps(message, indent=2))
            written += 1
        covered = segment.stop
    return written, covered


def disk_bytes(*folders: Path) -> int:
    """Bytes allocated to everything in the folders, each inode once."""
    seen: dict[tuple[int, int], int] = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for path in (parent, *(os.path.join(parent, name) for name in names)):
                status = os.stat(path)
                seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return sum(seen.values())


def make_recording(root: Path, frames: int) -> Path:
    """Write a session with the arena's fields, of textured pictures whose JPEGs weigh about what a game's do."""
    if frames < EPISODE_TICKS:
        raise InvalidInputError(f"--frames is at least {EPISODE_TICKS}, got {frames}")
    rng = np.random.default_rng(0)
    info = SessionInfo("bench", "synthetic", None, {}, None, 10.0, FrameSpec())
    jpegs = [encode_jpeg(picture(rng)) for _ in range(64)]
    with SessionWriter(root, info) as writer:
        held: tuple[Action, ...] = ()
        for row in track(range(frames), "recording", "frames", Console(stderr=True)):
            take, tick = divmod(row, EPISODE_TICKS)
            reached = tick >= EPISODE_TICKS - 7
            word = ACTIONS[1 + (row // HOLD_TICKS * 7) % 11]
            keys: tuple[Action, ...] = () if reached else (word,)
            held = held if tick else ()
            t_ns = row * PERIOD_NS
            content = SessionRow(
                index=row,
                t_ns=t_ns,
                frame=frame_name(row),
                held=held,
                events=()
                if keys == held
                else (*(KeyEvent(t_ns, key, False) for key in held), *(KeyEvent(t_ns, key, True) for key in keys)),
                end_t_ns=t_ns + PERIOD_NS,
                source="noise" if row % 50 == 0 else "expert",
                take=take,
                goal="Go to the lantern",
                info={
                    "tick": tick,
                    "goal_reached": reached,
                    "level": f"train/go-to-lantern/{take}/g1",
                    "split": "train",
                    "player": dict.fromkeys(("x", "y", "z", "angle", "pitch", "health"), float(tick)),
                },
            )
            writer.append(jpegs[row % len(jpegs)], content)
            held = keys
    return writer.path


def picture(rng: np.random.Generator) -> np.ndarray:
    """A 512x288 picture of smooth shades under fine grain."""
    coarse = Image.fromarray(rng.integers(0, 256, (9, 16, 3), np.uint8)).resize((512, 288), Image.Resampling.BICUBIC)
    grain = rng.normal(0, GRAIN, (288, 512, 3))
    return np.clip(np.asarray(coarse) + grain, 0, 255).astype(np.uint8)


if __name__ == "__main__":
    raise SystemExit(main(parse(Args)))
