"""Bounds of the losses of labelled rows: to first order they are those of docs/bounds.md."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest

from verify.checking import contract_of
from verify.contexts.models import model_for
from verify.contexts.rounding import error_bounds
from verify.elements import flat
from verify.floats import format_named

U = 2.0**-24
EPS = 2 * U
LABEL = 2
"""The label, from 1; not that of the largest logit."""

G = 0.7
"""The upstream gradient of a single row."""


def _held(*numbers: float) -> tuple[Fraction, ...]:
    """The nearest float32 numbers."""
    return tuple(Fraction(format_named("float32").round(Fraction(x))) for x in numbers)


ROW = _held(7.3, -0.0123, 0.4567, 3.141, -2.718)
SHARES = _held(0.11, 0.22, 0.33, 0.21, 0.13)
PLAIN = {"axes": 1, "reduction": "none", "target": "indices", "weight": False, "label_smoothing": 0.0}


def _bounds(name: str, values: tuple[Any, ...], of: str = "", **options: Any) -> list[float]:
    """The computed bounds of the value, or of the gradient in one tensor, for one row."""
    contract = contract_of(name)
    action = contract.gradient(of).algorithm if of else contract.algorithm
    if of:
        values = (*_held(G), *values)
    found = error_bounds(
        lambda c, *given: flat(action(c, {**PLAIN, **options}, *given)), values, model_for("float32")
    )
    assert found is not None
    return [float(bound) for bound in found]


class Row:
    """A row of logits that carry errors: softmax, log_softmax, logsumexp, and their bounds."""

    def __init__(self, z: list[float], errors: list[float] | None = None) -> None:
        self.z, self.errors = z, errors or [0.0] * len(z)
        gaps = [max(z) - x for x in z]
        self.log_total = math.log(sum(math.exp(-gap) for gap in gaps))
        self.logs = [-gap - self.log_total for gap in gaps]
        self.shares = [math.exp(log) for log in self.logs]
        self.y = max(z) + self.log_total
        mean_gap = sum(s * gap for s, gap in zip(self.shares, gaps, strict=True))
        largest = max(range(len(z)), key=z.__getitem__)
        carried = 2 * self.errors[largest] + sum(s * e for s, e in zip(self.shares, self.errors, strict=True))
        self.sum_error = U * mean_gap + EPS + (len(z) - 1) * U + EPS * self.log_total
        self.log_errors = [
            U * (gap + abs(log)) + self.sum_error + e + carried
            for gap, log, e in zip(gaps, self.logs, self.errors, strict=True)
        ]
        self.lse_error = U * abs(self.y) + self.sum_error


AT = LABEL - 1
EXACT = Row([float(x) for x in ROW])


def _scaled(t: float) -> Row:
    return Row([float(x) / t for x in ROW], [U * abs(float(x)) / t for x in ROW])


def test_a_weighted_label_has_the_bound_of_the_table() -> None:
    """The value is w (B(l) + u |l|)."""
    weight = _held(1.3, 0.9, 1.7, 0.6, 1.1)
    computed = _bounds("cross_entropy", (ROW, LABEL, weight, Fraction(1)), weight=True)
    table = float(weight[AT]) * (EXACT.log_errors[AT] + U * abs(EXACT.logs[AT]))
    assert computed == pytest.approx([table], rel=0.02)


def test_class_probabilities_have_the_bound_of_the_table() -> None:
    """The value is sum p B(l) + (h + 1) u sum p |l|."""
    ones = (Fraction(1),) * len(ROW)
    computed = _bounds("cross_entropy", (ROW, SHARES, ones, Fraction(1)), target="shares")
    terms = zip(SHARES, EXACT.log_errors, EXACT.logs, strict=True)
    table = sum(float(p) * (error + len(ROW) * U * abs(log)) for p, error, log in terms)
    assert computed == pytest.approx([table], rel=0.02)


def test_the_gradient_in_class_probabilities_has_the_bound_of_the_table() -> None:
    """It is |g| (B(l) + u |l|)."""
    ones = (Fraction(1),) * len(ROW)
    computed = _bounds("cross_entropy", (ROW, SHARES, ones, Fraction(1)), "target", target="shares")
    table = [G * (error + U * abs(log)) for error, log in zip(EXACT.log_errors, EXACT.logs, strict=True)]
    assert computed[1:] == pytest.approx(table[1:], rel=0.02)


def test_a_temperature_has_the_bound_of_the_table() -> None:
    """The quotients carry u |z|, which adds to that of log_softmax."""
    computed = _bounds("cross_entropy_with_temperature", (ROW, LABEL), temperature=3.0)
    assert computed == pytest.approx([_scaled(3.0).log_errors[AT]], rel=0.02)


def test_the_gradient_with_a_temperature_has_the_bound_of_the_table() -> None:
    """It is |g| (s (B(l) + eps + u) + u |s - [label]|) / t, at the label one u more for the subtraction."""
    computed = _bounds("cross_entropy_with_temperature", (ROW, LABEL), "input", temperature=3.0)
    row = _scaled(3.0)
    table = [
        G * (s * (error + EPS + U) + (1 + (j == AT)) * U * abs(s - (j == AT))) / 3
        for j, (s, error) in enumerate(zip(row.shares, row.log_errors, strict=True))
    ]
    assert computed == pytest.approx(table, rel=0.02)


def test_a_softcap_has_the_bound_of_the_table() -> None:
    """The capped logits carry |z| (eps' (1 + |e| / (2 + e)) + 3 u)."""
    s, z, errors = 5.0, [], []
    for x in map(float, ROW):
        a = 2 * abs(x) / s
        e = math.expm1(-a)
        own = EPS + U * a * math.exp(-a) / abs(e)
        z.append(s * math.tanh(x / s))
        errors.append(abs(z[-1]) * (own * (1 + abs(e) / (2 + e)) + 3 * U))
    computed = _bounds("cross_entropy_with_softcap", (ROW, LABEL), softcap=5.0)
    assert computed == pytest.approx([Row(z, errors).log_errors[AT]], rel=0.02)


def test_z_loss_has_the_bound_of_the_table() -> None:
    """It adds 2 z |y| B(y) + 2 u z y^2, and u |loss|."""
    computed = _bounds("cross_entropy_with_z_loss", (ROW, LABEL), z_loss=0.5)
    square = 0.5 * EXACT.y**2
    table = EXACT.log_errors[AT] + abs(EXACT.y) * EXACT.lse_error + 2 * U * square
    assert computed == pytest.approx([table + U * (square - EXACT.logs[AT])], rel=0.02)


def test_linear_logits_have_the_bound_of_the_table() -> None:
    """A logit carries H u sum |x w|."""
    x, weight = _held(1.3, -0.7, 2.1), tuple(_held(a, 1.1 - a, 0.37 * a) for a in (0.9, -1.3, 1.7, 0.45))
    terms = [[float(a) * float(b) for a, b in zip(x, row, strict=True)] for row in weight]
    row = Row([sum(t) for t in terms], [3 * U * sum(map(abs, t)) for t in terms])
    values = (x, weight, LABEL, (Fraction(1),) * 4, Fraction(1), (Fraction(0),) * 4)
    computed = _bounds("linear_cross_entropy", values, linear_bias=False)
    assert computed == pytest.approx([row.log_errors[AT]], rel=0.02)


def test_perplexity_has_the_bound_of_the_table() -> None:
    """It is ppl (M + eps), M the bound of the mean: for one row that of log_softmax."""
    ones = (Fraction(1),) * len(ROW)
    computed = _bounds("perplexity", (ROW, LABEL, ones, Fraction(1)), ignore_index=None)
    table = math.exp(-EXACT.logs[AT]) * (EXACT.log_errors[AT] + EPS)
    assert computed == pytest.approx([table], rel=0.02)


def _row_gradient(row: Row) -> list[tuple[float, float]]:
    """At each class s - [label] and the bound of g times it, for an upstream gradient of 1."""
    found = []
    for j, (s, error) in enumerate(zip(row.shares, row.log_errors, strict=True)):
        own = float(j == AT)
        found.append((s - own, s * (error + EPS + U) + own * U * abs(s - own)))
    return found


def test_the_gradient_of_perplexity_has_the_bound_of_the_table() -> None:
    """It is |g| ppl times the bound of that of the mean, and |result| (B(M) + eps + u)."""
    ones = (Fraction(1),) * len(ROW)
    computed = _bounds("perplexity", (ROW, LABEL, ones, Fraction(1)), "input", ignore_index=None)
    scale, relative = G * math.exp(-EXACT.logs[AT]), EXACT.log_errors[AT] + EPS + U
    table = [scale * (error + abs(value) * relative) for value, error in _row_gradient(EXACT)]
    assert computed == pytest.approx(table, rel=0.02)


def test_the_gradient_of_z_loss_has_the_bound_of_the_table() -> None:
    """Both gradients and their sum are rounded; a factor of a half takes no rounding."""
    computed = _bounds("cross_entropy_with_z_loss", (ROW, LABEL), "input", z_loss=0.5)
    table = []
    for (value, error), s, own in zip(_row_gradient(EXACT), EXACT.shares, EXACT.log_errors, strict=True):
        through_square = s * (EXACT.lse_error + EXACT.y * (own + EPS + 3 * U))
        table.append(G * (error + through_square + U * abs(value + s * EXACT.y)))
    assert computed == pytest.approx(table, rel=0.02)
