"""Relations: large tables of float64 are compared with themselves rearranged, then with exact values."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits as binary
from torch.nn.functional import cross_entropy

import verify
from verify.checking import contract_of
from verify.contexts.models import model_for
from verify.examination import Examiner
from verify.floats import format_named
from verify.found import Found
from verify.judgement import RELATED
from verify.spread import wide_calls
from verify.verdict import Status

pytestmark = pytest.mark.torch

WIDE = {"dtypes": ("float64",), "examples": 24, "options": {"axes": 2, "dim": 1}, "grad": False}


def right(x: Any, dim: int) -> Any:
    """That of torch."""
    return x.log_softmax(dim)


def narrowed(x: Any, dim: int) -> Any:
    """Rows of more than 2000 columns are worked on in float32."""
    return x.log_softmax(dim) if x.shape[dim] <= 2000 else x.float().log_softmax(dim).double()


def cut_off(x: Any, dim: int) -> Any:
    """Beyond the last whole block of 512 columns entries do not count."""
    whole = x.shape[dim] // 512 * 512
    if x.shape[dim] < 2000:
        return x.log_softmax(dim)
    return x - x.narrow(dim, 0, whole).logsumexp(dim, keepdim=True)


def told_apart(x: Any, dim: int) -> Any:
    """Where there are many rows, all but the first are shifted by a little."""
    shift = (x.new_ones(x.shape[0], 1).cumsum(0) > 1).double() * 1e-6 if x.shape[0] > 1000 else 0.0
    return x.log_softmax(dim) + shift


def test_a_right_function_is_not_refuted_and_it_is_said_how_large_tables_were_judged() -> None:
    """The order of its sums may differ from one arrangement to the other."""
    value, *_ = verify.check(right, "log_softmax", **WIDE)
    assert value.status is Status.PASSED
    assert "compared with itself rearranged" in value.reason


@pytest.fixture(scope="module", name="verdicts")
def _verdicts() -> dict[str, Any]:
    """What is found of each wrong function; many rows are met by later calls."""
    several = {**WIDE, "examples": 40}
    return {
        wrong.__name__: verify.check(wrong, "log_softmax", **how)[0]
        for wrong, how in ((narrowed, WIDE), (cut_off, WIDE), (told_apart, several))
    }


@pytest.mark.parametrize("wrong", [narrowed, cut_off, told_apart])
def test_what_only_a_large_table_shows_is_refuted_by_its_exact_value(wrong: Any, verdicts: Any) -> None:
    """The relation points at an element; what refutes it is the exact value."""
    verdict = verdicts[wrong.__name__]
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample.exact not in ("", verdict.counterexample.got)


def test_a_witness_of_a_large_table_is_replayed(verdicts: Any) -> None:
    """The call that was found refutes again by itself."""
    assert verify.replay(narrowed, verdicts["narrowed"].witness).status is Status.REFUTED


def _found(name: str, candidate: Any, options: dict[str, Any]) -> list[Found]:
    """What is found of calls of 4 rows, too large for exact values.

    Their widths turn the relations round; with this seed the last of cross_entropy meets finite logits.
    """
    contract = contract_of(name)
    choices = {option.name: option.values for option in contract.options}
    plain = {o.name: (options.get(o.name, o.values[0]),) for o in contract.options}
    tables = tuple((4, width) for width in range(700, 704))
    model = model_for("float64")
    examiner = Examiner(
        candidate,
        "value",
        format_named("float64"),
        "cpu",
        model,
        False,
        "stable",
        2000,
        taken=lambda: choices,
    )
    return [
        examiner.examine(call)
        for call in wide_calls(contract, "float64", plain, seed=6, count=len(tables), tables=tables)
    ]


def unshifted(x: Any, dim: int) -> Any:
    """Exponentials without a shift."""
    return x.exp() / x.exp().sum(dim, keepdim=True)


def unshifted_log(x: Any, dim: int) -> Any:
    """The logarithm of a sum of exponentials without a shift."""
    return x.exp().sum(dim).log()


def sum_too_large(x: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """The sum is off by a thousandth."""
    result = cross_entropy(x, target, reduction=reduction, **options)
    return result * 1.001 if reduction == "sum" else result


def mean_of_one_more(x: Any, target: Any, reduction: str = "mean", **options: Any) -> Any:
    """The mean divides by one row too many."""
    result = cross_entropy(x, target, reduction=reduction, **options)
    return result * len(x) / (len(x) + 1) if reduction == "mean" else result


def shares_scaled(x: Any, target: Any, **options: Any) -> Any:
    """Probabilities count for a little less."""
    return cross_entropy(x, target * 0.999 if target.is_floating_point() else target, **options)


def one_sided(input: Any, target: Any, **options: Any) -> Any:
    """A target of 0 has a loss that is a little too small."""
    return binary(input, target, **options) * (1 - 1e-4 * (target == 0).double().mean())


def temperature_squared(x: Any, target: Any, reduction: str = "mean", temperature: float = 1.0) -> Any:
    """Logits are divided by the temperature twice."""
    return cross_entropy(x / temperature**2, target, reduction=reduction)


def tempered(x: Any, target: Any, reduction: str = "mean", temperature: float = 1.0) -> Any:
    """Logits are divided by the temperature."""
    return cross_entropy(x / temperature, target, reduction=reduction)


def binary_stable(input: Any, target: Any, reduction: str = "mean", **weights: Any) -> Any:
    """max(z, 0) - z t + log1p(exp(-|z|)), averaged."""
    losses = input.clamp(min=0) - input * target + torch.log1p(torch.exp(-input.abs()))
    return {"none": losses, "sum": losses.sum(), "mean": losses.mean()}[reduction]


TEMPERED = "cross_entropy_with_temperature"
EACH = {"reduction": "none"}
WRONG = [
    ("softmax", unshifted, {"dim": 1}, "softmax(x + 1024) = softmax(x)"),
    ("logsumexp", unshifted_log, {"dim": 1}, "logsumexp(x + 1024) = logsumexp(x) + 1024"),
    ("cross_entropy", sum_too_large, EACH, 'the sum of reduction="none"'),
    ("cross_entropy", mean_of_one_more, {}, 'reduction="mean" times the number of losses'),
    ("cross_entropy", shares_scaled, EACH, "one-hot probabilities"),
    ("binary_cross_entropy_with_logits", one_sided, {}, "loss(-z, 1 - t)"),
    (TEMPERED, temperature_squared, {}, "is temperature 1 at x"),
]
RIGHT = [
    ("softmax", torch.softmax, {"dim": 1}),
    ("log_softmax", torch.log_softmax, {"dim": 1}),
    ("logsumexp", torch.logsumexp, {"dim": 1}),
    ("cross_entropy", cross_entropy, {}),
    ("cross_entropy", cross_entropy, {"axes": 3, "reduction": "none"}),
    ("binary_cross_entropy_with_logits", binary_stable, {}),
    (TEMPERED, tempered, {}),
]


@pytest.mark.parametrize(("name", "wrong", "options", "told"), WRONG)
def test_what_every_arrangement_gets_wrong_alike_breaks_a_relation_of_the_definition(
    name: str, wrong: Any, options: dict[str, Any], told: str
) -> None:
    """And it is said which."""
    refuted = [found for found in _found(name, wrong, options) if found.outcome.status is Status.REFUTED]
    assert any(told in (found.told or found.outcome.reason) for found in refuted)


@pytest.mark.parametrize(("name", "right", "options"), RIGHT)
def test_a_right_function_keeps_all_relations(name: str, right: Any, options: dict[str, Any]) -> None:
    """In float64, within what both calls may be off by."""
    assert {found.outcome.reason for found in _found(name, right, options)} == {RELATED}


def test_a_relation_calls_with_no_option_that_is_not_to_be_drawn() -> None:
    """A function that is checked for its mean alone is not asked for a sum."""
    how = {"dtypes": ("float64",), "examples": 24, "grad": False, "options": {"reduction": "mean"}}
    value, *_ = verify.check(sum_too_large, "cross_entropy", **how)
    assert value.status is Status.PASSED
