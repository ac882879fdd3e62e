"""One call of a candidate, made of whole tables, judged in one aspect."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from verify.calls import Call
from verify.contexts.models import model_for
from verify.examination import Examiner
from verify.floats import format_named
from verify.operations import operations_with_contract
from verify.wide import Wide


def worst_ratio(
    candidate: Callable[..., Any],
    name: str,
    aspect: str,
    values: tuple[Any, ...],
    g: float = 1.0,
    dtype: str = "bfloat16",
    **chosen: Any,
) -> float:
    """The largest error over the bound, of one row without reduction and the upstream gradient g.

    ``chosen`` gives the values of options that are not at their defaults.
    """
    contract = operations_with_contract()[name].contract
    assert contract is not None
    options = {option.name: option.default for option in contract.options}
    inside = {"reduction": "none", "dim": -1, "zeros": False, "ties": False, **chosen}
    options |= {name: one for name, one in inside.items() if name in options}
    lengths = {"N": 1, "C": values[0].shape[1]}
    upstream = Wide(torch.full(contract.lengths(options, lengths), g, dtype=torch.float64))
    call = Call(contract, options, lengths, tuple(map(Wide, values)), upstream)
    format = format_named(dtype)
    found = Examiner(candidate, aspect, format, "cpu", model_for(dtype, "cpu"), True, "stable", 1000).examine(
        call
    )
    assert found.outcome.judged
    return found.outcome.ratio
