"""Chunks: one piece of a sweep examined, as a line of plain data that depends on nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from verify.backends import exact_value, load_torch
from verify.candidate import CandidateError
from verify.sweeps.counting import Counter
from verify.sweeps.counts import numbers_of
from verify.sweeps.pairs import count_pairs
from verify.sweeps.references import count_patches, count_table
from verify.sweeps.sampled import count_samples
from verify.sweeps.subject import Subject
from verify.verdict import Status

SAMPLES = 31
"""Inputs of a chunk that are computed again, alone and in another order."""


def examine(subject: Subject, start: int, stop: int) -> dict[str, Any]:
    """What a candidate does on the inputs start..stop: counts, histogram, the worst inputs.

    ``apart``: how many of `SAMPLES` inputs have another result when they are computed alone or in
    other company. That is so of vectorised code whose last entries are computed by other code; where one
    of these results is beyond its bound, or the candidate raises or gives no result, ``failed`` says so.
    """
    counter = Counter(subject, start, stop)
    failed, apart = "", 0
    try:
        _count(subject, start, stop, counter)
        apart, failed = _apart(subject, start, stop)
    except CandidateError as error:
        failed = f"{error}{_where(subject, start, stop)}"
    return _plain(counter, apart, failed)


def examine_samples(subject: Subject, places: Sequence[int]) -> dict[str, Any]:
    """As `examine`, of the inputs with these places alone."""
    torch, order = load_torch(), subject.order
    counter = Counter(subject, places[0], places[-1] + 1)
    failed = ""
    try:
        numbers = [numbers_of(place, subject.form.arity) for place in places]
        columns = [
            order.at(torch.tensor([n - order.half for n in column], device=subject.device), order.half)
            for column in zip(*numbers, strict=True)
        ]
        got = subject.compute(*columns)
        if subject.form.arity == 1 and subject.curve.rational is not None:
            count_samples(subject, places, got, counter)
            return _plain(counter, 0, failed)
        for k, each in enumerate(numbers):
            counter.point(exact_value(got[k : k + 1]), *each)
    except CandidateError as error:
        failed = str(error)
    return _plain(counter, 0, failed)


def _plain(counter: Counter, apart: int, failed: str) -> dict[str, Any]:
    """The line of a chunk as plain data, rows of the histogram without the zeros at their end."""
    counts = counter.finished()
    line = {field.name: getattr(counts, field.name) for field in fields(counts)}
    for row in counts.histogram.values():
        while row and not row[-1]:
            row.pop()
    return line | {"apart": apart, "failed": failed}


def _count(subject: Subject, start: int, stop: int, counter: Counter) -> None:
    order, curve = subject.order, subject.curve
    if subject.form.arity == 2:
        count_pairs(subject, start, stop, counter)
        return
    inputs = order.between(curve.low, curve.high)
    for infinity in subject.infinities:
        n = order.of(infinity)
        if start <= n < stop:
            counter.point(subject.result_at(n), n)
    low = max(start, inputs.start, order.finite.start)
    high = min(stop, inputs.stop, order.finite.stop)
    left_out = sorted(n for edge in curve.without for n in order.between(edge, edge) if low <= n < high)
    for n in left_out:
        if low < n:
            _run(subject, low, n, counter)
        low = n + 1
    if low < high:
        _run(subject, low, high, counter)
    for edge in curve.rational or ():
        for n in order.between(edge, edge):
            if start <= n < stop and n not in left_out:
                outcome, truth = subject.outcome(subject.result_at(n), order.value(n))
                counter.counts.exact += truth is not None and truth.is_point and outcome.ulp == 0


def _run(subject: Subject, low: int, high: int, counter: Counter) -> None:
    (count_table if subject.order.format.width == 16 else count_patches)(subject, low, high, counter)


def _apart(subject: Subject, start: int, stop: int) -> tuple[int, str]:
    """How many results are others in other company, and that one of them is wrong, in words."""
    if subject.form.arity == 2:
        return 0, ""
    torch, order = load_torch(), subject.order
    inputs = order.between(subject.curve.low, subject.curve.high)
    low = max(start, inputs.start, order.finite.start)
    high = min(stop, inputs.stop, order.finite.stop)
    left_out = {n for edge in subject.curve.without for n in order.between(edge, edge)}
    places = sorted({low + (high - 1 - low) * k // SAMPLES for k in range(SAMPLES + 1)} - left_out)
    if low >= high or not places:
        return 0, ""
    few = torch.cat([order.tensor(n, n + 1, subject.device) for n in places])
    many = subject.compute(order.tensor(places[0], min(high, places[0] + (1 << 12)), subject.device))
    alone = torch.cat([subject.compute(few[k : k + 1]) for k in range(len(places))])
    turned = subject.compute(few.flip(0)).flip(0)
    apart = 0
    for k, n in enumerate(places):
        others = [turned[k], *([many[n - places[0]]] if n - places[0] < many.numel() else [])]
        told = {repr(float(result)) for result in (alone[k], *others)}
        if len(told) == 1:
            continue
        apart += 1
        for result in (alone[k], *others):
            outcome, _ = subject.outcome(exact_value(result.reshape(1)), order.value(n))
            if outcome.status is Status.REFUTED:
                return apart, (
                    f"the result at {float(order.value(n))!r} is {' or '.join(sorted(told))}, as the other "
                    "inputs of a call, or chance, will have it; sweep functions that work entry by entry"
                )
    return apart, ""


def _where(subject: Subject, start: int, stop: int) -> str:
    """The first input, found by halving, on which a call fails by itself; empty where none is found."""
    order = subject.order
    if subject.form.arity == 2:
        return ""
    inputs = order.between(subject.curve.low, subject.curve.high)
    low, high = max(start, inputs.start, order.finite.start), min(stop, inputs.stop, order.finite.stop)
    if not _fails(subject, low, high):
        return ""
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _fails(subject, low, middle) else (middle, high)
    return f", at {float(order.value(low))!r}" if _fails(subject, low, high) else ""


def _fails(subject: Subject, low: int, high: int) -> bool:
    try:
        subject.compute(subject.order.tensor(low, high, subject.device))
    except CandidateError:
        return True
    return False
