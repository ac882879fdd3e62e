"""Gradients of contracts: each is the derivative of the definition, by dual numbers at exact points."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

import verify
from verify.calls import Call, calls
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


def _places(x: Any) -> list[tuple[int, ...]]:
    """The positions of all entries of a family of any number of axes, in row-major order."""
    if not isinstance(x, Family):
        return [()]
    return [(k, *rest) for k, item in enumerate(x, start=1) for rest in _places(item)]


def _derivatives(call: Call, of: str) -> list[Any]:
    """The derivative of the sum of upstream times the definition by every entry of the variable ``of``."""
    names = [variable.name for variable in call.contract.variables(call.options)]
    values = [CONTEXT.lift(value) for value in call.values]
    upstream = flat(CONTEXT.lift(call.upstream))
    at = names.index(of)

    def weighted(c: Any, x: Any) -> Any:
        results = flat(call.contract.definition(c, call.options, *values[:at], x, *values[at + 1 :]))
        return sum((r * u for r, u in zip(results, upstream, strict=True)), start=c.number(0))

    return [CONTEXT.derivative(weighted, values[at], place) for place in _places(values[at])]


def _disagreements(call: Call, of: str, definition: Callable[..., Any]) -> int:
    """At how many entries a gradient is certainly not the derivative of the definition."""
    values = [CONTEXT.lift(value) for value in (call.upstream, *call.values)]
    stated = flat(definition(CONTEXT, call.options, *values))
    orders = [CONTEXT.compare(a, b) for a, b in zip(stated, _derivatives(call, of), strict=True)]
    return sum(order in {"less", "greater"} for order in orders)


def _most(contract: Contract, gradient: Gradient, definition: Callable[..., Any]) -> int:
    """The most disagreements that a search over calls with all options finds."""
    found = [0]
    choices = gradient.choices({option.name: option.values for option in contract.options})

    @settings(
        max_examples=40,
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
    assert _most(contract, gradient, gradient.definition) == 0


def _doubled(x: Any) -> Any:
    return Family(tuple(_doubled(item) for item in x)) if isinstance(x, Family) else 2 * x


@pytest.mark.parametrize(("contract", "gradient"), CHECKED)
def test_a_wrong_gradient_is_told_apart(contract: Contract, gradient: Gradient) -> None:
    """Twice the gradient is not the derivative: the comparison can fail."""

    def twice(c: Any, options: Any, upstream: Any, *values: Any) -> Any:
        return _doubled(gradient.definition(c, options, upstream, *values))

    assert _most(contract, gradient, twice) > 0
