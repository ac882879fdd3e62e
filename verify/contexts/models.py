"""Models of rounding: what one rounding may do, in one format on one device."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from verify.contexts.decimals import UP, decimal_up
from verify.contexts.heights import Height
from verify.floats import Format, format_named

ULPS_OF_EXP_AND_LOG = {"cpu": 2, "cuda": 4}
"""Relative error of torch's exp, log and sqrt in units of u, per device: the assumption of every bound."""


@dataclass(frozen=True, slots=True)
class Model:
    """What one rounding may do, in one format on one device.

    Arithmetic: fl(a op b) = (a op b)(1 + d) + e with |d| <= ``unit``; exp and log have the relative
    errors ``exp_error`` and ``log_error``, a square root that of exp. The additions of a sum have the unit
    ``sum_unit``, that of the format in which the kernel works; the sum is then rounded to the format. Where
    a product, quotient or exponential may lie below ``normal``, the smallest normal number, |e| <=
    ``subnormal``, half the spacing there; where it may lie below ``flush``, the smallest normal number of the
    format in which the kernel works, it may be lost, which adds ``flush``. ``height`` declares the order of
    sums.
    With ``fast`` the arithmetic is that of GPU kernels: exp(x) is exp2(x log2 e) and log(x) is log2(x) ln 2,
    of which the constant and the product are rounded with the unit ``sum_unit`` of the format in which the
    kernel works, and a quotient is the product with a reciprocal that is rounded so.
    ``stored`` is the narrower format to which results are rounded once, all else being done in ``format``;
    None where they stay in ``format``.
    """

    format: Format
    unit: Decimal
    sum_unit: Decimal
    exp_error: Decimal
    log_error: Decimal
    normal: Decimal
    subnormal: Decimal
    flush: Decimal
    height: Height = None
    fast: bool = False
    stored: Format | None = None

    @property
    def reach(self) -> Decimal:
        """The largest magnitude of an argument of exp for which the kernel's format has the result.

        That is the logarithm of its smallest normal number and of 2^53, more than the subnormals have.
        """
        return UP.add(UP.ln(self.flush).copy_abs(), Decimal(37))

    def holds(self, x: float) -> bool:
        """Whether a finite float64 is a finite value of the format."""
        significand, exponent = math.frexp(x)
        if exponent > self.format.emax + 1:
            return False
        lowest = max(exponent - self.format.precision, self.format.emin - self.format.precision + 1)
        return math.ldexp(significand, exponent - lowest).is_integer()


def model_for(
    dtype: str,
    device: str = "cpu",
    *,
    function_error: int | None = None,
    height: Height = None,
    upcast: bool = False,
) -> Model:
    """The rounding model of a dtype on a device; ``function_error`` is that of exp and log in u.

    Kernels for the 16-bit formats work in float32, so that below the smallest normal number only
    the rounding to the format itself counts, and float32's own flush to 0. ``height`` is the order of sums
    that an implementation is held to (verify/contexts/heights.py). With ``upcast`` everything in a 16-bit
    format is done in float32, and only results are rounded to the format.
    """
    format = format_named(dtype)
    if upcast and format.width == 16:
        wider = model_for("float32", device, function_error=function_error, height=height)
        return replace(wider, stored=format)
    inner = format_named("float32") if format.width == 16 else format
    multiple = ULPS_OF_EXP_AND_LOG[device] if function_error is None else function_error
    unit = decimal_up(format.unit_roundoff)
    relative = UP.multiply(unit, multiple)
    subnormal = decimal_up(format.smallest_subnormal / 2)
    normal, flush = decimal_up(format.smallest_normal), decimal_up(inner.smallest_normal)
    sum_unit = decimal_up(inner.unit_roundoff)
    return Model(format, unit, sum_unit, relative, relative, normal, subnormal, flush, height)
