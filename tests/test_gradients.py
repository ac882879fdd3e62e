"""Gradients of contracts: each is the derivative of the definition, by dual numbers at exact points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import verify
from verify.calls import Call, calls
from verify.consistency import derivatives
from verify.contexts.ball import BallContext
from verify.contexts.family import Family
from verify.contract import Contract, Gradient
from verify.elements import flat

CHECKED = [
    pytest.param(operation.contract, gradient, id=f"{operation.contract.name}-{gradient.of}")
    for operation in verify.operations()
    if operation.contract is not None
    for gradient in operation.contract.gradients
]
CONTEXT = BallContext(256)


def _disagreements(call: Call, of: str, definition: Callable[..., Any]) -> int:
    """At how many entries a gradient is certainly not the derivative of the definition."""
    values = [CONTEXT.lift(value) for value in (call.upstream, *call.values)]
    stated = flat(definition(CONTEXT, call.options, *values))
    orders = [CONTEXT.compare(a, b) for a, b in zip(stated, derivatives(call, of, CONTEXT), strict=True)]
    return sum(order in {"less", "greater"} for order in orders)


def _most(contract: Contract, gradient: Gradient, definition: Callable[..., Any], examples: int) -> int:
    """The most disagreements that a search over calls with all options finds."""
    found = [0]
    choices = gradient.choices({option.name: option.values for option in contract.options})

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(calls(contract, "float32", choices, small=True))
    def search(call: Call) -> None:
        found.append(_disagreements(call, gradient.of, definition))

    search()
    return max(found)


@pytest.mark.parametrize(("contract", "gradient"), CHECKED)
def test_the_gradient_is_the_derivative_of_the_definition(contract: Contract, gradient: Gradient) -> None:
    """The gradient that candidates are held to is the derivative of what they are held to."""
    assert _most(contract, gradient, gradient.definition, examples=40) == 0


def _doubled(x: Any) -> Any:
    return Family(tuple(_doubled(item) for item in x)) if isinstance(x, Family) else 2 * x


@pytest.mark.parametrize(("contract", "gradient"), CHECKED)
def test_a_wrong_gradient_is_told_apart(contract: Contract, gradient: Gradient) -> None:
    """Twice the gradient is not the derivative: the comparison can fail."""

    def twice(c: Any, options: Any, upstream: Any, *values: Any) -> Any:
        return _doubled(gradient.definition(c, options, upstream, *values))

    assert _most(contract, gradient, twice, examples=16) > 0
