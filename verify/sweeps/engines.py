"""Engines: chunks examined by threads, by a CUDA device, or by any executor; each line noted as it comes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from verify.backends import load_torch
from verify.errors import UnavailableError, UsageError, VerifyError
from verify.form import Form
from verify.sweeps.chunks import examine, examine_samples
from verify.sweeps.fingerprints import machine
from verify.sweeps.subject import Subject

AHEAD = 3
"""Chunks that wait for each worker."""


@dataclass(frozen=True, slots=True)
class Task:
    """One chunk, start..stop, of a sweep, as it travels to a worker. ``samples``: inputs, if not all."""

    candidate: Callable[..., Any]
    form: Form
    aspect: str
    dtype: str
    device: str
    start: int
    stop: int
    samples: tuple[int, ...] | None
    machine: Mapping[str, str]


def work(task: Task) -> dict[str, Any]:
    """What is found in a chunk. Raises ``UsageError`` on a machine of another kind than that of the sweep."""
    here = machine(task.device)
    if here != task.machine:
        raise UsageError(
            f"a worker has {here} and the sweep is of {dict(task.machine)}; give workers of one kind, or run "
            "sweeps apart"
        )
    subject = Subject(task.candidate, task.form, task.aspect, task.dtype, task.device)
    if task.samples is not None:
        return examine_samples(subject, task.samples)
    return examine(subject, task.start, task.stop)


def cores() -> int:
    """The processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextmanager
def threads(device: str) -> Iterator[Executor]:
    """One thread for each processor, each with one torch thread; a single one for a CUDA device."""
    torch = load_torch()
    before = torch.get_num_threads()
    pool = ThreadPoolExecutor(1 if device == "cuda" else cores(), "sweep", lambda: torch.set_num_threads(1))
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        torch.set_num_threads(before)


def perform(
    tasks: Iterable[tuple[int, Task]],
    executor: Executor,
    done: Callable[[int, dict[str, Any]], None],
    *,
    ahead: int,
) -> None:
    """Hand the tasks to an executor, ``ahead`` of them at a time, and tell ``done`` of each as it ends.

    Stops at the first chunk that has failed. An interrupt, or an error of the executor, takes back what
    has not begun.
    """
    waiting: dict[Future[dict[str, Any]], int] = {}
    todo = iter(tasks)
    try:
        while True:
            for chunk, task in todo:
                waiting[executor.submit(work, task)] = chunk
                if len(waiting) >= ahead:
                    break
            if not waiting:
                return
            ended = wait(waiting, return_when=FIRST_COMPLETED).done
            lost = [future for future in ended if future.exception() is not None]
            failed = False
            for future in ended - set(lost):
                found = future.result()
                done(waiting.pop(future), found)
                failed = failed or bool(found["failed"])
            for future in lost:
                _raise(future.exception())
            if failed:
                return
    finally:
        for future in waiting:
            future.cancel()


def _raise(error: BaseException | None) -> None:
    """Raise what a chunk was lost by, in words where it is none of ours."""
    if isinstance(error, VerifyError) or not isinstance(error, Exception):
        raise error or AssertionError("no error")
    told = (str(error).strip().splitlines() or ["no message"])[0]
    raise UnavailableError(
        f"the executor lost a chunk ({type(error).__name__}: {told}); what was computed is kept; run it again"
    ) from error
