"""Kinds of candidates: autograd functions, modules, partial and compiled functions are checked as any."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.results import Results
from verify.verdict import Status

pytestmark = pytest.mark.torch

Candidate = Callable[..., Any]


def _check(candidate: Candidate, **how: Any) -> Results:
    return verify.check(candidate, "softmax", examples=4, **how)


class Smoothed(torch.nn.Module):
    """Cross-entropy as a module, without class weights."""

    def forward(self, x: Any, target: Any, reduction: str = "mean") -> Any:
        """Cross-entropy."""
        return functional.cross_entropy(x, target, reduction=reduction)


class Softmax(torch.autograd.Function):
    """Softmax by hand; autograd's old style."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int = -1) -> Any:
        """Softmax."""
        ctx.dim = dim
        s = torch.softmax(x, dim)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The vector-Jacobian product."""
        (s,) = ctx.saved_tensors
        return s * (upstream[0] - (upstream[0] * s).sum(ctx.dim, keepdim=True)), None


class NewSoftmax(Softmax):
    """Softmax by hand; the style in which setup_context keeps what the backward pass needs."""

    @staticmethod
    def forward(x: Any, dim: int = -1) -> Any:  # type: ignore[override]
        """Softmax."""
        return torch.softmax(x, dim)

    @staticmethod
    def setup_context(ctx: Any, inputs: Any, output: Any) -> None:
        """Keep the result."""
        ctx.dim = inputs[1]
        ctx.save_for_backward(output)


@pytest.mark.parametrize("style", [Softmax, NewSoftmax])
def test_an_autograd_function_is_checked_by_its_apply(style: Any) -> None:
    """Its options are passed by position, as `apply` wants them."""
    results = _check(style.apply)
    assert [(v.status, v.reason) for v in results] == [(Status.PASSED, "")] * 3
    assert f"{style.__name__}.apply" in results[0].subject


class Halved(Softmax):
    """Half the gradient."""

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Half of it."""
        return Softmax.backward(ctx, upstream[0] / 2)


def test_a_wrong_autograd_function_is_refuted() -> None:
    """By its gradient alone, with a script that holds the class and what it derives from."""
    results = verify.check(Halved.apply, "softmax", examples=20)
    assert [v.status for v in results] == [Status.PASSED, Status.REFUTED, Status.PASSED]
    script = str(results[1].reproducer)
    assert "class Softmax(" in script
    assert "result = Halved.apply(input, " in script


def test_a_module_is_asked_for_the_options_of_its_forward() -> None:
    """What it does not take is not applicable, by name."""
    results = verify.check(Smoothed(), "cross_entropy", examples=4)
    assert results.holds
    assert "label_smoothing" in results[0].reason


class CountsIgnoredRows(torch.nn.Module):
    """Divides the mean by all rows; the ignored label is its own."""

    def __init__(self, ignore_index: int = -100) -> None:
        super().__init__()
        self.ignore_index = ignore_index

    def forward(self, x: Any, target: Any) -> Any:
        """Cross-entropy."""
        losses = functional.cross_entropy(x, target, reduction="none", ignore_index=self.ignore_index)
        return losses.mean()


def test_options_that_a_module_has_built_in_are_named() -> None:
    """With what makes them options, by which the fault is found."""
    module, told = CountsIgnoredRows(), {"target": "indices"}
    passed = verify.check(module, "cross_entropy", options=told, grad=False, examples=20)
    assert passed.holds
    how = "lambda *tensors, ignore_index: f(*tensors) in the place of f, with options={'ignore_index': -100}"
    assert (
        f"not tried: ignore_index = -100, which it has built in; to have one tried, give {how}"
        in passed[0].reason
    )
    around = verify.check(
        lambda *tensors, ignore_index: module(*tensors),
        "cross_entropy",
        options={**told, "ignore_index": -100},
        grad=False,
        examples=20,
    )
    assert around[0].status is Status.REFUTED


def test_a_partial_function_is_named_by_what_it_calls() -> None:
    """In the subject of its verdicts."""
    results = _check(functools.partial(torch.nn.functional.softmax, dtype=torch.float64), grad=False)
    assert "softmax with options as softmax: value" in results[0].subject


def scaled(x: Any, dim: int, factor: float) -> Any:
    """Softmax times a factor."""
    return torch.softmax(x, dim) * factor


def test_a_partial_function_has_a_script() -> None:
    """With what was given to it."""
    results = _check(functools.partial(scaled, factor=2.0), grad=False)
    assert "result = functools.partial(scaled, factor=2.0)(input, " in str(results[0].reproducer)


def changed(x: Any, dim: int, change: Any) -> Any:
    """Softmax, and then another function."""
    return change(torch.softmax(x, dim))


def test_what_was_given_to_a_partial_function_may_not_be_plain() -> None:
    """Then there is no script, and why is said."""
    results = _check(functools.partial(changed, change=torch.neg), grad=False)
    assert "what is given to" in results[0].reason


@pytest.fixture
def compiling() -> Iterator[None]:
    """What is compiled stays compiled, however many kinds of input it gets."""
    import torch._dynamo

    torch._dynamo.reset()
    with torch._dynamo.config.patch(recompile_limit=1000, fail_on_recompile_limit_hit=True):
        yield


def _compiled(function: Candidate) -> Candidate:
    compiled: Candidate = torch.compile(function, backend="eager", dynamic=True)
    return compiled


def by_hand(x: Any, dim: int) -> Any:
    """Softmax by its textbook algorithm."""
    e = torch.exp(x - x.amax(dim, keepdim=True).detach())
    return e / e.sum(dim, keepdim=True)


def unshifted(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    e = torch.exp(x)
    return e / e.sum(dim, keepdim=True)


@pytest.mark.usefixtures("compiling")
def test_a_compiled_function_is_checked() -> None:
    """Under its own name, with its own signature, and its compiler has no side effects."""
    results = _check(_compiled(by_hand))
    assert [(v.status, v.reason) for v in results] == [(Status.PASSED, "")] * 3
    assert "by_hand as softmax" in results[0].subject


@pytest.mark.usefixtures("compiling")
def test_a_wrong_compiled_function_is_refuted() -> None:
    """With a number and a script, as the function itself."""
    value = verify.check(_compiled(unshifted), "softmax", grad=False, examples=40, options={"dim": 1})[0]
    assert value.status is Status.REFUTED
    assert value.reproducer is not None


def test_a_function_written_in_c_has_the_name_by_which_it_is_called() -> None:
    """Not that of the hidden class for which it is named."""
    assert _check(torch.softmax, grad=False)[0].subject == "torch.softmax as softmax: value in float32 on cpu"
