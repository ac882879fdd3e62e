"""Side effects: what a call does beside returning a result, and what a check leaves as it was."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from typing import Any, ClassVar

import pytest
import torch
from torch.nn import functional

import verify
from verify.corpus.hand import changed_backward
from verify.results import Results
from verify.verdict import Status

pytestmark = pytest.mark.torch

Candidate = Callable[..., Any]


def _check(candidate: Candidate, **how: Any) -> Results:
    return verify.check(candidate, "softmax", examples=4, **how)


def _back(action: Callable[[Any], Any]) -> Candidate:
    """Softmax with an action on its gradient."""
    return lambda x, dim: torch.softmax(changed_backward(x, action), dim)


SETTINGS: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
    "default dtype": (lambda: torch.set_default_dtype(torch.float64), torch.get_default_dtype),
    "default device": (lambda: torch.set_default_device("meta"), torch.get_default_device),
    "grad mode": (lambda: torch.set_grad_enabled(True), torch.is_grad_enabled),
    "choice of deterministic algorithms": (
        lambda: torch.use_deterministic_algorithms(True),
        torch.are_deterministic_algorithms_enabled,
    ),
    "number of threads": (lambda: torch.set_num_threads(7), torch.get_num_threads),
    "autocast": (
        lambda: torch.set_autocast_enabled("cpu", True),
        lambda: torch.is_autocast_enabled("cpu"),
    ),
    "flushing of subnormal numbers": (
        lambda: torch.set_flush_denormal(True),
        lambda: sys.float_info.min * float("0.5"),
    ),
    "precision of matrix products": (
        lambda: torch.set_float32_matmul_precision("medium"),
        torch.get_float32_matmul_precision,
    ),
    "detection of anomalies": (
        lambda: torch.set_anomaly_enabled(True, False),
        lambda: (torch.is_anomaly_enabled(), torch.is_anomaly_check_nan_enabled()),
    ),
    "benchmarks of cuDNN": (
        lambda: setattr(torch.backends.cudnn, "benchmark", True),
        lambda: torch.backends.cudnn.benchmark,
    ),
    "random generator": (lambda: torch.manual_seed(1), lambda: torch.get_rng_state().tolist()),
}


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_changed_setting_of_torch_is_a_side_effect_and_put_back(setting: str) -> None:
    """The result is right, and what comes after is not touched."""
    change, read = SETTINGS[setting]

    def careless(x: Any, dim: int) -> Any:
        result = torch.softmax(x, dim)
        change()
        return result

    before = read()
    value, side_effects = _check(careless, grad=False)
    assert (value.status, read()) == (Status.PASSED, before)
    assert side_effects.status is Status.REFUTED
    assert f"changes torch's {setting}" in side_effects.reason


def test_a_setting_changed_by_a_backward_pass_is_a_side_effect() -> None:
    """It is told where it happens."""
    results = _check(_back(lambda g: (torch.set_default_dtype(torch.float64), g)[1]))
    assert results[2].reason == "the call changes torch's default dtype in the backward pass"


def test_settings_of_the_caller_do_not_refute() -> None:
    """A gradient is computed with autograd, also where the caller has turned it off."""
    with torch.no_grad():
        assert _check(torch.softmax).holds
    with torch.inference_mode():
        assert _check(torch.softmax).holds


def test_a_check_leaves_the_random_numbers_of_the_caller() -> None:
    """Of torch and of Python."""
    torch.manual_seed(3)
    random.seed(3)
    expected = torch.rand(1).item(), random.random()
    torch.manual_seed(3)
    random.seed(3)
    _check(lambda x, dim: torch.softmax(x, dim) + 0 * torch.rand(1))
    assert (torch.rand(1).item(), random.random()) == expected


def dropped_out(x: Any, dim: int) -> Any:
    """Drops entries at random."""
    return functional.dropout(torch.softmax(x, dim), 0.5)


def test_a_result_that_is_drawn_at_random_is_a_side_effect() -> None:
    """Two calls draw differently, though one seed gives the same verdicts."""
    told = _check(dropped_out, grad=False)[1].reason
    assert told == "a second call with the same arguments gives another result"


def _into_one_buffer(right: Candidate) -> Candidate:
    known: dict[Any, Any] = {}

    def softmax(x: Any, dim: int) -> Any:
        buffer = known.setdefault(x.shape, torch.empty(x.shape, dtype=x.dtype))
        return buffer.copy_(right(x.detach(), dim))

    return softmax


def test_what_is_kept_by_address_is_a_side_effect() -> None:
    """Other numbers at the same address then get what belongs to those before."""
    known: dict[Any, Any] = {}

    def softmax(x: Any, dim: int) -> Any:
        return known.setdefault((x.data_ptr(), x.shape, dim), torch.softmax(x.detach(), dim)).clone()

    told = _check(softmax, grad=False)[1].reason
    assert told == "other numbers in the memory of input give another result than in memory of their own"


def test_what_a_call_leaves_for_the_backward_pass_of_another_is_a_side_effect() -> None:
    """The gradient is right where forward and backward passes take turns."""
    known: dict[Any, Any] = {}

    def softmax(x: Any, dim: int) -> Any:
        known["first"] = first = x.detach().flatten()[:1]
        return torch.softmax(changed_backward(x, lambda g: g * (first == known["first"])), dim)

    value, gradient, effects = _check(softmax)
    assert (value.status, gradient.status) == (Status.PASSED, Status.PASSED)
    told = "a call with other numbers between forward and backward pass changes the gradient"
    assert effects.reason == f"{told} in the backward pass"


class InOneBuffer(torch.autograd.Function):
    """Softmax that saves its result in a buffer that the next call of that shape overwrites."""

    known: ClassVar[dict[Any, Any]] = {}

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int) -> Any:
        """Softmax."""
        buffer = InOneBuffer.known.setdefault(x.shape, torch.empty(x.shape)).copy_(torch.softmax(x, dim))
        ctx.save_for_backward(buffer)
        ctx.dim = dim
        return buffer.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """As torch has it."""
        (saved,), (g,) = ctx.saved_tensors, upstream
        return saved * (g - (saved * g).sum(ctx.dim, keepdim=True)), None


def test_a_backward_pass_that_fails_after_another_call_is_a_side_effect() -> None:
    """It is right where forward and backward passes take turns, and a sum of two losses has no gradient."""
    value, gradient, effects = _check(InOneBuffer.apply)
    assert (value.status, gradient.status) == (Status.PASSED, Status.PASSED)
    told = (
        "a call with other numbers between forward and backward pass makes it fail (its backward pass raised"
    )
    assert effects.reason.startswith(told)


def test_a_result_buffer_that_is_used_again_is_a_side_effect() -> None:
    """The second call would overwrite what the first returned."""
    side_effects = _check(_into_one_buffer(torch.softmax), grad=False)[1]
    assert side_effects.reason == "the results of two calls lie in the same memory"


def test_a_gradient_buffer_that_is_used_again_is_a_side_effect() -> None:
    """As for results."""
    known: dict[Any, Any] = {}
    into = _back(lambda g: known.setdefault(g.shape, torch.empty_like(g)).copy_(g))
    assert _check(into)[2].reason == "the gradients of two calls lie in the same memory in the backward pass"


def test_a_turned_input_is_a_side_effect() -> None:
    """Its memory is as it was, its shape is not."""

    def turns(x: Any, dim: int) -> Any:
        result = torch.softmax(x, dim)
        x.t_()
        return result

    assert _check(turns, grad=False)[1].reason == "the call changes input"


class Counting(torch.nn.Module):
    """Softmax that counts its calls in a buffer."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, x: Any, dim: int) -> Any:
        """Softmax."""
        self.calls += 1
        return torch.softmax(x, dim)


def test_a_module_that_changes_its_buffers_is_told_so() -> None:
    """It is right otherwise."""
    results = _check(Counting())
    assert [v.reason for v in results] == ["", "", "the call changes the buffer calls"]
