"""Processes that a command starts end with it."""

import contextlib
import os
import signal
import subprocess
import sys
import time

import pytest

from gameenv.arena.engine.ownership import own_engines, sweep_orphans
from gameenv.processes import Worker, ancestors, kill_group, process_name, settle_in, sigint_held_back

POOL = """
import multiprocessing, os, time
from concurrent.futures import ProcessPoolExecutor
from gameenv.processes import end_with_parent

if __name__ == "__main__":
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=end_with_parent) as pool:
        print(pool.submit(os.getpid).result(), flush=True)
        time.sleep(600)
"""


def is_gone(pid):
    for _ in range(100):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, 0)
            time.sleep(0.05)
            continue
        return True
    return False


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_worker_of_a_pool_ends_with_the_process_that_started_it(tmp_path, how):
    script = tmp_path / "pool.py"
    script.write_text(POOL)
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        worker = int(process.stdout.readline())
        process.send_signal(how)
    assert is_gone(worker)


def echo(connection):
    """A worker's life: says who it is and what it started, then gives back what it hears."""
    settle_in(connection)
    connection.send((os.getpgrp(), subprocess.Popen(["sleep", "600"]).pid))
    while (message := connection.recv()) is not None:
        connection.send(message)


def test_a_worker_leads_its_own_group_and_outlives_a_ctrl_c():
    worker = Worker(echo, name="echo", daemon=True)
    group, child = worker.connection.recv()
    os.kill(worker.pid, signal.SIGINT)
    worker.send("still there")
    assert worker.connection.recv() == "still there"
    assert group == worker.pid
    worker.send(None)
    worker.end(patience_s=10)
    assert worker.process.exitcode == 0, "it ended by itself"
    assert is_gone(child), "what it had started went with it"


def test_a_worker_that_does_not_end_is_ended_and_hears_no_more():
    worker = Worker(echo, name="echo", daemon=True)
    _, child = worker.connection.recv()
    worker.end()
    assert worker.process.exitcode == -signal.SIGKILL
    assert is_gone(child)
    worker.send("nobody hears it")


def interrupted_while_held_back(reached):
    with sigint_held_back():
        signal.raise_signal(signal.SIGINT)
        reached.append("the end of the block")


def test_a_ctrl_c_comes_after_the_block_and_not_in_it():
    reached = []
    with pytest.raises(KeyboardInterrupt):
        interrupted_while_held_back(reached)
    assert reached == ["the end of the block"]


def test_a_group_that_is_gone_may_be_killed_again():
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"], start_new_session=True) as process:
        kill_group(process.pid)
    assert process.returncode == -signal.SIGKILL
    kill_group(process.pid)


RENAMED = """
import ctypes, sys, time
ctypes.CDLL(None).prctl(15, "Приключение".encode())  # PR_SET_NAME: cut after 15 bytes, inside a letter
print("named", flush=True)
time.sleep(60)
"""

GRANDPARENT = """
import ctypes, subprocess, sys
ctypes.CDLL(None).prctl(15, b"a) \\xd0")
code = "from gameenv.processes import ancestors; print(*ancestors())"
subprocess.run([sys.executable, "-c", code], check=True)
"""


@pytest.fixture
def process_with_a_cut_name():
    """A process whose name ends inside a letter, as a game under Wine may have."""
    with subprocess.Popen([sys.executable, "-c", RENAMED], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "named\n"
        yield process
        process.kill()


def test_a_name_that_ends_inside_a_letter_is_read(process_with_a_cut_name):
    assert process_name(process_with_a_cut_name.pid) == "Приключ\ufffd"
    assert process_name(2**22 + 1) == "", "there is no such process"


def test_engines_are_found_beside_a_name_that_ends_inside_a_letter(process_with_a_cut_name):
    assert own_engines() == set()
    sweep_orphans()


def test_ancestors_are_found_through_any_names(process_with_a_cut_name):
    done = subprocess.run([sys.executable, "-c", GRANDPARENT], capture_output=True, text=True, check=True)
    assert os.getpid() in map(int, done.stdout.split())
    assert process_with_a_cut_name.pid not in ancestors()
