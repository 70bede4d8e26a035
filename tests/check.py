"""The one check: lint, format, types, tests, in this order; stops at the first that fails. Run: python tests/check.py

Further words go to pytest: ``python tests/check.py -k arena``.
"""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WINDOWS_CODE = (
    *("gameenv/desktop", "gameenv/doctor", "gameenv/files.py", "gameenv/live", "tests/gameenv/desktop/win32"),
)
"""What runs on Windows in other lines than here: its types are checked as they are there, too."""
CHECKS = (
    ("ruff", "check", "."),
    ("ruff", "format", "--check", "."),
    ("pyright", "--pythonpath", sys.executable),
    ("pyright", "--pythonpath", sys.executable, "--pythonplatform", "Windows", *WINDOWS_CODE),
    ("pytest", "-n", "auto", "--dist", "loadfile", *sys.argv[1:]),
)
ENVIRONMENT = {"OMP_NUM_THREADS": "1", **os.environ}
"""One thread for each of pytest's processes: threads that wait for each other's cores are much slower than none."""

for module, *words in CHECKS:
    print(f"== {module} {' '.join(words)}", flush=True)
    code = subprocess.run([sys.executable, "-m", module, *words], cwd=ROOT, env=ENVIRONMENT, check=False).returncode
    if code:
        sys.exit(code)
