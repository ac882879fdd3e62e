"""Samples of float64: the exact value at each input as a ball, the bounds of all of them at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from verify.backends import exact_value, load_torch
from verify.contexts.series import interval, working
from verify.errors import PrecisionError
from verify.floats import Format
from verify.sweeps.counting import Counter
from verify.sweeps.counts import Span
from verify.sweeps.patches import SLACK, coefficients
from verify.sweeps.subject import Subject

BITS = (192, 1280)
"""Of a ball, at first and where that leaves something open; then the oracle is asked."""


def count_samples(subject: Subject, numbers: Sequence[int], got: Any, counter: Counter) -> None:
    """Count the results at the inputs with these numbers, of a form of one argument."""
    torch, order = load_torch(), subject.order
    left_out = {n for edge in subject.curve.without for n in order.between(edge, edge)}
    results, found = got.tolist(), {}
    inputs = order.at(torch.tensor([n - order.half for n in numbers]), order.half).tolist()
    for bits in BITS:
        with working(bits, 1):
            for k, n in enumerate(numbers):
                if k not in found and n not in left_out and (error := _error(subject, inputs[k], results[k])):
                    found[k] = error
    for k in sorted({*range(len(numbers))} - {*found}):
        counter.point(exact_value(got[k : k + 1]), numbers[k])
    if found:
        places = sorted(found)
        columns = torch.tensor([found[k] for k in places], dtype=torch.float64, device=got.device)
        errors, slack, unit = columns.T.contiguous()
        offsets = torch.tensor([numbers[k] - order.half for k in places], device=got.device)
        counter.add_scattered(Span(order.half, got[places], errors, slack, unit, places=offsets))


def _error(subject: Subject, x: float, got: float) -> tuple[float, float, float] | None:
    """The error in ulp of a result, what it may be off by, and that ulp; None where it takes the oracle."""
    if not math.isfinite(x):
        return None
    try:
        (value,) = coefficients(subject, interval(x, x))
    except PrecisionError:
        return None
    ulp = _ulp(value, subject.order.format)
    if ulp is None:
        return None
    if not math.isfinite(got):
        return math.inf, 0.0, ulp
    off = abs((interval(got, got) - value) / interval(ulp, ulp))
    error, slack = float(off.mid()), float(off.rad())
    return (error, slack + error * 2.0**-52, ulp) if slack <= SLACK else None


def _ulp(value: Any, format: Format) -> float | None:
    """The ulp of a ball, where it holds a power of two that above it; None for the largest numbers."""
    near = float(abs(value.mid()))
    fraction, exponent = math.frexp(near)
    if exponent > format.emax:
        return None
    if fraction == 0.5 and abs(value) < near:
        exponent -= 1
    least = format.emin + 1
    return math.ldexp(1.0, (max(exponent, least) if near else least) - format.precision)
