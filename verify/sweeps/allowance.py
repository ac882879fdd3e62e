"""Allowances: what the stable algorithms may be off by at many inputs, by one evaluation in float64."""

from __future__ import annotations

import math
from typing import Any

from verify.backends import load_torch
from verify.contexts.bulk import evaluate
from verify.contexts.rounding import model_for
from verify.contexts.running import FINE
from verify.sweeps.subject import Subject


def allowed(subject: Subject, columns: tuple[Any, ...], errors: Any, unit: Any, best: float) -> Any:
    """What is allowed at each input, in ulp, by the first algorithm or, where that does not do, by all.

    The others can only allow more, so they are asked where the first refutes, or gives the largest
    error / bound, above ``best``.
    """
    torch = load_torch()
    bounds = bounds_at(subject, columns, slice(0, 1)) / unit
    ratios = torch.where(bounds.isfinite(), errors / bounds, math.inf)
    best = min(0.999, best)
    for few in (16, None):
        chosen = (ratios > best).nonzero().squeeze(1)
        if few and chosen.numel() > few:
            chosen = ratios.topk(few).indices
        others = bounds_at(subject, tuple(c[chosen] for c in columns), slice(1, None)) / unit[chosen]
        own = bounds[chosen]
        more = torch.where(own.isfinite() & (~others.isfinite() | (own > others)), own, others)
        bounds[chosen] = more
        found = torch.where(more.isfinite(), errors[chosen] / more, 0.0)
        best = min(0.999, max([best, *([float(found.max())] if found.numel() else [])]))
        ratios[chosen] = 0.0
    return bounds


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
