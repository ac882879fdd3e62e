"""Allowances: what the stable algorithms may be off by, enclosed on blocks of inputs and at single ones.

The bound of a block is enclosed by one evaluation on intervals (verify/contexts/least.py), so that most
results are judged by one comparison. What that leaves open is evaluated input by input, in float64.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any

from verify.backends import load_torch, torch_dtype
from verify.contexts.bulk import evaluate
from verify.contexts.least import enclosed_bound
from verify.contexts.models import model_for
from verify.contexts.running import FINE
from verify.elements import element, values_of
from verify.floats import format_named
from verify.form import Form
from verify.sweeps.order import Order
from verify.sweeps.subject import Subject

BLOCK = 1 << 12
"""Inputs of a block, by number in float order, over which the bound is enclosed."""

SURE = 0.999
"""Error / bound from which on the bound at the input itself decides."""


class Blocks:
    """What the bound is at least and at most on the blocks of inputs that start..stop touch."""

    def __init__(self, subject: Subject, start: int, stop: int) -> None:
        self._subject = subject
        self._first, self._last = start // BLOCK, -(-stop // BLOCK)

    @functools.cached_property
    def _ends(self) -> tuple[Any, Any]:
        order, device = self._subject.order, self._subject.device
        edges = order.tensor(self._first * BLOCK, self._last * BLOCK + 1, device, step=BLOCK).double()
        return enclosed(self._subject, lambda x: (x,), edges[:-1], edges[1:])

    def open(self, start: int, errors: Any, unit: float, slack: float, best: float) -> tuple[Any, Any]:
        """The places of results, from number ``start`` on, that comparison with the bound leaves open.

        Those are errors, in ulp, that are not surely within the bound, and those that may be a larger part of
        it than ``best`` and than any other here. With each, what the bound is at least, in ulp.
        """
        n = errors.numel()
        part = slice(start // BLOCK - self._first, -(-(start + n) // BLOCK) - self._first)
        least, most = (end[part] / unit for end in self._ends)
        width = BLOCK
        if start % BLOCK or n % BLOCK:
            least, most, width = least.amin(0, keepdim=True), most.amax(0, keepdim=True), n
        table = errors.view(-1, width)
        tops = table.amax(1)
        some = float((tops / most).masked_fill_(tops <= 0.5 + slack, 0.0).amax())
        limits = (least * (min(SURE, max(best, some)) * (1 - 2.0**-40))).clamp_(min=0.5 - slack)
        rows = (tops > limits).nonzero().squeeze(1)
        places = (table[rows] > limits[rows].unsqueeze(1)).nonzero()
        found = rows[places[:, 0]]
        return found * width + places[:, 1], least[found]


def enclosed(
    subject: Subject, arguments: Callable[[Any], tuple[Any, ...]], low: Any, high: Any
) -> tuple[Any, Any]:
    """What the largest bound of all stable algorithms is at least and at most, for x in low..high."""
    torch = load_torch()
    model = model_for(subject.dtype, subject.device)
    least, most = torch.zeros_like(low), torch.zeros_like(low)
    for action in subject.formulas()[1:]:
        own = enclosed_bound(
            lambda c, *values, act=action: element(act(c, subject.options, *values), subject.position),
            lambda x: values_of(subject.call(*arguments(x)), subject.judged),
            low,
            high,
            model,
        )
        least, most = torch.maximum(least, own[0]), torch.maximum(most, own[1])
    return least, most


def allowed(
    subject: Subject, columns: tuple[Any, ...], errors: Any, unit: Any, least: Any, best: float
) -> Any:
    """What is allowed at each input, in ulp: the bound there, or ``least`` where that is enough.

    ``least`` is less than the bound, or 0. It is enough where the error / ``least`` is below `SURE` and not
    above ``best``, nor above what is found here.
    """
    torch = load_torch()
    bounds = least.clone()
    open_ = (least <= 0).nonzero().squeeze(1)
    if open_.numel():
        bounds[open_] = bounds_at(subject, tuple(c[open_] for c in columns), slice(0, 1)) / unit[open_]
    ratios = torch.where(bounds < math.inf, errors / bounds, math.inf)
    best = min(SURE, best)
    for few in (16, None):
        chosen = (ratios > best).nonzero().squeeze(1)
        if few and chosen.numel() > few:
            chosen = ratios.topk(few).indices
        own = bounds_at(subject, tuple(c[chosen] for c in columns)) / unit[chosen]
        bounds[chosen] = own
        found = torch.where(own.isfinite(), errors[chosen] / own, 0.0)
        best = min(SURE, max([best, *([float(found.max())] if found.numel() else [])]))
        ratios[chosen] = 0.0
    return bounds


def least_of_pairs(subject: Subject, columns: tuple[Any, ...]) -> Any:
    """Less than the bound at each pair, from a table by difference; 0 with a shift, where there is none.

    The algorithms of softmax, log_softmax and their losses subtract the maximum first, so that their
    bounds depend on the difference d alone, but for the rounding of d, which only adds.
    """
    if subject.form.shift:
        return load_torch().zeros_like(columns[0])
    order = Order(format_named(subject.dtype))
    edge = float(order.format.largest)
    d = columns[1] - columns[0]
    narrow = d.clamp_(-edge, edge).to(torch_dtype(subject.dtype)).view(load_torch().int16).long()
    number = load_torch().where(narrow < 0, -1 - narrow, narrow + order.half)
    least: Any = _table_of_pairs(subject.form, subject.dtype, subject.device)
    return least[number]


@functools.lru_cache(maxsize=32)
def _table_of_pairs(form: Form, dtype: str, device: str) -> Any:
    """The least bound at (0, d), d from one number of the format to the next but one, in float order."""
    torch = load_torch()
    subject = Subject(lambda: None, form, "value", dtype, device)
    order = subject.order
    d = order.tensor(order.finite.start, order.finite.stop, device).double()
    low, high = d[:-2], d[2:]
    zero = order.half - order.finite.start - 1
    least = torch.zeros(order.count, dtype=torch.float64, device=device)
    for start, stop in ((0, zero - 1), (zero - 1, zero + 1), (zero + 1, low.numel())):
        part, begin = slice(start, stop), order.finite.start + 1
        least[begin + start : begin + stop] = enclosed(
            subject, lambda x: (Fraction(0), x), low[part], high[part]
        )[0]
    return least


def bounds_at(
    subject: Subject, columns: tuple[Any, ...], chosen: slice = slice(None), *, fast: bool = False
) -> Any:
    """The bound on the absolute error at each input: the largest of the chosen stable algorithms.

    With ``fast`` in the arithmetic of GPU kernels. At most 2^14 numbers are taken at once, so that each
    operation is examined for being exact, as in a check of small calls. Infinite where none of them has a
    bound.
    """
    torch = load_torch()
    model = replace(model_for(subject.dtype, subject.device), fast=fast)
    algorithms = subject.formulas()[1:][chosen]
    step = FINE // max(len(filled.entries) for filled in subject.form.variables)
    bounds = torch.full_like(columns[0], -1.0)
    for start in range(0, columns[0].numel() if algorithms else 0, step):
        part = slice(start, start + step)
        values, here = subject.tables(*(column[part] for column in columns)), bounds[part]
        for action in algorithms:
            bulk = evaluate(
                lambda c, *x, act=action: act(c, subject.options, *x), values, model, subject.device
            )
            own = _picked(subject, bulk.bound, here.numel())
            torch.maximum(here, own.masked_fill(~own.isfinite(), -1.0), out=here)
    return bounds.masked_fill_(bounds < 0, math.inf)


def _picked(subject: Subject, flat: Any, n: int) -> Any:
    return flat if flat.numel() == n else flat.view(n, -1)[:, subject.position]
