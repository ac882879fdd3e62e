"""Parallel work: the same for many tasks, a few at a time, each in a process of its own."""

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

Task = TypeVar("Task")
Result = TypeVar("Result")


def in_order(
    work: Callable[[Task], Result], tasks: Sequence[Task], processes: int, finished: Callable[[Task], object]
) -> list[Result]:
    """``work(task)`` for every task, in the order of the tasks; ``finished`` is told each one done.

    With one process, or task, the work is done here. ``UnavailableError`` where a process dies.
    """
    if processes == 1 or len(tasks) < 2:
        return [_told(task, work(task), finished) for task in tasks]
    pool = ProcessPoolExecutor(
        min(processes, len(tasks)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_quiet,
    )
    try:
        with _interrupts_ignored():
            futures = {pool.submit(work, task): task for task in tasks}
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


def _told(task: Task, result: Result, finished: Callable[[Task], object]) -> Result:
    finished(task)
    return result
