"""Floating-point formats in exact arithmetic: enclosures, rounding, bit patterns, ulp errors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any

from verify.errors import UsageError, unknown

Bound = Fraction | float
"""An exact rational, or one of the two infinities as a float."""


@dataclass(frozen=True, slots=True, repr=False)
class Enclosure:
    """Two bounds, ``lower`` <= ``upper``, between which a true value lies; both may be infinite."""

    lower: Bound
    upper: Bound

    def __post_init__(self) -> None:
        if not self.lower <= self.upper:
            raise UsageError(
                f"enclosure from {_shown(self.lower)} to {_shown(self.upper)}; give the lower bound first"
            )

    def __repr__(self) -> str:
        return f"Enclosure({_shown(self.lower)}, {_shown(self.upper)})"

    @property
    def width(self) -> Bound:
        """Upper minus lower bound; 0 for a point, also at infinity."""
        if self.is_point:
            return Fraction(0)
        if isinstance(self.lower, float) or isinstance(self.upper, float):
            return math.inf
        return self.upper - self.lower

    @property
    def is_point(self) -> bool:
        """Whether the two bounds are the same, so that the value is known exactly."""
        return self.lower == self.upper

    def contains(self, value: Bound) -> bool:
        """Whether a value lies between the bounds, the bounds included."""
        return self.lower <= value <= self.upper

    def intersect(self, other: Enclosure) -> Enclosure:
        """What two enclosures of one value leave; raises `UsageError` when they are disjoint."""
        lower, upper = max(self.lower, other.lower), min(self.upper, other.upper)
        if lower > upper:
            raise UsageError(f"the enclosures {self} and {other} are disjoint; they enclose different values")
        return Enclosure(lower, upper)


@dataclass(frozen=True, slots=True)
class Format:
    """A binary format of IEEE 754 kind: ``precision`` p significand bits, exponents emin..emax.

    Finite values are whole multiples of 2**(emin - p + 1) below 2**(emax + 1). Values are exact
    Fractions; an infinity, nan or negative zero, which no Fraction is, is a Python float.
    """

    name: str
    precision: int
    emin: int
    emax: int

    @property
    def unit_roundoff(self) -> Fraction:
        """The unit u = 2**-p, the largest relative error of one rounding to a normal number."""
        return Fraction(1, 1 << self.precision)

    @property
    def smallest_normal(self) -> Fraction:
        """2**emin (eta in error bounds); below it rounding has an absolute error instead."""
        return _dyadic(1, self.emin)

    @property
    def smallest_subnormal(self) -> Fraction:
        """2**(emin - p + 1), the spacing of all values below the smallest normal number."""
        return _dyadic(1, self.emin - self.precision + 1)

    @property
    def largest(self) -> Fraction:
        """(2 - 2**(1 - p)) 2**emax, the largest finite value."""
        return Fraction(((1 << self.precision) - 1) << (self.emax - self.precision + 1))

    @property
    def width(self) -> int:
        """Storage bits: sign, exponent and the significand without its leading bit."""
        return self.precision + 1 + self.emax.bit_length()

    def ulp(self, x: Bound) -> Fraction:
        """Spacing of the binade of x: 2**(floor(log2 |x|) - p + 1), kept within emin..emax.

        So it is the subnormal spacing for 0 and below the smallest normal number, and that of the
        last binade for what overflows. At a power of two it is the spacing above it (in magnitude).
        """
        return _dyadic(1, self._ulp_exponent(x))

    def round(self, x: Bound) -> Bound:
        """The nearest value to x, a tie going to the even significand; inf at and beyond the halfway
        point (2 - 2**-p) 2**emax after the largest value. One rounding, from the exact x.
        """
        if isinstance(x, float):
            return x if math.isinf(x) else self.round(Fraction(x))
        exponent = self._ulp_exponent(x)
        numerator, denominator = _shifted(x, -exponent)
        whole, rest = divmod(numerator, denominator)
        if 2 * rest > denominator or (2 * rest == denominator and whole % 2):
            whole += 1
        if abs(whole).bit_length() + exponent > self.emax + 1:
            return math.inf if whole > 0 else -math.inf
        return _dyadic(whole, exponent)

    def clamped(self, x: Bound) -> Fraction:
        """A finite stand-in for x: what lies beyond +-2**(emax + 1) is brought back to it."""
        if isinstance(x, float):
            if math.isinf(x):
                return _dyadic(1 if x > 0 else -1, self.emax + 1)
            x = Fraction(x)
        if x and _floor_log2(x) > self.emax:
            return _dyadic(1 if x > 0 else -1, self.emax + 1)
        return x

    def is_value(self, x: Bound) -> bool:
        """Whether x is an infinity or a finite value of the format."""
        return self.round(x) == x

    def neighbours(self, x: Bound) -> tuple[Bound, Bound]:
        """The largest value < x and the smallest value > x, for any x, a value itself or not.

        Beyond the largest finite value lies the infinity, which is its own neighbour on that side.
        """
        return -self._above(-x), self._above(x)

    def decode(self, bits: int) -> Bound:
        """The value with this bit pattern (0 <= bits < 2**width); -0.0, infinities, nan as floats."""
        if not 0 <= bits < 1 << self.width:
            raise UsageError(f"{bits} is no pattern of {self.name}; give 0 <= bits < 2**{self.width}")
        fraction_bits = self.precision - 1
        negative = bool(bits >> (self.width - 1))
        field = (bits >> fraction_bits) & (2 * self.emax + 1)
        fraction = bits & ((1 << fraction_bits) - 1)
        if field == 2 * self.emax + 1:
            return math.nan if fraction else (-math.inf if negative else math.inf)
        if negative and not field and not fraction:
            return -0.0
        whole = fraction + (1 << fraction_bits) if field else fraction
        exponent = self.emin - fraction_bits + max(field - 1, 0)
        return _dyadic(-whole if negative else whole, exponent)

    def encode(self, x: Bound) -> int:
        """The bit pattern of a value; nan as the quiet nan. Raises `UsageError` for what is no value."""
        fraction_bits = self.precision - 1
        special = (2 * self.emax + 1) << fraction_bits
        sign = int(math.copysign(1, x) < 0 if isinstance(x, float) else x < 0) << (self.width - 1)
        if isinstance(x, float) and math.isnan(x):
            return special | 1 << (fraction_bits - 1)
        if isinstance(x, float) and math.isinf(x):
            return sign | special
        size = abs(Fraction(x))
        if not self.is_value(size):
            raise UsageError(f"{_shown(x)} is no value of {self.name}; round it first")
        exponent = self._ulp_exponent(size)
        numerator, denominator = _shifted(size, -exponent)
        field = exponent - (self.emin - fraction_bits)
        return sign | ((field << fraction_bits) + numerator // denominator)

    def _ulp_exponent(self, x: Bound) -> int:
        """The exponent of `ulp`."""
        if isinstance(x, float):
            if math.isinf(x):
                return self.emax - self.precision + 1
            x = Fraction(x)
        exponent = _floor_log2(x) if x else self.emin
        return min(max(exponent, self.emin), self.emax) - self.precision + 1

    def _above(self, x: Bound) -> Bound:
        """The smallest value > x."""
        if isinstance(x, float):
            if math.isinf(x):
                return x if x > 0 else -self.largest
            x = Fraction(x)
        exponent = self._ulp_exponent(x)
        numerator, denominator = _shifted(x, -exponent)
        if -numerator == denominator << (self.precision - 1) and exponent > self.emin - self.precision + 1:
            numerator, exponent = 2 * numerator, exponent - 1
        whole = numerator // denominator + 1
        if abs(whole).bit_length() + exponent > self.emax + 1:
            return math.inf if whole > 0 else -self.largest
        return _dyadic(whole, exponent)


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        name: Format(name, precision, 1 - emax, emax)
        for name, precision, emax in (
            ("float16", 11, 15),
            ("bfloat16", 8, 127),
            ("float32", 24, 127),
            ("float64", 53, 1023),
        )
    }
)


Dtype = Any
"""A dtype where a user gives one: its name, or the dtype of torch."""

Device = Any
"""A device likewise."""


def name_of_torch(given: object) -> Any:
    """The name of a dtype or device of torch; anything else, such as a name, as it is."""
    kind = type(given)
    ours = kind.__module__ == "torch" and kind.__name__ in ("dtype", "device")
    return str(given).removeprefix("torch.") if ours else given


def format_named(name: Dtype) -> Format:
    """The format of that name, or dtype of torch; `UsageError` with the nearest names when there is none."""
    name = name_of_torch(name)
    if name not in FORMATS:
        raise unknown("format", name, FORMATS)
    return FORMATS[name]


def ulp_error(got: Bound, exact: Enclosure | Bound, format: Format) -> tuple[Bound, Bound]:
    """Least and most possible |got - truth| / ulp(truth), truth anywhere in ``exact``, unrounded.

    The two are equal when the truth is given exactly. The ulp is that of the truth in ``format``
    (see `Format.ulp`). Policy for specials:

    - got is nan: the error is infinite (a truth that is itself undefined is never compared);
    - overflow: got = +-inf and every truth beyond it count as +-2**(emax + 1), so that an infinity
      is right for a truth that overflows and 1 ulp from the largest value;
    - a truth that is infinite (both bounds the same infinity): the error is 0 for that infinity and
      infinite for all else;
    - the sign of zero is ignored: -0 and 0 are the same result.
    """
    enclosure = exact if isinstance(exact, Enclosure) else Enclosure(exact, exact)
    if isinstance(got, float) and math.isnan(got):
        return math.inf, math.inf
    if enclosure.is_point and isinstance(enclosure.lower, float) and math.isinf(enclosure.lower):
        error = Fraction(0) if got == enclosure.lower else math.inf
        return error, error
    value, lower = format.clamped(got), format.clamped(enclosure.lower)
    if enclosure.is_point:
        error = Fraction(*_shifted(abs(value - lower), -format._ulp_exponent(lower)))
        return error, error
    upper = format.clamped(enclosure.upper)
    exponents = (format._ulp_exponent(lower), format._ulp_exponent(upper))
    finest = format._ulp_exponent(Fraction(0)) if lower <= 0 <= upper else min(exponents)
    distance = abs(value - min(max(value, lower), upper))
    farthest = max(value - lower, upper - value)
    return Fraction(*_shifted(distance, -max(exponents))), Fraction(*_shifted(farthest, -finest))


def _dyadic(whole: int, exponent: int) -> Fraction:
    """The number whole 2**exponent."""
    return Fraction(whole << exponent) if exponent >= 0 else Fraction(whole, 1 << -exponent)


def _shown(x: Bound) -> str:
    """A number as it is, or to 53 bits and a power of two when its fraction is very long."""
    if isinstance(x, float) or x.numerator.bit_length() + x.denominator.bit_length() <= 200:
        return str(x)
    exponent = _floor_log2(x)
    return f"about {float(Fraction(*_shifted(x, -exponent)))} * 2**{exponent}"


def _shifted(x: Fraction, exponent: int) -> tuple[int, int]:
    """Numerator and denominator, perhaps with a common factor, of x 2**exponent."""
    if exponent <= 0:
        return x.numerator, x.denominator << -exponent
    spare = min(exponent, (x.denominator & -x.denominator).bit_length() - 1)
    return x.numerator << (exponent - spare), x.denominator >> spare


def _floor_log2(x: Fraction) -> int:
    """The whole number e with 2**e <= |x| < 2**(e + 1), x not 0."""
    numerator, denominator = abs(x.numerator), x.denominator
    exponent = numerator.bit_length() - denominator.bit_length()
    if exponent >= 0:
        return exponent - (numerator < denominator << exponent)
    return exponent - (numerator << -exponent < denominator)
