"""The API reference can be built from the docstrings, without a warning."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training")
ONE_SYSTEM_ONLY = ("gameenv/desktop/macos", "gameenv/desktop/win32", "gameenv/desktop/x11")


@pytest.mark.slow
def test_every_public_module_has_a_page(tmp_path: Path) -> None:
    line = [sys.executable, str(ROOT / "docs" / "build_api.py"), "--out", str(tmp_path / "api")]
    ran = subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    pages = {path.relative_to(tmp_path / "api").as_posix() for path in (tmp_path / "api").rglob("*.html")}
    for module in ("gameenv/actions", "recording/session", "policies/base", "labeling/labeler", "training/vlm/run"):
        assert f"{module}.html" in pages
    files = (path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    public = (file for file in files if not file.endswith("__main__.py") and not file.startswith(ONE_SYSTEM_ONLY))
    assert {file.replace("/__init__.py", ".py").replace(".py", ".html") for file in public} <= pages
