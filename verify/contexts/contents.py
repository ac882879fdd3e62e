"""What balls hold: rationals, infinities and Arb's balls, with the rules for infinities, signs and ends."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any, Literal

from flint import arb, ctx, fmpq

from verify.errors import DomainError, PrecisionError

Order = Literal["less", "equal", "greater", "undecided"]

WIDEST_EXPONENT = 1 << 17
"""Enclosures give numbers beyond 2**WIDEST_EXPONENT as infinite, nearer to 0 than its inverse as 0."""

Content = Any
"""``fmpq`` for an exact rational, ``float`` for an infinity, ``arb`` for anything else."""


def at_precision(bits: int, action: Callable[..., Any], *arguments: Any) -> Any:
    """``action(*arguments)`` with Flint's precision set to ``bits`` and restored afterwards."""
    before = ctx.prec
    if before == bits:
        return action(*arguments)
    ctx.prec = bits
    try:
        return action(*arguments)
    finally:
        ctx.prec = before


def power(content: Content, exponent: int) -> Content:
    """A whole power; of a ball with 0 inside it is multiplied out, as Arb takes a logarithm there."""
    if isinstance(content, arb) and content.contains(0):
        return math.prod([content] * exponent, start=arb(1))
    return content**exponent


def sign_of(content: Content) -> int | None:
    """-1, 0 or 1; None when the ball does not decide it."""
    if content > 0:
        return 1
    if content < 0:
        return -1
    return 0 if content == 0 else None


def shown(content: Content) -> str:
    """A few digits, with the radius of a ball; never the digits of a very long rational."""
    if isinstance(content, fmpq) and content.height_bits() > 100:
        content = arb(content)
    return str(content)


def check_divisor(content: Content) -> None:
    """Reject a divisor that is 0, or that may be."""
    sign = sign_of(content)
    if sign == 0:
        raise DomainError("division by 0; the divisor must be different from 0")
    if sign is None:
        raise PrecisionError(f"division by {content}: it may be 0; raise the precision")


def with_infinity(action: Callable[[Any, Any], Any], x: Content, y: Content) -> Content:
    """The result when an operand is infinite, from the signs of the operands alone."""
    stand_ins = []
    for content in (x, y):
        if isinstance(content, float):
            stand_ins.append(content)
            continue
        sign = sign_of(content)
        if sign is None and action not in (operator.add, operator.sub):
            raise PrecisionError(
                f"{shown(content)} beside an infinity: its sign is undecided; raise the precision"
            )
        stand_ins.append(float(sign or 0))
    result = action(*stand_ins)
    if math.isnan(result):
        raise DomainError("inf - inf, 0 * inf and inf / inf have no value; check the arguments")
    return result if math.isinf(result) else fmpq(0)


def order_of(x: Content, y: Content) -> Order:
    """How two contents stand to one another."""
    if x < y:
        return "less"
    if x > y:
        return "greater"
    return "equal" if x == y else "undecided"


def end_of(end: arb, *, up: bool) -> Fraction | float:
    """An exact endpoint as a fraction, moved outwards when its exponent is beyond all use."""
    mantissa, exponent = (int(part) for part in end.man_exp())
    size = mantissa.bit_length() + exponent
    if size > WIDEST_EXPONENT:
        if (mantissa > 0) == up:
            return math.inf if up else -math.inf
        return Fraction(1 << WIDEST_EXPONENT) * (1 if mantissa > 0 else -1)
    if mantissa and size < -WIDEST_EXPONENT:
        if (mantissa > 0) != up:
            return Fraction(0)
        return Fraction(1 if up else -1, 1 << WIDEST_EXPONENT)
    if exponent >= 0:
        return Fraction(mantissa << exponent)
    return Fraction(mantissa, 1 << -exponent)
