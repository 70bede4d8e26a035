"""Files are whole or not there: with a full disk, a kill in the middle, and two processes at once."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from gameenv.errors import DiskFullError
from gameenv.files import FileLock, LockedError, is_full, is_scratch, replacing, sweep, write_atomically

KILLED = """
import sys, time
from pathlib import Path
from gameenv.files import replacing

with replacing(Path(sys.argv[1])) as scratch:
    scratch.write_bytes(b"half")
    print(scratch, flush=True)
    time.sleep(600)
"""
WRITES_LETTERS = """
import sys
from pathlib import Path
from gameenv.files import write_atomically

path, letter = Path(sys.argv[1]), sys.argv[2]
print("ready", flush=True)
for _ in range(400):
    write_atomically(path, letter * 100_000, flush=False)
"""
LIMITED = """
import resource, signal, sys
from pathlib import Path
from gameenv.files import write_atomically

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    write_atomically(Path(sys.argv[1]), bytes(2000))
except OSError as error:
    print(error.strerror)
"""


def python(code: str, *words: object) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", code, *map(str, words)], stdout=subprocess.PIPE, text=True)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("content", ["words\nжük\r\n", b"\x00\r\n", memoryview(b"view")])
def test_what_is_written_is_what_is_there(tmp_path: Path, content: str | bytes | memoryview) -> None:
    path = tmp_path / "file.json"
    write_atomically(path, content)
    assert path.read_bytes() == (content.encode() if isinstance(content, str) else bytes(content))
    write_atomically(path, "new", flush=False)
    assert path.read_text() == "new"
    assert names(tmp_path) == ["file.json"]


def test_a_file_can_be_read_by_whom_the_umask_allows(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_atomically(tmp_path / "ours", "")
    assert (tmp_path / "ours").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_a_writer_that_picks_the_format_by_the_name_finds_its_suffix(tmp_path: Path) -> None:
    path = tmp_path / (200 * "long" + "name")[:250]
    with replacing(path) as scratch:
        assert scratch.suffix == ""
        assert is_scratch(scratch.name)
    with replacing(tmp_path / "film.mp4") as scratch:
        assert scratch.suffix == ".mp4"
        assert is_scratch(scratch.name)
    assert not is_scratch("film.mp4")
    assert not is_scratch(".partial-of-mine.mp4")


def test_a_writer_may_put_another_file_in_place_of_the_scratch(tmp_path: Path) -> None:
    with replacing(tmp_path / "file") as scratch:
        scratch.unlink()
        scratch.write_text("another")
    assert (tmp_path / "file").read_text() == "another"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError, SystemExit, OSError])
def test_every_way_out_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def write() -> None:
        with replacing(path) as scratch:
            scratch.write_text("half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


@pytest.mark.parametrize("old", [b"old", None])
def test_a_full_disk_is_said_in_one_sentence_and_leaves_what_was_there(small_disk: Path, old: bytes | None) -> None:
    path = small_disk / "file"
    if old is not None:
        write_atomically(path, old)
    said = r"disk of .*file is full; everything until now is saved\. Make room"
    with pytest.raises(DiskFullError, match=said) as found:
        write_atomically(path, os.urandom(2 << 20))
    assert is_full(found.value.__cause__ or found.value)
    assert {each.name: each.read_bytes() for each in small_disk.iterdir()} == ({} if old is None else {"file": old})
    write_atomically(path, os.urandom(500_000))  # the room was given back


def test_a_limit_on_file_sizes_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomically(path, b"old")
    out, _ = python(LIMITED, path).communicate(timeout=60)
    assert out.strip() == "File too large"
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["file"]


def test_a_kill_in_the_middle_leaves_the_old_file_and_the_next_write_clears_up(tmp_path: Path) -> None:
    path = tmp_path / "file.json"
    path.write_text("old")
    process = python(KILLED, path)
    scratch = Path(first_line(process))
    process.kill()
    process.communicate(timeout=30)
    assert path.read_text() == "old"
    assert scratch.read_bytes() == b"half"
    write_atomically(tmp_path / "another.json", "new")
    assert names(tmp_path) == ["another.json", "file.json"]


def test_a_living_writer_is_not_swept(tmp_path: Path) -> None:
    process = python(KILLED, tmp_path / "theirs")
    theirs = Path(first_line(process))
    with replacing(tmp_path / "ours") as ours:
        write_atomically(tmp_path / "another", "")
        sweep(tmp_path)
        assert ours.exists()
        assert theirs.read_bytes() == b"half"
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert names(tmp_path) == ["another", "ours"]


def test_sweeping_takes_nothing_of_another_name(tmp_path: Path) -> None:
    for name in (".partial-mine", ".partial-0123456789abcdef-x", "file.tmp", ".hidden"):
        (tmp_path / name).touch()
    before = names(tmp_path)
    (tmp_path / ".partial-0123456789abcdef.json").touch()
    sweep(tmp_path)
    assert names(tmp_path) == before
    sweep(tmp_path / "missing")


def test_two_processes_that_write_one_file_never_show_a_half(tmp_path: Path) -> None:
    path = tmp_path / "file"
    writers = [python(WRITES_LETTERS, path, letter) for letter in "ab"]
    assert [first_line(each) for each in writers] == ["ready", "ready"]
    seen = set()
    while any(each.poll() is None for each in writers):
        if path.exists():
            content = path.read_text()
            assert len(content) == 100_000
            assert len(set(content)) == 1
            seen.add(content[0])
    assert [each.wait() for each in writers] == [0, 0]
    assert seen == {"a", "b"}
    assert names(tmp_path) == ["file"]


def test_a_lock_is_held_by_one_and_names_the_holder(tmp_path: Path) -> None:
    path = tmp_path / ".lock"
    with FileLock(path) as lock:
        with pytest.raises(LockedError, match=rf"process {os.getpid()}"):
            FileLock(path)
        lock.close()
        lock.close()
        FileLock(path).close()
    assert path.exists()


def test_a_lock_ends_with_a_killed_holder(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path; from gameenv.files import FileLock\n"
        "lock = FileLock(Path(sys.argv[1])); print(flush=True); time.sleep(600)"
    )
    holder = python(code, tmp_path / ".lock")
    first_line(holder)
    with pytest.raises(LockedError, match=rf"process {holder.pid}"):
        FileLock(tmp_path / ".lock")
    holder.kill()
    holder.communicate(timeout=30)
    FileLock(tmp_path / ".lock").close()


@pytest.mark.parametrize("make", [FileLock, lambda path: write_atomically(path, "")])
def test_a_folder_that_is_not_there_is_an_error_of_the_system(tmp_path: Path, make: Callable[[Path], object]) -> None:
    with pytest.raises(FileNotFoundError):
        make(tmp_path / "missing" / "file")
