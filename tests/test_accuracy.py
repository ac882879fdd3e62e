"""Accuracy: level "accurate" separates what is as good as its problem allows from what is stable only."""

from __future__ import annotations

import math
from functools import partial
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.accuracy import Accuracy
from verify.bounding import Bounding
from verify.checking import contract_of
from verify.contexts.bulk import evaluate
from verify.contexts.models import model_for
from verify.spread import wide_calls
from verify.verdict import Status, Verdict
from verify.wide import Wide

pytestmark = pytest.mark.torch


def by_log1p(x: Any, dim: int) -> Any:
    """log_softmax with log1p of the sum without its largest term."""
    top, at = x.max(dim, keepdim=True)
    d = x - top
    return d - torch.log1p(d.exp().scatter(dim, at, 0).sum(dim, keepdim=True))


def _value(function: Any, name: str, **how: Any) -> Verdict:
    return verify.check(function, name, grad=False, **how)[0]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_torch_log_softmax_is_stable_and_no_more(dtype: str) -> None:
    """Near 0 it has an absolute error of a unit roundoff, which the conditioning does not excuse."""
    verdict = _value(functional.log_softmax, "log_softmax", dtypes=(dtype,))
    assert (verdict.status, verdict.grade) == (Status.PASSED, "stable")
    assert verdict.accuracy is not None
    assert verdict.accuracy > 1000


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_log1p_is_accurate(dtype: str) -> None:
    """Without the largest term in the sum the result keeps its relative accuracy."""
    verdict = _value(by_log1p, "log_softmax", dtypes=(dtype,))
    assert (verdict.status, verdict.grade) == (Status.PASSED, "accurate")


def test_level_accurate_refutes_what_is_stable_only() -> None:
    """The counterexample is small, and its exact value is confirmed like any other."""
    verdict = _value(functional.log_softmax, "log_softmax", level="accurate", examples=20)
    assert (verdict.status, verdict.level) == (Status.REFUTED, "accurate")
    assert verdict.counterexample is not None
    assert verdict.counterexample.error_ulp > verdict.counterexample.allowed_ulp


def test_level_accurate_passes_what_is_accurate() -> None:
    """The level is one that a function can meet."""
    assert _value(by_log1p, "log_softmax", level="accurate").status is Status.PASSED


def test_a_finding_at_level_accurate_is_replayed_at_it() -> None:
    """At level "stable" the same call would pass."""
    verdict = _value(functional.log_softmax, "log_softmax", level="accurate", examples=20)
    assert verdict.witness is not None
    assert verify.replay(functional.log_softmax, verdict.witness).status is Status.REFUTED
    assert verify.replay(by_log1p, verdict.witness).status is Status.PASSED


def tall_softmax(x: Any, dim: int) -> Any:
    """Softmax whose sum is off by most of what as many additions as it has terms may make in a row."""
    e = torch.exp(x - x.amax(dim, keepdim=True))
    additions = (e != 0).sum(dim, keepdim=True) - 1
    return e / (e.sum(dim, keepdim=True) * (1 + 0.8 * additions * 2.0**-24))


def test_the_height_tells_of_many_additions() -> None:
    """Torch adds up in lanes and blocks, a few hundred additions deep at most."""
    tall = _value(tall_softmax, "softmax", options={"axes": 2, "dim": 1}).height
    flat = _value(torch.softmax, "softmax", options={"axes": 2, "dim": 1}).height
    assert tall is not None
    assert flat is not None
    assert tall > 700 > flat


def test_a_loss_without_a_formula_for_its_conditioning_is_graded() -> None:
    """Its Jacobian has it."""
    assert _value(functional.gaussian_nll_loss, "gaussian_nll_loss").grade == "accurate"


class _SigmoidOfBothSides(torch.autograd.Function):
    """The gradient s (1 - s) with 1 - s computed as sigmoid(-z)."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        ctx.save_for_backward(z)
        return torch.sigmoid(z)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        (z,) = ctx.saved_tensors
        return upstream[0] * torch.sigmoid(z) * torch.sigmoid(-z)


def sigmoid_of_both_sides(z: Any) -> Any:
    """Sigmoid with a gradient that does not cancel."""
    return _SigmoidOfBothSides.apply(z)


def _gradient(function: Any, **how: Any) -> Verdict:
    return verify.check(function, "sigmoid", dtypes=("bfloat16",), **how)[1]


def test_a_gradient_that_cancels_is_stable_and_no_more() -> None:
    """1 - s loses what s was rounded by, where s is near 1; the logit says more."""
    assert _gradient(torch.sigmoid).grade == "stable"
    assert _gradient(sigmoid_of_both_sides).grade == "accurate"


def test_level_accurate_decides_about_gradients() -> None:
    """With a counterexample for the one, and none for the other."""
    refuted = _gradient(torch.sigmoid, level="accurate")
    assert refuted.status is Status.REFUTED
    assert refuted.counterexample is not None
    assert _gradient(sigmoid_of_both_sides, level="accurate").status is Status.PASSED


def test_the_conditioning_of_a_dominant_entry_does_not_cancel() -> None:
    """The logarithm of the larger of two shares, -exp(-67), moves by exp(-67) with either logit."""
    conditioning: Any = contract_of("log_softmax").conditioning
    row = Wide(torch.tensor([-93.0, -26.0], dtype=torch.float64))
    found = evaluate(lambda c, x: conditioning(c, {"axes": 1, "dim": -1}, x), (row,), model_for("float32"))
    assert found.value.tolist() == pytest.approx([93 + 26, math.exp(-67) * (93 + 26)], rel=1e-12)


def _noted(seen: list[Accuracy], least: Accuracy) -> bool:
    """Too little, whatever it is."""
    seen.append(least)
    return False


@pytest.mark.parametrize("name", ["log_softmax", "cross_entropy", "sigmoid", "kl_div"])
def test_what_is_allowed_without_the_conditioning_is_never_more(name: str) -> None:
    """So that a result within it need not have its conditioning computed, unless that is asked for."""
    contract, bounds = contract_of(name), Bounding("value", model_for("float32"), "cpu")
    choices = {option.name: option.values for option in contract.options}
    for call in wide_calls(contract, "float32", choices, seed=1, count=6, tables=((3, 5), (2, 40))):
        offered: list[Accuracy] = []
        whole = bounds.precise(call, bounds.bulk(call), partial(_noted, offered))
        assert whole is not None
        (least,) = offered
        assert not bool((least.allowed > whole.allowed).any())
