"""Accuracy: is a result as good as the conditioning of its problem allows, and how does it add?

A stable result may still be far from accurate: log_softmax of a dominant entry is near 0, and the
standard algorithm gives it an absolute error of a few u. Level "accurate" asks for

    |error| <= 4 (u (|f| + K) + h v |f|) + eta,   K = sum over inputs of |df/dx_k| |x_k|,

K / |f| being the componentwise relative condition number (Higham, Accuracy and Stability of Numerical
Algorithms, 2nd ed., section 1.6), h the additions in a row along the
longest axis, v the unit roundoff of sums and eta the
smallest normal number. The 4 covers one exp and one log, of two unit roundoffs each.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from verify.calls import Call
from verify.contexts.bulk import Bulk, evaluate
from verify.contexts.heights import additions
from verify.contexts.rounded import Model

FACTOR = 4


@dataclass(frozen=True, slots=True, eq=False)
class Accuracy:
    """Flat float64 tensors for all elements of a value: what level "accurate" allows, and what is exact.

    ``half`` is the largest error of ``value`` itself.
    """

    allowed: Any
    value: Any
    half: Any

    def worst(self, got: Any) -> float:
        """The largest certain error over what is allowed, of the elements that are numbers."""
        error = (got - self.value).abs() - self.half
        ratios = (error / self.allowed).where((error > 0) & error.isfinite() & (self.allowed > 0), 0.0)
        return float(ratios.max()) if ratios.numel() else 0.0


def accuracy_of(call: Call, truth: Any, half: Any, bound: Any, model: Model, device: str) -> Accuracy:
    """What level "accurate" allows a value; the contract has a conditioning.

    ``truth`` holds the exact values but for ``half``. Where the conditioning has no number, the stable
    ``bound`` stands. An infinite value is exact.
    """
    conditioning: Any = call.contract.conditioning
    moved = evaluate(lambda c, *x: conditioning(c, call.options, *x), call.values, model, device).value
    size = truth.abs() + half
    sums = _most(call, model) * float(model.sum_unit)
    allowed = FACTOR * (float(model.unit) * (size + moved) + sums * size) + float(model.normal)
    allowed = allowed.where(allowed.isfinite(), bound)
    return Accuracy(allowed.masked_fill(size.isinf(), 0.0), truth, half)


def height(
    call: Call, algorithm: Callable[..., Any], error: Any, bulk: Bulk, model: Model, device: str
) -> float:
    """The least number of additions in a row with which the algorithm explains the errors.

    Its bound is linear in that number to first order: it is computed without additions and with the
    most there can be, and the error is placed between.
    """
    plain = replace(model, sum_unit=Decimal(0))
    least = evaluate(lambda c, *x: algorithm(c, call.options, *x), call.values, plain, device).bound
    share = (error - least) / (bulk.bound - least)
    share = share.where(share.isfinite() & (bulk.bound > least), 0.0)
    return float(share.max()) * _most(call, model) if share.numel() else 0.0


def _most(call: Call, model: Model) -> int:
    """The additions in a row along the longest axis."""
    return additions(model.height, max(call.lengths.values()))
