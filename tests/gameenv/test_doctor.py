"""What gameenv-doctor finds: on a real display, without one, and beside programs that only seem to be there."""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from gameenv.doctor.desktop import check_desktop
from gameenv.doctor.finding import Finding
from gameenv.doctor.installation import check_arena, check_disk, check_extras, check_python, packages_of
from gameenv.doctor.training import (
    Gpu,
    Torch,
    check_training,
    find_torch,
    install_command,
    judge_gpus,
    judge_torch,
    wheel_index,
)
from tests.gameenv.live.display import Probe, x_server

RTX_4090 = Gpu("NVIDIA GeForce RTX 4090", 24564, 581, 8.9)
CPU_TORCH = Torch("2.13.0+cpu", "", "", sees_gpu=False)
FAKE_TORCH = """
class version:
    cuda = {cuda!r}
    hip = None
class cuda:
    is_available = staticmethod(lambda: {sees})
__version__ = {version!r}
"""


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with x_server("Xvfb", "-screen", "0", "1280x720x24") as name:
        monkeypatch.setenv("DISPLAY", name)
        monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
        monkeypatch.delenv("XDG_SESSION_TYPE", raising=False)
        yield name


@pytest.fixture
def probe(display: str) -> Iterator[Probe]:
    opened = Probe("Probe game")
    yield opened
    opened.close()


def by_name(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def put_program(folder: Path, name: str, script: str) -> None:
    program = folder / name
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)


@pytest.fixture
def fake_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is first on PATH and on the PYTHONPATH of processes started."""
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path


# The desktop


def test_everything_is_green_for_a_window_that_can_be_played(probe: Probe) -> None:
    found = by_name(check_desktop("probe g"))
    assert list(found) == ["display", "windows", "capture", "keys", "pressing keys", "hearing keys"]
    assert {finding.level for finding in found.values()} == {"green"}, found
    assert "'Probe game' (" in found["windows"].text
    assert found["capture"].text.startswith("640x360 of the window in ")
    assert "Xvfb" in found["hearing keys"].text
    assert "XTEST" not in found["hearing keys"].text
    assert probe.keys == [], "a key was pressed"


def test_without_a_title_the_desktop_is_looked_at(probe: Probe) -> None:
    found = by_name(check_desktop())
    assert found["capture"].level == "green"
    assert found["capture"].text.startswith("1280x720 of the desktop in ")
    assert "'Probe game'" in found["windows"].text


def test_a_desktop_without_windows_is_only_noted(display: str) -> None:
    found = by_name(check_desktop())
    assert {name for name, finding in found.items() if finding.level == "yellow"} == {"windows", "capture"}


def test_a_black_window_is_red_and_names_borderless(probe: Probe) -> None:
    probe.tell("colour 0 0 0")
    found = by_name(check_desktop("Probe game"))["capture"]
    assert found.level == "red"
    assert "borderless" in found.remedy


def test_a_window_outside_the_screen_is_red_and_one_partly_so_is_noted(probe: Probe) -> None:
    probe.tell("move 1000 80")
    assert by_name(check_desktop("Probe game"))["capture"].level == "yellow"
    probe.tell("move 3000 80")
    found = by_name(check_desktop("Probe game"))["capture"]
    assert (found.level, found.remedy) == ("red", "the window lies outside the screen: move it back")


def test_a_title_that_no_window_has_lists_those_there_are(probe: Probe) -> None:
    found = by_name(check_desktop("The Dark Mod"))
    assert found["windows"].level == "red"
    assert "'Probe game'" in found["windows"].text
    assert "capture" not in found


@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # Xlib leaves its socket to the collector
@pytest.mark.parametrize(
    ("variables", "name", "text"),
    [
        ({}, "display", "DISPLAY is not set"),
        ({"WAYLAND_DISPLAY": "wayland-0", "DISPLAY": ":0"}, "display", "X11 (Xorg) session"),
        ({"XDG_SESSION_TYPE": "wayland"}, "display", "X11 (Xorg) session"),
        ({"DISPLAY": ":9999"}, "windows", "cannot be opened"),
    ],
)
def test_a_display_that_cannot_be_used_is_one_red_line(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], name: str, text: str
) -> None:
    for variable in ("DISPLAY", "WAYLAND_DISPLAY", "XDG_SESSION_TYPE"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    red = [finding for finding in check_desktop() if finding.level == "red"]
    gc.collect()
    assert [finding.name for finding in red] == [name]
    assert text in red[0].text


def test_a_window_may_be_named_by_its_program_or_its_number(probe: Probe) -> None:
    assert by_name(check_desktop(process="python"))["windows"].level == "green"
    assert by_name(check_desktop(probe.handle))["capture"].text.startswith("640x360 of the window in ")
    gone = by_name(check_desktop(4711))
    assert gone["windows"].level == "red"
    assert f"{probe.handle:#x}  'Probe game'" in gone["windows"].text
    assert "capture" not in gone


def test_the_command_lists_the_windows_that_can_be_named_and_marks_our_own(probe: Probe) -> None:
    from Xlib import Xatom, display  # noqa: PLC0415

    connection = display.Display()
    terminal = Probe("$ gameenv-doctor --window Probe")
    window = connection.create_resource_object("window", terminal.handle)
    window.change_property(connection.intern_atom("_NET_WM_PID"), Xatom.CARDINAL, 32, [os.getpid()])
    connection.sync()
    done = run_doctor("--windows")
    named = run_doctor("--json", "--window", "probe")
    terminal.close()
    connection.close()
    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stderr
    assert len(lines) == 2
    assert [line.endswith("left out by name") for line in lines if "Probe game" in line] == [False]
    assert [line.endswith("left out by name") for line in lines if "$ gameenv-doctor" in line] == [True]
    found = {each["name"]: each for each in json.loads(named.stdout)}
    assert "'Probe game'" in found["windows"]["text"], "the terminal's title has it in it too"


# Training


def test_a_gpu_beside_a_cpu_only_torch_gets_the_exact_command(fake_path: Path) -> None:
    put_program(fake_path, "nvidia-smi", "echo 'NVIDIA GeForce RTX 4090, 24564, 581.29, 8.9'")
    (fake_path / "torch.py").write_text(FAKE_TORCH.format(cuda=None, sees=False, version="2.13.0+cpu"))
    gpu, torch = check_training()
    assert gpu == Finding("gpu", "green", "NVIDIA GeForce RTX 4090 (24 GiB, driver 581)")
    assert torch.level == "red"
    assert "RTX 4090" in torch.text
    assert torch.remedy == ('pip install "torch==2.13.0+cu130" --index-url https://download.pytorch.org/whl/cu130')


def test_a_torch_that_sees_the_gpu_is_green(fake_path: Path) -> None:
    put_program(fake_path, "nvidia-smi", "echo 'NVIDIA H200, 143771, 580.65.06, 9.0'")
    (fake_path / "torch.py").write_text(FAKE_TORCH.format(cuda="13.0", sees=True, version="2.13.0+cu130"))
    assert [finding.level for finding in check_training()] == ["green", "green"]


def test_a_driver_that_does_not_answer_is_red(fake_path: Path) -> None:
    put_program(fake_path, "nvidia-smi", "echo 'Failed to initialize NVML: Driver/library version mismatch'; exit 18")
    (fake_path / "torch.py").write_text(FAKE_TORCH.format(cuda="13.0", sees=False, version="2.13.0+cu130"))
    gpu, _ = check_training()
    assert gpu.level == "red"
    assert "version mismatch" in gpu.text


def test_an_answer_that_cannot_be_read_is_red(fake_path: Path) -> None:
    put_program(fake_path, "nvidia-smi", "echo 'No devices were found'")
    assert next(iter(check_training())).level == "red"


def test_a_torch_that_cannot_be_imported_is_red(fake_path: Path) -> None:
    put_program(fake_path, "nvidia-smi", "true")
    (fake_path / "torch.py").write_text("raise OSError('[WinError 126] c10.dll')")
    gpu, torch = check_training()
    assert gpu.level == "yellow", "no GPU"
    assert torch.level == "red"
    assert "c10.dll" in torch.text


@pytest.mark.slow
def test_the_torch_of_this_machine_is_seen_as_it_is() -> None:
    try:
        installed = version("torch")
    except PackageNotFoundError:
        assert find_torch() is None
        return
    found = find_torch()
    assert found is not None
    assert found.version.partition("+")[0] == installed.partition("+")[0]


@pytest.mark.parametrize(
    ("capability", "driver", "index"),
    [
        (8.9, 580, "cu130"),
        (7.5, 591, "cu130"),
        (8.9, 572, "cu126"),
        (6.1, 580, "cu126"),  # Pascal: CUDA 13 does not know it
        (12.0, 580, "cu130"),
        (12.0, 572, None),  # Blackwell: CUDA 12.6 does not know it
        (8.9, 470, None),
        (6.1, 470, None),
    ],
)
def test_the_build_fits_the_gpu_and_its_driver(capability: float, driver: int, index: str | None) -> None:
    gpu = Gpu("a GPU", 24564, driver, capability)
    assert wheel_index(gpu) == index
    remedy = judge_torch(CPU_TORCH, (gpu,)).remedy
    if index is None:
        assert judge_gpus((gpu,)).level == "red"
        assert remedy.startswith("install driver 5")
    else:
        assert judge_gpus((gpu,)).level == "green"
        assert remedy.endswith(f'+{index}" --index-url https://download.pytorch.org/whl/{index}')


def test_a_cuda_torch_that_does_not_see_the_gpu_is_red() -> None:
    other = judge_torch(Torch("2.13.0+cu132", "13.2", "", sees_gpu=False), (RTX_4090,))
    assert (other.level, other.remedy) == ("red", install_command("2.13.0+cu132", (RTX_4090,)))
    right = judge_torch(Torch("2.13.0+cu130", "13.0", "", sees_gpu=False), (RTX_4090,))
    assert right.level == "red"
    assert "driver" in right.remedy, "installing the same once more would not help"


def test_without_a_gpu_a_cpu_torch_is_what_it_takes() -> None:
    assert judge_torch(CPU_TORCH, ()).level == "green"
    assert judge_gpus(()).level == "yellow"
    assert judge_torch(None, ()).remedy == 'to train: pip install -c constraints.txt -e ".[train]"'
    assert "--extra-index-url https://download.pytorch.org/whl/cu130" in judge_torch(None, (RTX_4090,)).remedy


# The installation


def test_the_packages_of_an_extra_are_those_of_this_system() -> None:
    required = [
        "numpy>=1.26",
        "mss<12,>=10.2; extra == 'live'",
        "pydirectinput-rgx<3,>=2.1; (platform_system == 'Windows') and extra == 'live'",
        "pynput<2,>=1.8; (platform_system != 'Linux') and extra == 'live'",
        'python-xlib>=0.33; platform_system == "Linux" and extra == "live"',
        "torch<2.15,>=2.10; extra == 'train'",
    ]
    assert packages_of("live", required, "Linux") == ("mss", "python-xlib")
    assert packages_of("live", required, "Windows") == ("mss", "pydirectinput-rgx", "pynput")
    assert packages_of("live", required, "Darwin") == ("mss", "pynput")
    assert packages_of("train", required, "Linux") == ("torch",)


def test_each_extra_has_a_line_and_a_missing_one_its_command() -> None:
    found = by_name(check_extras())
    assert found["part arena"] == Finding("part arena", "green", "installed: vizdoom")
    for name, finding in found.items():
        assert (finding.level == "green") == (finding.remedy == "")
        if finding.remedy:
            assert finding.remedy.endswith(f'-e ".[{name.removeprefix("part ")}]"')
    assert "part dev" not in found


def test_this_python_and_the_built_in_game_work() -> None:
    assert check_python().level == "green"
    assert check_arena() == Finding("built-in game", "green", "starts and can be played")


@pytest.mark.parametrize(("free_gb", "level"), [(0.5, "red"), (5, "yellow"), (50, "green")])
def test_the_disk_is_judged_where_recordings_go(tmp_path: Path, free_gb: float, level: str) -> None:
    asked = []

    def free_bytes(path: Path) -> int:
        asked.append(path)
        return int(free_gb * 1e9)

    found = check_disk(tmp_path / "not" / "there", free_bytes)
    assert found.level == level
    assert asked == [tmp_path]
    assert (found.remedy == "") == (level == "green")


# The command


def run_doctor(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gameenv.doctor", *words], capture_output=True, text=True, timeout=200, check=False
    )


@pytest.mark.slow
def test_the_command_prints_json_and_exits_1_exactly_if_something_is_red(probe: Probe) -> None:
    done = run_doctor("--json", "--window", "Probe game")
    found = {each["name"]: each for each in json.loads(done.stdout)}
    assert {"python", "display", "windows", "capture", "built-in game", "disk", "gpu", "torch"} <= set(found)
    assert found["capture"]["level"] == "green"
    assert done.returncode == any(each["level"] == "red" for each in found.values())
    assert done.stderr == ""


@pytest.mark.slow
def test_the_command_prints_a_line_each_and_the_remedy_below(fake_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put_program(fake_path, "nvidia-smi", "echo 'NVIDIA GeForce RTX 4090, 24564, 581.29, 8.9'")
    (fake_path / "torch.py").write_text(FAKE_TORCH.format(cuda=None, sees=False, version="2.13.0+cpu"))
    monkeypatch.delenv("DISPLAY", raising=False)
    done = run_doctor()
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert any(line.startswith("  ok  python: 3.") for line in lines)
    assert any(line.startswith(" BAD  display: there is no display") for line in lines)
    torch = next(number for number, line in enumerate(lines) if line.startswith(" BAD  torch:"))
    assert lines[torch + 1].startswith('      -> pip install "torch==2.13.0+cu130" --index-url https://')
