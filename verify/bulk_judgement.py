"""Judging a whole table: every element of a result against its value and bound, all at once."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from verify.backends import load_torch
from verify.contexts.bulk import Bulk
from verify.contexts.running import SLACK
from verify.floats import Enclosure, Format
from verify.judgement import NO_BOUND, NO_VALUE, Outcome
from verify.verdict import Status

PIECE = 1 << 20
"""Elements that are compared at a time, so that memory stays small."""


def judge_table(
    got: Any, value: Any, half: Any, allowed: Any, format: Format
) -> tuple[Outcome, int | None, Enclosure | None]:
    """The outcome of the worst element of a flat float64 tensor, its position, and what encloses its value.

    Refuted when the least possible error exceeds the bound, passed when the largest does not; what lies
    between, and a value beyond float64, is unknown. An element whose definition has no value is free.
    ``value`` is off by at most ``half``. ``ulp`` and ``ratio`` are those of the worst element.
    """
    best: tuple[Outcome, int | None, Enclosure | None] = (Outcome(Status.PASSED), None, None)
    for start in range(0, got.numel(), PIECE):
        part = slice(start, start + PIECE)
        found = _judge_piece(got[part], value[part], allowed[part], half[part], format, start)
        best = _worse(best, found)
    return best


def _worse(a: Any, b: Any) -> Any:
    order = {Status.REFUTED: 2, Status.UNKNOWN: 1}
    first, second = a[0], b[0]
    key_a = (order.get(first.status, 0), first.ratio)
    return b if (order.get(second.status, 0), second.ratio) >= key_a else a


def passes(got: Any, bulk: Bulk, format: Format) -> tuple[Outcome, int, Enclosure | None] | None:
    """As `judge_table` where every element is a number well within its bound, in few passes; else None."""
    if bulk.widest is not None and bool((bulk.widest > bulk.bound).any()):
        return None
    shares = (got - bulk.value).abs_().div_(bulk.bound)
    worst, position = (part.item() for part in shares.max(0))
    if not worst <= 1 - (bulk.ratio or 0.0) - SLACK:
        return None
    return _outcome(Status.PASSED, position, got, bulk.value, bulk.bound, bulk.half, shares, format, 0)


def _judge_piece(got: Any, value: Any, bound: Any, half: Any, format: Format, start: int) -> Any:
    torch = load_torch()
    edge = 2.0 ** (format.emax + 1) if format.emax < 1023 else math.inf
    free = value.isnan()
    error = (got.clamp(-edge, edge) - value.clamp(-edge, edge)).abs_()
    same = (got == value) & value.isinf()
    error.masked_fill_(same | free, 0.0)
    lost = error.isnan() | (value.isinf() & (half == 0) & ~same)
    error.masked_fill_(lost & ~free, math.inf)
    allowed = bound.masked_fill(free, math.inf)
    known = allowed.isfinite() & half.isfinite()
    no_number = ~got.isfinite() & value.isfinite() & (value.abs() <= float(format.largest)) & ~free
    refuted = known & ((error - half > allowed * (1 + SLACK)) | (no_number & (error > allowed)))
    passed = free | known & (error + half <= allowed * (1 - SLACK)) | (known & (error == 0) & (half == 0))
    ratios = torch.where(error > 0, error / allowed, 0.0).masked_fill_(free | ~known, 0.0)
    ratios.masked_fill_(refuted & (no_number | lost), math.inf)
    if refuted.any():
        position = int(torch.where(refuted, ratios, -1.0).argmax())
        return _outcome(Status.REFUTED, position, got, value, allowed, half, ratios, format, start)
    judged = passed & ~free
    if not passed.all():
        unbounded = bool((~known & ~free).any())
        return (
            Outcome(Status.UNKNOWN, reason=NO_BOUND if unbounded else "float64 does not decide it"),
            None,
            None,
        )
    if not judged.any():
        return Outcome(Status.UNKNOWN, reason=NO_VALUE), None, None
    position = int(torch.where(judged, ratios, -1.0).argmax())
    return _outcome(Status.PASSED, position, got, value, allowed, half, ratios, format, start)


def _outcome(
    status: Status,
    position: int,
    got: Any,
    value: Any,
    allowed: Any,
    half: Any,
    ratios: Any,
    format: Format,
    start: int,
) -> tuple[Outcome, int, Enclosure | None]:
    """What is told of one element."""
    number, exact, bound, width = (float(part[position]) for part in (got, value, allowed, half))
    unit = float(format.ulp(exact)) if exact - exact == 0 else math.inf
    error = abs(number - exact)
    ulp = math.inf if error != error or math.isinf(error) else error / unit
    told: Any = Fraction(number) if number - number == 0 else number
    truth = None
    if exact - exact == 0 and width - width == 0:
        truth = Enclosure(Fraction(exact) - Fraction(width), Fraction(exact) + Fraction(width))
    elif math.isinf(exact):
        truth = Enclosure(exact, exact)
    allowed_ulp = bound / unit if bound - bound == 0 else math.inf
    worst = float(ratios[position])
    return (
        Outcome(status, True, told, None, 0.0 if exact == number else ulp, worst, allowed_ulp),
        start + position,
        truth,
    )
