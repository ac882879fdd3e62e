"""Accuracy: is a result as good as the conditioning of its problem allows, and how does it add?

A stable result may still be far from accurate: log_softmax of a dominant entry is near 0, and the
standard algorithm gives it an absolute error of a few u. Level "accurate" asks for

    |error| <= 4 (u (|f| + K) + h v |f|) + eta,   K = sum over inputs of |df/dx_k| |x_k|,

K / |f| being the componentwise relative condition number (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., section 1.6), h the additions in a row along the
longest axis, v the unit roundoff of sums and eta the
smallest normal number. The 4 covers one exp and one log, of two unit roundoffs each.

K of a value may have a formula of its own in the contract. Elsewhere it is summed over the Jacobian of the
algorithm, which autograd gives in float64; to a gradient the upstream gradient is an input too.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from verify.calls import Call
from verify.contexts.bulk import Bulk, evaluate, moved
from verify.contexts.heights import additions
from verify.contexts.models import Model
from verify.elements import Property, actions_of, values_of
from verify.findings import size

FACTOR = 4

JACOBIAN = 520
"""Numbers of a call up to which the Jacobian is computed, which has the square of that."""


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """Flat float64 tensors for all elements of a value: what level "accurate" allows, and what is exact.

    ``half`` is the largest error of ``value`` itself.
    """

    allowed: Any
    value: Any
    half: Any

    @property
    def known(self) -> bool:
        """Whether no value is less certain than it has to be met."""
        return not bool((self.half > self.allowed).any())

    def worst(self, got: Any) -> float:
        """The largest certain error over what is allowed, of the elements that are numbers."""
        error = (got - self.value).abs() - self.half
        ratios = (error / self.allowed).where((error > 0) & error.isfinite() & (self.allowed > 0), 0.0)
        return float(ratios.max()) if ratios.numel() else 0.0


def conditioned(call: Call, aspect: Property) -> bool:
    """Whether the conditioning of a value or gradient is known, and level "accurate" defined."""
    return size(call) <= JACOBIAN or (aspect == "value" and call.contract.conditioning is not None)


Enough = Callable[[Accuracy], bool]
"""Whether it will do to know so much: what is allowed without regard to the conditioning, or less."""


def accuracy_of(
    call: Call, aspect: Property, truth: Any, half: Any, bound: Any, model: Model, device: str, enough: Enough
) -> Accuracy:
    """What level "accurate" allows a value or gradient whose conditioning is known.

    ``truth`` holds the exact values but for ``half``. Where the conditioning has no number, the stable
    ``bound`` stands. An infinite value is exact. The conditioning is computed unless less is ``enough``.
    """
    extent = truth.abs() + half
    sums = _most(call, model) * float(model.sum_unit)
    plain = FACTOR * (float(model.unit) + sums) * extent + float(model.normal)
    least = Accuracy(plain.fmin(bound).masked_fill(extent.isinf(), 0.0), truth, half)
    if enough(least):
        return least
    change = _conditioning(call, aspect, model, device)
    allowed = plain + FACTOR * float(model.unit) * change
    allowed = allowed.where(allowed.isfinite(), bound)
    return Accuracy(allowed.masked_fill(extent.isinf(), 0.0), truth, half)


def _conditioning(call: Call, aspect: Property, model: Model, device: str) -> Any:
    """K of every element."""
    if aspect == "value" and (formula := call.contract.conditioning) is not None:
        return evaluate(lambda c, *x: formula(c, call.options, *x), call.values, model, device).value
    _, algorithm, *_ = actions_of(call.contract, aspect)
    return moved(lambda c, *x: algorithm(c, call.options, *x), values_of(call, aspect), model, device)


def height(call: Call, aspect: Property, error: Any, bulk: Bulk, model: Model, device: str) -> float:
    """The least number of additions in a row with which the standard algorithm explains the errors.

    Its bound is linear in that number to first order: it is computed without additions and with the
    most there can be, and the error is placed between.
    """
    _, algorithm, *_ = actions_of(call.contract, aspect)
    plain = replace(model, sum_unit=Decimal(0))
    least = evaluate(
        lambda c, *x: algorithm(c, call.options, *x), values_of(call, aspect), plain, device
    ).bound
    share = (error - least) / (bulk.bound - least)
    share = share.where(share.isfinite() & (bulk.bound > least), 0.0)
    return float(share.max()) * _most(call, model) if share.numel() else 0.0


def _most(call: Call, model: Model) -> int:
    """The additions in a row along the longest axis."""
    return additions(model.height, max(call.lengths.values()))
