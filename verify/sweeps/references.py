"""References: the exact values at many inputs, as the errors of a candidate's results in ulp."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from verify.backends import exact_value, load_torch
from verify.contexts.bulk import evaluate
from verify.contexts.models import model_for
from verify.contexts.running import FINE as FEWEST
from verify.floats import Format
from verify.form import Form
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
    window = max(1, min(WINDOW[subject.device], (stop - start) // PARTS))
    todo = patches(subject, start, stop)
    patch = next(todo)
    work = Work(window, subject.device)
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
            elif not counter.passed(at, until - at, constant_top(patch, got[part]), patch.slack):
                errors = work.errors_on(patch, at, got[part], subject.order.format)
                counter.add(Span(at, got[part], errors, patch.slack, patch.ulp))
            at = until
            if at == patch.stop and at < stop:
                patch = next(todo)


def constant_top(patch: Patch, got: Any) -> float:
    """The largest error in ulp on a patch where the exact function is a constant; inf on any other."""
    if len(patch.coefficients or ()) != 1 or patch.slope or patch.beyond:
        return math.inf
    ends = (float(end) - patch.base * patch.ulp for end in got.aminmax())
    return max(abs(end / patch.ulp - (patch.coefficients or (0.0,))[0]) for end in ends)


ROW = 256
"""Inputs of a row, for which a patch is a polynomial in the place of the row and in that within it."""


class Work:
    """Memory for the errors of up to ``window`` results, and what was last computed about a patch."""

    def __init__(self, window: int, device: str) -> None:
        torch = load_torch()
        self._errors = torch.empty(-(-window // ROW), ROW, dtype=torch.float64, device=device).fill_(0.0)
        self._within = torch.arange(ROW, dtype=torch.float64, device=device) - (ROW - 1) / 2
        self._rows = torch.arange(self._errors.shape[0], dtype=torch.float64, device=device) * ROW
        self._known: tuple[Any, Any] = (None, None)

    def errors_on(self, patch: Patch, start: int, got: Any, format: Format) -> Any:
        """The errors in ulp of results at inputs of a patch from ``start`` on, good until the next call.

        With t = r + u, u counted from the middle of a row at r, the polynomial p(t) is the sum of r^k times
        its k-th derivative at u divided by k!: one product of matrices.
        """
        n, coefficients = got.numel(), patch.coefficients or (0.0,)
        table = self._errors[: -(-n // ROW)]
        errors = table.view(-1)[:n]
        errors.copy_(got)
        if patch.beyond:
            edge = float(format.clamped(math.inf))
            errors.clamp_(-edge, edge)
        errors.sub_(patch.base * patch.ulp)
        scale = 1 / patch.ulp
        if math.isinf(scale):
            errors.div_(patch.ulp)
            scale = 1.0
        if len(coefficients) == 1 and not patch.slope:
            return errors.mul_(scale).sub_(coefficients[0]).abs_()
        rows = self._rows[: len(table)] + (start - patch.start - patch.middle + (ROW - 1) / 2)
        powers = load_torch().vander(rows, len(coefficients), increasing=True)
        table.addmm_(powers, self._derivatives(patch), beta=scale, alpha=-1)
        if patch.slope:
            table.addcmul_(rows.unsqueeze(1) + self._within, rows.new_tensor(patch.slope), value=-1)
        return errors.abs_()

    def _derivatives(self, patch: Patch) -> Any:
        """The k-th derivative divided by k! at each place within a row, for each k."""
        if self._known[0] is not patch:
            c, torch = patch.coefficients or (), load_torch()
            taken = [[math.comb(k + m, k) * c[k + m] for m in range(len(c) - k)] for k in range(len(c))]
            padded = torch.tensor([row + [0.0] * (len(c) - len(row)) for row in taken], dtype=torch.float64)
            powers = torch.vander(self._within, len(c), increasing=True)
            self._known = patch, padded.to(powers.device) @ powers.T
        return self._known[1]


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
    table = table_of(subject.form, subject.aspect, subject.dtype, subject.device)
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
def table_of(form: Form, aspect: str, dtype: str, device: str) -> Table:
    """The table of a form; made once, from float64 where that will do, else from patches."""
    torch = load_torch()
    subject = Subject(lambda: None, form, aspect, dtype, device)
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
