"""Patches: the exact function on a run of neighbouring inputs, as a polynomial with a proved remainder.

On a patch the inputs are evenly spaced and the exact values lie in one binade, so that the error of a
result in ulp is one short polynomial away. Its coefficients are balls of the series context, at the
middle; the remainder is Lagrange's, from the derivative over the whole patch (verify/contexts/series.py).
Where that is too wide, and the function is monotone, its values at both ends may do. Else the patch is
halved, and what is left of a few inputs is left to the oracle, one by one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.contexts.series import interval, taylor, working
from verify.contract import Contract
from verify.elements import element
from verify.errors import PrecisionError
from verify.floats import Bound, Enclosure, Format
from verify.oracle import Undecided
from verify.sweeps.subject import Subject

TERMS = 10
"""Coefficients that are computed; a patch has at most two fewer."""

FEW = 16
"""Runs of at most so many inputs are not halved further; in the 16-bit formats of two."""

REMAINDER = 2.0**-28
"""What the truncated series may be off by, in ulp."""

SLACK = 2.0**-24
"""What the errors found on a patch may be off by in all, in ulp."""

ROUNDED = 2.0**-48
"""Relative error of the polynomial in float64 as a sweep computes it, with at most 32 roundings."""


@dataclass(frozen=True, slots=True)
class Patch:
    """The inputs start..stop (stop left out), by number in float order.

    With t counted from ``middle``, in inputs, the exact value is (base + slope t + polynomial(t)) ulp,
    up to ``slack`` ulp. ``base`` and ``slope`` t are exact in float64. ``coefficients`` are None where
    nothing is known. ``beyond`` says that the value may lie beyond the largest number of the format.
    """

    start: int
    stop: int
    ulp: float = 1.0
    base: float = 0.0
    slope: float = 0.0
    coefficients: tuple[float, ...] | None = None
    slack: float = 0.0
    beyond: bool = False

    @property
    def middle(self) -> float:
        """The place of t = 0, counted from the start."""
        return (self.stop - self.start - 1) / 2


@dataclass(frozen=True, slots=True)
class Piece:
    """Inputs start..stop on which the function is strictly monotone.

    ``above`` and ``below``: exact values at its ends, which all its values are above or below; None
    where they are not known.
    """

    start: int
    stop: int
    above: Fraction | None
    below: Fraction | None

    def inside(self, low: Any, high: Any) -> tuple[Fraction, Fraction]:
        """What of low..high lies between the values at the ends."""
        down, up = Fraction(low), Fraction(high)
        if self.above is not None:
            down = max(down, self.above + abs(self.above) * _NEAR)
        if self.below is not None:
            up = min(up, self.below - abs(self.below) * _NEAR)
        return (down, up) if down <= up else (Fraction(low), Fraction(high))


_NEAR = Fraction(1, 1 << 200)


def pieces(subject: Subject) -> list[Piece]:
    """The monotone pieces of a form of one argument, in order, without the inputs between them."""
    order, curve = subject.order, subject.curve
    cuts = sorted({(curve.low, curve.low), (curve.high, curve.high), (0.0, 0.0), *curve.turns})
    cuts = [cut for cut in cuts if curve.low <= cut[0] <= curve.high]
    made = []
    for (_, low), (high, _) in itertools.pairwise(cuts):
        first, last = order.between(low, low), order.between(high, high)
        start = max(order.between(low, high).start, order.finite.start, first.stop)
        stop = min(order.between(low, high).stop, order.finite.stop, last.start)
        made.append(Piece(start, stop, *_limits(subject, low, high, start, stop)))
    return made


def _limits(
    subject: Subject, low: float, high: float, start: int, stop: int
) -> tuple[Fraction | None, Fraction | None]:
    """The exact values at the ends low and high of a piece: the lesser and the larger."""
    known = [_exact_at(subject, edge) for edge in (low, high)]
    at = [
        Enclosure(exact, exact) if exact is not None else subject.enclosure(subject.order.value(n))
        for exact, n in zip(known, (start, stop - 1), strict=True)
    ]
    first, last = at
    if isinstance(first, Undecided) or isinstance(last, Undecided):
        return None, None
    if first.upper < last.lower:
        return known[0], known[1]
    return (known[1], known[0]) if last.upper < first.lower else (None, None)


def _exact_at(subject: Subject, edge: float) -> Fraction | None:
    """The exact value, or limit, at the end of a piece, where it is known and a number."""
    if math.isinf(edge):
        limit = subject.curve.limits[edge > 0]
        return None if limit is None else Fraction(limit)
    found = subject.enclosure(Fraction(edge))
    known = isinstance(found, Enclosure) and found.is_point and isinstance(found.lower, Fraction)
    return Fraction(found.lower) if known and isinstance(found, Enclosure) else None


def patches(subject: Subject, start: int, stop: int) -> Iterator[Patch]:
    """Patches that together cover the finite inputs start..stop of a form of one argument."""
    order, few = subject.order, 2 if subject.order.format.width == 16 else FEW
    for piece in pieces(subject):
        if start < min(piece.start, stop):
            edge = min(piece.start, stop)
            yield from (Patch(n, min(n + few, edge)) for n in range(start, edge, few))
            start = edge
        while start < min(piece.stop, stop):
            edge = min((start // order.binade + 1) * order.binade, piece.stop, stop)
            yield from _covering(subject, piece, start, edge, few)
            start = edge
    yield from (Patch(n, min(n + few, stop)) for n in range(start, stop, few))


def _covering(subject: Subject, piece: Piece, start: int, stop: int, few: int) -> Iterator[Patch]:
    found = None if stop - start <= few else _patch(subject, piece, start, stop)
    if found is not None:
        yield found
    elif stop - start <= few:
        yield Patch(start, stop)
    else:
        middle = (start + stop) // 2
        yield from _covering(subject, piece, start, middle, few)
        yield from _covering(subject, piece, middle, stop, few)


def _patch(subject: Subject, piece: Piece, start: int, stop: int) -> Patch | None:
    """One patch for a run of inputs, if it can be had."""
    low, high = (Fraction(subject.order.value(n)) for n in (start, stop - 1))
    try:
        return _by_series(subject, piece, start, stop, low, high)
    except PrecisionError:
        return _by_ends(subject, piece, start, stop)


def _by_series(
    subject: Subject, piece: Piece, start: int, stop: int, low: Fraction, high: Fraction
) -> Patch | None:
    format, count = subject.order.format, stop - start
    bits = 64 + 3 * format.precision - format.emin
    middle, step = (low + high) / 2, (high - low) / (count - 1)
    far = (count - 1) / 2
    with working(bits, TERMS):
        over = coefficients(subject, interval(low, high))
        about = coefficients(subject, interval(middle, middle))
        reach, spacing = interval((high - low) / 2, (high - low) / 2), interval(step, step)
        moved = over[1].abs_upper() * reach
        ends = _outwards(about[0] - moved, about[0] + moved)
        ulp = _common_ulp(piece, *ends, format)
        if ulp is None and ends[1] - ends[0] > REMAINDER * float(format.ulp(Fraction(ends[0]))):
            return None
        if ulp is None:
            raise PrecisionError("the values lie around a power of two; take their ends")
        unit = interval(ulp, ulp)
        left_out = [_size(over[k] * reach**k / unit) for k in range(TERMS)]
        terms = next((k for k in range(1, TERMS) if left_out[k] <= REMAINDER), None)
        if terms is None:
            raise PrecisionError("the derivatives are too large on this interval; take a smaller one")
        parts = _split([about[k] * spacing**k / unit for k in range(terms)], format, count)
    remainder = left_out[terms]
    base, slope, rest, loose = parts
    rounding = ROUNDED * sum(abs(c) * far**k for k, c in enumerate(rest))
    slack = 2 * (remainder + rounding + sum(e * far**k for k, e in enumerate(loose))) + 2.0**-48
    if remainder == 0 and not any(loose) and all(c * 1024 == round(c * 1024) for c in rest) and terms < 3:
        slack = 0.0
    beyond = max(map(abs, ends)) > float(format.largest)
    found = Patch(start, stop, float(ulp), base, slope, tuple(rest), slack, beyond)
    return found if slack <= SLACK else None


def _split(scaled: list[Any], format: Format, count: int) -> tuple[float, float, list[float], list[float]]:
    """Coefficients in ulp as numbers that are exact in products with t, and the rest in float64.

    Last the radius of each, and what its own rounding leaves.
    """
    base = float(round(float(scaled[0].mid())))
    digits = 52 - count.bit_length()
    slope = 0.0
    if len(scaled) > 1 and format.precision > 24:
        fraction, exponent = math.frexp(float(scaled[1].mid()))
        slope = math.ldexp(float(round(math.ldexp(fraction, digits))), exponent - digits)
    exact = [base, slope]
    left = [c - exact[k] if k < 2 else c for k, c in enumerate(scaled)]
    rest = [float(c.mid()) for c in left]
    return base, slope, rest, [_size(c - number) for c, number in zip(left, rest, strict=True)]


def _by_ends(subject: Subject, piece: Piece, start: int, stop: int) -> Patch | None:
    """A constant, where a monotone function is nearly one: between its values at both ends."""
    format = subject.order.format
    ends = [subject.enclosure(subject.order.value(n)) for n in (start, stop - 1)]
    if any(isinstance(end, Undecided) for end in ends):
        return None
    known = [end for end in ends if isinstance(end, Enclosure)]
    low: Bound = min(end.lower for end in known)
    high: Bound = max(end.upper for end in known)
    edge = format.clamped(math.inf)
    if low >= edge or high <= -edge:
        ulp = format.ulp(low)
        return Patch(start, stop, float(ulp), math.copysign(float(edge / ulp), low), 0.0, (0.0,), 0.0, True)
    if isinstance(low, float) or isinstance(high, float) or not -edge <= low <= high <= edge:
        return None
    common = _common_ulp(piece, low, high, format)
    if common is None:
        return None
    ulp = common
    middle, width = (low + high) / 2 / ulp, (high - low) / ulp
    if width > REMAINDER or max(-low, high) > format.largest:
        return None
    base = round(middle)
    slack = 2.0**-27 if width or Fraction(float(middle)) != middle else 0.0
    return Patch(start, stop, float(ulp), float(base), 0.0, (float(middle - base),), slack)


def _outwards(low: Any, high: Any) -> tuple[float, float]:
    """Two floats that hold a ball's lower end and another's upper end between them."""
    down, up = float(low.lower()), float(high.upper())
    return math.nextafter(down, -math.inf), math.nextafter(up, math.inf)


def _common_ulp(piece: Piece, low: Any, high: Any, format: Format) -> Fraction | None:
    """The ulp of all values between two, on a piece; None where they have not the same."""
    edge = format.clamped(math.inf)
    if not -edge <= low <= high <= edge:
        raise PrecisionError("the values lie beyond the format; take their ends")
    down, up = piece.inside(low, high)
    first, second = format.ulp(down), format.ulp(up)
    same = first == second and (down > 0 or up < 0 or first == format.smallest_subnormal)
    return first if same else None


def _size(ball: Any) -> float:
    """An upper bound of the magnitude of a ball; 0 for an exact 0 alone."""
    return 0.0 if ball.is_zero() else math.nextafter(float(ball.abs_upper()), math.inf)


def coefficients(subject: Subject, at: Any) -> list[Any]:
    """Those of the exact function about an argument, or over an interval, as balls, while `working`."""
    contract: Contract = subject.contract
    _, action, *_ = subject.formulas()
    if subject.aspect == "value" and contract.reference is not None:
        action = contract.reference

    def formula(c: Any, *values: Any) -> Any:
        return element(action(c, subject.options, *values), subject.position)

    return taylor(formula, subject.given, at)
