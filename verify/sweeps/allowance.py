"""Allowances: what the stable algorithms may be off by at many inputs, by one evaluation in float64."""

from __future__ import annotations

import functools
import math
from typing import Any

from verify.backends import load_torch, torch_dtype
from verify.contexts.bulk import evaluate
from verify.contexts.rounding import model_for
from verify.contexts.running import FINE
from verify.floats import format_named
from verify.forms import FORMS
from verify.sweeps.order import Order
from verify.sweeps.subject import Subject


def allowed(subject: Subject, columns: tuple[Any, ...], errors: Any, unit: Any, best: float) -> Any:
    """What is allowed at each input, in ulp, by the first algorithm or, where that does not do, by all.

    The others can only allow more, so they are asked where the first refutes, or gives the largest
    error / bound, above ``best``.
    """
    torch = load_torch()
    first = slice(0, 1)
    if subject.form.arity == 2 and not subject.form.shift:
        bounds, first = _least_of_pairs(subject, columns) / unit, slice(0, 0)
    else:
        bounds = bounds_at(subject, columns, first) / unit
    ratios = torch.where(bounds.isfinite(), errors / bounds, math.inf)
    best = min(0.999, best)
    for few in (16, None):
        chosen = (ratios > best).nonzero().squeeze(1)
        if few and chosen.numel() > few:
            chosen = ratios.topk(few).indices
        others = bounds_at(subject, tuple(c[chosen] for c in columns), slice(first.stop, None)) / unit[chosen]
        own = bounds[chosen]
        more = torch.where(own.isfinite() & (~others.isfinite() | (own > others)), own, others)
        bounds[chosen] = more
        found = torch.where(more.isfinite(), errors[chosen] / more, 0.0)
        best = min(0.999, max([best, *([float(found.max())] if found.numel() else [])]))
        ratios[chosen] = 0.0
    return bounds


def _least_of_pairs(subject: Subject, columns: tuple[Any, ...]) -> Any:
    """Less than the bound at each pair, from a table by difference.

    The algorithms of softmax, log_softmax and their losses subtract the maximum first, so that their
    bounds depend on the difference d alone, but for the rounding of d, which only adds. They are sums of
    products of d, exp(-d), log1p(exp(-d)) and their inverses; from one number of a 16-bit format to the
    next each changes by less than a factor 2 (exp(-d) by more only beyond 128, where it is nothing beside
    the rest). So half of the least bound at the numbers around d is below that at d.
    """
    order = Order(format_named(subject.dtype))
    d = columns[1] - columns[0]
    edge = float(order.format.largest)
    narrow = d.clamp(-edge, edge).to(torch_dtype(subject.dtype)).view(load_torch().int16).long()
    number = load_torch().where(narrow < 0, -1 - narrow, narrow + order.half)
    least: Any = _table_of_pairs(subject.form.id, subject.dtype, subject.device)
    return least[number]


@functools.lru_cache(maxsize=32)
def _table_of_pairs(form: str, dtype: str, device: str) -> Any:
    """Half of the least bound at (0, d) and at its neighbours, by the number of d in float order."""
    torch = load_torch()
    subject = Subject(lambda: None, next(f for f in FORMS if f.id == form), "value", dtype, device)
    order = subject.order
    d = order.tensor(order.finite.start, order.finite.stop, device).double()
    bounds = bounds_at(subject, (torch.zeros_like(d), d))
    least = torch.zeros(order.count, dtype=torch.float64, device=device)
    inner = torch.minimum(torch.minimum(bounds[:-2], bounds[1:-1]), bounds[2:])
    least[order.finite.start + 1 : order.finite.stop - 1] = inner / 2
    return least.masked_fill_(~least.isfinite(), 0.0)


def bounds_at(subject: Subject, columns: tuple[Any, ...], chosen: slice = slice(None)) -> Any:
    """The bound on the absolute error at each input: the largest of the chosen stable algorithms.

    At most 2^14 numbers are taken at once, so that each operation is examined for being exact, as in a
    check of small calls. Infinite where none of them has a bound.
    """
    torch = load_torch()
    model = model_for(subject.dtype, subject.device)
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
