"""The oracle: proved enclosures of a formula at exact inputs, narrow enough to judge a result.

Ziv's strategy: evaluate in balls at a moderate precision and double it until the enclosure is
narrow; when the cap is reached, say so instead of guessing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from verify.contexts.ball import BallContext
from verify.contexts.exact import ExactContext, to_decimal
from verify.contexts.family import Family
from verify.errors import DomainError, PrecisionError, VerifyError
from verify.floats import Enclosure, Format

NARROW_BITS = 20
"""An enclosure is narrow when it is at most 2**-NARROW_BITS ulp wide."""

SHOWN_DIGITS = 30
AGREED_DIGITS = 35
AGREED_BITS = 192
ZERO_DIGITS = 470


@dataclass(frozen=True, slots=True)
class Undecided:
    """No narrow enclosure was found up to ``bits`` bits; ``enclosure`` is the best one, if any."""

    bits: int
    reason: str
    enclosure: Enclosure | None = None


def enclose(
    formula: Callable[..., Any],
    values: tuple[Any, ...],
    *,
    format: Format,
    max_bits: int = 4096,
    lazy: bool = False,
) -> Enclosure | Undecided:
    """An enclosure of ``formula(context, *values)``, a number, at most 2**-20 ulp of ``format`` wide.

    Values are Fractions or floats (taken exactly), ints for labels (from 1) and nested tuples for
    families. Near 0 the width is at most 2**-20 of the smallest subnormal number. Raises
    `DomainError` where the formula has no value. With ``lazy`` only what the value depends on is computed.
    """
    (result,) = enclose_family(
        lambda c, *arguments: Family((formula(c, *arguments),)),
        values,
        format=format,
        max_bits=max_bits,
        lazy=lazy,
    )
    return result


def enclose_family(
    formula: Callable[..., Any],
    values: tuple[Any, ...],
    *,
    format: Format,
    max_bits: int = 4096,
    lazy: bool = False,
) -> tuple[Enclosure | Undecided, ...]:
    """An enclosure for each item of a formula whose result is a family of one axis; see `enclose`.

    When the precision cap leaves the whole formula without a value, the answer is one `Undecided`.
    """
    bits = min(64 + 2 * format.precision, max_bits)
    enclosures: tuple[Enclosure, ...] = ()
    while True:
        reason = ""
        try:
            context = BallContext(bits, lazy)
            enclosures = tuple(context.enclosure(item) for item in context.evaluate(formula, *values))
            if all(is_narrow(enclosure, format) for enclosure in enclosures):
                return enclosures
        except PrecisionError as error:
            reason = str(error)
        if bits >= max_bits:
            return _undecided(enclosures, format, bits, reason)
        bits = min(2 * bits, max_bits)


def is_narrow(enclosure: Enclosure, format: Format) -> bool:
    """Whether an enclosure is at most 2**-20 ulp of ``format`` wide, overflow counting as one value."""
    lower, upper = format.clamped(enclosure.lower), format.clamped(enclosure.upper)
    smallest = Fraction(0) if lower <= 0 <= upper else min(abs(lower), abs(upper))
    return (upper - lower) * (1 << NARROW_BITS) <= format.ulp(smallest)


@contextmanager
def _uncollected() -> Iterator[None]:
    """No search for garbage meanwhile.

    Among the numbers of a long row, which all live to the end, it would take as long as the arithmetic.
    """
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@_uncollected()
def confirm(
    formula: Callable[..., Any],
    values: tuple[Any, ...],
    enclosure: Enclosure,
    *,
    max_digits: int = 2000,
    lazy: bool = False,
) -> str:
    """The value of ``formula(context, *values)`` by mpmath, to 30 significant digits.

    The digits are doubled until the value agrees to 35 digits with the one before, at first with that of
    balls, and lies in ``enclosure``; a value below 1e-470 is given as 0. Raises `VerifyError` when that
    does not happen up to ``max_digits``: then one of the two implementations is wrong, and `DomainError`
    where mpmath, too, finds no value. With ``lazy`` only what the value depends on is computed.
    """
    straddles = not enclosure.is_point and enclosure.lower <= 0 <= enclosure.upper
    digits = ZERO_DIGITS + 10 if straddles else 2 * SHOWN_DIGITS
    before = "" if straddles else _by_balls(formula, values, lazy)
    while True:
        context, last = ExactContext(digits, lazy), 2 * digits > max_digits
        try:
            number = context.evaluate(formula, *values)
        except DomainError:
            if last:
                raise
            text = ""
        else:
            text = to_decimal(number, AGREED_DIGITS)
            if context.lies_in(number, _near_zero(digits - 10), slack_digits=AGREED_DIGITS):
                settled, answer = enclosure.is_point or digits > ZERO_DIGITS, "0"
            else:
                settled, answer = text == before, to_decimal(number, SHOWN_DIGITS)
            if settled and context.lies_in(number, enclosure, slack_digits=AGREED_DIGITS):
                return answer
            if last:
                held = f"[{to_decimal(enclosure.lower)}, {to_decimal(enclosure.upper)}]"
                raise VerifyError(f"mpmath gives {text}, which lies outside {held}; report both")
        digits, before = 2 * digits, text


def _by_balls(formula: Callable[..., Any], values: tuple[Any, ...], lazy: bool) -> str:
    """The value to 35 digits; empty where balls of `AGREED_BITS` bits do not tell so many."""
    context = BallContext(AGREED_BITS, lazy)
    try:
        enclosure = context.enclosure(context.evaluate(formula, *values))
    except (DomainError, PrecisionError):
        return ""
    lower, upper = (to_decimal(end, AGREED_DIGITS) for end in (enclosure.lower, enclosure.upper))
    return lower if lower == upper else ""


def _near_zero(digits: int) -> Enclosure:
    """The numbers of at most 10**-digits in magnitude."""
    edge = Fraction(1, 10**digits)
    return Enclosure(-edge, edge)


def _undecided(
    enclosures: tuple[Enclosure, ...], format: Format, bits: int, reason: str
) -> tuple[Enclosure | Undecided, ...]:
    """The enclosures that are narrow, and for the others what is known of them."""
    if not enclosures:
        return (Undecided(bits, reason),)
    wide = f"the enclosure is wider than 2**-{NARROW_BITS} ulp of {format.name} at {bits} bits"
    return tuple(
        enclosure if is_narrow(enclosure, format) else Undecided(bits, reason or wide, enclosure)
        for enclosure in enclosures
    )
