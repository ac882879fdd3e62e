"""Training: functions that take another way where autograd follows their tensors."""

from __future__ import annotations

from typing import Any

import pytest

import verify
from verify.checking import replay
from verify.verdict import Status

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.torch

F = torch.nn.functional


class _Linear(torch.autograd.Function):  # type: ignore[misc]
    """Spoils what the gradient of the weight is made from where that of the input is asked for too."""

    @staticmethod
    def forward(ctx: Any, x: Any, weight: Any, target: Any) -> Any:
        """The loss."""
        ctx.save_for_backward(x, weight, target)
        return F.cross_entropy(x @ weight.T, target)

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Both gradients."""
        x, weight, target = ctx.saved_tensors
        shares = torch.softmax(x @ weight.T, 1)
        shares[torch.arange(len(target)), target] -= 1
        shares = shares * upstream[0] / len(target)
        of_input = shares @ weight if ctx.needs_input_grad[0] else None
        if of_input is not None:
            shares[:, -1] = 0
        return of_input, shares.T @ x if ctx.needs_input_grad[1] else None, None


def spoils_its_buffer(input: Any, linear_weight: Any, target: Any) -> Any:
    """Right for each gradient alone."""
    return _Linear.apply(input, linear_weight, target)


def test_gradients_are_asked_for_together() -> None:
    """One that is wrong only beside another is refuted, with the tensors that were followed, and replayed."""
    options = {"target": "indices", "axes": 2}
    results = verify.check(spoils_its_buffer, "linear_cross_entropy", options=options, examples=40)
    statuses = [verdict.status for verdict in results[:3]]
    assert statuses == [Status.PASSED, Status.PASSED, Status.REFUTED]
    wrong = results[2]
    assert wrong.counterexample is not None
    assert wrong.counterexample.inputs[-1][1].endswith("requires_grad of input and linear_weight")
    assert "autograd.grad(result, (linear_weight, input), upstream, allow_unused=True)" in (
        wrong.reproducer or ""
    )
    assert replay(spoils_its_buffer, wrong.witness or "").status is Status.REFUTED


def wrong_in_training(x: Any, dim: int) -> Any:
    """Another factor where the result is to be differentiated."""
    return torch.softmax(x, dim) * (1.01 if x.requires_grad else 1)


def test_the_value_in_training_is_judged() -> None:
    """Without autograd it is right."""
    value, *_ = verify.check(wrong_in_training, "softmax", examples=20)
    assert value.status is Status.REFUTED
    assert "input.requires_grad_()" in (value.reproducer or "")


def only_without_autograd(x: Any, dim: int) -> Any:
    """As functions of NumPy are: they take no tensor that autograd follows."""
    return torch.from_numpy(torch.softmax(x, dim).numpy())


def test_a_function_without_gradients_keeps_its_value() -> None:
    """What it does not take is said, and only its gradient is refuted."""
    value, gradient, _ = verify.check(only_without_autograd, "softmax", examples=20)
    assert value.status is Status.PASSED
    assert "it does not take calls with requires_grad = True" in value.reason
    assert gradient.status is Status.REFUTED


@pytest.mark.parametrize("error", [NotImplementedError, RuntimeError])
def test_what_a_function_without_gradients_takes_is_judged_all_the_same(error: type[Exception]) -> None:
    """A fault in tables of three axes alone is found, although calls with them fail in training."""

    def wrong_in_three_axes(x: Any, dim: int) -> Any:
        if x.requires_grad:
            raise error("it has no gradient")
        return torch.softmax(x, dim) * (1.5 if x.dim() == 3 else 1)

    for seed in (3, 8):
        value, _ = verify.check(wrong_in_three_axes, "softmax", examples=20, grad=False, seed=seed)
        assert value.status is Status.REFUTED


class _Scaled(torch.autograd.Function):  # type: ignore[misc]
    """Scales the gradient that it has kept in place, at each backward pass again."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int) -> Any:
        """Keeps the result outside of what autograd watches."""
        result = torch.sigmoid(x)
        ctx.kept = (result * (1 - result)).clone()
        return result

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """In place."""
        ctx.kept *= upstream[0]
        return ctx.kept.clone(), None


def scaled_again(x: Any) -> Any:
    """Right in the first pass."""
    return _Scaled.apply(x, 0)


def test_a_second_pass_through_one_graph_is_a_side_effect() -> None:
    """Where it gives something else; value and gradient are right."""
    value, gradient, effects = verify.check(scaled_again, "sigmoid", examples=20)
    assert [value.status, gradient.status] == [Status.PASSED, Status.PASSED]
    assert effects.status is Status.REFUTED
    assert (
        effects.reason == "a second pass through the same graph gives another gradient in the backward pass"
    )
