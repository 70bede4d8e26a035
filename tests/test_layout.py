"""The repository keeps its shape: which way imports point, what importing loads, where packages lie."""

import ast
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training")
"""In the order of imports: each may import those before it."""
ON_TOP = ("examples", "benchmarks")
"""These may import all, and nothing imports them."""
HEAVY = ("torch", "transformers", "mss", "pynput", "vizdoom", "matplotlib")


def imported(file: Path) -> Iterator[tuple[int, str]]:
    """Line and top-level package of every import in a file, those inside functions included."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}:{node.lineno} imports relatively"
            yield node.lineno, (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "require")):
            first = node.args[0] if node.args else None
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value.partition(".")[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_imports_point_one_way(package: str) -> None:
    forbidden = {*PACKAGES[PACKAGES.index(package) + 1 :], *ON_TOP, "tests"}
    files = sorted((ROOT / package).rglob("*.py"))
    assert files
    wrong = [
        f"{file.relative_to(ROOT)}:{line} imports {name}"
        for file in files
        for line, name in imported(file)
        if name in forbidden
    ]
    assert not wrong


def test_the_check_of_imports_sees_lazy_ones(tmp_path: Path) -> None:
    file = tmp_path / "lazy.py"
    file.write_text("def f():\n    from training.bc import x\n    import policies.base\n    require('labeling', 'x')\n")
    assert list(imported(file)) == [(2, "training"), (3, "policies"), (4, "labeling")]


@pytest.mark.parametrize("package", PACKAGES)
def test_packages_lie_in_this_repository_and_are_typed(package: str) -> None:
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin == str(ROOT / package / "__init__.py")
    assert (ROOT / package / "py.typed").is_file()


def test_importing_loads_nothing_heavy() -> None:
    code = f"import sys, gameenv, recording, policies; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.strip() == "[]"


def test_nothing_tracked_names_a_path_of_one_machine() -> None:
    if shutil.which("git") is None or not (ROOT / ".git").exists():
        pytest.skip("not a git checkout")
    patterns = [word for folder in ("work", "tmp") for word in ("-e", f"/{folder}/")]
    done = subprocess.run(
        ["git", "grep", "-nI", "-F", *patterns], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 1, f"tracked files name paths of one machine:\n{done.stdout}{done.stderr}"


BELOW = {"gameenv/desktop": ("gameenv.live", "gameenv.arena", "gameenv.doctor"), "gameenv/live": ("gameenv.arena",)}
"""Rooms of the environment, and what they know nothing of."""


def modules(file: Path) -> Iterator[str]:
    """The full name of every module of this project that a file imports, inside functions and not."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"), str(file))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.split(".")[0] in PACKAGES:
                path = ROOT.joinpath(*name.split("."))
                inside = path.with_suffix(".py").is_file() or path.is_dir()
                yield name if inside else name.rpartition(".")[0]


@pytest.mark.parametrize("room", BELOW)
def test_rooms_of_the_environment_know_nothing_of_those_above(room: str) -> None:
    wrong = [
        f"{file.relative_to(ROOT)} imports {name}"
        for file in (ROOT / room).rglob("*.py")
        for name in modules(file)
        if name.startswith(BELOW[room])
    ]
    assert not wrong


def test_no_modules_import_each_other_in_a_circle() -> None:
    imports: dict[str, set[str]] = {}
    for file in (file for package in PACKAGES for file in (ROOT / package).rglob("*.py")):
        name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        imports[name] = set(modules(file)) - {name}
    while free := {name for name, its in imports.items() if not its & imports.keys()}:
        for name in free:
            del imports[name]
    assert not imports, f"these import each other: {sorted(imports)}"
