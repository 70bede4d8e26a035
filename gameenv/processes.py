"""Processes that a command starts, and how none of them outlives it: not a Ctrl-C, not a kill of the command itself.

Knows nothing of what they do.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path


@contextlib.contextmanager
def sigint_held_back() -> Iterator[None]:
    """Deliver a Ctrl-C only afterwards, and start processes in here that begin with it held back for good."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_with_parent() -> None:
    """End this process at once when the one that started it is gone, however that ended.

    A worker of a pool needs it: it would wait for its next job for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def follow() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=follow, name="end with parent", daemon=True).start()


@contextlib.contextmanager
def worker_pool(workers: int) -> Iterator[ProcessPoolExecutor]:
    """Give a pool of fresh processes that ends at once if anything goes wrong, whatever they are at.

    Submit jobs inside ``sigint_held_back()``, so that a Ctrl-C is for the command alone.
    """
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=end_with_parent)
    try:
        yield pool
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.kill()
        with contextlib.suppress(RuntimeError):  # it was interrupted before its own thread had begun
            pool.shutdown(cancel_futures=True)
        raise
    pool.shutdown()


def process_name(pid: int) -> str:
    """Name of a process's program as Linux keeps it, empty where the system does not tell.

    Linux cuts it after 15 bytes, in the middle of a letter if need be: that letter is replaced.
    """
    try:
        return Path(f"/proc/{pid}/comm").read_bytes().decode(errors="replace").strip()
    except OSError:
        return ""


def ancestors() -> frozenset[int]:
    """Numbers of this process and of those it was started by, as far as Linux tells."""
    found = [os.getpid(), os.getppid()]
    with contextlib.suppress(OSError, ValueError, IndexError):
        while found[-1] > 1:
            fields = Path(f"/proc/{found[-1]}/stat").read_bytes().rpartition(b")")[2].split()
            found.append(int(fields[1]))
    return frozenset(found) - {0, 1}


def kill_group(pid: int) -> None:
    """Kill the process group that ``pid`` leads, where there is one: a worker and the game it had started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
