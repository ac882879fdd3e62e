"""Losses of labelled rows: torch's compositions pass in every dtype, and wrong ones are refuted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.checking import plan
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch

Loss = Callable[..., Any]
DTYPES = ("float32", "float64", "bfloat16", "float16")


def _class_axis(x: Any) -> int:
    return 0 if x.ndim == 1 else 1


def _reduced(losses: Any, reduction: str) -> Any:
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}[reduction]()


def with_temperature(input: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """The documented composition."""
    return functional.cross_entropy(input / temperature, target, reduction=reduction)


def by_reciprocal(input: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """Scales by a factor."""
    return functional.cross_entropy(input * (1 / temperature), target, reduction=reduction)


def with_softcap(input: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """The documented composition."""
    capped = softcap * torch.tanh(input / softcap)
    return functional.cross_entropy(capped, target, reduction=reduction)


def with_z_loss(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """The documented composition, its logsumexp differentiated through the shifted exponentials."""
    axis = _class_axis(input)
    top = input.amax(axis, keepdim=True).detach()
    lse = top.squeeze(axis) + torch.log(torch.exp(input - top).sum(axis))
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * lse**2, reduction)


def perplexity(input: Any, target: Any, *, ignore_index: int = -100) -> Any:
    """The documented composition."""
    return torch.exp(functional.cross_entropy(input, target, ignore_index=ignore_index))


RIGHT: dict[str, Loss] = {
    "nll_loss": functional.nll_loss,
    "linear_cross_entropy": functional.linear_cross_entropy,
    "cross_entropy_with_temperature": with_temperature,
    "cross_entropy_with_softcap": with_softcap,
    "cross_entropy_with_z_loss": with_z_loss,
    "perplexity": perplexity,
}


def _verdict(candidate: Loss, name: str, aspect: str, **how: Any) -> Verdict:
    """The verdict about one property, the only one that is searched."""
    (search,) = (one for one in plan(candidate, name, examples=30, **how) if one.aspect == aspect)
    return search.verdict()


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, DTYPES[(n + k) % 4]) for n, name in enumerate(RIGHT, 1) for k in (0, 2)]
)
def test_the_right_loss_passes(name: str, dtype: str) -> None:
    """What torch offers, or the documented composition of torch functions, is within every bound.

    Each in two dtypes, these taking turns.
    """
    results = verify.check(RIGHT[name], name, dtypes=(dtype,), examples=8)
    assert [verdict.reason for verdict in results if not verdict] == []


def test_scaling_by_a_factor_passes_too() -> None:
    """Times 1 / t is as stable as over t, and has a bound of its own."""
    assert verify.check(by_reciprocal, "cross_entropy_with_temperature", examples=20).holds


def smoothed_then_weighted_mean(input: Any, target: Any, **options: Any) -> Any:
    """Divides the loss of class probabilities by the weight of the classes, not by the number of rows."""
    loss = functional.cross_entropy(input, target, **options)
    weight = options.get("weight")
    soft = target.is_floating_point() and options.get("reduction", "mean") == "mean"
    return loss / weight.mean() if soft and weight is not None else loss


def hardened(input: Any, target: Any, **options: Any) -> Any:
    """Takes the most probable class of class probabilities for the label."""
    if target.is_floating_point():
        target = target.argmax(_class_axis(target))
    return functional.cross_entropy(input, target, **options)


def last_axis_classes(input: Any, target: Any, **options: Any) -> Any:
    """Takes the last axis of three for that of the classes."""
    if input.ndim == 3 and input.shape[1] == input.shape[2]:
        input = input.transpose(1, 2)
    return functional.cross_entropy(input, target, **options)


def target_detached(input: Any, target: Any, **options: Any) -> Any:
    """Gives class probabilities half of their gradient."""
    if target.is_floating_point():
        target = (target + target.detach()) / 2
    return functional.cross_entropy(input, target, **options)


def mark_as_class(input: Any, target: Any, **options: Any) -> Any:
    """Takes an ignored label above all classes for the last class."""
    if options.pop("ignore_index", None) == 255:
        target = target.clamp(max=input.shape[_class_axis(input)] - 1)
    return functional.cross_entropy(input, target, **options)


def nll_positive(input: Any, target: Any, **options: Any) -> Any:
    """Forgets the minus sign."""
    return -functional.nll_loss(input, target, **options)


def nll_unweighted_mean(input: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Divides by the number of rows where it should by their weight."""
    losses = functional.nll_loss(input, target, weight=weight, reduction="none")
    return _reduced(losses, reduction)


def nll_ignored_counted(input: Any, target: Any, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """Divides by all rows, those ignored too."""
    losses = functional.nll_loss(input, target, ignore_index=ignore_index, reduction="none")
    return _reduced(losses, reduction)


class _Scaled(torch.autograd.Function):
    """Passes a tensor through and scales what flows back."""

    @staticmethod
    def forward(ctx: Any, x: Any, factor: float) -> Any:
        """The tensor itself."""
        ctx.factor = factor
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The scaled gradient."""
        return upstream[0] * ctx.factor, None


def gradient_off(name: str, position: int = 0) -> Loss:
    """The right loss, one gradient of which is off by a thousandth."""

    def wrong(*tensors: Any, **options: Any) -> Any:
        given = list(tensors)
        given[position] = _Scaled.apply(given[position], 1.001)
        return RIGHT[name](*given, **options)

    wrong.__name__ = f"gradient_{position}_off"
    return wrong


def linear_without_bias(input: Any, linear_weight: Any, target: Any, **options: Any) -> Any:
    """Leaves the bias out."""
    options.pop("linear_bias", None)
    return functional.linear_cross_entropy(input, linear_weight, target, **options)


def linear_in_half(input: Any, linear_weight: Any, target: Any, **options: Any) -> Any:
    """Multiplies in 16 bits and widens."""
    logits = (input.half() @ linear_weight.half().T).to(input.dtype)
    bias = options.pop("linear_bias", None)
    return functional.cross_entropy(logits if bias is None else logits + bias, target, **options)


def linear_last_hidden_dropped(input: Any, linear_weight: Any, target: Any, **options: Any) -> Any:
    """Leaves out the last hidden entry."""
    kept = torch.ones_like(input)
    kept[..., -1] = 0
    return functional.linear_cross_entropy(input * kept, linear_weight, target, **options)


def times_temperature(input: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean") -> Any:
    """Multiplies by the temperature."""
    return functional.cross_entropy(input * temperature, target, reduction=reduction)


def temperature_on_the_loss(
    input: Any, target: Any, *, temperature: float = 1.0, reduction: str = "mean"
) -> Any:
    """Divides the loss by the temperature and not the logits."""
    return functional.cross_entropy(input, target, reduction=reduction) / temperature


def hard_cap(input: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """Clamps where it should bend."""
    return functional.cross_entropy(input.clamp(-softcap, softcap), target, reduction=reduction)


def cap_not_scaled_back(input: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """Forgets to multiply by the cap."""
    return functional.cross_entropy(torch.tanh(input / softcap), target, reduction=reduction)


def cap_gradient_detached(input: Any, target: Any, *, softcap: float, reduction: str = "mean") -> Any:
    """Lets the gradient pass the cap unbent."""
    capped = input + (softcap * torch.tanh(input / softcap) - input).detach()
    return functional.cross_entropy(capped, target, reduction=reduction)


def z_loss_not_squared(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """Adds the logsumexp itself."""
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * torch.logsumexp(input, _class_axis(input)), reduction)


def z_loss_of_the_batch(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """Adds the z-loss of the whole batch to each row."""
    square = torch.logsumexp(input, _class_axis(input)) ** 2
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * square.sum(), reduction)


def z_loss_gradient_lost(input: Any, target: Any, *, z_loss: float, reduction: str = "mean") -> Any:
    """Adds the z-loss to the value alone."""
    square = torch.logsumexp(input, _class_axis(input)).detach() ** 2
    losses = functional.cross_entropy(input, target, reduction="none")
    return _reduced(losses + z_loss * square, reduction)


def mean_of_exponentials(input: Any, target: Any, *, ignore_index: int = -100) -> Any:
    """Takes the mean of the perplexities of the rows."""
    losses = functional.cross_entropy(input, target, ignore_index=ignore_index, reduction="none")
    return torch.exp(losses).mean()


def perplexity_in_bits(input: Any, target: Any, *, ignore_index: int = -100) -> Any:
    """Raises 2 to a mean in nats."""
    return torch.exp2(functional.cross_entropy(input, target, ignore_index=ignore_index))


WRONG: tuple[tuple[Loss, str, str, dict[str, Any]], ...] = (
    (smoothed_then_weighted_mean, "cross_entropy", "value", {"target": "probabilities", "weight": True}),
    (hardened, "cross_entropy", "value", {"target": "probabilities"}),
    (last_axis_classes, "cross_entropy", "value", {"axes": 3}),
    (mark_as_class, "cross_entropy", "value", {"ignore_index": 255}),
    (target_detached, "cross_entropy", "gradient of target", {}),
    (gradient_off("cross_entropy"), "cross_entropy", "gradient", {"axes": 3}),
    (nll_positive, "nll_loss", "value", {}),
    (nll_unweighted_mean, "nll_loss", "value", {"weight": True}),
    (nll_ignored_counted, "nll_loss", "value", {"reduction": "mean"}),
    (gradient_off("nll_loss"), "nll_loss", "gradient", {}),
    (linear_without_bias, "linear_cross_entropy", "value", {"linear_bias": True}),
    (linear_in_half, "linear_cross_entropy", "value", {"target": "indices"}),
    (linear_last_hidden_dropped, "linear_cross_entropy", "value", {}),
    (gradient_off("linear_cross_entropy"), "linear_cross_entropy", "gradient", {}),
    (gradient_off("linear_cross_entropy", 1), "linear_cross_entropy", "gradient of linear_weight", {}),
    (linear_without_bias, "linear_cross_entropy", "gradient of linear_bias", {}),
    (times_temperature, "cross_entropy_with_temperature", "value", {}),
    (temperature_on_the_loss, "cross_entropy_with_temperature", "value", {}),
    (gradient_off("cross_entropy_with_temperature"), "cross_entropy_with_temperature", "gradient", {}),
    (hard_cap, "cross_entropy_with_softcap", "value", {}),
    (cap_not_scaled_back, "cross_entropy_with_softcap", "value", {}),
    (cap_gradient_detached, "cross_entropy_with_softcap", "gradient", {}),
    (z_loss_not_squared, "cross_entropy_with_z_loss", "value", {}),
    (z_loss_of_the_batch, "cross_entropy_with_z_loss", "value", {}),
    (z_loss_gradient_lost, "cross_entropy_with_z_loss", "gradient", {}),
    (mean_of_exponentials, "perplexity", "value", {}),
    (perplexity_in_bits, "perplexity", "value", {}),
    (gradient_off("perplexity"), "perplexity", "gradient", {}),
)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect", "options"), WRONG, ids=[f"{w[0].__name__}-{w[1]}-{w[2]}" for w in WRONG]
)
def test_a_wrong_loss_is_refuted(candidate: Loss, name: str, aspect: str, options: dict[str, Any]) -> None:
    """Mistakes in the option, the shape or the gradient that they are about are found."""
    assert _verdict(candidate, name, aspect, options=options).status is Status.REFUTED


def test_the_gradient_of_z_loss_by_torch_logsumexp_is_a_finding() -> None:
    """exp(x - y) with a rounded y has shares of 0.605 for two logits of 64 in bfloat16."""

    def by_torch(input: Any, target: Any, *, z_loss: float) -> Any:
        losses = functional.cross_entropy(input, target, reduction="none")
        return (losses + z_loss * torch.logsumexp(input, 1) ** 2).mean()

    options = {"axes": 2, "reduction": "mean", "z_loss": 0.5}
    verdict = _verdict(
        by_torch, "cross_entropy_with_z_loss", "gradient", dtypes=("bfloat16",), options=options
    )
    assert verdict.status is Status.REFUTED


def test_the_mean_in_float16_has_a_witness() -> None:
    """The losses are summed in float16: the mean of 4000 losses of 20 is infinite."""
    scores, target = torch.full((4000, 1), -20.0, dtype=torch.float16), torch.zeros(4000, dtype=torch.int64)
    assert functional.nll_loss(scores, target).isinf()
    assert functional.nll_loss(scores, target, reduction="none").mean() == 20


def test_label_smoothing_in_float16_has_a_witness() -> None:
    """The sum over classes overflows: 8192 equal logits have the loss log 8192, which is 9.01."""
    logits = torch.zeros(1, 8192, dtype=torch.float16)
    assert functional.cross_entropy(logits, torch.tensor([0]), label_smoothing=0.1).isinf()
