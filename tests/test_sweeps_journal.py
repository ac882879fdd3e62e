"""Journals: resumed, torn, merged, refused; and the engines that fill them."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

import verify
from verify.backends import load_torch
from verify.errors import UnavailableError, UsageError
from verify.forms import form_named
from verify.sweeps.engines import Task, work
from verify.sweeps.fingerprints import candidate_print, machine
from verify.sweeps.journal import Journal
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch

torch = load_torch()


class Inline(Executor):
    """Runs each task when it is handed over, and counts them."""

    def __init__(self, fails_after: int | None = None) -> None:
        self.chunks: list[int] = []
        self._fails_after = fails_after

    def submit(self, function: Callable[..., Any], /, *arguments: Any, **keywords: Any) -> Future[Any]:
        future: Future[Any] = Future()
        task: Task = arguments[0]
        if self._fails_after is not None and len(self.chunks) >= self._fails_after:
            future.set_exception(MemoryError("no room"))
            return future
        self.chunks.append(task.start)
        future.set_result(function(task))
        return future


def swept(journal: Path | None = None, **how: Any) -> Verdict:
    """A sweep of 16 chunks or fewer."""
    return verify.sweep(torch.sigmoid, "sigmoid", "bfloat16", journal=journal, **how)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Verdict]:
    """A journal of a whole sweep, and its verdict."""
    path = tmp_path_factory.mktemp("journal") / "whole.jsonl"
    return path, swept(path)


def _copy(whole: tuple[Path, Verdict], tmp_path: Path, lines: Callable[[list[bytes]], list[bytes]]) -> Path:
    """A journal with other lines."""
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b"".join(lines(whole[0].read_bytes().splitlines(keepends=True))))
    return path


def test_what_a_journal_has_is_not_computed_again(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """Half of the lines are gone; their chunks are computed, and the verdict is the same."""
    path, inline = _copy(whole, tmp_path, lambda lines: lines[:8]), Inline()
    assert swept(path, executor=inline) == whole[1]
    assert len(inline.chunks) == len(whole[0].read_bytes().splitlines()) - 8
    again = Inline()
    assert swept(path, executor=again) == whole[1]
    assert again.chunks == []


@pytest.mark.parametrize("cut", [1, 40, 400])
def test_a_torn_last_line_is_left_out(whole: tuple[Path, Verdict], tmp_path: Path, cut: int) -> None:
    """Its chunk is computed again, in a line of its own."""
    path, inline = _copy(whole, tmp_path, lambda lines: [*lines[:-1], lines[-1][:-cut]]), Inline()
    verdict = swept(path, executor=inline)
    torn = int(cut > 1)  # without its line break a line is whole
    assert (len(inline.chunks), verdict.inputs, verdict.status) == (torn, whole[1].inputs, Status.PASSED)
    assert ("1 damaged line" in verdict.reason) == bool(torn)
    later = Inline()
    assert swept(path, executor=later).inputs == whole[1].inputs
    assert later.chunks == []


def test_a_damaged_line_is_left_out(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """A digit was changed; the checksum tells."""
    path = _copy(
        whole,
        tmp_path,
        lambda lines: [*lines[:5], lines[5].replace(b'"rounded":', b'"rounded":1'), *lines[6:]],
    )
    inline = Inline()
    assert swept(path, executor=inline).inputs == whole[1].inputs
    assert len(inline.chunks) == 1


def test_shards_merge_by_concatenation(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """In any order, overlapping, with their heads; the verdict is that of one sweep."""
    parts = [tmp_path / f"{i}.jsonl" for i in (1, 2, 3)]
    verdicts = [swept(path, shard=(i, 3)) for i, path in enumerate(parts, start=1)]
    assert sum(verdict.inputs for verdict in verdicts) == whole[1].inputs
    assert {verdict.coverage for verdict in verdicts} == {"searched"}
    merged = tmp_path / "merged.jsonl"
    merged.write_bytes(b"".join(path.read_bytes() for path in (*parts[::-1], parts[1])))
    inline = Inline()
    assert swept(merged, executor=inline) == whole[1]
    assert inline.chunks == []


def test_lines_depend_on_nothing_but_their_chunk(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """Another executor gives the same lines, in another order."""
    path = tmp_path / "inline.jsonl"
    swept(path, executor=Inline())
    assert sorted(path.read_bytes().splitlines()) == sorted(whole[0].read_bytes().splitlines())


def test_a_journal_of_another_sweep_is_refused(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """With what differs."""
    path = _copy(whole, tmp_path, lambda lines: lines)
    with pytest.raises(UsageError, match=r"is of another sweep: .*dtype is 'bfloat16' there"):
        verify.sweep(torch.sigmoid, "sigmoid", "float16", journal=path)
    with pytest.raises(UsageError, match="candidate_fingerprint is"):
        verify.sweep(lambda x: torch.sigmoid(x), "sigmoid", "bfloat16", journal=path)
    assert path.read_bytes() == whole[0].read_bytes()


def test_a_file_that_is_no_journal_is_refused(tmp_path: Path) -> None:
    """And left as it is."""
    path = tmp_path / "checks.json"
    path.write_text('{\n "status": "passed"\n}')
    with pytest.raises(UsageError, match=r"checks.json is no journal of a sweep"):
        swept(path)
    assert path.read_text() == '{\n "status": "passed"\n}'


def test_a_journal_of_a_newer_version_is_refused(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """Whatever else its lines have."""
    path = _copy(whole, tmp_path, lambda lines: [*lines, b'{"format":2,"crc":0,"new":true}\n'])
    with pytest.raises(UsageError, match="lines of format 2"):
        swept(path)


def test_contradictory_lines_are_a_finding(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """The same chunk with two results: the function is not deterministic."""
    path = _copy(whole, tmp_path, lambda lines: lines)
    line = json.loads(path.read_bytes().splitlines()[3])
    journal = Journal(json.loads(path.read_bytes().splitlines()[0])["head"], path)
    journal.write(line["chunk"], line["found"] | {"rounded": 3})
    journal.close()
    verdict = swept(path)
    assert verdict.status is Status.REFUTED
    assert "computed twice with different results" in verdict.reason


def test_a_missing_chunk_makes_a_sweep_incomplete(whole: tuple[Path, Verdict], tmp_path: Path) -> None:
    """Where nothing is computed, as when journals are merged."""
    from verify.sweeps.sweeping import planned, run

    path = _copy(whole, tmp_path, lambda lines: lines[:-2])
    verdict, _ = run(planned(torch.sigmoid, "sigmoid", "bfloat16"), journal=path, compute=False)
    assert (verdict.status, verdict.coverage) == (Status.UNKNOWN, "searched")
    assert verdict.reason.startswith("incomplete: 2 of ")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_said() -> None:
    """With what to do; nothing is lost that was written."""
    with pytest.raises(UnavailableError, match=r"cannot be written .No space left on device"):
        swept(Path("/dev/full"))


def test_a_lost_chunk_leaves_the_others(tmp_path: Path) -> None:
    """An executor that breaks; the journal has what came before, and the next run goes on."""
    path = tmp_path / "journal.jsonl"
    with pytest.raises(UnavailableError, match=r"lost a chunk .MemoryError: no room"):
        swept(path, executor=Inline(fails_after=5))
    inline = Inline()
    assert swept(path, executor=inline).coverage == "exhaustive"
    assert len(inline.chunks) == 16 - 5


def test_processes_find_what_threads_find(whole: tuple[Path, Verdict]) -> None:
    """Any executor of concurrent.futures will do."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert swept(executor=pool, shard=(2, 8)) == swept(shard=(2, 8))


def test_a_worker_of_another_kind_is_refused() -> None:
    """Its torch may round otherwise."""
    other = machine("cpu") | {"torch": "1.0"}
    task = Task(torch.sigmoid, form_named("sigmoid", "x"), "value", "bfloat16", "cpu", 0, 4096, None, other)
    with pytest.raises(UsageError, match="give workers of one kind"):
        work(task)


def test_a_fingerprint_follows_the_code() -> None:
    """Of a function without source, too."""
    first, second = (eval(f"lambda x: x + {k}") for k in (1, 2))
    assert candidate_print(first) != candidate_print(second)
    assert candidate_print(first) == candidate_print(eval("lambda x: x + 1"))


SLOW = """
import time, torch
def slow(z):
    time.sleep(1.5 if z.numel() > 100 else 0)
    return torch.sigmoid(z)
"""


COMMAND = (
    "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from verify.cli import main; sys.exit(main())"
)
"""The command, also where this process was told to ignore interrupts, as one in the background is."""


def _started(tmp_path: Path) -> tuple[subprocess.Popen[str], Path]:
    """The command on a slow function, once its journal has a few lines."""
    (tmp_path / "slow_losses.py").write_text(SLOW)
    path = tmp_path / "journal.jsonl"
    arguments = [
        "sweep",
        "slow_losses:slow",
        "--as",
        "sigmoid",
        "--dtype",
        "bfloat16",
        "--journal",
        str(path),
    ]
    process = subprocess.Popen(
        [sys.executable, "-c", COMMAND, *arguments],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(Path(verify.__file__).parent.parent)},
    )
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and (not path.exists() or path.read_bytes().count(b"\n") < 2):
        time.sleep(0.05)
    return process, path


def test_an_interrupt_ends_with_130_and_a_whole_journal(tmp_path: Path) -> None:
    """In one line, which says what is kept and how to go on, without a traceback."""
    process, path = _started(tmp_path)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=90)
    chunks = sum(b'"chunk"' in line for line in path.read_bytes().splitlines()) - 1
    assert (process.returncode, err.strip()) == (
        130,
        f"interrupted; {chunks} of 16 chunks are kept in {path}; go on with: lossproof sweep "
        f"slow_losses:slow --as sigmoid --dtype bfloat16 --journal {path}",
    )
    assert all(json.loads(line) for line in path.read_bytes().splitlines())
    assert path.read_bytes().endswith(b"\n")


def test_sudden_death_loses_the_chunks_in_flight_alone(tmp_path: Path) -> None:
    """What was written is read; no worker is left, since they are threads."""
    process, path = _started(tmp_path)
    process.kill()
    process.communicate()
    done = [json.loads(line) for line in path.read_bytes().splitlines(keepends=True) if line.endswith(b"\n")]
    assert len(done) >= 2
    assert "head" in done[0]
