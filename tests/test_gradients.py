"""Gradients of contracts: each is the derivative of the definition, by dual numbers at exact points."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import verify
from verify.calls import Call, calls
from verify.contexts.ball import BallContext
from verify.contract import Contract
from verify.elements import flat

CHECKED = {o.id: o.contract for o in verify.operations() if o.contract is not None}
CONTEXT = BallContext(256)


def _derivatives(call: Call, action: Callable[..., Any]) -> list[Any]:
    """The derivative of the sum of upstream times ``action`` by every entry of the first variable."""
    first, *rest = (CONTEXT.lift(value) for value in call.values)
    upstream = flat(CONTEXT.lift(call.upstream))

    def weighted(c: Any, x: Any) -> Any:
        results = flat(action(c, call.options, x, *rest))
        return sum((r * u for r, u in zip(results, upstream, strict=True)), start=c.number(0))

    places = product(*(range(1, n + 1) for n in (len(first), len(first[1]))))
    return [CONTEXT.derivative(weighted, first, place) for place in places]


def _disagreements(call: Call, gradient: Callable[..., Any]) -> int:
    """At how many entries a gradient is certainly not the derivative of the definition."""
    values = [CONTEXT.lift(value) for value in (call.upstream, *call.values)]
    stated = flat(gradient(CONTEXT, call.options, *values))
    taken = _derivatives(call, call.contract.definition)
    orders = [CONTEXT.compare(a, b) for a, b in zip(stated, taken, strict=True)]
    return sum(order in {"less", "greater"} for order in orders)


def _most(contract: Contract, gradient: Callable[..., Any]) -> int:
    """The most disagreements that a search over calls with all options finds."""
    found = [0]
    choices = {option.name: option.values for option in contract.options}

    @settings(
        max_examples=40,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(contract, "float32", choices, small=True))
    def search(call: Call) -> None:
        found.append(_disagreements(call, gradient))

    search()
    return max(found)


@pytest.mark.parametrize("name", CHECKED)
def test_the_gradient_is_the_derivative_of_the_definition(name: str) -> None:
    """The gradient that candidates are held to is the derivative of what they are held to."""
    contract = CHECKED[name]
    assert _most(contract, contract.gradients[0].definition) == 0


@pytest.mark.parametrize("name", CHECKED)
def test_a_wrong_gradient_is_told_apart(name: str) -> None:
    """Twice the gradient is not the derivative: the comparison can fail."""
    contract = CHECKED[name]

    def twice(c: Any, options: Any, upstream: Any, *values: Any) -> Any:
        stated = contract.gradients[0].definition(c, options, upstream, *values)
        return c.family(lambda i: c.family(lambda j: 2 * stated[i, j], over=stated[i]), over=stated)

    assert _most(contract, twice) > 0
