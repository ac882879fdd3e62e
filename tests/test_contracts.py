"""Contracts: their definitions are those of the rooms, and their bounds to first order those of the docs."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from verify.contexts.ball import BallContext
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.elements import flat
from verify.operations import operations_with_contract
from verify.operations.binary_cross_entropy import binary_cross_entropy_with_logits
from verify.operations.kl_div import kl_div

X = ((Fraction(1, 2), Fraction(-3, 4), Fraction(2)), (Fraction(-1), Fraction(1, 4), Fraction(-5, 2)))
P = (
    (Fraction(1, 4), Fraction(1, 2), Fraction(1, 4)),
    (Fraction(5, 8), Fraction(1, 8), Fraction(1, 4)),
)
CONTRACTS = {name: operation.contract for name, operation in operations_with_contract().items()}


def _same(first: Any, second: Any) -> bool:
    """Whether two balls may hold one number."""
    context = BallContext(200)
    return context.compare(first, second) == "undecided" or context.compare(first, second) == "equal"


def test_kl_div_of_log_probabilities_is_the_divergence() -> None:
    """At a = log q the sum of the terms is the divergence as its room defines it."""
    contract = CONTRACTS["kl_div"]
    assert contract is not None
    context = BallContext(200)
    p, q = context.lift(P[:1]), context.lift(P[1:])
    a = context.family(lambda i: context.family(lambda j: context.log(q[i, j]), over=q[i]), over=q)
    options = {"axes": 2, "reduction": "sum", "log_target": False}
    assert _same(contract.definition(context, options, a, p), context.call(kl_div, p[1], q[1]))


def test_bce_of_a_logit_is_the_one_of_its_room() -> None:
    """With sigmoid(-z) for 1 - sigmoid(z) the loss is the same number."""
    contract = CONTRACTS["binary_cross_entropy_with_logits"]
    assert contract is not None
    context = BallContext(200)
    z, t = context.lift(X), context.lift(P)
    ones = context.lift(tuple((Fraction(1),) * 3 for _ in X))
    table = contract.definition(context, {"axes": 2, "reduction": "none"}, z, t, ones, ones[1])
    room = [
        context.call(binary_cross_entropy_with_logits, z[i, j], t[i, j]) for i in (1, 2) for j in (1, 2, 3)
    ]
    assert all(_same(a, b) for a, b in zip(flat(table), room, strict=True))


U = 2.0**-24
ROW = (0.5, -0.75, 2.0)
ABOVE = (1.25, -0.5, 0.75)


def _softmax_of(row: tuple[float, ...]) -> list[float]:
    total = sum(math.exp(x) for x in row)
    return [math.exp(x) / total for x in row]


def _value_bounds(name: str) -> list[float]:
    contract = CONTRACTS[name]
    assert contract is not None
    values = (tuple(Fraction(x) for x in ROW),)
    return _bounds(lambda c, x: flat(contract.algorithm(c, {"dim": 1, "axes": 2}, x)), (values,))


def _bounds(formula: Any, values: tuple[Any, ...]) -> list[float]:
    found = error_bounds(formula, values, model_for("float32"))
    assert found is not None
    return [float(one) for one in found]


def _softmax_table() -> list[float]:
    s, b = _softmax_of(ROW), _value_bounds("softmax")
    m = sum(g * p for g, p in zip(ABOVE, s, strict=True))
    spread = sum(abs(g) * e for g, e in zip(ABOVE, b, strict=True))
    spread += 3 * U * sum(abs(g * p) for g, p in zip(ABOVE, s, strict=True))
    return [e * abs(g - m) + p * (spread + 2 * U * abs(g - m)) for g, p, e in zip(ABOVE, s, b, strict=True)]


def _log_softmax_table() -> list[float]:
    s, b = _softmax_of(ROW), _value_bounds("log_softmax")
    total, size = abs(sum(ABOVE)), sum(map(abs, ABOVE))
    return [
        p * (total * (e + 3 * U) + 2 * U * size) + U * abs(g - p * sum(ABOVE))
        for g, p, e in zip(ABOVE, s, b, strict=True)
    ]


def _sigmoid_table() -> list[float]:
    s = [1 / (1 + math.exp(-x)) for x in ROW]
    return [
        abs(g) * (e * (1 - p) + p * (e + U * (1 - p)) + 2 * U * p * (1 - p))
        for g, p, e in zip(ABOVE, s, _value_bounds("sigmoid"), strict=True)
    ]


@pytest.mark.parametrize(
    ("name", "table"),
    [("softmax", _softmax_table), ("log_softmax", _log_softmax_table), ("sigmoid", _sigmoid_table)],
)
def test_gradient_bounds_are_those_of_the_table(name: str, table: Any) -> None:
    """docs/bounds.md gives to first order what the rounding context computes."""
    contract = CONTRACTS[name]
    assert contract is not None
    values = tuple((tuple(Fraction(x) for x in row),) for row in (ABOVE, ROW))
    computed = _bounds(
        lambda c, *given: flat(contract.gradients[0].algorithm(c, {"dim": 1, "axes": 2}, *given)), values
    )
    assert computed == pytest.approx(table(), rel=0.02)
