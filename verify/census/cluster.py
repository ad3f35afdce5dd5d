"""The workers of a census: processes of this machine, or those of a Dask scheduler; each part is a task.

A worker gets the numbers of a part and answers with the text of its file; only the one who asked writes.  A worker that
dies costs the part that it was at, which another one is given.  Dask's workers run what they are sent, and answers are
unpickled: so a scheduler has to be one that is trusted.
"""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from multiprocessing import active_children
from typing import Any, Iterator

from automata.errors import InputError, one_line
from verify.census.parts import Part
from verify.census.tables import decided_text

WORKERS_PER_PROCESSOR = 4
RETRIES = 3
"""How often a part is given to another worker after one that failed or died over it."""
_PATIENCE = 20
"""Seconds in which a scheduler has to answer."""
_GRACE, _LATE = 0.1, 0.6
"""Seconds in which workers may leave before they are killed; and in which others may still come."""


def processes(workers: int, work: int) -> int:
    """How many are started where so many are asked for: no more than there are parts, or WORKERS_PER_PROCESSOR times
    processors.

    >>> processes(100_000, 3)
    3
    """
    return max(1, min(workers, work, WORKERS_PER_PROCESSOR * (os.cpu_count() or 1)))


def by_workers(missing: list[Part], workers: int, scheduler: str | None = None) -> Iterator[tuple[Part, str]]:
    """Each part with the text of its file, as they are done.

    Args:
        workers: processes of this machine, where there is no scheduler.
        scheduler: the address of a Dask scheduler.

    Raises:
        InputError: without Dask, for a scheduler that does not answer, or workers that cannot do the work.
        MemoryError: when too many workers died over one part.
    """
    with _client(processes(workers, len(missing)), scheduler) as client:
        yield from _gathered(client, missing, scheduler)


def _gathered(client: Any, missing: list[Part], scheduler: str | None) -> Iterator[tuple[Part, str]]:
    from distributed import KilledWorker, as_completed

    asked = {client.submit(decided_text, part, pure=False, retries=RETRIES): part for part in missing}
    for future in as_completed(asked):
        part = asked.pop(future)
        try:
            text = future.result()
        except KilledWorker:
            raise MemoryError("workers were ended from outside") from None
        except Exception as error:
            if scheduler is None:
                raise
            why = one_line(f"{type(error).__name__}: {error}", most=150)
            raise InputError(
                f"--scheduler {scheduler}: a worker failed, is this version of ssm-compiler installed there? ({why})"
            ) from None
        yield part, text


@contextmanager
def _client(workers: int, scheduler: str | None) -> Iterator[Any]:
    """A client of the scheduler, or of processes that do not outlive it."""
    try:
        import distributed
    except ImportError:
        raise InputError(
            "several workers need Dask, which is not installed: pip install 'ssm-compiler[census]', or leave out "
            "--workers and --scheduler"
        ) from None
    if scheduler is not None:
        try:
            client = distributed.Client(scheduler, timeout=_PATIENCE)
        except (OSError, ValueError, TypeError) as error:  # a timeout is an OSError too
            raise InputError(f"--scheduler {scheduler}: no Dask scheduler answers there ({error})") from None
        with client:
            yield client
        return
    others = set(active_children())
    # Fresh processes: a copy of this one might hold a lock of one of its threads.
    cluster = distributed.LocalCluster(
        n_workers=0,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        dashboard_address="127.0.0.1:0",
        silence_logs=_SILENT,
        memory_limit=0,
    )
    try:
        client = distributed.Client(cluster)
        cluster.scale(workers)  # started while the work waits, so that whoever ends it now finds all that is there
        yield client
    except BaseException:
        # Nobody waits for a part that is half done.
        for nanny in cluster.workers.values():
            nanny.auto_restart = False
        _end(others)
        raise
    finally:
        with suppress(Exception):
            client.close(timeout=_GRACE)
            cluster.close(timeout=_GRACE)
        _end(others)
        # One that was just being started may come late.
        until = time.monotonic() + _LATE
        while cluster.status != distributed.Status.closed and time.monotonic() < until:
            time.sleep(0.02)
            _end(others)
        # Dask closes every cluster again when Python ends, and would wait ten seconds for workers that are gone.
        cluster.shutdown_on_close = False


def _end(others: set[Any]) -> None:
    """Kills the processes that were started since there were only these others."""
    for process in set(active_children()) - others:
        process.kill()
        process.join()


_SILENT = 60
"""Above all levels of logging: what goes wrong with a worker is said once, by the one who asked."""
