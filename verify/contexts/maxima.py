"""Running maxima: what rounding leaves of a gradient that flows back through them.

An online softmax goes over the blocks of a row once. After block k it has the maximum M_k of all entries so
far and the sum S_k = c_k S_(k-1) + sum exp(x_i - M_k), with c_k = exp(M_(k-1) - M_k). Backwards, what
reaches S_k is a_k = a_(k+1) c_(k+1), and what reaches M_k is

    b_(k+1) - sum a_k exp(x_i - M_k) - b_k,    b_k = a_k S_(k-1) c_k,

which is 0 by the definition of S_k, but not once its terms are rounded. What is left goes to the entry that
M_k is, or to M_(k-1) if they are equal. So an entry that is the maximum in blocks p..q gets what they all
leave. There the c are exactly 1, all a are the same number, and each b between is subtracted in one block
and added in the one before, so that a_q S_q - sum a_q exp(x_i - M) - b_p is left, but for rounding. Its
parts are at most a_q S_q = f P: f what reaches the logarithm of the sum, P the sum of softmax up to the end
of block q. They are rounded

- 6 times once: b_(q+1) has two products and a_q one, b_p two products and S_(p-1) c_p another;
- 3 times for each block: in the addition to S_k, and in two of what reaches M_k;
- 2 (n - 1) times at most within blocks of n entries: in the sums of exponentials, and of what reaches them.

Blocks p..q number K, hold n entries at most, and end at e or before, the last position at which the entry is
the largest so far: K + n - 1 <= e. A maximum that is reached r times halves what it gets each time, for which
the 6 count twice at most. So

    |left| <= ((1 + v)^(3 e + 12) - 1) f P_e,

v the unit roundoff of the kernel, P_e the sum of softmax up to e. For e = 1 nothing is left: exp(0) is 1.
An entry that is nowhere the largest so far gets nothing. Each entry gets a_k times its exponential, and a_k
is the product of as many rounded exponentials as there are blocks behind: v + eps each, relative to it.

A product that may underflow loses at most ``flush`` each time.
"""

from __future__ import annotations

from bisect import bisect_right
from decimal import Decimal
from itertools import accumulate
from typing import Any

from verify.contexts.decimals import DOWN, UP, ZERO, exp_minus_one_bound
from verify.contexts.heights import additions
from verify.contexts.models import Model

EACH = 3
"""Roundings of what is left, for each entry up to the last one of a reign."""

ONCE = 12
"""Roundings of what is left, for all of a reign."""


def left(model: Model, x: list[Decimal], sizes: list[Decimal]) -> list[Decimal]:
    """For each entry of a row of exact numbers the most that is left; ``sizes`` bound |f s_i|."""
    n, most, unit = len(x), additions(model.height, len(x)), _of_exponential(model)
    tops = list(accumulate(x, max))
    rescaled = [_lost(model, unit, min(most, n - 1 - i), size) for i, size in enumerate(sizes)]
    sums = list(accumulate(map(UP.add, sizes, rescaled), UP.add))
    errors = []
    for entry, top, own in zip(x, tops, rescaled, strict=True):
        end = bisect_right(tops, entry)
        if entry == top and end > 1:
            count = EACH * min(end, most + 1) + ONCE
            own = UP.add(own, _lost(model, model.sum_unit, count, sums[end - 1]))
        errors.append(own)
    return errors


def _of_exponential(model: Model) -> Decimal:
    """The relative error of a product with an exponential, in the format of the kernel."""
    ulps = UP.divide(model.exp_error, DOWN.plus(model.unit))
    return UP.fma(ulps, model.sum_unit, model.sum_unit)


def _lost(model: Model, unit: Decimal, count: int, size: Decimal) -> Decimal:
    """What so many roundings of a number may change, and lose where it is tiny."""
    if not size or not count:
        return ZERO
    return UP.fma(exp_minus_one_bound(UP.multiply(unit, count)), size, UP.multiply(model.flush, count))


def left_of_tensors(rules: Any, x: Any, sizes: Any) -> Any:
    """As `left`, along the last axis of float64 tensors of one shape; ``rules`` as in `running.Rules`."""
    torch, n = rules.torch, x.shape[-1]
    most = additions(rules.height, n)
    behind = torch.arange(n - 1, -1, -1, dtype=rules.wide, device=x.device).clamp(max=most)
    own = _lost_of_tensors(rules, rules.sum_unit * (1 + rules.function / rules.unit), behind, sizes)
    tops = x.cummax(-1).values
    ends = torch.searchsorted(tops.contiguous(), x.contiguous(), right=True)
    sums = (sizes + own).cumsum(-1).gather(-1, (ends - 1).clamp(min=0))
    counts = EACH * ends.clamp(max=most + 1).to(rules.wide) + ONCE
    reigns = (x == tops) & (ends > 1)
    return own + torch.where(reigns, _lost_of_tensors(rules, rules.sum_unit, counts, sums), 0.0)


def _lost_of_tensors(rules: Any, unit: float, counts: Any, sizes: Any) -> Any:
    growth = unit * counts
    lost = (growth + growth * growth) * sizes + counts * rules.flush
    return rules.torch.where(sizes > 0, lost, 0.0)


def left_of_intervals(rules: Any, x: list[Any], sizes: list[Any]) -> list[Any]:
    """As `left`, the most of it for entries that lie in intervals; ``sizes`` are tensors."""
    n, errors = len(x), []
    most = additions(rules.height, n)
    unit = rules.sum_unit * (1 + rules.function / rules.unit)
    one = rules.torch.ones_like(sum(sizes))
    own = [_lost_of_tensors(rules, unit, one * min(most, n - 1 - i), size) for i, size in enumerate(sizes)]
    for place, entry in enumerate(x):
        reigns, stays, end, whole = one > 0, one > 0, 0 * one, 0 * one
        for k, other in enumerate(x):
            reigns = reigns & ~(other.low > entry.high) if k < place else reigns
            stays = stays & ~(other.low > entry.high) if k > place else stays
            end, whole = end + stays, whole + stays * (sizes[k] + own[k])
        counts = EACH * end.clamp(max=most + 1) + ONCE
        lost = _lost_of_tensors(rules, rules.sum_unit, counts, whole)
        errors.append(own[place] + rules.torch.where(reigns & (end > 1), lost, 0.0))
    return errors
