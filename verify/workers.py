"""Workers: the same work for many claims, a few at a time, each in a process of its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from typing import TypeVar

from verify.errors import UnavailableError

Result = TypeVar("Result")


def in_order(
    work: Callable[[str], Result], names: Sequence[str], processes: int, finished: Callable[[str], None]
) -> list[Result]:
    """``work(name)`` for every name, in the order of the names; ``finished`` is told each one done.

    With one process the work is done here. ``UnavailableError`` where a process dies.
    """
    if processes == 1:
        return [_told(name, work(name), finished) for name in names]
    pool = ProcessPoolExecutor(
        min(processes, len(names)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_quiet,
    )
    try:
        with _interrupts_ignored():
            futures = {pool.submit(work, name): name for name in names}
        for future in as_completed(futures):
            _told(futures[future], future.result(), finished)
        return [future.result() for future in futures]
    except BrokenProcessPool:
        raise UnavailableError(
            "a process of the run died, perhaps for want of memory; try --processes 1"
        ) from None
    except BaseException:
        for worker in multiprocessing.active_children():
            worker.terminate()
        raise
    finally:
        pool.shutdown(cancel_futures=True)


def default_processes() -> int:
    """As many processes as there are processors for this one, at most four."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1, 4)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Processes started meanwhile ignore interrupts for good: the one that started them acts on them."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _quiet() -> None:
    """Keep what dies with an interrupted process from writing over the one word on it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)


def _told(name: str, result: Result, finished: Callable[[str], None]) -> Result:
    finished(name)
    return result
