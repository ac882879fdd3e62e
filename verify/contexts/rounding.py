"""The rounding context: turns a formula into a bound on the rounding error of computing it.

Each operation is followed through the algorithm of the implementation that computes it. The extra
vocabulary (max, abs, log1p, expm1, log2, maximum, minimum, clamp) is for algorithms only.
docs/bounds.md derives the rules.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

from verify.contexts.decimals import (
    DOWN,
    ONE,
    PI,
    UP,
    ZERO,
    UnboundedError,
    decimal_up,
    exp_down,
    exp_moved,
    exp_up,
    expm1,
    log1p,
    magnitude,
)
from verify.contexts.family import Family
from verify.contexts.maxima import left
from verify.contexts.models import Model
from verify.contexts.rounded import Rounded, constant, point, total, underflow
from verify.errors import DomainError
from verify.operation import Operation, Peer

LONGEST = 10**6
"""Decimal digits of a bound; one of an exponential has up to 10^18, more than there is memory for."""

Body = Callable[[int], Any]


class RoundingContext:
    """Bounds the error of a formula under a ``Model``; ``choice`` names the peers as for torch.

    A chosen peer is followed through its own algorithm, or that of its operation; an operation
    that is not in ``choice`` through its definition, as the torch context computes it.
    """

    def __init__(self, model: Model, choice: Mapping[str, Peer] | None = None) -> None:
        self._model = model
        self._choice = dict(choice or {})
        self._results: dict[tuple[Any, ...], tuple[Any, tuple[Any, ...]]] = {}

    def lift(self, value: Any) -> Any:
        """An exact input: a Fraction of the format, an infinity, a label (an int), or nested tuples."""
        if isinstance(value, tuple):
            return Family(tuple(self.lift(item) for item in value))
        if isinstance(value, int):
            return value
        return point(self._model, value) if isinstance(value, float) else constant(self._model, value)

    def number(self, value: Fraction | int) -> Rounded:
        """A constant: exact if the format holds it, else rounded once."""
        return constant(self._model, value)

    def pi(self) -> Rounded:
        """The circle's constant, rounded once."""
        return constant(self._model, PI)

    def count(self, over: Family) -> Rounded:
        """The length of the first axis as a constant."""
        return constant(self._model, len(over))

    def equal(self, i: int, j: int) -> Rounded:
        """Exactly 1 where the positions are the same, else exactly 0."""
        return point(self._model, 1.0 if i == j else 0.0)

    def sum(self, body: Body, *, over: Family) -> Rounded:
        """Sum over the first axis, in any order."""
        return total(self._model, [self._number(body(i)) for i in range(1, len(over) + 1)])

    def total(self, x: Family) -> Rounded:
        """The sum of all entries of a family of any number of axes, in any order."""
        return total(self._model, [self._number(entry) for entry in _entries(x)])

    def prod(self, body: Body, *, over: Family) -> Rounded:
        """Product over the first axis, in any order; an underflow meets all factors above 1."""
        factors = [self._number(body(i)) for i in range(1, len(over) + 1)]
        result = point(self._model, 1.0)
        for factor in factors:
            result = result * factor
        if result.exact is not None:
            return result
        lowest = ONE
        loss = UP.multiply(UP.add(self._model.subnormal, self._model.flush), len(factors))
        for factor in factors:
            lowest = DOWN.multiply(lowest, min(ONE, max(ZERO, DOWN.subtract(factor.least, factor.error))))
            loss = UP.multiply(loss, max(ONE, UP.add(factor.size, factor.error)))
        if lowest >= self._model.flush and lowest >= self._model.normal:
            return result
        return Rounded(self._model, result.lower, result.upper, UP.add(result.error, loss))

    def family(self, body: Body, *, over: Family) -> Family:
        """The family of ``body(i)`` along the first axis."""
        return Family(tuple(body(i) for i in range(1, len(over) + 1)))

    def call(self, operation: Operation, *arguments: Any) -> Any:
        """The algorithm of the chosen peer; without one, the definition, in this context.

        Applied again to the same arguments, as in the body of a sum, it is not followed again.
        """
        key = (operation.id, *map(id, arguments))
        if key not in self._results:
            self._results[key] = self._apply(operation, arguments), arguments
        return self._results[key][0]

    def _apply(self, operation: Operation, arguments: tuple[Any, ...]) -> Any:
        if operation.id not in self._choice:
            return operation.definition(self, *arguments)
        peer = self._choice[operation.id]
        return self._follow(peer.algorithm or operation.algorithm or operation.definition, arguments)

    def standard(self, operation: Operation, *arguments: Any) -> Any:
        """The standard algorithm of an operation, for use inside another algorithm."""
        return self._follow(operation.algorithm or operation.definition, arguments)

    def _follow(self, algorithm: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        return algorithm(RoundingContext(self._model), *arguments)

    def exp(self, a: Any, *, most: int | None = None) -> Rounded:
        """Exponential: exp(a + e) - exp(a) = exp(a)(exp(e) - 1), then the error of exp itself.

        With ``most`` 0 the argument is at most 0 as computed too, and the result at most 1.
        """
        a = self._number(a)
        if a.infinite:
            return point(self._model, math.inf if a.lower > 0 else 0.0)
        lower, upper = max(ZERO, exp_down(a.lower)), exp_up(a.upper)
        moved = self._scaled(a) if self._model.fast else a.error
        carried = exp_moved(a.upper, upper, moved)
        result = self._function(lower, upper, carried, self._model.exp_error, tiny=True)
        return self._as_share(result) if most == 0 else result

    def _as_share(self, a: Rounded) -> Rounded:
        """What lies between 0 and 1 as computed too is off by no more than that."""
        farthest = max(a.upper, UP.subtract(ONE, a.lower))
        margin = UP.fma(self._model.unit, 3, self._model.exp_error)
        return replace(a, error=min(a.error, UP.add(farthest, margin)))

    def _scaled(self, a: Rounded) -> Decimal:
        """The error of an argument of exp times log2 e: 2v of its magnitude more, where exp is a number."""
        size = min(UP.add(a.size, a.error), self._model.reach)
        return UP.fma(UP.multiply(self._model.sum_unit, 2), size, a.error)

    def expm1(self, a: Any) -> Rounded:
        """exp(a) - 1 without cancellation."""
        a = self._number(a)
        if a.infinite or a.exact == 0:
            return a if a.exact != -math.inf else point(self._model, -1.0)
        lower, upper = expm1(a.lower)[0], expm1(a.upper)[1]
        carried = exp_moved(a.upper, UP.add(upper, ONE), a.error)
        return self._function(lower, upper, carried, self._model.exp_error, tiny=True)

    def sqrt(self, x: Any) -> Rounded:
        """Square root: |sqrt(a + e) - sqrt(a)| <= E / (sqrt(a) + sqrt(a - E)), then the error of exp."""
        a = self._number(x)
        if a.infinite or a.exact == 0:
            return a
        least = DOWN.subtract(a.lower, a.error)
        if least <= 0:
            raise UnboundedError("the computed argument of a square root may be 0")
        lower, upper = DOWN.sqrt(a.lower).next_minus(DOWN), UP.sqrt(a.upper).next_plus(UP)
        carried = UP.divide(a.error, DOWN.add(lower, DOWN.sqrt(least).next_minus(DOWN)))
        return self._function(lower, upper, carried, self._model.exp_error, tiny=False)

    def share(self, part: Any, whole: Any) -> Rounded:
        """The quotient of a part and its whole, 0 <= part <= whole and 1 <= whole as computed too."""
        a, b = self._number(part), self._number(whole)
        try:
            quotient = a / b
        except UnboundedError:
            lower, upper = DOWN.divide(a.lower, b.upper), min(ONE, UP.divide(a.upper, b.lower))
            quotient = Rounded(self._model, lower, upper, ONE + 1)
        return self._as_share(quotient)

    def log(self, a: Any, *, least: int | None = None) -> Rounded:
        """Logarithm: |log(a(1 + E)) - log a| <= E / (1 - E), then the error of log itself.

        ``least`` is what the argument is at least, as computed too, where that is known.
        """
        a = self._number(a)
        if a.infinite or a.exact == 0:
            return point(self._model, math.inf if a.lower > 0 else -math.inf)
        carried = _through_log(a, a.lower, a.upper, least)
        if a.exact == 1:
            return point(self._model, 0.0)
        lower, upper = a.lower.ln(DOWN).next_minus(DOWN), a.upper.ln(UP).next_plus(UP)
        own = self._model.log_error
        if self._model.fast:
            own = UP.fma(self._model.sum_unit, 2, own)
        return self._function(lower, upper, carried, own, tiny=False)

    def log1p(self, a: Any, *, least: int | None = None) -> Rounded:
        """log(1 + a) without cancellation; ``least`` as for the logarithm."""
        x = self._number(a)
        if x.infinite or x.exact == 0:
            return x
        if x.exact == -1:
            return point(self._model, -math.inf)
        ends = DOWN.add(ONE, x.lower), UP.add(ONE, x.upper)
        carried = _through_log(x, *ends, None if least is None else 1 + least)
        lower, upper = log1p(x.lower)[0], log1p(x.upper)[1]
        return self._function(lower, upper, carried, self._model.log_error, tiny=True)

    def log2(self, a: Any) -> Rounded:
        """Logarithm to base 2, computed as one function."""
        natural = self.log(a)
        if natural.exact is not None:
            return natural
        scale = Decimal(2).ln(DOWN)
        down, up = scale.next_minus(DOWN), scale.next_plus(UP)
        lower = min(DOWN.divide(natural.lower, down), DOWN.divide(natural.lower, up))
        upper = max(UP.divide(natural.upper, down), UP.divide(natural.upper, up))
        return Rounded(self._model, lower, upper, UP.divide(natural.error, down))

    def xlogy(self, a: Any, b: Any) -> Rounded:
        """The product a log b, exactly 0 where a is exactly 0."""
        weight = self._number(a)
        return weight if weight.exact == 0 else weight * self.log(b)

    def ceil(self, a: Any) -> Rounded:
        """The least whole number at least a; off by what the error of a can make it."""
        x = self._number(a)
        if x.infinite:
            return x
        lower, upper = (end.to_integral_value("ROUND_CEILING") for end in (x.lower, x.upper))
        first = DOWN.subtract(x.lower, x.error).to_integral_value("ROUND_CEILING")
        last = UP.add(x.upper, x.error).to_integral_value("ROUND_CEILING")
        return Rounded(self._model, lower, upper, UP.subtract(last, first))

    def same(self, a: Any, b: Any) -> Rounded:
        """Exactly 1 where two exact numbers are equal, else exactly 0; off by 1 where rounding may decide."""
        x, y = self._number(a), self._number(b)
        if x.exact is not None and y.exact is not None:
            return point(self._model, float(x.exact == y.exact))
        reach = UP.add(x.error, y.error)
        apart = x.lower > UP.add(y.upper, reach) or y.lower > UP.add(x.upper, reach)
        return point(self._model, 0.0) if apart else Rounded(self._model, ZERO, ONE, ONE)

    def residues(self, x: Family, flowing: Family) -> Family:
        """0 at each entry of ``x``, off by what is left of a gradient through a running maximum."""
        sizes = [UP.add(a.size, a.error) for a in map(self._number, flowing)]
        errors = left(self._model, [self._number(a).lower for a in x], sizes)
        return Family(tuple(Rounded(self._model, ZERO, ZERO, error) for error in errors))

    def abs(self, a: Any) -> Rounded:
        """Magnitude, without rounding."""
        a = self._number(a)
        exact = None if a.exact is None else abs(a.exact)
        return Rounded(self._model, a.least, a.size, a.error, exact)

    def max(self, x: Family) -> Rounded:
        """The largest entry, without rounding."""
        result: Rounded = x[1]
        for item in x:
            result = self.maximum(result, item)
        return result

    def maximum(self, a: Any, b: Any) -> Rounded:
        """The larger of two, without rounding; with its own error where the other is certainly smaller."""
        x, y = self._number(a), self._number(b)
        apart = 2 * UP.add(x.error, y.error)
        for larger, other in ((x, y), (y, x)):
            if apart.is_finite() and larger.lower > UP.add(other.upper, apart):
                return larger
        exact = max(x.exact, y.exact) if x.exact is not None and y.exact is not None else None
        lower, upper = max(x.lower, y.lower), max(x.upper, y.upper)
        return Rounded(self._model, lower, upper, max(x.error, y.error), exact)

    def minimum(self, a: Any, b: Any) -> Rounded:
        """The smaller of two, without rounding; with its own error where the other is certainly larger."""
        return -self.maximum(-self._number(a), -self._number(b))

    def clamp(self, a: Any, low: Any, high: Any) -> Rounded:
        """``a`` moved into low..high, without rounding."""
        return self.minimum(self.maximum(a, low), high)

    def _number(self, a: Rounded | int) -> Rounded:
        return a if isinstance(a, Rounded) else constant(self._model, a)

    def _function(
        self, lower: Decimal, upper: Decimal, carried: Decimal, relative: Decimal, *, tiny: bool
    ) -> Rounded:
        """The value of a function whose own relative error comes on top of what its argument carried."""
        size = UP.add(magnitude(lower, upper), carried)
        error = UP.fma(relative, size, carried)
        if tiny:
            error = UP.add(error, underflow(self._model, lower, upper, carried))
        return Rounded(self._model, lower, upper, error)


def _entries(x: Any) -> list[Any]:
    return [entry for item in x for entry in _entries(item)] if isinstance(x, Family) else [x]


def error_bounds(
    formula: Callable[..., Any],
    values: tuple[Any, ...],
    model: Model,
    choice: Mapping[str, Peer] | None = None,
) -> tuple[Fraction, ...] | None:
    """The largest absolute rounding error of each item of a formula; None where one has no bound.

    A bound beyond 10^`LONGEST` is none.
    """
    context = RoundingContext(model, choice)
    try:
        items = tuple(formula(context, *(context.lift(value) for value in values)))
    except UnboundedError:
        return None
    errors = [_as_stored(context._number(item)) for item in items]
    return None if any(e.adjusted() > LONGEST for e in errors) else tuple(map(Fraction, errors))


def _as_stored(a: Rounded) -> Decimal:
    """The error of a result, with that of rounding it to the format in which it is stored."""
    stored = a.model.stored
    if (
        stored is None
        or a.infinite
        or (a.error == 0 and a.exact is not None and stored.is_value(Fraction(a.exact)))
    ):
        return a.error
    own = UP.multiply(decimal_up(stored.unit_roundoff), UP.add(a.size, a.error))
    return UP.add(a.error, max(own, decimal_up(stored.smallest_subnormal / 2)))


def error_bound(
    formula: Callable[..., Any], values: tuple[Any, ...], model: Model, choice: Mapping[str, Peer]
) -> Fraction | None:
    """The largest absolute rounding error of a formula at exact inputs; None where there is no bound."""
    bounds = error_bounds(lambda c, *arguments: (formula(c, *arguments),), values, model, choice)
    return None if bounds is None else bounds[0]


def _through_log(a: Rounded, lower: Decimal, upper: Decimal, floor: int | None) -> Decimal:
    """How far a logarithm is off by the error of ``a``, its argument but for a constant.

    The argument lies in lower..upper, and is at least ``floor``, as computed too, where that is known.
    """
    least = DOWN.subtract(lower, a.error)
    carried = UP.divide(a.error, least) if least > 0 else None
    if carried is not None and (floor is None or carried <= 1):
        return carried
    if floor is None:
        raise _no_logarithm(a)
    below, above = UP.divide(upper, floor), UP.add(ONE, UP.divide(a.error, max(lower, Decimal(floor))))
    either = max(below, above).ln(UP).next_plus(UP)
    return either if carried is None else min(carried, either)


def _no_logarithm(a: Rounded) -> Exception:
    if a.upper < 0:
        return DomainError(f"log of {a.upper} or less; log needs a number >= 0")
    return UnboundedError("the computed argument of a logarithm may be 0")
