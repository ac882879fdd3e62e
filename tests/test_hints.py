"""Hints: where a function is wrong with some values of an option alone, the message says which to exclude."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.assertions import finding

pytestmark = pytest.mark.torch


def of_rows(input: Any, target: Any) -> Any:
    """A mean over the rows, wherever there are further axes."""
    losses = functional.cross_entropy(input, target, reduction="none")
    return losses.sum() / (len(losses) if losses.ndim else 1)


def wrong_sum(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Wrong as a sum."""
    loss = functional.cross_entropy(input, target, reduction=reduction)
    return 1.5 * loss if reduction == "sum" else loss


def wrong_in_columns(input: Any, dim: int) -> Any:
    """Wrong along the first axis."""
    shares = torch.softmax(input, dim)
    return 1.5 * shares if dim == 0 else shares


def wrong_with_three(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Wrong for three classes, whatever the options."""
    loss = functional.cross_entropy(input, target, reduction=reduction)
    return 1.5 * loss if input.shape[-1] == 3 else loss


def wrong_when_wide(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Wrong for rows of more than 100 classes, whatever the options."""
    loss = functional.cross_entropy(input, target, reduction=reduction)
    return 1.5 * loss if input.shape[-1] > 100 else loss


EXCLUDED: dict[str, tuple[Callable[..., Any], str, str]] = {
    "axes": (of_rows, "cross_entropy", 'options={"axes": [2, 1]}'),
    "words": (wrong_sum, "cross_entropy", 'options={"reduction": "mean"}'),
    "no default": (wrong_in_columns, "softmax", 'options={"dim": [1, -1]}'),
}


@pytest.mark.parametrize("kind", EXCLUDED)
def test_what_may_be_excluded_is_the_last_line(kind: str) -> None:
    """With how many calls held, and the argument that leaves the others out."""
    candidate, operation, argument = EXCLUDED[kind]
    last = finding(verify.check(candidate, operation, grad=False)).splitlines()[-1]
    assert last.startswith("help:    it held in ")
    assert last.endswith(f"; if it is meant for these alone: {argument}")


@pytest.mark.parametrize("candidate", [wrong_with_three, wrong_when_wide, lambda x, y: x.sum()])
def test_a_function_that_is_wrong_anyhow_gets_no_hint(candidate: Callable[..., Any]) -> None:
    """A few calls that held by chance are no reason to exclude the others."""
    assert not verify.check(candidate, "cross_entropy", grad=False)[0].hint


def wrong_under_a_mask(x: Any, dim: int, keepdim: bool = False) -> Any:
    """A score of -inf makes everything nan."""
    return torch.logsumexp(x, dim, keepdim) * (float("nan") if x.isinf().any() else 1)


@pytest.mark.parametrize("seed", [0, 3])
def test_a_finding_under_a_mask_is_not_said_to_depend_on_an_option(seed: int) -> None:
    """The calls that held with other axes had no score of -inf."""
    verdict = verify.check(wrong_under_a_mask, "logsumexp", grad=False, seed=seed)[0]
    assert (bool(verdict), verdict.hint) == (False, "")


def test_a_witness_that_is_replayed_has_no_hint() -> None:
    """One call says nothing about the others."""
    witness = verify.check(wrong_sum, "cross_entropy", grad=False)[0].witness or ""
    assert not verify.replay(wrong_sum, witness).hint


def test_excluding_it_leaves_what_is_right() -> None:
    """The same function then passes."""
    assert verify.check(of_rows, "cross_entropy", grad=False, options={"axes": [2, 1]}).holds


def counts_ignored_rows(input: Any, target: Any, ignore_index: int = -100) -> Any:
    """The mean divides by all rows."""
    losses = functional.cross_entropy(input, target, ignore_index=ignore_index, reduction="none")
    return losses.mean()


def test_only_the_plain_value_of_a_keyword_is_said_to_hold() -> None:
    """Of an ignored label that no row had by chance nothing is known."""
    options = {"axes": 2, "target": "indices"}
    value = verify.check(counts_ignored_rows, "cross_entropy", grad=False, options=options)[0]
    assert value.hint.endswith('options={"ignore_index": None}')


def test_a_function_that_no_module_has_is_replayed_in_python() -> None:
    """The command line could not find it."""
    lines = finding(verify.check(lambda x, dim: x + 1, "softmax", grad=False, examples=4)).splitlines()
    assert "replay:  verify.replay(function, witness), as no module has it" in lines


def scaled(x: Any, dim: int, factor: float) -> Any:
    """Softmax times a factor."""
    return torch.softmax(x, dim) * factor


class Shifted(torch.nn.Module):
    """Softmax and one."""

    def forward(self, x: Any, dim: int) -> Any:
        """One more."""
        return torch.softmax(x, dim) + 1


twice, shifted, one_more = functools.partial(scaled, factor=2.0), Shifted(), lambda x, dim: x + 1


@pytest.mark.parametrize("name", ["twice", "shifted", "one_more"])
def test_what_a_variable_of_its_module_holds_is_replayed_from_there(name: str) -> None:
    """A partial function, a module or a lambda."""
    verdict = verify.check(globals()[name], "softmax", grad=False, examples=4)[0]
    assert str(verdict.witness).split(":")[5:7] == [__name__, name]
