"""The one check: lint, format, types, tests, in this order; stops at the first that fails. Run: python tests/check.py

``python tests/check.py --fast`` leaves out the tests that are marked ``slow``: for the inner loop, not for a merge.
Further words go to pytest: ``python tests/check.py --fast -k arena``.
"""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOWS_CODE = (
    *("gameenv/desktop", "gameenv/doctor", "gameenv/files.py", "gameenv/live", "tests/gameenv/desktop/win32"),
)
"""What runs on Windows in other lines than here: its types are checked as they are there, too."""
FAST = "--fast"
NOT_SLOW = ("-m", "not served and not slow")
ENVIRONMENT = {"OMP_NUM_THREADS": "1", **os.environ}
"""One thread for each of pytest's processes: threads that wait for each other's cores are much slower than none."""


def commands(words: Sequence[str]) -> list[tuple[str, ...]]:
    """The modules to run with their arguments, in order, for the words of a command line."""
    to_pytest = [word for word in words if word != FAST]
    return [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("pyright", "--pythonpath", sys.executable),
        ("pyright", "--pythonpath", sys.executable, "--pythonplatform", "Windows", *WINDOWS_CODE),
        ("pytest", "-n", "auto", "--dist", "loadfile", *(NOT_SLOW if FAST in words else ()), *to_pytest),
    ]


def main(words: Sequence[str]) -> int:
    """Run them; the exit code of the first that fails, else 0."""
    for module, *arguments in commands(words):
        print(f"== {module} {' '.join(arguments)}", flush=True)
        ran = subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT, env=ENVIRONMENT, check=False)
        if ran.returncode:
            return ran.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
