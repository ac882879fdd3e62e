"""Sources: a function with what it uses, as text that runs by itself and does the same."""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional
from torch.nn import functional as F

import verify
from verify.reproducer import ReproducerError
from verify.sources import source_with_needs

pytestmark = pytest.mark.torch

SCALE = 2.0
NOWHERE = -math.inf
TABLE = torch.tensor([1.0, 3.0])
WIDE = torch.float64


def _helper(x: Any, times: int = 2) -> Any:
    """Uses a constant."""
    return x * SCALE * times


def with_helper(x: Any) -> Any:
    """Uses a function that uses a constant."""
    return _helper(x) + 1


def with_modules(x: Any) -> Any:
    """Uses modules under three names."""
    return F.relu(x) + functional.relu(-x) + math.pi + torch.exp(x)


def with_data(x: Any) -> Any:
    """Uses a tensor, a dtype and an infinity."""
    return (x.to(WIDE) * TABLE).masked_fill(x < 0, NOWHERE)


def with_inner(x: Any) -> Any:
    """Uses a helper in a function of its own."""

    def inner(y: Any) -> Any:
        return _helper(y, 3)

    return inner(x) if len(x) else with_inner(x)


class _Double(torch.autograd.Function):
    """Twice, with its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any) -> Any:
        """Twice."""
        return _helper(x, 1)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Twice what comes from above."""
        return upstream[0] * SCALE


def with_class(x: Any) -> Any:
    """Uses an autograd function."""
    return _Double.apply(x)


def _closed(factor: float) -> Callable[..., Any]:
    def times(x: Any) -> Any:
        return x * factor

    return times


FUNCTIONS = {
    f.__name__: f for f in (with_helper, with_modules, with_data, with_inner, with_class, _closed(3.0))
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_text_computes_the_same(name: str) -> None:
    """In a namespace in which there is torch and nothing else."""
    x = torch.tensor([-0.5, 1.25])
    known: dict[str, Any] = {"torch": torch}
    exec(source_with_needs(FUNCTIONS[name]), known)
    assert torch.equal(known[name](x), FUNCTIONS[name](x))


def test_each_definition_stands_once() -> None:
    """And before what uses it."""
    text = source_with_needs(with_inner)
    assert [text.count("def _helper"), text.count("def with_inner")] == [1, 1]
    assert text.index("def _helper") < text.index("def with_inner")


def test_a_lambda_has_no_source() -> None:
    """Its line of code may hold more than it."""
    with pytest.raises(ReproducerError, match="is not a function made by def"):
        source_with_needs(lambda x: x)


def _held() -> Callable[..., Any]:
    """A softmax that is off, with a lock in its closure."""
    lock = threading.Lock()

    def locked(x: Any, dim: int) -> Any:
        with lock:
            return torch.softmax(2 * x, dim)

    return locked


def _held_and_failing() -> Callable[..., Any]:
    """A softmax of another shape, with a lock in its closure."""
    lock = threading.Lock()

    def locked(x: Any, dim: int) -> Any:
        with lock:
            return torch.softmax(x, dim)[None]

    return locked


@pytest.mark.parametrize("make", [_held, _held_and_failing])
def test_what_keeps_a_closure_from_becoming_a_script_is_named(make: Callable[[], Any]) -> None:
    """With what to do."""
    value, *_ = verify.check(make(), "softmax", grad=False, examples=10)
    assert value.reproducer is None
    assert "no script: lock (a lock), which the function uses, cannot be written" in value.reason
    assert "verify.replay(function, witness)" in value.reason
