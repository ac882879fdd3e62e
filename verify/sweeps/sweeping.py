"""Sweeping: every input of a function of one or two numbers, or a range or sample of them, judged."""

from __future__ import annotations

import inspect
import math
import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verify.backends import require_device, torch_dtype
from verify.consistency import look_first
from verify.errors import UsageError, unknown
from verify.floats import Device, Dtype, name_of_torch
from verify.forms import form_named
from verify.operation import Operation
from verify.operations import is_known
from verify.signatures import name_of, require_function
from verify.sweeps.cluster import connected
from verify.sweeps.conclusion import concluded
from verify.sweeps.engines import AHEAD, Task, cores, perform, threads
from verify.sweeps.fingerprints import candidate_print, machine, operation_print
from verify.sweeps.journal import Journal
from verify.sweeps.order import Order, range_of
from verify.sweeps.subject import Subject
from verify.sweeps.summary import Summary, summarised
from verify.verdict import Verdict
from verify.words import counted, kind_of

CHUNK = {1: {16: 1 << 12, 32: 1 << 23, 64: 1 << 20}, 2: {16: 1 << 22}}
"""Inputs of a chunk, by the arguments of the form and the bits of the format."""

SAMPLED = 1 << 10
"""Inputs of a chunk of a sample."""

MOST = 1 << 36
"""Inputs that are swept at most; more is a mistake."""

ON_THE_COMMAND_LINE = {"property": "aspect", "range": "span", "dask": "executor"}
"""Options of the command that have another name than the argument."""

Progress = Callable[[int, int], None]
"""Told the inputs done and those to do, after each chunk."""


@dataclass(frozen=True)
class Plan:
    """What a sweep has to do: the chunks by number, each from where to where, and what they depend on.

    ``covered``: which inputs these are, in words; ``all``: whether they are all there are.
    """

    subject: Subject
    bounds: Mapping[int, tuple[int, int]]
    samples: Mapping[int, tuple[int, ...]] | None
    head: Mapping[str, Any]
    covered: str
    all: bool

    def tasks(self, chunks: list[int]) -> Iterator[tuple[int, Task]]:
        """The tasks of these chunks."""
        s = self.subject
        facts = machine(s.device)
        for chunk in chunks:
            samples = None if self.samples is None else self.samples[chunk]
            yield (
                chunk,
                Task(s.candidate, s.form, s.aspect, s.dtype, s.device, *self.bounds[chunk], samples, facts),
            )


def sweep(
    candidate: Callable[..., Any],
    operation: str | Operation,
    dtype: Dtype,
    *,
    shard: tuple[int, int] = (1, 1),
    journal: str | Path | None = None,
    executor: Executor | str | None = None,
    form: str | None = None,
    aspect: str = "value",
    device: Device = "cpu",
    span: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    **other: object,
) -> Verdict:
    """Judge a function on every input of a form of an operation, in one dtype, a name or one of torch.

    ``form``: how one number, or two of a 16-bit dtype, become a call (docs/sweep.md); the first of the
    operation if None. ``aspect``: "value", or "gradient" in the first argument. ``shard`` (i, N): the
    i-th of N parts, counted from 1. ``journal``: a file that keeps each chunk as it is done; what it has
    is not computed again. ``executor``: any `concurrent.futures.Executor`, or the address of a Dask
    scheduler; threads if None. ``span``: "LOW:HIGH", only the inputs between; ``sample``: so many
    inputs, evenly spread over the floats of the domain, shifted by ``seed``. float64 needs one of the two.

    Each result is compared with the exact value, certified (docs/sweep.md), and with the bound of the
    standard stable algorithm. The verdict has coverage "exhaustive" where every input was judged, else
    "searched"; ``inputs``; ``worst_ulp`` and ``worst_ratio``; and in ``counts`` how many results are exact,
    correctly rounded and faithful, the histogram, and the worst input, confirmed by mpmath. Raises
    ``UsageError`` for an argument that makes no sense or a journal of another sweep, and
    ``UnavailableError`` where the journal cannot be written, a device or a scheduler is absent.
    """
    for name in other:
        raise _no_argument(name)
    plan = planned(
        candidate,
        operation,
        dtype,
        form=form,
        aspect=aspect,
        device=device,
        span=span,
        sample=sample,
        seed=seed,
    )
    verdict, _ = run(plan, shard=shard, journal=journal, executor=executor, progress=progress)
    return verdict


def _no_argument(name: str) -> UsageError:
    """The error for a keyword that a sweep does not have, with the one that is meant."""
    known = [*inspect.signature(sweep).parameters][:-1]
    if name in ON_THE_COMMAND_LINE:
        return UsageError(f"sweep has no argument {name!r}; did you mean {ON_THE_COMMAND_LINE[name]}?")
    return unknown("argument of sweep", name, known)


def planned(
    candidate: Callable[..., Any],
    operation: str | Operation,
    dtype: Dtype,
    *,
    form: str | None = None,
    aspect: str = "value",
    device: Device = "cpu",
    span: str | None = None,
    sample: int | None = None,
    seed: int = 0,
    chunk: int | None = None,
) -> Plan:
    """The plan of a `sweep` with these arguments; nothing is computed yet."""
    require_function(candidate)
    dtype, device = name_of_torch(dtype), name_of_torch(device)
    torch_dtype(dtype)
    require_device(device)
    chosen = form_named(_checked(operation), form)
    if aspect not in ("value", "gradient"):
        raise UsageError(f"the property is {aspect!r}; give value or gradient")
    chosen.curve(aspect)
    subject = Subject(candidate, chosen, aspect, dtype, device)
    order = subject.order
    if chosen.arity == 2 and order.format.width != 16:
        raise UsageError(f"pairs of {dtype} are too many to sweep; give float16 or bfloat16")
    if chosen.arity == 2 and span is not None:
        raise UsageError("a range is for forms of one argument; leave it out")
    start, stop = _inputs(subject, span)
    samples, size = None, chunk or CHUNK[chosen.arity][order.format.width]
    if sample is not None:
        samples = _samples(order, chosen.arity, start, stop, sample, seed)
        bounds = {k: (places[0], places[-1] + 1) for k, places in samples.items()}
    else:
        if stop - start > MOST:
            raise UsageError(f"{stop - start:,} inputs are too many; give a range or a sample of {dtype}")
        bounds = {
            k: (max(k * size, start), min((k + 1) * size, stop))
            for k in range(start // size, -(-stop // size))
        }
    head = {
        "operation": chosen.operation,
        "form": chosen.name,
        "property": aspect,
        "dtype": dtype,
        "candidate": name_of(candidate),
        "candidate_fingerprint": candidate_print(candidate),
        "operation_fingerprint": operation_print(chosen, aspect, dtype, device),
        "chunk": size,
        "range": [start, stop],
        "sample": None if sample is None else [sample, seed],
        **machine(device),
    }
    covered = "every input" if sample is None else f"{counted(sample, 'input')} evenly spread"
    covered += "" if span is None else f" in {span}"
    return Plan(subject, bounds, samples, head, covered, span is None and sample is None)


def _checked(operation: Any) -> str | Operation:
    """An operation, one of a user's own after a look at its formulas."""
    if isinstance(operation, str):
        return operation
    if not isinstance(operation, Operation):
        raise UsageError(f"the operation is {kind_of(operation)}; give its name or an Operation")
    if operation.contract is not None and not is_known(operation):
        look_first(operation)
    return operation


def _inputs(subject: Subject, span: str | None) -> tuple[int, int]:
    """From where to where the inputs of the domain, or of a range, are numbered; pairs by their first."""
    order: Order = subject.order
    domain = order.between(subject.curve.low, subject.curve.high)
    start = max(domain.start, order.finite.start - (-math.inf in subject.infinities))
    stop = min(domain.stop, order.finite.stop + (math.inf in subject.infinities))
    if span is not None:
        asked = range_of(span, order)
        start, stop = max(start, asked.start), min(stop, asked.stop)
        if start >= stop:
            raise UsageError(f"the range {span!r} has no input of the form; give one that has")
    return (start, stop) if subject.form.arity == 1 else (start << 16, stop << 16)


def _samples(
    order: Order, arity: int, start: int, stop: int, count: int, seed: int
) -> dict[int, tuple[int, ...]]:
    """Places evenly spread from start to stop, shifted, in chunks; of pairs those of two finite numbers."""
    if type(count) is not int or count < 1:
        raise UsageError(f"sample is {count!r}; give a whole number from 1")
    shift = zlib.crc32(str(seed).encode()) if seed else 1 << 31
    seconds, first = (range(1), start) if arity == 1 else (order.finite, start >> 16)
    total = ((stop - start) >> (16 * (arity - 1))) * len(seconds)
    chosen = sorted({((k << 32) + shift) * total // (count << 32) for k in range(count)})
    places = [((first + k // len(seconds)) << (16 * (arity - 1))) + seconds[k % len(seconds)] for k in chosen]
    return {k // SAMPLED: tuple(places[k : k + SAMPLED]) for k in range(0, len(places), SAMPLED)}


def _mine(plan: Plan, shard: tuple[int, int]) -> list[int]:
    """The chunks of a shard."""
    if [type(part) for part in shard] != [int, int] or not 1 <= shard[0] <= shard[1]:
        raise UsageError(f"shard is {shard!r}; give (i, N) with 1 <= i <= N, as in (1, 4)")
    return [k for k in plan.bounds if k % shard[1] == shard[0] - 1]


def run(
    plan: Plan,
    *,
    shard: tuple[int, int] = (1, 1),
    journal: str | Path | None = None,
    executor: Executor | str | None = None,
    progress: Progress | None = None,
    compute: bool = True,
) -> tuple[Verdict, Summary]:
    """Do what a plan says, but for what its journal has; the verdict, and all that was counted."""
    mine = _mine(plan, shard)
    book = Journal(plan.head, None if journal is None else Path(journal))
    book.read()
    todo = [k for k in mine if k not in book.chunks]
    failed = any(book.chunks[k]["failed"] for k in mine if k in book.chunks)
    if compute and todo and not failed:
        _compute(plan, book, todo, executor, progress)
    found = {k: book.chunks[k] for k in mine if k in book.chunks}
    summary = summarised(found, plan.bounds)
    return concluded(plan.subject, summary, _coverage(plan, book, mine, shard)), summary


def kept(plan: Plan, shard: tuple[int, int], journal: str | Path) -> tuple[int, int]:
    """How many chunks of a shard a journal has, and how many it should have."""
    book, mine = Journal(plan.head, Path(journal)), _mine(plan, shard)
    book.read()
    return sum(k in book.chunks for k in mine), len(mine)


def _compute(
    plan: Plan, book: Journal, todo: list[int], executor: Executor | str | None, progress: Progress | None
) -> None:
    total = sum(stop - start for start, stop in plan.bounds.values())
    left = sum(plan.bounds[k][1] - plan.bounds[k][0] for k in todo)
    state = {"done": total - left}

    def done(chunk: int, found: dict[str, Any]) -> None:
        book.write(chunk, found)
        state["done"] += plan.bounds[chunk][1] - plan.bounds[chunk][0]
        if progress is not None:
            progress(state["done"], total)

    with ExitStack() as stack:
        stack.callback(book.close)
        workers = cores()
        if executor is None:
            executor = stack.enter_context(threads(plan.subject.device))
        elif isinstance(executor, str):
            executor, workers = stack.enter_context(connected(executor))
        perform(plan.tasks(todo), executor, done, ahead=AHEAD * workers)


def _coverage(plan: Plan, book: Journal, mine: list[int], shard: tuple[int, int]) -> dict[str, Any]:
    """What the verdict has to know about which chunks there are."""
    return {
        "all": plan.all and shard[1] == 1,
        "covered": plan.covered,
        "shard": "" if shard[1] == 1 else f"shard {shard[0]}/{shard[1]}",
        "missing": sum(k not in book.chunks for k in mine),
        "chunks": len(mine),
        "torn": book.torn,
        "contradicted": sorted(book.contradicted & set(mine)),
    }
