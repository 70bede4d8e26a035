"""Looks at what training needs: a GPU, its driver, and a torch that was built for it.

torch is imported in a process of its own: a broken one may take its process with it. Knows nothing of models.
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

from gameenv.doctor.finding import Finding

_PATIENCE_S = 120
_INDEX = "https://download.pytorch.org/whl/"
_CUDA_13, _CUDA_12 = "cu130", "cu126"
_CUDA_13_DRIVER, _CUDA_12_DRIVER = 580, 528
"""Oldest driver series that run CUDA 13 and any CUDA 12."""
_CUDA_13_CAPABILITY = 7.5
"""Oldest GPUs (Turing) that CUDA 13 still knows."""
_BLACKWELL = 10.0
"""Oldest GPUs that a build for CUDA 12.6 does not know."""
_TELL = """
import json, torch
print(json.dumps([torch.__version__, torch.version.cuda or "", torch.version.hip or "", torch.cuda.is_available()]))
"""


@dataclass(frozen=True, slots=True)
class Gpu:
    """An NVIDIA GPU as nvidia-smi tells of it.

    Attributes:
        name: Such as ``NVIDIA GeForce RTX 4090``.
        memory_mib: Its memory.
        driver: The driver's series, such as 580.
        capability: Its compute capability, such as 8.9.
    """

    name: str
    memory_mib: int
    driver: int
    capability: float


@dataclass(frozen=True, slots=True)
class Torch:
    """The torch that is installed.

    Attributes:
        version: Such as ``2.13.0+cpu``.
        cuda: The CUDA it was built for, empty if for none.
        rocm: The same for AMD's.
        sees_gpu: Whether it can use one.
    """

    version: str
    cuda: str
    rocm: str
    sees_gpu: bool


class _BrokenError(Exception):
    """Something is there and does not work; the last line it said."""


def check_training() -> Iterator[Finding]:
    """Check the GPU, and then torch beside it."""
    gpus: tuple[Gpu, ...] = ()
    try:
        gpus = find_gpus()
        yield judge_gpus(gpus)
    except _BrokenError as error:
        yield Finding(
            "gpu",
            "red",
            f"nvidia-smi does not work: {error}",
            "install the current driver from nvidia.com/drivers and restart",
        )
    try:
        yield judge_torch(find_torch(), gpus)
    except _BrokenError as error:
        yield Finding("torch", "red", f"cannot be imported: {error}", f"reinstall it: {install_command('', gpus)}")


def find_gpus() -> tuple[Gpu, ...]:
    """Ask nvidia-smi.

    Raises:
        _BrokenError: If it is there and fails.
    """
    program = shutil.which("nvidia-smi")
    if program is None:
        return ()
    query = "--query-gpu=name,memory.total,driver_version,compute_cap"
    said = _run([program, query, "--format=csv,noheader,nounits"])
    gpus = []
    try:
        for line in said.splitlines():
            name, memory_mib, driver, capability = (part.strip() for part in line.rsplit(",", 3))
            gpus.append(Gpu(name, _number(memory_mib), int(driver.partition(".")[0]), float(capability)))
    except ValueError:
        raise _BrokenError(f"it said {said.strip()!r}") from None
    return tuple(gpus)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0  # GPUs that share the machine's memory say [N/A]


def judge_gpus(gpus: tuple[Gpu, ...]) -> Finding:
    """What the GPUs are good for."""
    if not gpus:
        return Finding(
            "gpu",
            "yellow",
            "no NVIDIA GPU: the small baselines train here, the vision-language model does not",
            "train that on a machine with one",
        )
    text = ", ".join(f"{gpu.name} ({gpu.memory_mib / 1024:.0f} GiB, driver {gpu.driver})" for gpu in gpus)
    if wheel_index(gpus[0]) is None:
        return Finding("gpu", "red", f"{text}: the driver is too old", _driver_remedy(gpus[0]))
    return Finding("gpu", "green", text)


def find_torch() -> Torch | None:
    """Ask the torch that is installed; None if none is.

    Raises:
        _BrokenError: If it cannot be imported.
    """
    found = _run([sys.executable, "-c", "import importlib.util; print(importlib.util.find_spec('torch') is not None)"])
    if found.strip() != "True":
        return None
    said = _run([sys.executable, "-c", _TELL]).strip().splitlines()[-1]
    return Torch(*json.loads(said))


def judge_torch(torch: Torch | None, gpus: tuple[Gpu, ...]) -> Finding:
    """Whether torch is there and fits the GPU."""
    name = "torch"
    if torch is None:
        return Finding(name, "yellow", "not installed", f"to train: {install_command('', gpus)}")
    built_for = f"CUDA {torch.cuda}" if torch.cuda else f"ROCm {torch.rocm}" if torch.rocm else "the CPU only"
    text = f"{torch.version}, built for {built_for}"
    if torch.sees_gpu:
        return Finding(name, "green", f"{text}, sees the GPU")
    if not gpus:
        return Finding(name, "green" if built_for == "the CPU only" else "yellow", f"{text}, sees no GPU")
    if torch.cuda:
        return Finding(name, "red", f"{text}, but does not see the {gpus[0].name}", _other_build_remedy(torch, gpus))
    return Finding(
        name,
        "red",
        f"{text}, beside an {gpus[0].name}: training would run on the CPU",
        install_command(torch.version, gpus),
    )


def wheel_index(gpu: Gpu) -> str | None:
    """The torch build for a GPU and its driver, such as ``cu130``; None where the driver is too old for any.

    Both builds exist for every torch from 2.10 to 2.13, for Windows and for Linux.
    """
    if gpu.capability < _CUDA_13_CAPABILITY:
        return _CUDA_12 if gpu.driver >= _CUDA_12_DRIVER else None
    if gpu.driver >= _CUDA_13_DRIVER:
        return _CUDA_13
    return _CUDA_12 if gpu.driver >= _CUDA_12_DRIVER and gpu.capability < _BLACKWELL else None


def install_command(version: str, gpus: tuple[Gpu, ...]) -> str:
    """The command that installs the torch this machine needs.

    Args:
        version: That of the torch it replaces, empty if there is none. Named with its build, since pip takes one
            build for another.
        gpus: What it is for.
    """
    if not gpus:
        return 'pip install -c constraints.txt -e ".[train]"'
    index = wheel_index(gpus[0])
    if index is None:
        return _driver_remedy(gpus[0])
    if version:
        return f'pip install "torch=={version.partition("+")[0]}+{index}" --index-url {_INDEX}{index}'
    return f'pip install -c constraints.txt -e ".[vlm]" --extra-index-url {_INDEX}{index}'


def _other_build_remedy(torch: Torch, gpus: tuple[Gpu, ...]) -> str:
    index = wheel_index(gpus[0])
    if index is None:
        return _driver_remedy(gpus[0])
    fits = torch.cuda.replace(".", "") == index.removeprefix("cu")
    if fits:
        return "restart the machine; if that does not help, install the current driver from nvidia.com/drivers"
    return install_command(torch.version, gpus)


def _driver_remedy(gpu: Gpu) -> str:
    oldest = _CUDA_12_DRIVER if gpu.capability < _CUDA_13_CAPABILITY else _CUDA_13_DRIVER
    return f"install driver {oldest} or newer from nvidia.com/drivers, restart, and run this again"


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PATIENCE_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _BrokenError(str(error)) from error
    if done.returncode:
        lines = (done.stderr.strip() or done.stdout.strip()).splitlines()
        raise _BrokenError(lines[-1] if lines else f"exit code {done.returncode}")
    return done.stdout
