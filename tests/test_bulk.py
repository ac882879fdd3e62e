"""Whole tables: float64 encloses what balls enclose, with the bounds of the rounding context."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
import tiers
import torch
from tiers import balls_in_mpmath, tables_in_balls, whole

import verify
from verify.bulk_judgement import judge_table
from verify.calls import Call
from verify.contexts.bulk import evaluate
from verify.contexts.models import Model, model_for
from verify.contexts.rounding import error_bounds
from verify.contract import Contract
from verify.elements import flat
from verify.errors import DomainError
from verify.floats import Enclosure, format_named
from verify.spread import wide_calls
from verify.verdict import Status
from verify.wide import Wide

pytestmark = pytest.mark.torch

TABLES = ((2, 7), (1, 65), (17, 5), (65, 2))
CHECKED = {o.contract.name: o.contract for o in verify.operations() if o.contract is not None}
FAST = ("softmax", "log_softmax", "logsumexp", "cross_entropy", "sigmoid", "softplus", "logsigmoid", "kl_div")


def _calls(contract: Contract, dtype: str, count: int, tables: Any = TABLES, seed: int = 5) -> list[Call]:
    choices = {option.name: option.values for option in contract.options}
    drawn = wide_calls(contract, dtype, choices, seed=seed, count=count, tables=tables)
    return [
        call for call in drawn if not any(v.tensor.isnan().any() for v in call.values if isinstance(v, Wide))
    ]


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float16"])
@pytest.mark.parametrize("name", sorted(CHECKED))
def test_float64_encloses_what_balls_enclose(name: str, dtype: str) -> None:
    """Over values and gradients, all regimes, options and infinities, no element lies outside."""
    known, outside = 0, 0
    for call in _calls(CHECKED[name], dtype, 8 if name in FAST else 3):
        for aspect in ("value", "gradient")[: 1 + bool(CHECKED[name].gradients)]:
            here = tables_in_balls(call, dtype, aspect)
            known, outside = known + here.known, outside + here.outside
    assert known
    assert outside == 0


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
@pytest.mark.parametrize("name", sorted(CHECKED))
def test_whole_tables_have_the_bounds_of_the_rounding_context(name: str, dtype: str) -> None:
    """The two implementations of the rules agree to 1e-6; whole tables never allow less.

    They may allow more where an exact product of float64 numbers, or of capped ones, is not seen as such, and
    a subnormal number where an exponential is so close to these that float64 does not tell.
    """
    least = float(format_named(dtype).smallest_subnormal)
    widest = 2 if "softcap" in name else 1 + 1e-6
    compared = 0
    for call in _calls(CHECKED[name], dtype, 8, tables=((2, 3), (3, 5), (1, 9))):
        action, values = call.contract.algorithm, call.values
        plain = tuple(v.exact() if isinstance(v, Wide) else v for v in values)
        try:
            each = error_bounds(
                lambda c, *x, act=action, call=call: flat(act(c, call.options, *x)), plain, model_for(dtype)
            )
        except DomainError:
            continue
        if each is None:
            continue
        for one, bound in zip(each, whole(call, dtype, "value").bound.tolist(), strict=True):
            if bound == bound and bound < math.inf:
                compared += 1
                assert float(one) * (1 - 1e-6) <= bound + 1e-300
                assert dtype == "float64" or bound <= float(one) * widest + least
    assert compared


@pytest.mark.parametrize(
    "model",
    [replace(model_for("float32"), fast=True), model_for("bfloat16", upcast=True)],
    ids=["fast", "upcast"],
)
@pytest.mark.parametrize("name", ["softmax", "logsumexp", "softplus", "sigmoid", "gaussian_nll_loss"])
def test_whole_tables_have_the_bounds_of_other_arithmetic(name: str, model: Model) -> None:
    """That of GPU kernels, and results rounded once to 16 bits, are as the rounding context has them."""
    compared = 0
    for call in _calls(
        CHECKED[name], (model.stored or model.format).name, 8, tables=((2, 3), (3, 5), (1, 9))
    ):
        action, options = call.contract.algorithm, call.options
        plain = tuple(v.exact() if isinstance(v, Wide) else v for v in call.values)

        def computed(c: Any, *x: Any, action: Any = action, options: Any = options) -> Any:
            return action(c, options, *x)

        try:
            each = error_bounds(lambda c, *x, of=computed: flat(of(c, *x)), plain, model)
        except DomainError:
            continue
        bulk = evaluate(computed, call.values, model).bound.tolist()
        for one, bound in zip(each or (), bulk if each else (), strict=True):
            if bound == bound and bound < math.inf:
                compared += 1
                assert float(one) * (1 - 1e-6) <= bound <= float(one) * (1 + 1e-6) + 1e-44
    assert compared


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "logsumexp", "cross_entropy", "kl_div"])
def test_mpmath_finds_what_balls_enclose(name: str) -> None:
    """An independent implementation lies in the ball of every element that it is asked for."""
    known, outside = 0, 0
    for call in _calls(CHECKED[name], "float32", 12, tables=((2, 7), (1, 33), (5, 3)), seed=9):
        here = balls_in_mpmath(call, "value")
        known, outside = known + here.known, outside + here.outside
    assert known > 10
    assert outside == 0


@pytest.mark.parametrize(
    "compare", [lambda c: tables_in_balls(c, "float32", "value"), lambda c: balls_in_mpmath(c, "value")]
)
def test_balls_somewhere_else_are_counted_as_outside(monkeypatch: pytest.MonkeyPatch, compare: Any) -> None:
    """Where every ball is moved by 1, no number of the tier beside it lies inside."""
    real = tiers.enclosed
    monkeypatch.setattr(
        tiers, "enclosed", lambda *given: tuple(Enclosure(t.lower + 1, t.upper + 1) for t in real(*given))
    )
    for call in _calls(CHECKED["sigmoid"], "float32", 1):
        found = compare(call)
        assert found.known == found.outside > 0


def _judged(got: list[float], value: list[float], bound: list[float], dtype: str = "float32") -> Any:
    tensors = [torch.tensor(part, dtype=torch.float64) for part in (got, value, bound)]
    return judge_table(tensors[0], tensors[1], tensors[2] * 2.0**-29, tensors[2], format_named(dtype))


def test_a_table_within_its_bounds_passes() -> None:
    """The largest share of the bound is told, with its place."""
    outcome, position, _ = _judged([1.0, 2.25], [1.0, 2.0], [0.1, 0.5])
    assert (outcome.status, position, outcome.ratio) == (Status.PASSED, 1, 0.5)


def test_one_element_beyond_its_bound_refutes_the_table() -> None:
    """The element that is furthest off, in units of its bound, is the one that is told."""
    outcome, position, truth = _judged([1.0, 2.25, 5.0], [1.0, 2.0, 4.0], [0.1, 0.1, 0.1])
    assert (outcome.status, position, outcome.got) == (Status.REFUTED, 2, 5)
    assert truth is not None
    assert truth.contains(Fraction(4))


@pytest.mark.parametrize("got", [math.nan, math.inf])
def test_no_number_where_there_is_one_refutes(got: float) -> None:
    """A nan or an infinity in the place of a number of the format is infinitely wrong."""
    outcome, position, _ = _judged([0.0, got], [0.0, 1.0], [0.0, 0.5])
    assert (outcome.status, position, outcome.ratio) == (Status.REFUTED, 1, math.inf)


def test_an_error_that_float64_cannot_tell_from_the_bound_is_unknown() -> None:
    """Between the least and the largest possible error lies the bound: the table is not judged."""
    outcome, _, _ = _judged([1.5], [1.0], [0.5 * (1 + 2.0**-40)])
    assert outcome.status is Status.UNKNOWN


def test_an_infinite_value_has_to_be_met() -> None:
    """Where the exact value is -inf only -inf is right."""
    assert _judged([-math.inf], [-math.inf], [0.0])[0].status is Status.PASSED
    assert _judged([-1e30], [-math.inf], [0.0])[0].status is Status.REFUTED


def test_an_overflow_is_right_where_the_value_overflows() -> None:
    """An infinity stands for a value beyond the format's largest number."""
    assert _judged([math.inf], [70000.0], [40.0], "float16")[0].status is Status.PASSED


def test_an_element_without_a_value_is_free() -> None:
    """Where the definition has no value any result will do, and it is not counted as judged alone."""
    assert _judged([7.0, 1.0], [math.nan, 1.0], [0.0, 0.0])[0].status is Status.PASSED
    assert _judged([7.0], [math.nan], [0.0])[0].status is Status.UNKNOWN


def test_0_times_an_infinity_has_no_value() -> None:
    """As in balls, so that no finding rests on a product that an exact number does not confirm."""
    given = Wide(torch.tensor([-math.inf], dtype=torch.float64))
    table = evaluate(lambda c, x: c.number(0) * x[1], (given,), model_for("float32"))
    assert table.value.isnan().all()
