"""References: the exact values at many inputs, as the errors of a candidate's results in ulp."""

from __future__ import annotations

import functools
import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verify.backends import exact_value, load_torch
from verify.contexts.bulk import evaluate
from verify.contexts.rounding import model_for
from verify.contexts.running import FINE as FEWEST
from verify.floats import Format
from verify.forms import FORMS
from verify.sweeps.allowance import bounds_at
from verify.sweeps.counting import Counter
from verify.sweeps.counts import PARTS, Span
from verify.sweeps.patches import Patch, patches
from verify.sweeps.subject import Subject

WINDOW = {"cpu": 1 << 16, "cuda": 1 << 22}
"""Inputs for which a candidate is called at once: on a CPU so that all about them stays in the cache."""

FINE = 2.0**-16
"""A value of a 16-bit format is known well enough when it is off by at most so many ulp."""


def count_patches(subject: Subject, start: int, stop: int, counter: Counter) -> None:
    """Count the finite inputs start..stop of a form of one argument, by patches."""
    torch = load_torch()
    window = max(1, min(WINDOW[subject.device], (stop - start) // PARTS))
    todo = patches(subject, start, stop)
    patch = next(todo)
    work = torch.empty(2, window, dtype=torch.float64, device=subject.device)
    for low in range(start, stop, window):
        high = min(low + window, stop)
        x = subject.order.tensor(low, high, subject.device)
        got = subject.compute(x)
        at = low
        while at < high:
            until = min(patch.stop, high)
            part = slice(at - low, until - low)
            if patch.coefficients is None:
                for n in range(at, until):
                    counter.point(exact_value(got[n - low : n - low + 1]), n)
            else:
                errors = errors_on(patch, at, got[part], subject.order.format, work)
                counter.add(Span(at, got[part], errors, patch.slack, patch.ulp, (x[part],)))
            at = until
            if at == patch.stop and at < stop:
                patch = next(todo)


def errors_on(patch: Patch, start: int, got: Any, format: Format, work: Any) -> Any:
    """The errors in ulp of results at inputs of a patch from ``start`` on, in the first row of ``work``."""
    torch, n = load_torch(), got.numel()
    errors, value = work[0, :n], work[1, :n]
    errors.copy_(got)
    first, *rest = reversed(patch.coefficients or ())
    scale = 1 / patch.ulp
    if patch.beyond:
        edge = float(format.clamped(math.inf))
        errors.clamp_(-edge, edge)
    errors.mul_(scale).sub_(patch.base)
    if not rest and not patch.slope:
        return errors.sub_(first).abs_()
    t = torch.add(_counting(n, str(got.device)), start - patch.start - patch.middle)
    if patch.slope:
        errors.addcmul_(t, t.new_tensor(patch.slope), value=-1)
    value.fill_(first)
    for coefficient in rest:
        value.mul_(t).add_(coefficient)
    return errors.sub_(value).abs_()


_LOCAL = threading.local()


def _counting(n: int, device: str) -> Any:
    """0, 1, 2, ... as float64, for reading."""
    known = getattr(_LOCAL, "counting", {})
    if device not in known or known[device].numel() < n:
        torch = load_torch()
        known[device] = torch.arange(max(n, WINDOW["cpu"]), dtype=torch.float64, device=device)
        _LOCAL.counting = known
    return known[device][:n]


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """All finite inputs of a 16-bit format, from number ``start`` on: exact values, up to ``slack`` ulp.

    ``unit``: the ulp of each; ``bounds``: what is allowed, in ulp. ``unknown``: the inputs that the
    oracle has to decide one by one. ``beyond``: where the value lies beyond the largest number.
    """

    start: int
    value: Any
    slack: Any
    unit: Any
    bounds: Any
    unknown: tuple[int, ...]


def count_table(subject: Subject, start: int, stop: int, counter: Counter) -> None:
    """Count the finite inputs start..stop of a form of one argument in a 16-bit format."""
    table = table_of(subject.form.id, subject.aspect, subject.dtype, subject.device)
    x = subject.order.tensor(start, stop, subject.device)
    got = subject.compute(x)
    edge = float(subject.order.format.clamped(math.inf))
    size = max(1, (stop - start) // PARTS)
    known = sorted(n for n in table.unknown if start <= n < stop)
    for n in known:
        counter.point(exact_value(got[n - start : n - start + 1]), n)
    for low in range(start, stop, size):
        high = min(low + size, stop)
        for at, until in _between(low, high, known):
            here, there = slice(at - start, until - start), slice(at - table.start, until - table.start)
            errors = ((got[here].double().clamp(-edge, edge) - table.value[there]) / table.unit[there]).abs_()
            errors.masked_fill_(~got[here].isfinite() & (table.value[there].abs() < edge), math.inf)
            counter.add(
                Span(
                    at,
                    got[here],
                    errors,
                    table.slack[there],
                    table.unit[there],
                    (x[here],),
                    table.bounds[there],
                )
            )


def _between(low: int, high: int, left_out: list[int]) -> Iterator[tuple[int, int]]:
    for n in left_out:
        if low <= n < high:
            if low < n:
                yield low, n
            low = n + 1
    if low < high:
        yield low, high


@functools.lru_cache(maxsize=256)
def table_of(form: str, aspect: str, dtype: str, device: str) -> Table:
    """The table of a form, by its id; made once, from float64 where that will do, else from patches."""
    torch = load_torch()
    subject = Subject(lambda: None, next(f for f in FORMS if f.id == form), aspect, dtype, device)
    order, curve = subject.order, subject.curve
    inputs = order.between(curve.low, curve.high)
    start, stop = max(inputs.start, order.finite.start), min(inputs.stop, order.finite.stop)
    x = order.tensor(start, stop, device).double()
    value, half = _by_algorithms(subject, x)
    unit = ulp_of(value, order.format)
    slack = half / unit
    bad = ~(slack <= FINE) | ~(
        ulp_of(value + 2 * half, order.format) == ulp_of(value - 2 * half, order.format)
    )
    bad |= value.abs() >= float(order.format.largest)
    unknown: list[int] = []
    for low, high in _runs(bad.nonzero().squeeze(1).tolist()):
        for patch in patches(subject, start + low, start + high):
            part = slice(patch.start - start, patch.stop - start)
            if patch.coefficients is None:
                unknown += range(patch.start, patch.stop)
                value[part], slack[part], unit[part] = 0.0, 0.0, 1.0
                continue
            t = torch.arange(patch.stop - patch.start, dtype=torch.float64, device=device) - patch.middle
            here = torch.zeros_like(t)
            for coefficient in reversed(patch.coefficients):
                here.mul_(t).add_(coefficient)
            value[part] = (here + patch.slope * t + patch.base) * patch.ulp
            slack[part], unit[part] = max(patch.slack, 2.0**-24 * (patch.slack > 0)), patch.ulp
    bounds = bounds_at(subject, (x,)) / unit
    left_out = {n for edge in curve.without for n in order.between(edge, edge)}
    return Table(start, value, slack, unit, bounds, tuple(sorted({*unknown, *left_out})))


def _by_algorithms(subject: Subject, x: Any) -> tuple[Any, Any]:
    """The value at each input by the algorithm that knows it best, and what it may be off by."""
    torch = load_torch()
    model = model_for(subject.dtype, subject.device)
    _, *algorithms = subject.formulas()
    reference = subject.contract.reference if subject.aspect == "value" else None
    value, half = torch.zeros_like(x), torch.full_like(x, math.inf)
    step = FEWEST // max(len(filled.entries) for filled in subject.form.variables)
    for start in range(0, x.numel(), step):
        part = slice(start, start + step)
        values, n = subject.tables(x[part]), x[part].numel()
        for action in (*algorithms, *([reference] if reference else [])):
            bulk = evaluate(
                lambda c, *v, act=action: act(c, subject.options, *v), values, model, subject.device
            )
            own, off = (
                found if found.numel() == n else found.view(n, -1)[:, subject.position]
                for found in (bulk.value, bulk.half)
            )
            better = own.isfinite() & (off < half[part])
            value[part] = torch.where(better, own, value[part])
            half[part] = torch.where(better, off, half[part])
    return value, half


def ulp_of(value: Any, format: Format) -> Any:
    """The ulp of each number of a float64 tensor, in a format narrower than float64."""
    torch = load_torch()
    least, most = float(format.smallest_normal), float(format.clamped(math.inf)) / 2
    _, exponent = torch.frexp(value.abs().clamp(least, most))
    return torch.ldexp(torch.ones_like(value), exponent - format.precision)


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """Runs of neighbouring whole numbers, each from its first to just after its last."""
    start = None
    for here, after in zip(places, [*places[1:], -1], strict=False):
        start = here if start is None else start
        if after != here + 1:
            yield start, here + 1
            start = None


def count_pairs(subject: Subject, start: int, stop: int, counter: Counter) -> None:
    """Count the pairs start..stop, whole rows: a first argument with every finite second one.

    The exact value is that of one function of the difference d, which torch computes in float64. With
    u = 2^-53, d is rounded once, |d| u; exp adds 2u and is of no use below exp(-745); log1p passes a
    relative error on and adds 2u; sums and quotients of positive numbers add u each (docs/bounds.md
    states what is assumed of float64 exp and log). So the relative error is below (|d| + 8) u, |d| at
    most 745; `CERTAIN` is larger. With a shift the larger argument is added, which rounds once more.
    Errors are compared with 1/2 and 1 ulp up to that.
    """
    order = subject.order
    finite = order.finite
    second = order.tensor(finite.start, finite.stop, subject.device)
    wide = second.double()
    edge = float(order.format.clamped(math.inf))
    for row in range(max(start >> 16, finite.start), min(stop >> 16, finite.stop)):
        first = order.tensor(row, row + 1, subject.device)
        got = subject.compute(first.expand_as(second).contiguous(), second)
        value, off = _of_pairs(subject, float(first), wide)
        unit = _ulp_by_bits(value, order.format)
        errors = got.double()
        if subject.form.scale < 0:
            errors.neg_()
        errors.sub_(value).div_(unit).abs_()
        if not float(errors.amax()) < edge:
            no_number = ~got.isfinite() & (value.abs() <= float(order.format.largest))
            errors = (got.double() * subject.form.scale).clamp_(-edge, edge).sub_(value.clamp(-edge, edge))
            errors = errors.div_(unit).abs_().masked_fill_(no_number, math.inf)
        slack = off / unit if off is not None else CERTAIN * 2.0**order.format.precision
        begin = (row << 16) + finite.start
        counter.add(Span(begin, got, errors, slack, unit, (first.expand_as(second), second)))


CERTAIN = 2.0**-42
"""A relative error that float64 stays below, |d| up to 745: 2^-53 (745 + 8) < 2^-43."""


def _of_pairs(subject: Subject, x: float, y: Any) -> tuple[Any, Any]:
    """The exact values in float64, without the sign of the form, and with a shift what they may be off by."""
    d = (y - x) if subject.form.sign > 0 else (x - y)
    shrunk = d.abs().neg_().exp_()
    if subject.form.core == "sigmoid":
        return shrunk.masked_fill(d > 0, 1.0).div_(shrunk + 1), None
    small = shrunk.log1p_()
    if not subject.form.shift:
        return small.add_(d.clamp_(min=0)), None
    value = y.clamp(min=x).add_(small)
    return value, (value.abs() + small).mul_(CERTAIN)


def _ulp_by_bits(value: Any, format: Format) -> Any:
    """As `ulp_of`, by masking the exponent."""
    torch = load_torch()
    exponent = (value.view(torch.int64) & (0x7FF << 52)).view(torch.float64)
    least, most = float(format.smallest_subnormal), float(format.ulp(format.largest))
    return exponent.mul_(2.0 ** (1 - format.precision)).clamp_(least, most)
