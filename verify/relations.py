"""Relations: what holds between the results of two calls, whatever the exact values are.

A loss does not depend on the order of its classes, rows and further axes, and where rows are worked on one by
one a row alone gives what it gives among others. Where a table is too large for an oracle, such relations
point at the elements that the oracle is then asked about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from verify.calls import Call
from verify.contexts.running import SLACK
from verify.elements import Property, variable_of
from verify.reduction import selected

Rearrangement = tuple[str, list[int]]
"""An axis, by the name of its length, and the positions to take of it, from 0, in order."""


def rearrangements(call: Call) -> Iterator[Rearrangement]:
    """Each axis turned by a third of its length; of rows that are worked on one by one the last alone.

    The bounds of the elements are the same before and after.
    """
    alone = call.contract.rowwise(call.options)
    for axis, length in call.lengths.items():
        if length > 1:
            third = (length + 2) // 3
            turned = [*range(third, length), *range(third)]
            yield axis, [length - 1] if alone and axis == "N" else turned


def rearranged(call: Call, how: Rearrangement) -> Call | None:
    """The call with the positions of an axis taken as said; None where its values do not allow it."""
    return selected(call, *how)


def result_rearranged(result: Any, call: Call, aspect: Property, how: Rearrangement) -> Any:
    """What the rearranged call has to give, from the result of the call."""
    axis, kept = how
    shape = call.contract.shape(call.options)
    if of := variable_of(aspect, call.contract):
        (shape,) = (v.shape for v in call.contract.variables(call.options) if v.name == of)
    for dimension, name in enumerate(shape):
        if name == axis:
            result = result[(slice(None),) * dimension + (kept,)]
    return result


def beyond(a: Any, b: Any, allowed: Any) -> int | None:
    """Where two results differ by most beyond what is allowed; None where they nowhere do."""
    same = (a == b) | (a.isnan() & b.isnan()) | allowed.isnan()
    excess = ((a - b).abs().nan_to_num(nan=math.inf) / allowed).masked_fill(same | allowed.isinf(), 0.0)
    worst, position = excess.max(0)
    return int(position) if float(worst) > 1 + SLACK else None


def numbered(result: Any) -> Any:
    """For each element its position in row-major order."""
    return result.new_ones(result.numel()).long().cumsum(0).sub_(1).reshape(result.shape)
