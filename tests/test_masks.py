"""Masks: rows of -inf beside others, and on request probabilities of 0 where a score or log q is -inf."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.checking import contract_of
from verify.errors import UsageError
from verify.verdict import Status

pytestmark = pytest.mark.torch

MASKED = {"target": "masked"}


def _classes(x: Any) -> int:
    return 0 if x.ndim == 1 else 1


def _reduced(losses: Any, reduction: str, count: int) -> Any:
    return losses if reduction == "none" else losses.sum() / (count if reduction == "mean" else 1)


def cross_entropy_of_what_is_possible(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """A class of probability 0 counts for nothing, whatever its score is."""
    scores = torch.log_softmax(input, _classes(input)).masked_fill(target == 0, 0)
    losses = -(target * scores).sum(_classes(input))
    return _reduced(losses, reduction, losses.numel())


def cross_entropy_with_a_floor(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """Scores of -inf are raised to -20, where they are still seen."""
    return cross_entropy_of_what_is_possible(input.clamp(min=-20), target, reduction=reduction)


def kl_div_of_what_is_possible(input: Any, target: Any, *, reduction: str = "mean") -> Any:
    """A class of probability 0 counts for nothing, whatever log q is."""
    losses = torch.xlogy(target, target) - target * input.masked_fill(target == 0, 0)
    return _reduced(losses, "sum" if reduction == "batchmean" else reduction, losses.numel()) / (
        input.shape[0] if reduction == "batchmean" else 1
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_loss_that_leaves_out_what_is_impossible_passes(dtype: str) -> None:
    """Value and gradient of the cross-entropy, with scores of -inf that matter to nothing."""
    results = verify.check(
        cross_entropy_of_what_is_possible, "cross_entropy", dtypes=(dtype,), options=MASKED, examples=16
    )
    assert [verdict.reason for verdict in results if verdict.status is not Status.PASSED] == []


def test_a_divergence_that_leaves_out_what_is_impossible_passes() -> None:
    """Where p and q are both 0."""
    results = verify.check(kl_div_of_what_is_possible, "kl_div", options={"zeros": "masked"}, examples=16)
    assert [verdict.reason for verdict in results if verdict.status is not Status.PASSED] == []


def test_a_score_of_minus_infinity_that_is_raised_is_refuted() -> None:
    """exp(-20) is left of it in the sum."""
    verdict = verify.check(
        cross_entropy_with_a_floor, "cross_entropy", options=MASKED, examples=16, grad=False
    )[0]
    assert verdict.status is Status.REFUTED


@pytest.mark.parametrize(
    ("function", "name", "options"),
    [
        (functional.cross_entropy, "cross_entropy", MASKED),
        (functional.kl_div, "kl_div", {"zeros": "masked"}),
    ],
)
def test_torch_gives_nan_where_both_are_impossible(function: Any, name: str, options: Any) -> None:
    """0 times infinity; the exact loss is a number."""
    verdict = verify.check(function, name, options=options, examples=16, grad=False)[0]
    assert verdict.counterexample is not None
    assert (verdict.counterexample.got, "nan" in verdict.counterexample.exact) == ("nan", False)
    assert "-inf" in str(verdict.counterexample.inputs)
    assert verdict.witness is not None
    assert verify.replay(function, verdict.witness).status is Status.REFUTED


def test_nobody_is_held_to_it_who_does_not_ask() -> None:
    """By default no target is masked, and no log q is -inf."""
    for name, form in (("cross_entropy", "target"), ("kl_div", "zeros")):
        (option,) = (option for option in contract_of(name).options if option.name == form)
        assert "masked" not in option.values


def test_a_misspelt_form_is_told_with_those_that_are_tried_on_request() -> None:
    """The message lists them."""
    with pytest.raises(UsageError, match="'shares', 'masked'"):
        verify.check(functional.cross_entropy, "cross_entropy", options={"target": "mask"})


def one_masked_row_spoils_all(input: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """A row without a loss makes every loss nan."""
    losses = functional.cross_entropy(input, target, reduction="none", **options)
    if reduction != "none":
        return functional.cross_entropy(input, target, reduction=reduction, **options)
    return losses * (float("nan") if losses.isnan().any() else 1)


def test_a_masked_row_that_spoils_the_others_is_found() -> None:
    """Only losses that are not reduced show it; one call of every check has a row of -inf among them."""
    verdict = verify.check(one_masked_row_spoils_all, "cross_entropy", grad=False, seed=9)[0]
    assert verdict.status is Status.REFUTED
