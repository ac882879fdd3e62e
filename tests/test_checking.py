"""Checking: wrong candidates are refuted by small inputs, and torch's stable functions pass."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch.nn import functional

import verify
from verify.reproducer import got_of, run_script
from verify.verdict import Status, Verdict

pytestmark = pytest.mark.torch

Candidate = Callable[..., Any]
DTYPES = ("float32", "float64", "bfloat16", "float16")


class _Tampered(torch.autograd.Function):
    """Passes a tensor through and changes what flows back."""

    @staticmethod
    def forward(ctx: Any, x: Any, change: Any) -> Any:
        """The tensor itself."""
        ctx.change = change
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The changed gradient."""
        return ctx.change(upstream[0]), None


class _Ignoring(torch.autograd.Function):
    """Computes with a function and differentiates it with ones for the upstream gradient."""

    @staticmethod
    def forward(ctx: Any, x: Any, function: Any) -> Any:
        """The value of the function."""
        with torch.enable_grad():
            leaf = x.detach().requires_grad_()
            ctx.out = function(leaf)
        ctx.leaf = leaf
        return ctx.out.detach()

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The gradient of the sum."""
        return torch.autograd.grad(ctx.out, ctx.leaf, torch.ones_like(ctx.out), retain_graph=True)[0], None


RIGHT: dict[str, Candidate] = {
    "softmax": functional.softmax,
    "log_softmax": functional.log_softmax,
    "logsumexp": torch.logsumexp,
    "sigmoid": torch.sigmoid,
    "cross_entropy": functional.cross_entropy,
    "kl_div": functional.kl_div,
    "binary_cross_entropy_with_logits": functional.binary_cross_entropy_with_logits,
}


def gradient_times(change: Callable[[Any], Any]) -> Callable[[Candidate], Candidate]:
    """A right function whose gradient is changed."""

    def make(right: Candidate) -> Candidate:
        return lambda x, *rest, **options: right(_Tampered.apply(x, change), *rest, **options)

    return make


def upstream_ignored(right: Candidate) -> Candidate:
    """The gradient of the sum, whatever comes from above."""
    return lambda x, *rest, **options: _Ignoring.apply(x, lambda leaf: right(leaf, *rest, **options))


def one_entry_doubled(right: Candidate) -> Candidate:
    """The first entry of the result is counted twice."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        result = right(*arguments, **options)
        factor = torch.ones_like(result)
        factor.reshape(-1)[0] = 2
        return result * factor

    return wrong


def tail_dropped(right: Candidate) -> Candidate:
    """The last column is not read."""

    def wrong(x: Any, *rest: Any, **options: Any) -> Any:
        seen = torch.ones_like(x)
        seen[:, -1] = 0
        return right(x * seen, *rest, **options)

    return wrong


def in_half_precision(right: Candidate) -> Candidate:
    """Computes in 16 bits, whatever it is given."""

    def wrong(*arguments: Any, **options: Any) -> Any:
        half = [a.half() if a.is_floating_point() else a for a in arguments]
        options = {k: v.half() if isinstance(v, torch.Tensor) else v for k, v in options.items()}
        return right(*half, **options).to(arguments[0].dtype)

    return wrong


def changes_its_input(right: Candidate) -> Candidate:
    """Subtracts the maximum from the input in place."""

    def wrong(x: Any, *rest: Any, **options: Any) -> Any:
        y = x.detach()
        result = right(x, *rest, **options)
        y -= y.max() + 1
        return result

    return wrong


VALUE_FAULTS = {"entry doubled": one_entry_doubled, "tail": tail_dropped, "16 bits": in_half_precision}
GRADIENT_FAULTS = {
    "negated": gradient_times(lambda g: -g),
    "times 1.001": gradient_times(lambda g: g * 1.001),
    "zero": gradient_times(lambda g: g * 0),
    "upstream ignored": upstream_ignored,
}


def _verdict(candidate: Candidate, name: str, aspect: str, dtype: str = "float32", **how: Any) -> Verdict:
    results = verify.check(candidate, name, dtypes=(dtype,), grad=aspect == "gradient", **how)
    return next(v for v in results if f": {aspect} in" in v.subject)


def _entries(verdict: Verdict) -> int:
    """How many numbers the input of the counterexample has."""
    assert verdict.counterexample is not None
    return dict(verdict.counterexample.inputs)["input"].count(",") + 1


@pytest.mark.parametrize("fault", VALUE_FAULTS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_wrong_value_is_refuted(name: str, fault: str) -> None:
    """Doubled and dropped entries and 16-bit arithmetic are found in every operation."""
    assert _verdict(VALUE_FAULTS[fault](RIGHT[name]), name, "value", examples=16).status is Status.REFUTED


@pytest.mark.parametrize("fault", GRADIENT_FAULTS)
@pytest.mark.parametrize("name", RIGHT)
def test_a_wrong_gradient_is_refuted(name: str, fault: str) -> None:
    """Gradients that are negated, scaled, zero or blind to what comes from above are found."""
    right = logsumexp_by_softmax if name == "logsumexp" else RIGHT[name]
    verdict = _verdict(GRADIENT_FAULTS[fault](right), name, "gradient", examples=16)
    assert verdict.status is Status.REFUTED


@pytest.mark.parametrize("name", RIGHT)
def test_a_changed_input_is_refuted(name: str) -> None:
    """A function that overwrites its input is told so, though its result is right."""
    verdict = _verdict(changes_its_input(RIGHT[name]), name, "side effects", examples=16)
    assert verdict.reason == "the call changes input"


def stable_softmax(x: Any, dim: int) -> Any:
    """Softmax by its textbook algorithm."""
    e = torch.exp(x - x.amax(dim, keepdim=True).detach())
    return e / e.sum(dim, keepdim=True)


class _SoftmaxWithoutMean(torch.autograd.Function):
    """Softmax whose gradient leaves out the subtracted mean."""

    @staticmethod
    def forward(ctx: Any, x: Any, dim: int) -> Any:
        """Softmax."""
        s = torch.softmax(x, dim)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """Only the diagonal of the Jacobian's first term."""
        return ctx.saved_tensors[0] * upstream[0], None


def log_softmax_detached(x: Any, dim: int) -> Any:
    """The gradient lacks the softmax term."""
    return x - torch.logsumexp(x, dim, keepdim=True).detach() + 0 * functional.log_softmax(x, dim)


def logsumexp_by_softmax(x: Any, dim: int) -> Any:
    """A right value and a right gradient."""
    top = x.amax(dim, keepdim=True).detach().clamp(min=torch.finfo(x.dtype).min)
    return top.squeeze(dim) + torch.log(torch.exp(x - top).sum(dim))


def unshifted_softmax(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    return torch.exp(x) / torch.exp(x).sum(dim, keepdim=True)


def unshifted_log_softmax(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    return x - torch.log(torch.exp(x).sum(dim, keepdim=True))


def unshifted_logsumexp(x: Any, dim: int) -> Any:
    """No maximum is subtracted."""
    return torch.log(torch.exp(x).sum(dim))


def cross_entropy_of_the_next_label(x: Any, target: Any, **options: Any) -> Any:
    """Reads the next label."""
    return functional.cross_entropy(x, (target + 1) % x.shape[1], **options)


def cross_entropy_by_sum(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Sums where the mean is asked for."""
    return functional.cross_entropy(x, target, reduction="none" if reduction == "none" else "sum")


def cross_entropy_weighted_by_count(x: Any, target: Any, weight: Any = None, reduction: str = "mean") -> Any:
    """Divides by the number of rows where it should by their weight."""
    total = functional.cross_entropy(x, target, weight=weight, reduction="sum")
    return total / len(target) if reduction == "mean" else total


def cross_entropy_counting_ignored(
    x: Any, target: Any, ignore_index: int = -100, reduction: str = "mean"
) -> Any:
    """Divides by all rows, those ignored too."""
    losses = functional.cross_entropy(x, target, ignore_index=ignore_index, reduction="none")
    return losses.mean() if reduction == "mean" else losses if reduction == "none" else losses.sum()


def kl_div_by_mean(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Takes the mean over all entries for that over rows."""
    return functional.kl_div(x, target, reduction="mean" if reduction == "batchmean" else reduction)


def kl_div_with_epsilon(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Guards against log 0 with an epsilon."""
    losses = target * (torch.log(target + 1e-6) - x)
    return {"mean": losses.mean, "sum": losses.sum, "none": lambda: losses}.get(
        reduction, lambda: losses.sum() / len(x)
    )()


def bce_by_probability(z: Any, target: Any, reduction: str = "mean") -> Any:
    """Through the probability, which is 1 for a large logit."""
    return functional.binary_cross_entropy(torch.sigmoid(z), target, reduction=reduction)


def sigmoid_by_exp(z: Any) -> Any:
    """Overflows for a large logit."""
    return torch.exp(z) / (1 + torch.exp(z))


NAMED_FAULTS = (
    (lambda x, dim: _SoftmaxWithoutMean.apply(x, dim), "softmax", "gradient"),
    (log_softmax_detached, "log_softmax", "gradient"),
    (unshifted_softmax, "softmax", "value"),
    (unshifted_log_softmax, "log_softmax", "value"),
    (unshifted_logsumexp, "logsumexp", "value"),
    (cross_entropy_of_the_next_label, "cross_entropy", "value"),
    (cross_entropy_by_sum, "cross_entropy", "value"),
    (cross_entropy_weighted_by_count, "cross_entropy", "value"),
    (cross_entropy_counting_ignored, "cross_entropy", "value"),
    (kl_div_by_mean, "kl_div", "value"),
    (kl_div_with_epsilon, "kl_div", "value"),
    (bce_by_probability, "binary_cross_entropy_with_logits", "value"),
    (sigmoid_by_exp, "sigmoid", "value"),
)


@pytest.mark.parametrize(
    ("candidate", "name", "aspect"), NAMED_FAULTS, ids=[f"{f[0].__name__}-{f[1]}" for f in NAMED_FAULTS]
)
def test_a_known_mistake_is_refuted_by_a_small_input(candidate: Candidate, name: str, aspect: str) -> None:
    """The mistakes that people make are shown on at most two rows of four entries."""
    verdict = _verdict(candidate, name, aspect)
    assert verdict.status is Status.REFUTED
    assert _entries(verdict) <= 8


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sigmoid", "cross_entropy", "kl_div"])
def test_torch_passes_in_every_dtype(name: str, dtype: str) -> None:
    """Values, gradients and side effects of torch's stable functions are within their bounds.

    In float16 it sums the classes of label smoothing, and losses of many classes before they are averaged, in
    that format, which overflows, and multiplies the gradient of a mean by p before it divides by it
    (docs/operations.md).
    """
    single: dict[str, Any] = {
        "cross_entropy": {"label_smoothing": 0.0, "target": "indices"},
        "kl_div": {"reduction": ["sum", "none"]},
    }
    options = single.get(name, {}) if dtype == "float16" else {}
    results = verify.check(RIGHT[name], name, dtypes=(dtype,), examples=24, options=options)
    assert [verdict.reason for verdict in results if not verdict] == []


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_right_logsumexp_passes_in_every_dtype(dtype: str) -> None:
    """Differentiated through the shifted exponentials, the gradient is within the bound."""
    assert verify.check(logsumexp_by_softmax, "logsumexp", dtypes=(dtype,), examples=24).holds


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_torch_logsumexp_is_a_finding(dtype: str) -> None:
    """It is exp(x - y) with the rounded result y: the rounding of a large y is a relative error."""
    assert _verdict(torch.logsumexp, "logsumexp", "gradient", dtype).status is Status.REFUTED


def test_the_gradient_of_torch_logsumexp_has_a_witness() -> None:
    """Two equal logits of 64 in bfloat16 get shares of 0.605, where 1/2 is exact."""
    x = torch.tensor([64.0, 64.0], dtype=torch.bfloat16, requires_grad=True)
    torch.logsumexp(x, 0).backward()
    assert x.grad is not None
    assert x.grad.tolist() == [0.60546875, 0.60546875]


@pytest.mark.parametrize("dtype", DTYPES)
def test_torch_bce_with_logits_is_a_finding(dtype: str) -> None:
    """It cancels at target 0 and a negative logit."""
    name = "binary_cross_entropy_with_logits"
    assert _verdict(RIGHT[name], name, "value", dtype).status is Status.REFUTED


def test_torch_bce_with_logits_has_a_witness() -> None:
    """At logit -17 and target 0 float32 gives 0; exact is 4.14e-8."""
    loss = functional.binary_cross_entropy_with_logits(torch.tensor(-17.0), torch.tensor(0.0))
    assert loss.item() == 0.0


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_of_torch_bce_with_logits_passes(dtype: str) -> None:
    """It is sigmoid(z) - t, as the bound has it."""
    name = "binary_cross_entropy_with_logits"
    assert _verdict(RIGHT[name], name, "gradient", dtype, examples=24).status is Status.PASSED


def test_a_script_shows_the_finding() -> None:
    """The reproducer imports torch alone and prints the number of the counterexample."""
    verdict = _verdict(unshifted_log_softmax, "log_softmax", "value")
    assert verdict.counterexample is not None
    assert verdict.reproducer is not None
    assert [repr(x) for x in got_of(run_script(verdict.reproducer))] == [verdict.counterexample.got]


def _by_comparison(input: Any, target: Any, reduction: str = "mean") -> Any:
    """A loss of labels alone, in rows of classes."""
    hot = torch.arange(input.shape[1]) == target.reshape(-1)[:, None]
    losses = -torch.where(hot, torch.log_softmax(input, 1), 0).sum(1)
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def test_a_loss_of_labels_that_fits_probabilities_in_one_row_is_not_held_to_them() -> None:
    """The comparison with class numbers takes a single row of probabilities without complaint."""
    for verdict in verify.check(_by_comparison, "cross_entropy", examples=20, options={"axes": 2}):
        assert verdict.status is not Status.REFUTED, verdict.reason


def _offset_before_the_shift(x: Any, dim: int) -> Any:
    """Powers of two of scaled logits less their scaled maximum."""
    bits = x * 1.4426950408889634
    e = torch.exp2(bits - bits.amax(dim, keepdim=True))
    return e / e.sum(dim, keepdim=True)


def test_scaling_before_the_maximum_is_subtracted_is_refuted() -> None:
    """It rounds what all logits have in common, which the arithmetic of GPU kernels does not excuse."""
    (value, *_) = verify.check(_offset_before_the_shift, "softmax", grad=False)
    assert value.status is Status.REFUTED


def test_a_gradient_without_a_call_in_the_domain_is_not_looked_for() -> None:
    """Where a label is ignored targets are labels, which have no gradient."""
    results = verify.check(
        functional.cross_entropy, "cross_entropy", options={"ignore_index": -100}, examples=2
    )
    assert [v.subject for v in results if "gradient of target" in v.subject] == []


def _mean_over_all_rows(input: Any, target: Any, ignore_index: int = -100, reduction: str = "mean") -> Any:
    """The mean divides by the number of all rows."""
    losses = functional.cross_entropy(input, target, ignore_index=ignore_index, reduction="none")
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


@pytest.mark.parametrize("seed", range(4))
def test_each_option_is_tried_however_few_examples_are_asked_for(seed: int) -> None:
    """Four examples find a divisor that counts the ignored rows."""
    options = {"axes": 2, "target": "indices"}
    (value, *_) = verify.check(
        _mean_over_all_rows, "cross_entropy", options=options, examples=4, seed=seed, grad=False
    )
    assert value.status is Status.REFUTED


def _lowest_is_infinite(x: Any, dim: int) -> Any:
    """The format's lowest number, which masks are made with, is taken for -inf."""
    masked = x.masked_fill(x == torch.finfo(x.dtype).min, -float("inf"))
    return torch.softmax(masked, dim)


@pytest.mark.parametrize("seed", range(3))
def test_a_row_masked_by_the_lowest_number_is_drawn(seed: int) -> None:
    """Its softmax is uniform, and not nan."""
    verdict = verify.check(_lowest_is_infinite, "softmax", grad=False, seed=seed)[0]
    assert verdict.status is Status.REFUTED
    assert verdict.counterexample is not None
    assert verdict.counterexample.got == "nan"


def _soft_loss_that_masks(input: Any, target: Any, reduction: str = "mean") -> Any:
    """Class probabilities, of which those that are 0 count for nothing where the score is -inf."""
    scores = torch.log_softmax(input, 0 if input.ndim == 1 else 1)
    shares = torch.where((target == 0) & scores.isinf(), 0, target * scores)
    losses = -shares.sum(0 if input.ndim == 1 else 1)
    return {"none": lambda: losses, "sum": losses.sum, "mean": losses.mean}[reduction]()


def test_a_derivative_that_is_infinite_where_scores_are_masked_is_not_asked_for() -> None:
    """By a probability of 0 of a class whose score is -inf, where no implementation has it."""
    options = {"target": ["probabilities", "shares"]}
    for verdict in verify.check(_soft_loss_that_masks, "cross_entropy", options=options, examples=60):
        assert verdict.status is not Status.REFUTED, verdict.reason


def _softmax_of_whole_vectors(x: Any, dim: int) -> Any:
    """Rows wider than 512 lose the entries behind the last four."""
    width = x.shape[dim] // 4 * 4 if x.shape[dim] > 512 else x.shape[dim]
    part = x.narrow(dim, 0, width)
    return torch.exp(x - torch.logsumexp(part, dim, keepdim=True))


def test_a_wide_finding_in_float64_is_as_narrow_as_the_tables_have_it() -> None:
    """Found in a table of 50,257 columns, shown in one of 513, or in what is left of another."""
    verdict = verify.check(_softmax_of_whole_vectors, "softmax", dtypes=("float64",), grad=False)[0]
    assert verdict.status is Status.REFUTED
    assert _entries(verdict) <= 2200
