"""Running error analysis on whole tensors: the rules of the rounding context, in float64.

Each rule gets values with error bounds and returns the same of its result; docs/bounds.md derives
them. The error arithmetic is itself rounded, by far less than ``SLACK``, which `judged` allows for.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

from verify.backends import load_torch
from verify.contexts.heights import additions
from verify.contexts.models import Model

Part = tuple[Any, Any]
"""Values, a float64 tensor, and the bound on the error of each, a tensor or None where exact."""

SLACK = 2.0**-30
"""Relative allowance for the rounding of the bounds themselves: at most 2^18 additions of float64."""

COARSE = 2.0**-16
"""Where a bound is that of a share, float64 encloses the value by this fraction of it: see docs/bounds.md."""

HUGE = 1e200
"""Divided by what overflows float64, a number below this is nothing in any of the narrower formats."""

FINE = 1 << 14
"""In larger tensors no entry is examined for being exact: each operation then counts a rounding."""


class Rules:
    """The rules of one rounding model; ``ratio`` times a bound encloses the float64 value itself.

    The bounds are polynomials in the unit roundoffs, with coefficients >= 0 and no constant term, so
    that a bound at float64's unit is at most the ratio of the units times the bound of the model.
    For float64 itself the values enclose nothing: ``ratio`` is None.
    """

    def __init__(self, model: Model, device: str = "cpu") -> None:
        self.torch = load_torch()
        self.device = device
        self.wide = self.torch.float64
        self.format = model.format
        self.narrow = getattr(self.torch, model.format.name)
        self.height = model.height
        self.unit = float(model.unit)
        self.sum_unit = float(model.sum_unit)
        self.function = float(model.exp_error)
        self.fast, self.reach = model.fast, float(model.reach)
        self.tiny = float(model.subnormal) + float(model.flush)
        self.subnormal, self.normal, self.flush = map(float, (model.subnormal, model.normal, model.flush))
        self.ratio = None if model.format.name == "float64" else 2.0**-53 / max(self.sum_unit, 2.0**-24)

    def constant(self, number: int | Fraction | float) -> Part:
        """A constant: exact if the format holds it, else rounded once."""
        value = float(number)
        held = Fraction(value) == Fraction(number) and self.format.is_value(Fraction(value))
        tensor = self.torch.tensor(value, dtype=self.wide, device=self.device)
        return tensor, None if held else self.unit * tensor.abs()

    def add(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """Sum; exact where one term is an exact 0, or both are exact and the format holds the sum."""
        value = a + b
        known = a_error is None and b_error is None
        carried = b_error if a_error is None else a_error if b_error is None else a_error + b_error
        if value.numel() > FINE:
            error = value.abs().mul_(self.unit) if known else self._rounded(value, carried)
            return value, self._finite(error, value, carried)
        a_exact, b_exact = a_error is None or a_error == 0, b_error is None or b_error == 0
        back = value - a
        rest = (a - (value - back)) + (b - back)
        exact = a_exact & b_exact & (rest == 0) & self._held(value)
        exact = exact | a_exact & (a == 0) | b_exact & (b == 0)
        if known:
            return value, self._finite((value.abs() * self.unit).masked_fill_(exact, 0.0), value)
        error = self.torch.where(exact, carried, self._rounded(value, carried))
        return value, self._finite(error, value, carried)

    def _rounded(self, value: Any, carried: Any) -> Any:
        """The error of a result that is rounded once, and that is off by ``carried`` before."""
        return value.abs().add(carried).mul_(self.unit).add_(carried)

    def multiply(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """Product; exact for an exact factor 0, 1 or -1, and where the format holds an exact product.

        0 times an exact infinity has no value, as in balls; times a number beyond float64 it is 0.
        """
        value = a * b
        fine, known = value.numel() <= FINE, a_error is None and b_error is None
        if known:
            error = self._small(value.abs().mul_(self.unit), value)
        else:
            product = 0.0 if a_error is None else b.abs() * a_error
            product = product if b_error is None else a.abs() * b_error + product
            product = product if a_error is None or b_error is None else product + a_error * b_error
            error = self._small(self._rounded(value, product), value)
        if fine or (self.specials and not known):
            a_exact, b_exact = a_error is None or a_error == 0, b_error is None or b_error == 0
            a_open, b_open = (error is not None and error.isinf() for error in (a_error, b_error))
            nothing = a_exact & (a == 0) & (b.isfinite() | b_open)
            nothing |= b_exact & (b == 0) & (a.isfinite() | a_open)
            value = value.masked_fill(nothing, 0.0)
            trivial = a_exact & (a.abs() == 1) | b_exact & (b.abs() == 1)
            if self.ratio is not None:
                trivial = trivial | a_exact & b_exact & self._held(value) & (value != 0)
            if known:
                return value, error.masked_fill_(trivial | nothing, 0.0)
            error = self.torch.where(trivial, product, error).masked_fill_(nothing, 0.0)
            error.masked_fill_((a_open | b_open) & ~nothing, math.inf)
        return value, error

    def divide(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """Quotient; no value for an exact 0 below, no bound where the computed divisor may be 0."""
        a_error, b_error = self._zero(a_error), self._zero(b_error)
        value = a / b
        least = b.abs() - b_error
        carried = (a_error + value.abs() * b_error) / least
        grown = carried + self.sum_unit * (value.abs() + carried) if self.fast else carried
        error = self._small(value.abs().add_(grown).mul_(self.unit).add_(grown), value)
        exact = (b_error == 0) & (b.abs() == 1)
        error = self.torch.where(exact, carried, error).masked_fill_((a_error == 0) & (a == 0), 0.0)
        error.masked_fill_((a_error == 0) & a.isfinite() & (b_error == 0) & b.isinf(), 0.0)
        error.masked_fill_(least <= 0, math.inf)
        if b_error.isinf().any():
            error = error.masked_fill(b.isinf() & b_error.isinf() & (a.abs() + a_error < HUGE), self.tiny)
        return value.masked_fill(b == 0, math.nan), error

    def share(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """Quotient of a part 0 <= a and its whole b >= a, 1, as computed too: it lies between 0 and 1."""
        value, error = self.divide(a, a_error, b, b_error)
        if b_error is not None and bool((2 * b_error > b).any()):
            error = self._as_share(value, error, b_error.isfinite())
        return value, error

    def exp(self, a: Any, a_error: Any, most: int | None = None) -> Part:
        """Exponential: what the argument carries, exp(a)(exp(A) - 1), and the function's own error.

        With ``most`` 0 the argument is at most 0 as computed too, and the result at most 1.
        """
        value = a.exp()
        if self.fast:
            a_error = self._scaled(a, a_error)
        if a_error is None:
            error = self._small(value * self.function, value)
        else:
            farthest = float(a_error.detach().amax())
            carried = self._carried(a, value, a_error, farthest).mul_(1 + self.function)
            error = self._small(carried.add_(value, alpha=self.function), value)
            if most == 0 and not farthest <= 0.25:
                error = self._as_share(value, error, error.isfinite())
        if self.specials:
            exact = a.isinf() if a_error is None else a.isinf() & (a_error == 0)
            error = error.masked_fill_(exact, 0.0).masked_fill_(value.isinf() & a.isfinite(), math.inf)
        return value, error

    def expm1(self, a: Any, a_error: Any) -> Part:
        """exp(a) - 1 without cancellation; exactly 0 at an exact 0."""
        value = a.expm1()
        carried = 0.0
        if a_error is not None:
            carried = self._carried(a, value + 1, a_error, float(a_error.detach().amax()))
        error = self._small(carried + self.function * (value.abs() + carried), value)
        return value, error if a_error is not None else error.masked_fill(a == 0, 0.0)

    def sqrt(self, a: Any, a_error: Any) -> Part:
        """Square root, with the error of exp; no bound where the computed argument may be 0."""
        value = a.sqrt()
        if a_error is None:
            return value, self._finite(self.function * value, value)
        carried = a_error / (value + (a - a_error).clamp(min=0.0).sqrt())
        error = carried + self.function * (value + carried)
        return value, self._finite(error.masked_fill_(a_error >= a, math.inf), value)

    def log(self, a: Any, a_error: Any, least: int | None = None) -> Part:
        """Logarithm; exactly 0 at 1 and -inf at 0; no bound where the computed argument may be 0."""
        value = self._noticed(a.log())
        own = self.function + 2 * self.sum_unit * self.fast
        if a_error is None:
            error = (value.abs() * own).masked_fill_((a == 0) | (a == 1), 0.0)
            return value, self._finite(error, value)
        carried = self._through_log(a, a_error, least)
        error = carried + own * (value.abs() + carried)
        return value, error.masked_fill_((a_error == 0) & ((a == 0) | (a == 1)), 0.0)

    def log1p(self, a: Any, a_error: Any, least: int | None = None) -> Part:
        """log(1 + a) without cancellation; exactly 0 at an exact 0."""
        value = self._noticed(a.log1p())
        if a_error is None:
            error = self._small(value.abs() * self.function, value)
            return value, self._finite(error.masked_fill_((a == 0) | (a == -1), 0.0), value)
        carried = self._through_log(1 + a, a_error, None if least is None else 1 + least)
        error = self._small(carried + self.function * (value.abs() + carried), value)
        return value, error.masked_fill_(carried.isinf() | a_error.isinf(), math.inf)

    def _through_log(self, a: Any, error: Any, least: int | None) -> Any:
        """How far a logarithm is off by the error of its argument, at least ``least`` as computed too."""
        lowest = a - error
        carried = (error / lowest).masked_fill_(lowest <= 0, math.inf)
        if least is None or not bool((carried > 1).any()):
            return carried
        self._coarser()
        either = (a / least).log().maximum((error / a).log1p())
        return carried.where(carried <= 1, carried.minimum(either))

    def _as_share(self, value: Any, error: Any, near: Any) -> Any:
        """The error of what lies between 0 and 1 as computed too, where float64 is ``near`` enough."""
        self._coarser()
        farthest = value.maximum(1 - value) + (3 * self.unit + self.function)
        return error.minimum(farthest).where(near, error)

    def _coarser(self) -> None:
        """Some bound is no longer a polynomial in the unit roundoffs."""
        self.ratio = None if self.ratio is None else COARSE

    def xlogy(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """The product a log b, exactly 0 where a is exactly 0, at b = 0 too."""
        logarithm, off = self.log(b, b_error)
        value, error = self.multiply(a, a_error, logarithm, off)
        nothing = (a == 0) & ~logarithm.isnan()
        if a_error is not None:
            nothing = nothing & (a_error == 0)
        return value.masked_fill(nothing, 0.0), error.masked_fill(nothing, 0.0)

    def total(self, value: Any, error: Any, dims: tuple[int, ...]) -> Part:
        """The sum over dimensions: the additions of the declared height, then one rounding to 16 bits.

        An exact 0 is no term; a sum of one term is that term.
        """
        n = math.prod(value.shape[dim] for dim in dims)
        whole = value.sum(dims)
        carried = self.torch.zeros_like(whole) if error is None else error.expand_as(value).sum(dims)
        if value.numel() <= FINE:
            present = (value != 0) if error is None else (value != 0) | (error != 0)
            terms = present.sum(dims).to(self.wide)
        else:
            terms = self.torch.full_like(whole, float(n))
        growth = self.sum_unit * (terms - 1).clamp_(0, additions(self.height, n))
        growth = growth + growth * growth
        one_sign = n == 1 or bool(value.amin() >= 0)
        size = whole.abs() if one_sign else value.abs().sum(dims)
        error = carried + growth * (size + carried)
        if self.sum_unit != self.unit:
            error = error + self.torch.where(terms > 1, self.unit * (whole.abs() + error), 0.0)
        return whole, self._finite(error, whole, carried)

    def larger(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """The larger of two, without rounding; with its own error where the other is certainly smaller."""
        return self.torch.maximum(a, b), self._picked(a - b, a_error, b_error)

    def smaller(self, a: Any, a_error: Any, b: Any, b_error: Any) -> Part:
        """The smaller of two, without rounding; with its own error where the other is certainly larger."""
        return self.torch.minimum(a, b), self._picked(b - a, a_error, b_error)

    def _picked(self, ahead: Any, a_error: Any, b_error: Any) -> Any:
        """The error of a where it is ahead of b by more than twice both errors, that of b where behind."""
        if a_error is None and b_error is None:
            return None
        a_error, b_error = self._zero(a_error), self._zero(b_error)
        either, apart = self.torch.maximum(a_error, b_error), 2 * (a_error + b_error)
        chosen = self.torch.where(ahead > apart, a_error, either)
        return self.torch.where(-ahead > apart, b_error, chosen)

    def _scaled(self, a: Any, a_error: Any) -> Any:
        """The error of an argument of exp times log2 e: 2v of its magnitude more, where exp is a number."""
        error = self._zero(a_error)
        moved = error + 2 * self.sum_unit * (a.abs() + error).clamp(max=self.reach)
        return moved.where(a.isfinite(), error)

    def _zero(self, error: Any) -> Any:
        return self.torch.zeros((), dtype=self.wide, device=self.device) if error is None else error

    def _held(self, value: Any) -> Any:
        """Where the format holds a value exactly."""
        return value.to(self.narrow).to(self.wide) == value

    def _carried(self, a: Any, value: Any, error: Any, farthest: float) -> Any:
        """An upper bound of exp(a + error) - exp(a), from ``value``, exp(a), and the largest error."""
        carried = (error + 1).mul_(error).mul_(value)
        if farthest <= 1:
            return carried
        return self.torch.where(error <= 1, carried, (a + error).exp())

    def _small(self, error: Any, value: Any) -> Any:
        """With what underflow adds; an infinite value is exact."""
        if value.numel() > FINE and self.format.name == "float16":
            below = (value.abs() < 2 * self.normal).to(self.wide)
            return self._finite(error.add_(below, alpha=self.subnormal).add_(self.flush), value)
        if value.numel() > FINE:
            return self._finite(error.add_(self.tiny), value)
        least = value.abs() - error
        error = error + (least < self.normal).to(self.wide) * self.subnormal
        return self._finite(error.add_((least < self.flush).to(self.wide), alpha=self.flush), value)

    def _noticed(self, value: Any) -> Any:
        """Logarithms, from here on as infinite ones have to be taken where there are any."""
        self.specials = self.specials or not value.amin() > -math.inf
        return value

    def _finite(self, error: Any, value: Any, carried: Any = None) -> Any:
        """An infinite value is exact, but for an overflow of float64, whose ``carried`` error is infinite."""
        if not self.specials:
            return error
        exact = value.isinf() if carried is None else value.isinf() & ~carried.isinf()
        return error.masked_fill_(exact, 0.0)

    specials = False
    """Whether values may be infinite; set when an input or a logarithm is."""
