"""Relations: what holds between the results of two calls, whatever the exact values are.

A loss does not depend on the order of its classes, rows and further axes, and where rows are worked on one by
one a row alone gives what it gives among others. Other relations follow from a definition, and are declared
by its contract. Where a table is too large for an oracle, relations point at the elements that the oracle is
then asked about.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from verify.backends import bulk_tensor, load_torch
from verify.calls import Call
from verify.contexts.running import SLACK
from verify.contract import Options, Relation
from verify.elements import Property, variable_of
from verify.reduction import selected
from verify.wide import Wide

SHIFT = 1024.0
"""What is added to logits: exponentials that are not shifted overflow."""

GRID = 2.0**-20
"""Logits that are multiples of this, up to 2^30, keep all digits when `SHIFT` is added to them in float64."""

TEMPERATURE = 2.0

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


def relations_of(call: Call) -> Iterator[tuple[Relation, tuple[Call, Call]]]:
    """The relations that say something of a call, with the two calls of each; another first for each size."""
    relations = call.contract.relations
    first = sum(call.lengths.values()) % max(1, len(relations))
    for relation in relations[first:] + relations[:first]:
        pair = relation.pair(call)
        if pair is not None:
            yield relation, pair


def shifted(name: str, offset: float = 0.0) -> Relation:
    """A common shift of all logits, the first variable, adds ``offset`` to the result."""

    def pair(call: Call) -> tuple[Call, Call] | None:
        x = (_tensor(call, 0) / GRID).round() * GRID
        x = x.where(x.isinf(), x.clamp(-(2.0**30), 2.0**30))
        return _with(call, {}, {0: x}), _with(call, {}, {0: x + SHIFT})

    added = f" + {SHIFT:g}" if offset else ""
    return Relation(f"{name}(x + {SHIFT:g}) = {name}(x){added}", pair, offset=offset)


def _reduced(call: Call, **fixed: Any) -> bool:
    """Whether a mean divides by the number of losses, and the options are these."""
    plain = not call.options.get("weight") or "ignore_index" not in call.options
    return plain and call.options.get("ignore_index") is None and fixed.items() <= call.options.items()


def _sum_of_each(call: Call) -> tuple[Call, Call] | None:
    if "none" not in _values_of(call, "reduction"):
        return None
    return _with(call, {"reduction": "none"}, {}), _with(call, {"reduction": "sum"}, {})


def _mean_of_sum(call: Call) -> tuple[Call, Call] | None:
    if not _reduced(call):
        return None
    return _with(call, {"reduction": "mean"}, {}), _with(call, {"reduction": "sum"}, {})


def _times_count(call: Call, result: Any) -> Any:
    return result * math.prod(call.contract.lengths({**call.options, "reduction": "none"}, call.lengths))


def _added(call: Call, result: Any) -> Any:
    return result.new_tensor(math.fsum(result.reshape(-1).tolist()))


REDUCTIONS = (
    Relation('reduction="sum" is the sum of reduction="none"', _sum_of_each, _added),
    Relation('reduction="sum" is reduction="mean" times the number of losses', _mean_of_sum, _times_count),
)
"""What holds for losses that are reduced."""


def _one_hot(call: Call) -> tuple[Call, Call] | None:
    labels = _reduced(call, target="indices", weight=False)
    if not labels or not bool(_tensor(call, 0).isfinite().all()):
        return None
    hot = load_torch().nn.functional.one_hot(_tensor(call, 1), call.lengths["C"]).double()
    hot = hot.movedim(-1, 1) if call.options["axes"] == 3 else hot
    return call, _with(call, {"target": "probabilities"}, {1: hot})


ONE_HOT = Relation("the loss of labels is that of their one-hot probabilities", _one_hot)


def _exchanged(call: Call) -> tuple[Call, Call] | None:
    z, t = _tensor(call, 0), _tensor(call, 1)
    if call.options.get("pos_weight") or bool((1 - (1 - t) != t).any()):
        return None
    return call, _with(call, {}, {0: -z, 1: 1 - t})


EXCHANGED = Relation("loss(z, t) = loss(-z, 1 - t)", _exchanged)


def _tempered(call: Call) -> tuple[Call, Call] | None:
    x = _tensor(call, 0)
    if bool((x.abs() > 2.0**1000).any()):
        return None
    return _with(call, {"temperature": 1.0}, {}), _with(
        call, {"temperature": TEMPERATURE}, {0: TEMPERATURE * x}
    )


TEMPERED = Relation(f"temperature {TEMPERATURE:g} at {TEMPERATURE:g} x is temperature 1 at x", _tempered)


def _tensor(call: Call, number: int) -> Any:
    """A variable as a float64 tensor, or labels from 0."""
    return bulk_tensor(call.values[number])[0]


def _values_of(call: Call, name: str) -> tuple[Any, ...]:
    return next((option.values for option in call.contract.options if option.name == name), ())


def _with(call: Call, options: Options, tensors: Mapping[int, Any]) -> Call:
    """The call with other options, and some variables replaced; its upstream gradient is of no account."""
    values = tuple(Wide(tensors[n]) if n in tensors else value for n, value in enumerate(call.values))
    shape = call.contract.lengths({**call.options, **options}, call.lengths)
    ones = Wide(load_torch().ones(shape, dtype=load_torch().float64))
    return replace(call, options={**call.options, **options}, values=values, upstream=ones, expanded=False)
