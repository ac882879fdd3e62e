"""Divergences as contracts: kl_div, rel_entr, js_divergence and entropy; mistakes in them are refuted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from judged import worst_ratio
from torch.nn import functional

import verify
from verify.contexts.bulk import evaluate
from verify.contexts.models import model_for
from verify.operations import operations_with_contract
from verify.verdict import Status, Verdict
from verify.wide import Wide

pytestmark = pytest.mark.torch

DTYPES = ("float32", "float64", "bfloat16", "float16")


def _reasons(candidate: Callable[..., Any], name: str, dtype: str) -> list[str]:
    """Why properties do not hold; empty where all do."""
    results = verify.check(candidate, name, dtypes=(dtype,), examples=8)
    return [verdict.reason for verdict in results if not verdict]


def _verdict(
    candidate: Callable[..., Any], name: str, aspect: str, dtype: str = "float32", **how: Any
) -> Verdict:
    results = verify.check(candidate, name, dtypes=(dtype,), grad=aspect != "value", **how)
    return next(v for v in results if f": {aspect} in" in v.subject)


def entropy(p: Any, dim: int) -> Any:
    """The sum of torch.special.entr."""
    return torch.special.entr(p).sum(dim)


def entropy_by_xlogy(p: Any, dim: int) -> Any:
    """Autograd multiplies the derivatives in both factors by the upstream gradient."""
    return -torch.xlogy(p, p).sum(dim)


def rel_entr(p: Any, q: Any) -> Any:
    """The difference of two xlogy."""
    return torch.xlogy(p, p) - torch.xlogy(p, q)


def rel_entr_of_the_quotient(p: Any, q: Any) -> Any:
    """As SciPy has it, with ones in place of both where p is 0, so that the gradient there is 0."""
    one = torch.ones_like(p)
    p_safe, q_safe = torch.where(p > 0, p, one), torch.where(p > 0, q, one)
    return torch.where(p > 0, p_safe * torch.log(p_safe / q_safe), 0 * p)


def js_divergence(p: Any, q: Any, dim: int) -> Any:
    """Half of two divergences to the midpoint."""
    m = (p + q) / 2
    return (rel_entr(p, m) + rel_entr(q, m)).sum(dim) / 2


def js_divergence_upcast(p: Any, q: Any, dim: int) -> Any:
    """In float32, as code for 16-bit tensors has it."""
    return js_divergence(p.float(), q.float(), dim).to(p.dtype)


RIGHT = (
    (functional.kl_div, "kl_div", DTYPES),
    (entropy, "entropy", DTYPES),
    (rel_entr, "rel_entr", DTYPES),
    (js_divergence, "js_divergence", ("float32", "float64", "bfloat16")),
    (js_divergence_upcast, "js_divergence", ("float32", "bfloat16", "float16")),
)


@pytest.mark.parametrize(
    ("candidate", "name", "dtype"),
    [pytest.param(f, name, d, id=f"{f.__name__}-{d}") for f, name, dtypes in RIGHT for d in dtypes],
)
def test_a_right_function_passes(candidate: Callable[..., Any], name: str, dtype: str) -> None:
    """Values, the gradients in both arguments and side effects are within the bounds."""
    assert _reasons(candidate, name, dtype) == []


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_rel_entr_of_the_quotient_passes_in_value(dtype: str) -> None:
    """Where p / q is a number, that is; its gradient in q overflows sooner."""
    results = verify.check(rel_entr_of_the_quotient, "rel_entr", dtypes=(dtype,), grad=False, examples=16)
    searched = [verdict for verdict in results if verdict.coverage == "searched"]
    assert [verdict.reason for verdict in searched if not verdict] == []


def test_the_overflow_of_rel_entr_of_the_quotient_is_found_among_all_inputs() -> None:
    """1 / q is infinite for the least numbers of bfloat16, at which -log q is 89."""
    results = verify.check(rel_entr_of_the_quotient, "rel_entr", dtypes=("bfloat16",), grad=False, examples=2)
    every = [v for v in results if v.coverage == "exhaustive" and "-log q" in v.subject]
    assert [verdict.status for verdict in every] == [Status.REFUTED]


def test_zeros_of_a_large_table_have_bounds() -> None:
    """0 log 0 is 0 on whole tables too, however large, where 0 times -inf would be nan."""
    contract = operations_with_contract()["kl_div"].contract
    assert contract is not None
    options = {"axes": 2, "reduction": "none", "log_target": False}
    zeros = Wide(torch.zeros(20_000, 2, dtype=torch.float64))
    found = evaluate(lambda c, *x: contract.algorithm(c, options, *x), (zeros, zeros), model_for("float32"))
    assert found.value.count_nonzero() == 0


def test_the_gradient_of_xlogy_underflows_in_float16() -> None:
    """With an upstream gradient of 1/2 the derivative of p log p at 2^-24 lacks its + 1; a finding."""
    p = torch.tensor([2.0**-24], dtype=torch.float16, requires_grad=True)
    torch.xlogy(p, p).backward(torch.tensor([0.5], dtype=torch.float16))
    assert p.grad is not None
    assert p.grad.item() == pytest.approx(torch.log(p).item() / 2)


class _LogsFixed(torch.autograd.Function):
    """kl_div whose gradient in the target takes the input for constant and forgets the + 1."""

    @staticmethod
    def forward(ctx: Any, x: Any, t: Any) -> Any:
        """The terms."""
        ctx.save_for_backward(x, t)
        return torch.xlogy(t, t) - t * x

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Log p - log q, which lacks 1."""
        x, t = ctx.saved_tensors
        return -t * upstream[0], (torch.log(t) - x) * upstream[0]


def kl_div_with_a_short_gradient(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Right values and a right gradient in the input."""
    terms = _LogsFixed.apply(x, target)
    return {"none": terms, "sum": terms.sum(), "mean": terms.mean(), "batchmean": terms.sum() / len(x)}[
        reduction
    ]


def kl_div_reversed(x: Any, target: Any, log_target: bool = False) -> Any:
    """The divergence the wrong way round."""
    p = target.exp() if log_target else target
    return (x.exp() * (x - torch.log(p))).mean()


def kl_div_of_plain_targets(x: Any, target: Any, log_target: bool = False) -> Any:
    """Takes log_target and pays no heed to it."""
    return functional.kl_div(x, target)


def entropy_with_nan(p: Any, dim: int) -> Any:
    """0 log 0 is nan."""
    return -(p * torch.log(p)).sum(dim)


def entropy_clamped(p: Any, dim: int) -> Any:
    """An epsilon guards the logarithm."""
    return -(p * torch.log(p.clamp(min=1e-7))).sum(dim)


def entropy_in_bits(p: Any, dim: int) -> Any:
    """The wrong base."""
    return -torch.where(p > 0, p * torch.log2(p), 0 * p).sum(dim)


def entropy_with_a_short_gradient(p: Any, dim: int) -> Any:
    """The gradient is -log p, without 1."""
    return -(p * torch.log(p.detach().clamp(min=1e-30))).sum(dim)


def rel_entr_of_absolute(p: Any, q: Any) -> Any:
    """No term is negative."""
    return rel_entr(p, q).abs()


def rel_entr_with_epsilon(p: Any, q: Any) -> Any:
    """Epsilons guard the quotient."""
    return p * torch.log((p + 1e-8) / (q + 1e-8))


def rel_entr_of_a_fixed_target(p: Any, q: Any) -> Any:
    """The second argument is cut off from the gradient."""
    return rel_entr(p, q.detach()) + 0 * q


def js_divergence_not_halved(p: Any, q: Any, dim: int) -> Any:
    """The sum of the two divergences."""
    return 2 * js_divergence(p, q, dim)


def js_divergence_to_one_side(p: Any, q: Any, dim: int) -> Any:
    """Only the first divergence."""
    return rel_entr(p, (p + q) / 2).sum(dim)


def js_divergence_of_a_fixed_middle(p: Any, q: Any, dim: int) -> Any:
    """The gradient does not go through the midpoint."""
    m = ((p + q) / 2).detach()
    return (rel_entr(p, m) + rel_entr(q, m)).sum(dim) / 2


MISTAKES = (
    (kl_div_with_a_short_gradient, "kl_div", "gradient of target"),
    (kl_div_reversed, "kl_div", "value"),
    (kl_div_of_plain_targets, "kl_div", "value"),
    (entropy_with_nan, "entropy", "value"),
    (entropy_clamped, "entropy", "value"),
    (entropy_in_bits, "entropy", "value"),
    (entropy_with_a_short_gradient, "entropy", "gradient"),
    (rel_entr_of_absolute, "rel_entr", "value"),
    (rel_entr_with_epsilon, "rel_entr", "value"),
    (rel_entr_of_a_fixed_target, "rel_entr", "gradient of target"),
    (js_divergence_not_halved, "js_divergence", "value"),
    (js_divergence_to_one_side, "js_divergence", "value"),
    (js_divergence_of_a_fixed_middle, "js_divergence", "gradient"),
)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect"), MISTAKES, ids=[f"{m[0].__name__}-{m[2]}" for m in MISTAKES]
)
def test_a_mistake_is_refuted(candidate: Callable[..., Any], name: str, aspect: str) -> None:
    """Zeros, epsilons, the wrong base, direction or share, and gradients that forget a path are found."""
    assert _verdict(candidate, name, aspect, examples=24).status is Status.REFUTED


def test_the_gradient_of_entropy_through_its_products_is_not_refuted() -> None:
    """Near 1/e, where log p + 1 cancels, it rounds more often than the sum times the upstream gradient."""
    assert verify.check(entropy_by_xlogy, "entropy", examples=4).holds


PS = torch.arange(96, 190, dtype=torch.float64)[None] / 256
"""Near 1/e and above, in bfloat16: log p + 1 cancels."""


@pytest.mark.parametrize("g", [-2.5, 0.75, 1.0])
@pytest.mark.parametrize(
    ("candidate", "name", "aspect", "values"),
    [
        pytest.param(functional.kl_div, "kl_div", "gradient of target", (0 * PS, PS), id="kl_div"),
        pytest.param(rel_entr, "rel_entr", "gradient", (PS, 0 * PS + 1), id="rel_entr"),
        pytest.param(rel_entr_of_the_quotient, "rel_entr", "gradient", (PS, 0 * PS + 0.875), id="quotient"),
        pytest.param(js_divergence, "js_divergence", "gradient", (PS, 0 * PS + 0.375), id="js_divergence"),
        pytest.param(entropy_by_xlogy, "entropy", "gradient", (PS,), id="entropy"),
    ],
)
def test_what_autograd_makes_of_xlogy_is_not_refuted_where_it_cancels(
    candidate: Callable[..., Any], name: str, aspect: str, values: tuple[Any, ...], g: float
) -> None:
    """It rounds g p / p, which is g, twice."""
    assert worst_ratio(candidate, name, aspect, values, g) <= 1


def test_the_gradient_of_kl_div_in_its_target_still_has_to_reach_small_targets() -> None:
    """In float16 the upstream gradient times p underflows before it is divided by p; that is a finding."""
    *_, target, _ = verify.check(
        functional.kl_div, "kl_div", dtypes=("float16",), options={"reduction": "mean", "log_target": False}
    )
    assert (target.subject.split(": ")[1][:18], target.status) == ("gradient of target", Status.REFUTED)


def kl_div_off_at_zeros_of_wide_rows(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Something is left of a term whose probability is 0, in rows of more than 4,000 entries."""
    losses = torch.xlogy(target, target) - target * input
    if input.shape[-1] > 4000:
        losses = losses + (target == 0).to(losses) / 64
    mean = losses.sum() / input.shape[0]
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean(), "batchmean": mean}[reduction]


def test_zeros_are_judged_where_another_algorithm_has_no_value() -> None:
    """0 times log 0 in p log p allows nothing."""
    verdict = verify.check(kl_div_off_at_zeros_of_wide_rows, "kl_div", grad=False, examples=24)[0]
    assert verdict.status is Status.REFUTED
