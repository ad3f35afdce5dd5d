"""The command line as processes: whatever ends it, it ends at once, says so by its status, and leaves no process
behind.
"""

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import REPOSITORY

from automata.errors import InputError
from verify.census import cluster
from verify.census.cluster import WORKERS_PER_PROCESSOR, by_workers, processes
from verify.census.parts import parts
from verify.census.running import census
from verify.census.tables import decided_text

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are supervised on Linux only")

PATIENCE = 60
"""Seconds after which a process that should be gone is a failure; nothing here depends on how fast it goes."""

CENSUS = ["-m", "verify", "census", "--workers", "2", "--states", "5", "--quiet"]


def start(*arguments):
    """A Python process in a session of its own, so that all its descendants are found."""
    return subprocess.Popen(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONUNBUFFERED": ""},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def alive(session):
    """The running processes of a session, found in what the kernel says of each."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            _, _, rest = path.read_text().rpartition(")")
        except OSError:  # it has just ended
            continue
        state, _, _, number = rest.split()[:4]
        if int(number) == session and state not in "ZX":
            found.append(int(path.parent.name))
    return found


def wait_until(condition):
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "still waiting"
        time.sleep(0.05)


def supervised(work):
    """A process that runs this Python code as the work of a supervised child."""
    code = (
        "import os, signal, sys, time\nfrom verify.__main__ import _failed\nfrom verify.supervision import supervised\n"
        f"def work():\n    print('begun', flush=True)\n{work}\n    return 0\n"
        "sys.exit(supervised(work, lambda message: _failed(message, 70)))"
    )
    process = start("-c", code)
    assert process.stdout.readline() == b"begun\n"
    return process


# -- what ends it -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "number, status, line",
    [(signal.SIGINT, 130, b"error: interrupted\n"), (signal.SIGTERM, 143, b""), (signal.SIGKILL, -9, None)],
)
def test_a_census_takes_its_workers_along(number, status, line):
    process = start(*CENSUS)
    # The one that waits, the one that works, two workers, and Python's own tracker of shared resources.
    wait_until(lambda: len(alive(process.pid)) >= 5)
    time.sleep(1)  # the workers are at work
    os.kill(process.pid, number)
    assert process.wait(PATIENCE) == status
    wait_until(lambda: not alive(process.pid))
    # Where nothing could be tidied up Python says so.
    assert line is None or process.stderr.read() == line


STUCK = {
    "in a loop that swallows every exception": (
        "    while True:\n        try:\n            time.sleep(60)\n        except BaseException:\n            pass"
    ),
    "in one long call that never looks at signals": "    (3 ** 20_000_000) // (7 ** 9_000_000)",
    "in a call of the system": "    time.sleep(3600)",
}


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("where", STUCK)
def test_an_end_is_an_end_wherever_the_work_is(where, number, status):
    process = supervised(STUCK[where])
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (status, b"")
    assert err == (b"error: interrupted\n" if number == signal.SIGINT else b"")
    wait_until(lambda: not alive(process.pid))


@pytest.mark.parametrize("number, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("caller", ["call(0)", "command._run = call\n    return command.main([])"])
def test_an_end_is_an_end_where_a_library_makes_an_error_of_it(caller, number, status):
    """As ctypes does of whatever is raised while it looks at an argument."""
    process = supervised(
        "    import ctypes\n    import verify.__main__ as command\n"
        "    def look(argument):\n        print('looked at', flush=True)\n        time.sleep(3600)\n"
        "    call = ctypes.CDLL(None).labs\n    call.argtypes = [type('Slow', (), {'from_param': look})]\n"
        f"    {caller}"
    )
    assert process.stdout.readline() == b"looked at\n"
    os.kill(process.pid, number)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (status, b"")
    assert err == (b"error: interrupted\n" if number == signal.SIGINT else b"")


def test_a_command_whose_first_process_is_killed_is_gone():
    process = supervised("    time.sleep(3600)")
    os.kill(process.pid, signal.SIGKILL)
    assert process.wait(PATIENCE) == -signal.SIGKILL
    wait_until(lambda: not alive(process.pid))


@pytest.mark.parametrize("chosen, most", [(None, 1), ("2", min(2, len(os.sched_getaffinity(0))))])
def test_products_are_made_on_one_thread(chosen, most, monkeypatch):
    """Whoever chooses another number has it, as far as there are processors."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    if chosen is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", chosen)
    process = start(
        "-c",
        "import os, verify.__main__ as command\n"
        "def run(arguments):\n    import numpy\n    numpy.ones((400, 400)) @ numpy.ones((400, 400))\n"
        "    print(len(os.listdir('/proc/self/task')))\n    return 0\n"
        "command._run = run\ncommand.console()",
    )
    out, err = process.communicate(timeout=PATIENCE)
    assert (int(out), err) == (most, b"")


def test_an_interrupt_of_the_whole_group_is_one_interrupt():
    """As a terminal sends it: to the one that waits and the one that works."""
    process = start("-m", "verify", "census", "--states", "5", "--quiet")
    wait_until(lambda: len(alive(process.pid)) == 2)
    time.sleep(1)
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, err) == (130, b"error: interrupted\n")


def test_an_interrupt_while_a_solver_works():
    """z3 takes an interrupt for an unknown answer unless it is told not to."""
    work = (
        "    from automata.machines.counter_machine import counter_machine\n"
        "    from constructions.paper.counters import counter_cascade\n"
        "    from constructions.ssm.lowering import lower\n"
        "    from verify.methods.induction.counter_obligations import CounterInduction\n"
        "    from constructions.ssm.arithmetic import Arithmetic\n"
        "    ssm = lower(counter_cascade('shuffle-6', 'recognise'), Arithmetic.parse('exact'))\n"
        "    while not CounterInduction(ssm, counter_machine('shuffle-6')).run().unknown: pass\n"
        "    print('unknown', flush=True)"
    )
    process = supervised(work)
    time.sleep(2)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    out, err = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out, err) == (130, b"", b"error: interrupted\n")


@pytest.mark.parametrize(
    "number, says",
    [
        (signal.SIGSEGV, "ended by SIGSEGV, and nothing is decided: please report it"),
        (signal.SIGKILL, "ended by SIGKILL, and nothing is decided: out of memory?"),
    ],
)
def test_work_that_is_killed_is_no_refutation(number, says):
    process = supervised(f"    os.kill(os.getpid(), {int(number)})")
    assert process.communicate(timeout=PATIENCE)[1].decode() == f"error: {says}\n"
    assert process.returncode == 128 + number


def test_what_was_printed_before_an_interrupt_is_not_lost():
    process = supervised("    print('half', end='')\n    time.sleep(3600)")
    time.sleep(0.2)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 130
    assert (process.stdout.read(), process.stderr.read()) == (b"half", b"error: interrupted\n")


@pytest.mark.parametrize("status", [0, 1, 2, 3, 70])
def test_the_status_of_the_work_is_passed_on(status):
    process = supervised(f"    return {status}")
    assert process.wait(PATIENCE) == status and process.stderr.read() == b""


def test_an_ignored_interrupt_stays_ignored():
    """As in a job that a shell script started in the background."""
    code = (
        "import os, signal, sys\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nos.execv(sys.executable, "
        f"[sys.executable, *{['-m', 'verify', 'flipflop', '--quiet', '--strings', '0']}])"
    )
    process = start("-c", code)
    wait_until(lambda: len(alive(process.pid)) == 2 or process.poll() is not None)
    os.kill(process.pid, signal.SIGINT)
    assert process.wait(PATIENCE) == 0


def test_a_worker_ends_with_the_one_it_works_for():
    worker = "import os, time; from automata.processes import serve_only; serve_only(os.getppid()); time.sleep(3600)"
    asker = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {worker!r}]); time.sleep(3600)"
    process = start("-c", asker)
    wait_until(lambda: len(alive(process.pid)) == 2)
    time.sleep(1)  # it has said so by now
    process.kill()
    process.wait()
    wait_until(lambda: not alive(process.pid))


# -- how many workers ---------------------------------------------------------------------------------


def test_no_more_processes_than_work_or_than_processors_bear():
    most = WORKERS_PER_PROCESSOR * os.cpu_count()
    assert [processes(1, 10), processes(3, 2), processes(10**9, 10**9), processes(2, 0)] == [1, 2, most, 1]


def test_the_census_starts_no_more(monkeypatch):
    asked = []

    @contextmanager
    def no_client(workers, scheduler):
        asked.append(workers)
        raise OSError(11, "Resource temporarily unavailable")
        yield

    monkeypatch.setattr(cluster, "_client", no_client)
    with pytest.raises(OSError):
        census(2, 4, workers=100_000, size=16)
    assert asked == [min(len(parts(2, 4, 16)), WORKERS_PER_PROCESSOR * os.cpu_count())]
    # One part needs no process but this one.
    assert sum(census(2, 2, workers=100_000).values()) == 24
    with pytest.raises(InputError, match="0 workers"):
        census(2, 2, workers=0)


def _endless(part):
    if part.first:
        time.sleep(3600)
    return decided_text(part)


def test_a_census_that_stops_waits_for_no_part(monkeypatch):
    monkeypatch.setattr(cluster, "decided_text", _endless)
    missing = parts(2, 3, 100)
    finished = by_workers(missing, 2)
    assert next(finished)[0] == missing[0]
    with pytest.raises(KeyboardInterrupt):
        finished.throw(KeyboardInterrupt)
    assert not multiprocessing.active_children()


def _killed(part):
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_part_that_kills_every_worker_ends_the_census(monkeypatch):
    monkeypatch.setattr(cluster, "decided_text", _killed)
    with pytest.raises(MemoryError):
        census(2, 3, workers=2, size=200)
    assert not multiprocessing.active_children()
