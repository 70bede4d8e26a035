"""Temporary things: short paths whatever TMPDIR is, names of one's own, and clear words where neither can be."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from gameenv import temporary
from gameenv.errors import GameEnvError
from gameenv.temporary import make_folder, own_path
from gameenv.users import belongs_to

NOBODY = 65_534
as_root = pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="being another user needs root")
OPEN_LOCK = """
import os, pwd, sys
from gameenv.errors import GameEnvError
from gameenv.files import lock_window
os.setuid(int(sys.argv[1]))
try:
    with lock_window(77):
        print("locked")
except GameEnvError as error:
    print(error)
"""


def let_all_in(folder: Path) -> None:
    """Open a folder to every user, and the way to it from the temporary folder, however many folders there are."""
    folder.chmod(0o1777)
    for parent in folder.parents:
        if Path(tempfile.gettempdir()) not in parent.parents:
            break
        parent.chmod(0o755)


def opened_by(user: int, folder: Path) -> str:
    """What a process of another user says that locks a window."""
    command = [sys.executable, "-c", OPEN_LOCK, str(user)]
    done = subprocess.run(
        command, env={**os.environ, "TMPDIR": str(folder)}, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@pytest.fixture
def long_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / ("x" * 150)
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def test_a_folder_is_made_in_the_folder_of_temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    folder = make_folder("gameenv-test-", 4000)
    assert folder.parent == tmp_path
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(sys.platform == "win32", reason="its pipes have no paths")
def test_where_its_path_would_be_too_long_another_is_taken(long_tmp: Path) -> None:
    folder = make_folder("gameenv-test-", 98)
    try:
        assert len(os.fsencode(folder)) <= 98
        assert not list(long_tmp.iterdir())
    finally:
        folder.rmdir()


def test_where_none_will_do_it_says_what_to_set(long_tmp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(temporary, "_SHORT", ("/not there",))
    with pytest.raises(GameEnvError, match=r"longer than \d+ bytes; /not there: No such file.*TMPDIR=/tmp"):
        make_folder("gameenv-test-", 98)


@as_root
def test_a_lock_that_root_has_left_keeps_no_user_out_of_a_window(tmp_path: Path) -> None:
    """Once run with sudo: the file is root's, in a folder where each may remove only their own."""
    let_all_in(tmp_path)
    for user in (0, NOBODY):
        assert opened_by(user, tmp_path) == "locked\n"
    assert len({path.owner() for path in tmp_path.iterdir()}) == 2


@as_root
def test_a_lock_of_ones_own_name_that_is_anothers_is_named_with_its_owner(tmp_path: Path) -> None:
    let_all_in(tmp_path)
    display = "".join(sign if sign.isalnum() else "-" for sign in os.environ.get("DISPLAY", ""))
    (tmp_path / f"gameenv-{NOBODY}-window{display}-77.lock").touch(mode=0o600)
    said = opened_by(NOBODY, tmp_path)
    assert "Permission denied" in said
    assert "belongs to root (was a command run with sudo?): sudo chown -R nobody" in said
    assert "TMPDIR" in said


@pytest.mark.skipif(sys.platform == "win32", reason="its users have folders of their own")
def test_ones_own_names_hold_ones_number() -> None:
    assert f"-{os.getuid()}-" in own_path("thing").name


def test_ones_own_files_and_those_that_are_not_there_need_no_word(tmp_path: Path) -> None:
    assert belongs_to(tmp_path) == ""
    assert belongs_to(tmp_path / "missing") == ""
