"""Pairs of 16-bit numbers: the exact values along whole rows of them, in float64."""

from __future__ import annotations

import math
from typing import Any

from verify.backends import load_torch
from verify.sweeps.counting import Counter
from verify.sweeps.counts import Span
from verify.sweeps.subject import Subject


def count_pairs(subject: Subject, start: int, stop: int, counter: Counter) -> None:
    """Count the pairs start..stop, whole rows: a first argument with every finite second one.

    Errors are compared with 1/2 and 1 ulp up to `CERTAIN`.
    """
    torch = load_torch()
    order = subject.order
    finite = order.finite
    second = order.tensor(finite.start, finite.stop, subject.device)
    pairs = Pairs(subject, second.double())
    first = second.clone()
    errors = torch.empty_like(pairs.value)
    edge = float(order.format.clamped(math.inf))
    for row in range(max(start >> 16, finite.start), min(stop >> 16, finite.stop)):
        x = float(order.value(row))
        got = subject.compute(first.fill_(x), second)
        value, unit, off = pairs.at(x)
        errors.copy_(got)
        (errors.add_ if subject.form.scale < 0 else errors.sub_)(value).div_(unit).abs_()
        if not float(errors.amax()) < edge:
            no_number = ~got.isfinite() & (value.abs() <= float(order.format.largest))
            errors.copy_(got).mul_(subject.form.scale).clamp_(-edge, edge).sub_(value.clamp(-edge, edge))
            errors.div_(unit).abs_().masked_fill_(no_number, math.inf)
        slack = off / unit if off is not None else CERTAIN * 2.0**order.format.precision
        counter.add(Span((row << 16) + finite.start, got, errors, slack, unit))


CERTAIN = 2.0**-42
"""A relative error that float64 stays below, |d| up to `FAR`: 2^-53 (128 + 8) < 2^-45."""

FAR = 128.0
"""Beyond it exp(-|d|), below 2^-184, is less than 2^-50 ulp in every 16-bit format, and is left out."""


class Pairs:
    """The exact values at all pairs with one first argument, in memory that is used again.

    The exact value is that of one function of the difference d, which torch computes in float64. With
    u = 2^-53, d is rounded once, |d| u; exp adds 2u and is of no use beyond `FAR`; log1p passes a
    relative error on and adds 2u; sums and quotients of positive numbers add u each (docs/bounds.md
    states what is assumed of float64 exp and log). So the relative error is below (|d| + 8) u, |d| at
    most `FAR`; `CERTAIN` is larger. With a shift the larger argument is added, which rounds once more.
    """

    def __init__(self, subject: Subject, second: Any) -> None:
        torch = load_torch()
        self._form, self._format, self._second = subject.form, subject.order.format, second
        self._difference, self.value, self._unit = (torch.empty_like(second) for _ in range(3))

    def at(self, x: float) -> tuple[Any, Any, Any]:
        """At x and each second argument, which ascend, the value without the sign of the form, and its ulp.

        With a shift also what the value may be off by, else None. Good until the next call.
        """
        torch, form, y, value = load_torch(), self._form, self._second, self.value
        d = torch.sub(y, x, out=self._difference)
        if form.sign < 0:
            d.neg_()
        low = int(torch.searchsorted(y, x - FAR))
        high = int(torch.searchsorted(y, x + FAR, right=True))
        near = d[low:high]
        off = None
        if form.core == "sigmoid":
            torch.heaviside(d, torch.zeros_like(d[:1]), out=value)
            shrunk = near.abs().neg_().exp_()
            value[low:high] = shrunk.masked_fill(near > 0, 1.0).div_(shrunk + 1)
        else:
            torch.clamp(y if form.shift else d, min=x if form.shift else 0.0, out=value)
            small = near.abs_().neg_().exp_().log1p_()
            value[low:high] += small
        if form.shift:
            off = value.abs()
            off[low:high] += small
            off.mul_(CERTAIN)
        return value, self._ulp(), off

    def _ulp(self) -> Any:
        """The ulp of each value in the format, as `ulp_of`, by masking the exponent."""
        torch, format = load_torch(), self._format
        torch.bitwise_and(self.value.view(torch.int64), 0x7FF << 52, out=self._unit.view(torch.int64))
        least, most = float(format.smallest_subnormal), float(format.ulp(format.largest))
        return self._unit.mul_(2.0 ** (1 - format.precision)).clamp_(least, most)
