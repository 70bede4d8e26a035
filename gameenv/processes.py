"""Processes that a command starts, and how none of them outlives it: not a Ctrl-C, not a kill of the command itself.

Knows nothing of what they do.
"""

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import Connection
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


class Worker:
    """A fresh process of ours at the other end of a pipe, with a process group of its own.

    A Ctrl-C in the terminal never reaches it: it is for the command, which tells its workers what to do.

    Args:
        life: What it does, called with its end of the pipe and ``arguments``; must begin with ``settle_in``.
        arguments: Whatever ``life`` needs.
        name: Of the process.
        daemon: Ended without being asked when this process ends.

    Attributes:
        connection: Our end of the pipe.
        process: To ask whether it lives, and how it ended.
    """

    def __init__(self, life: Callable[..., object], *arguments: object, name: str, daemon: bool) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=life, args=(theirs, *arguments), name=name, daemon=daemon)
        with sigint_held_back():  # for good: Ctrl-C never reaches it
            self.process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process.pid is not None
        return self.process.pid

    def send(self, message: object) -> None:
        """Tell it something; one that is gone hears nothing."""
        with contextlib.suppress(OSError, ValueError):
            self.connection.send(message)

    def end(self, patience_s: float = 0.0) -> None:
        """Wait so long for it to end, then make sure that it is gone, and with it what it had started."""
        self.process.join(patience_s)
        if self.process.is_alive():
            self.process.kill()
        kill_group(self.pid)
        self.process.join()
        self.connection.close()


def settle_in(connection: Connection) -> None:
    """Begin a worker's life: lead a group of its own, away from the terminal, and keep the pipe to itself.

    The game's engine takes SIGINT back into its own hands, so ignoring the signal is not enough where there are
    terminals; and an engine that held the pipe would keep it open when the worker is killed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(os, "setsid"):
        with contextlib.suppress(OSError):
            os.setsid()
    with contextlib.suppress(OSError, ValueError):
        os.set_inheritable(connection.fileno(), False)


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
