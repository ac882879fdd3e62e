"""Sweeps on a Dask cluster: scheduler and workers on loopback, one of them killed in mid-sweep."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import verify
from verify.backends import load_torch
from verify.errors import UnavailableError
from verify.sweeps.cluster import connected

pytestmark = pytest.mark.torch

torch = load_torch()

needs_dask = pytest.mark.skipif(
    find_spec("distributed") is None, reason="not run: distributed is not installed; tox run -e dask"
)

CLUSTER = """
import sys, asyncio
from distributed import Scheduler, Worker
async def scheduler():
    async with Scheduler(host="127.0.0.1", port=0, dashboard_address=None) as s:
        print(s.address, flush=True)
        await s.finished()
async def worker():
    async with Worker(sys.argv[2], nthreads=1, dashboard_address=None, local_directory=sys.argv[3]) as w:
        print(w.address, flush=True)
        await w.finished()
if __name__ == "__main__":
    asyncio.run({"scheduler": scheduler, "worker": worker}[sys.argv[1]]())
"""


def _process(tmp_path: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A process of the cluster, and its address."""
    script = tmp_path / "cluster.py"
    script.write_text(CLUSTER)
    process = subprocess.Popen(
        [sys.executable, str(script), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "DASK_DISTRIBUTED__WORKER__PROFILE__ENABLED": "False"},
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[str]]]]:
    """The address of a scheduler with two workers, and these."""
    scheduler, address = _process(tmp_path, "scheduler")
    workers = [_process(tmp_path, "worker", address, str(tmp_path / f"{k}"))[0] for k in range(2)]
    yield address, workers
    for process in (*workers, scheduler):
        process.kill()
        process.wait()


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_worker_that_dies_changes_nothing(cluster: tuple[str, list[Any]], tmp_path: Path) -> None:
    """Its chunks go to another; the lines are those that threads write."""
    address, workers = cluster
    path, other = tmp_path / "dask.jsonl", tmp_path / "threads.jsonl"

    def kill() -> None:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and (not path.exists() or path.read_bytes().count(b"\n") < 3):
            time.sleep(0.01)
        workers[0].kill()

    killer = threading.Thread(target=kill)
    killer.start()
    by_dask = verify.sweep(torch.sigmoid, "sigmoid", "bfloat16", journal=path, executor=address)
    killer.join()
    by_threads = verify.sweep(torch.sigmoid, "sigmoid", "bfloat16", journal=other)
    assert by_dask == by_threads
    assert workers[0].wait() != 0
    assert sorted(path.read_bytes().splitlines()) == sorted(other.read_bytes().splitlines())


@needs_dask
@pytest.mark.filterwarnings("ignore")
def test_a_scheduler_that_does_not_answer_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With how to start one."""
    monkeypatch.setattr("verify.sweeps.cluster.SECONDS", 1)
    with pytest.raises(UnavailableError, match=r"no Dask scheduler answers at 'tcp://127.0.0.1:9'"):
        verify.sweep(torch.sigmoid, "sigmoid", "bfloat16", executor="tcp://127.0.0.1:9")


def test_without_dask_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra that installs it."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(UnavailableError, match="lossproof\\[dask\\]"), connected("tcp://127.0.0.1:9"):
        pass
