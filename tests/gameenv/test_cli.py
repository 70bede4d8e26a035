import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from gameenv.cli import run_command
from gameenv.errors import InvalidInputError
from tests.gameenv.test_temporary import let_all_in

COMMAND = '''
from dataclasses import dataclass
from gameenv.cli import run_command
from gameenv.errors import UnknownNameError

@dataclass(frozen=True)
class Args:
    """Do as told."""

    what: str = "nothing"
    """What to do."""
    count: int = 3
    """How often."""
    goal: tuple[str, ...] = ()
    """What for."""

def main(args):
    if args.goal:
        print(args)
    if args.what == "fail":
        raise UnknownNameError("task", "go-to-lanten", ["go-to-lantern"])
    if args.what == "stop":
        raise KeyboardInterrupt
    if args.what == "crash":
        raise RuntimeError("a defect")
    return {"four": 4}.get(args.what)

run_command(main, Args, "gameenv-something")
'''


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    file = tmp_path_factory.mktemp("command") / "something.py"
    file.write_text(COMMAND)

    def run_words(*words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(file), *words], capture_output=True, text=True, timeout=60, check=False
        )

    return run_words


@pytest.mark.parametrize(
    "words",
    [
        ("--goal", "a b", "c", "--goal", "d", "--count", "4"),
        ("--goal=a b", "--count", "4", "--goal=c", "--goal", "d"),
        ("--count=4", "--goal", "a b", "c", "d"),
    ],
)
def test_an_option_of_several_values_may_be_repeated(run: Run, words: tuple[str, ...]) -> None:
    assert run(*words).stdout.strip() == "Args(what='nothing', count=4, goal=('a b', 'c', 'd'))"


def test_done_is_zero_and_a_number_is_kept(run: Run) -> None:
    assert run().returncode == 0
    assert run("--what", "four").returncode == 4


def test_an_expected_error_is_one_line_and_code_1(run: Run) -> None:
    done = run("--what", "fail")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "gameenv-something: unknown task 'go-to-lanten'. Did you mean 'go-to-lantern'? Valid: go-to-lantern.\n"
    )


def test_wrong_arguments_are_code_2(run: Run) -> None:
    assert run("--count", "many").returncode == 2
    assert run("--nonsense").returncode == 2


def test_ctrl_c_is_code_130_and_one_line(run: Run) -> None:
    done = run("--what", "stop")
    assert done.returncode == 130
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


def test_a_defect_keeps_its_traceback(run: Run) -> None:
    done = run("--what", "crash")
    assert done.returncode == 1
    assert "Traceback" in done.stderr
    assert "a defect" in done.stderr


def test_help_gives_the_docstrings_and_the_defaults(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    for words in ("gameenv-something", "Do as told.", "How often.", "nothing", "3"):
        assert words in done.stdout


@dataclass(frozen=True)
class NoArgs:
    """Nothing to set."""


def test_long_lines_and_brackets_of_an_error_stay_as_they_are(capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["x"])
    message = "[bold]not markup[/bold] " + "a very long line " * 30

    def main(args: NoArgs) -> None:
        raise InvalidInputError(message)

    with pytest.raises(SystemExit) as left:
        run_command(main, NoArgs, "x")
    assert left.value.code == 1
    assert capsys.readouterr().err == f"x: {message}\n"


@pytest.mark.skipif(sys.platform == "win32", reason="closes streams as a Unix shell does")
@pytest.mark.parametrize("closed", ["<&-", ">&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_reason_to_fail(tmp_path: Path, closed: str) -> None:
    (tmp_path / "command.py").write_text(
        COMMAND.replace("    return", "    import sys; print(sys.stdin.read())\n    return")
    )
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} {tmp_path / 'command.py'} {closed}"], check=False, timeout=60
    )
    assert done.returncode == 0


def test_names_that_no_encoding_has_are_printed_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "command.py").write_text(COMMAND.replace("    return", "    print(args.what)\n    return"))
    done = subprocess.run(
        [sys.executable, str(tmp_path / "command.py"), "--what", b"Doom \xd0"],
        capture_output=True, check=False, timeout=60, env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, b"Doom \\udcd0\n"), done.stderr


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="being another user needs root")
def test_what_a_command_run_with_sudo_has_left_is_named_with_its_owner(tmp_path: Path) -> None:
    let_all_in(tmp_path)
    tmp_path.chmod(0o755)
    roots = tmp_path / "session"
    roots.mkdir()
    code = (
        "import os, pwd, sys; from dataclasses import dataclass; from pathlib import Path\n"
        "from gameenv.cli import run_command\nfrom recording.lock import lock_session\n"
        "@dataclass\nclass Args:\n    'Lock.'\n"
        f"os.setuid(65534)\nrun_command(lambda _: lock_session(Path({str(roots)!r})).close(), Args, 'x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"{roots} may not be written" in done.stderr
    assert f"{roots} belongs to root (was a command run with sudo?): sudo chown -R nobody {roots}" in done.stderr
