"""The labeler is killed with SIGKILL at chosen moments, and started again."""

import subprocess
import sys
from pathlib import Path

import pytest

from labeling import load_samples
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from labeling.segment_folder import read_record, segment_folders
from recording.session import Session
from tests.labeling.labeled import WORDS, tree
from tests.labeling.recordings import Ticks, record

KILLED = """
import os, shutil, signal, sys
from pathlib import Path
from labeling import segment_folder as folder
from labeling import segment_writer as writer
from labeling.build import label_session
from labeling.referee import Referee
from labeling.samples import SampleSettings
from recording.session import Session

raw, out, where, count, tail = sys.argv[1:]
calls = 0

def deadly(function):
    def call(*args, **kwargs):
        global calls
        calls += 1
        if calls == int(count):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **kwargs)
    return call

if where == "link":
    os.link = deadly(os.link)
elif where == "record":
    writer.write_record = deadly(writer.write_record)
elif where == "rename":
    Path.rename = deadly(Path.rename)
elif where == "remove":
    os.unlink = deadly(os.unlink)
label_session(Session(raw), Path(out), Referee(), SampleSettings(tail=tail))
"""


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return record(tmp_path / "raw", "s", Ticks(WORDS))


def kill(session: Session, out: Path, where: str, count: int, tail: str = "next") -> None:
    command = [sys.executable, "-c", KILLED, str(session.path), str(out), where, str(count), tail]
    done = subprocess.run(command, check=False, capture_output=True, text=True)
    assert done.returncode == -9, done.stderr


@pytest.mark.parametrize(
    ("where", "count", "complete"), [("link", 1, 0), ("link", 100, 2), ("record", 3, 2), ("rename", 3, 2)]
)
def test_killed_while_building_it_leaves_whole_segments_and_goes_on(
    session: Session, tmp_path: Path, where: str, count: int, complete: int
):
    out = tmp_path / "out"
    kill(session, out, where, count)
    assert [read_record(folder).number for folder in segment_folders(out)] == list(range(complete))
    if complete:
        assert len(load_samples(out)) == 40 * complete
    outcomes = label_session(session, out, Referee())
    assert [outcome.what for outcome in outcomes] == ["kept"] * complete + ["built"] * (5 - complete)
    label_session(session, tmp_path / "fresh", Referee())
    assert tree(out) == tree(tmp_path / "fresh")
    assert not list(out.glob(".part*"))


@pytest.mark.parametrize(("where", "count"), [("remove", 1), ("remove", 60), ("rename", 2), ("rename", 7)])
def test_killed_while_rebuilding_old_and_new_never_stand_side_by_side(
    session: Session, tmp_path: Path, where: str, count: int
):
    out = tmp_path / "out"
    label_session(session, out, Referee())
    kill(session, out, where, count, tail="none")
    assert len({read_record(folder).tail for folder in segment_folders(out)}) <= 1
    label_session(session, out, Referee(), SampleSettings(tail="none"))
    label_session(session, tmp_path / "fresh", Referee(), SampleSettings(tail="none"))
    assert tree(out) == tree(tmp_path / "fresh")
    assert not list(out.glob(".part*"))
