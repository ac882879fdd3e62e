"""What the acceptance rows of public test suites let pass: the table of docs/audit.md.

Each row is written anew from what its file publishes: shapes, distribution of the inputs, tolerances and how
they are applied. The correct result is torch's, computed in float32 for 16-bit inputs where the suite does
so. Nothing of a suite is copied or imported. Where a table has fewer rows than in the suite, the row says so:
a mean over fewer rows has larger gradients, so that the row lets less pass than that of the suite.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.nn import functional

Implementation = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Row:
    """One acceptance row: whose it is, where it is published, what it decides by and on which inputs."""

    id: str
    suite: str
    source: str
    decides: str
    inputs: str
    operation: str
    test: Callable[[Implementation], None]


ROWS: list[Row] = []


def _row(id: str, suite: str, source: str, decides: str, inputs: str, operation: str) -> Any:
    def entered(test: Callable[[Implementation], None]) -> Callable[[Implementation], None]:
        ROWS.append(Row(id, suite, source, decides, inputs, operation, test))
        return test

    return entered


def _close(actual: Any, expected: Any, atol: float, rtol: float) -> None:
    """|actual - expected| <= atol + rtol |expected|, for every entry."""
    assert actual.shape == expected.shape
    assert bool(((actual - expected).abs() <= atol + rtol * expected.abs()).all()), "not close"


def _pair(x: Any) -> tuple[Any, Any]:
    return x.clone().requires_grad_(), x.clone().requires_grad_()


@_row(
    "assert_close-cross_entropy",
    "torch `assert_close`, defaults",
    "pytorch/pytorch `torch/testing/_comparison.py`",
    "float32 rtol 1.3e-6, atol 1e-5",
    "mean loss of randn(131072, 16), value and gradient",
    "cross_entropy",
)
def assert_close_of_cross_entropy(loss: Implementation) -> None:
    """The default tolerances on a mean over many tokens."""
    mine, theirs = _pair(torch.randn(131072, 16))
    labels = torch.randint(0, 16, (131072,))
    got, expected = loss(mine, labels), functional.cross_entropy(theirs, labels)
    torch.testing.assert_close(got, expected)
    got.backward()
    expected.backward()
    torch.testing.assert_close(mine.grad, theirs.grad)


@_row(
    "gradcheck-log_softmax",
    "torch `gradcheck`, defaults",
    "pytorch/pytorch `torch/autograd/gradcheck.py`",
    "float64, central differences of 1e-6, atol 1e-5, rtol 1e-3",
    "log_softmax of randn(4, 8)",
    "log_softmax",
)
def gradcheck_of_log_softmax(log_softmax: Implementation) -> None:
    """The Jacobian against differences, with the defaults."""
    x = torch.randn(4, 8, dtype=torch.float64, requires_grad=True)
    torch.autograd.gradcheck(lambda x: log_softmax(x, dim=1), (x,))


@_row(
    "gradcheck-cross_entropy",
    "torch `gradcheck`, defaults",
    "pytorch/pytorch `torch/autograd/gradcheck.py`",
    "float64, central differences of 1e-6, atol 1e-5, rtol 1e-3",
    "mean loss of randn(4, 8)",
    "cross_entropy",
)
def gradcheck_of_cross_entropy(loss: Implementation) -> None:
    """The Jacobian against differences, with the defaults."""
    x = torch.randn(4, 8, dtype=torch.float64, requires_grad=True)
    labels = torch.randint(0, 8, (4,))
    torch.autograd.gradcheck(lambda x: loss(x, labels), (x,))


def _numpy_close(actual: Any, expected: Any, tolerance: float) -> None:
    """As JAX compares: both tolerances multiplied by the number of entries."""
    _close(actual, expected, tolerance * actual.numel(), tolerance * expected.numel())


def _tangent(result: Any, x: Any, direction: Any) -> Any:
    """The derivative in a direction, from the vector-Jacobian product, which is linear in what flows in."""
    upstream = torch.randn_like(result).requires_grad_()
    (back,) = torch.autograd.grad(result, x, upstream, create_graph=True)
    if not back.requires_grad:
        return torch.zeros_like(result)
    return torch.autograd.grad(back, upstream, direction, materialize_grads=True)[0]


def _difference(function: Implementation, x: Any, direction: Any, eps: float = 1e-4) -> Any:
    """Central differences of 1e-4 in a direction."""
    with torch.no_grad():
        return (function(x + eps * direction) - function(x - eps * direction)) * (0.5 / eps)


def _check_grads(function: Implementation, x: Any, modes: tuple[str, ...], tolerance: float = 2e-3) -> None:
    """The rule of JAX's check_grads of order 1: one direction, and tolerances times the number of entries."""
    x = x.requires_grad_()
    result, direction = function(x), torch.randn_like(x)
    differences = _difference(function, x.detach(), direction)
    if "fwd" in modes:
        _numpy_close(_tangent(result, x, direction), differences, tolerance)
    if "rev" in modes:
        upstream = torch.randn_like(result)
        (back,) = torch.autograd.grad(result, x, upstream)
        _numpy_close((direction * back).sum(), (differences * upstream).sum(), tolerance)


@_row(
    "check_grads-fwd",
    "JAX `check_grads`, order 1, modes fwd",
    "jax-ml/jax `jax/_src/public_test_util.py`",
    "float32 differences of 1e-4 in one direction, atol and rtol 2e-3 times the number of entries",
    "log_softmax of randn(8, 128)",
    "log_softmax",
)
def check_grads_forward(log_softmax: Implementation) -> None:
    """The tangent in one direction, its tolerances multiplied by 1024."""
    _check_grads(lambda x: log_softmax(x, dim=1), torch.randn(8, 128), ("fwd",))


@_row(
    "check_grads-rev",
    "JAX `check_grads`, order 1, modes rev",
    "jax-ml/jax `jax/_src/public_test_util.py`",
    "float32 differences of 1e-4, one inner product, atol and rtol 2e-3",
    "mean loss of randn(32, 1000)",
    "cross_entropy",
)
def check_grads_reverse(loss: Implementation) -> None:
    """One inner product of a cotangent."""
    labels = torch.randint(0, 1000, (32,))
    _check_grads(lambda x: loss(x, labels), torch.randn(32, 1000), ("rev",))


def _liger(loss: Implementation, dtype: Any, atol: float, rtol: float, reduction: str) -> None:
    rows, classes = 64, 32000
    mine, theirs = _pair(torch.randn(rows, classes, dtype=dtype))
    labels = torch.randint(0, classes, (rows,))
    got = loss(mine, labels, reduction=reduction)
    expected = functional.cross_entropy(theirs, labels, reduction=reduction)
    _close(expected, got, atol, rtol)
    got.backward()
    expected.backward()
    _close(theirs.grad, mine.grad, atol, rtol)


@_row(
    "liger-cross_entropy-float32",
    "Liger-Kernel, cross-entropy, float32 mean",
    "linkedin/Liger-Kernel `test/transformers/test_cross_entropy.py`",
    "atol 1e-8, rtol 1e-6 of the tested result",
    "randn(64, 32000), in the suite 1269 rows",
    "cross_entropy",
)
def liger_float32(loss: Implementation) -> None:
    """test_correctness in float32."""
    _liger(loss, torch.float32, 1e-8, 1e-6, "mean")


@_row(
    "liger-cross_entropy-bfloat16",
    "Liger-Kernel, cross-entropy, bfloat16 mean",
    "linkedin/Liger-Kernel `test/transformers/test_cross_entropy.py`",
    "atol 1e-8, rtol 5e-2 of the tested result",
    "randn(64, 32000), in the suite 1269 rows",
    "cross_entropy",
)
def liger_bfloat16(loss: Implementation) -> None:
    """test_correctness in bfloat16."""
    _liger(loss, torch.bfloat16, 1e-8, 5e-2, "mean")


@_row(
    "liger-linear-bfloat16",
    "Liger-Kernel, fused linear cross-entropy, bfloat16 mean",
    "linkedin/Liger-Kernel `test/transformers/test_fused_linear_cross_entropy.py`, `test/utils.py`",
    "atol 5e-3, rtol 5e-2 of the tested result; loss and both gradients",
    "randn(8, 512), weights rand(512, 512)",
    "linear_cross_entropy",
)
def liger_linear(loss: Implementation) -> None:
    """test_correctness of shape (2, 4, 512, 512) without bias."""
    weight, x = torch.rand(512, 512, dtype=torch.bfloat16), torch.randn(8, 512, dtype=torch.bfloat16)
    labels = torch.randint(0, 512, (8,))
    results = []
    for function in (_logits_then_loss, loss):
        hidden, table = x.clone().requires_grad_(), weight.clone().requires_grad_()
        result = function(hidden, table, labels)
        result.backward()
        results.append((result, hidden.grad, table.grad))
    for expected, got in zip(*results, strict=True):
        _close(expected, got, 5e-3, 5e-2)


def _logits_then_loss(hidden: Any, weight: Any, labels: Any) -> Any:
    return functional.cross_entropy(hidden @ weight.T, labels)


def _flash(loss: Implementation, dtype: Any, atol: float, rtol: float, smoothing: float) -> None:
    rows, classes = 128, 50257
    mine, theirs = _pair(torch.randn(rows, classes, dtype=dtype))
    labels = torch.randint(0, classes, (rows,))
    labels[torch.randperm(rows)[:10]] = -100
    got = loss(mine.float(), labels, label_smoothing=smoothing)
    expected = functional.cross_entropy(theirs.float(), labels, label_smoothing=smoothing)
    _close(got, expected, 1e-6, 1e-5)
    upstream = torch.randn_like(expected)
    got.backward(upstream)
    expected.backward(upstream)
    _close(mine.grad, theirs.grad, atol, rtol)


@_row(
    "flash-attention-float32",
    "flash-attention, cross-entropy, float32",
    "Dao-AILab/flash-attention `tests/losses/test_cross_entropy.py`",
    "loss rtol 1e-5, atol 1e-6; gradient the same",
    "randn(128, 50257), in the suite 1024 rows; 10 rows ignored",
    "cross_entropy",
)
def flash_float32(loss: Implementation) -> None:
    """test_cross_entropy_loss in float32 without smoothing."""
    _flash(loss, torch.float32, 1e-6, 1e-5, 0.0)


@_row(
    "flash-attention-bfloat16",
    "flash-attention, cross-entropy, bfloat16, smoothing 0.9",
    "Dao-AILab/flash-attention `tests/losses/test_cross_entropy.py`",
    "loss rtol 1e-5, atol 1e-6; gradient rtol 1e-3, atol 1e-4",
    "randn(128, 50257), in the suite 1024 rows; 10 rows ignored; computed in float32, gradient in bfloat16",
    "cross_entropy",
)
def flash_bfloat16(loss: Implementation) -> None:
    """test_cross_entropy_loss in bfloat16 with smoothing."""
    _flash(loss, torch.bfloat16, 1e-4, 1e-3, 0.9)


@_row(
    "cut-cross-entropy",
    "cut-cross-entropy, backward, bfloat16",
    "apple/ml-cross-entropy `tests/test_cce_loss_backward.py`",
    "error <= error of the eager bfloat16 loss + 1e-2, both gradients",
    "randn(256, 128) / sqrt(128), weights randn(512, 128) of which 128 rows are inputs",
    "linear_cross_entropy",
)
def cut_cross_entropy(loss: Implementation) -> None:
    """test_loss_backward of shape (256, 512, 128), reduction mean, no bias, cap, shift or invalid labels."""
    hidden = torch.randn(256, 128, dtype=torch.bfloat16) / 128**0.5
    weight = torch.randn(512, 128, dtype=torch.bfloat16)
    weight[:128] = hidden[:128]
    labels = torch.randint(0, 512, (256,))

    def single(h: Any, w: Any, y: Any) -> Any:
        return functional.cross_entropy(h.float() @ w.float().T, y)

    def eager(h: Any, w: Any, y: Any) -> Any:
        return functional.cross_entropy((h @ w.T).float(), y)

    gradients = []
    for function in (single, eager, loss):
        h, w = hidden.clone().requires_grad_(), weight.clone().requires_grad_()
        gradients.append(torch.autograd.grad(function(h, w, labels), (h, w)))
    for truth, plain, got in zip(*gradients, strict=True):
        assert bool(((truth - got).abs() <= (truth - plain).abs() + 1e-2).all()), "worse than eager"


@_row(
    "quack-softmax",
    "quack, softmax, float32",
    "Dao-AILab/quack `tests/test_softmax.py`",
    "atol 1e-4, rtol 1e-4; rows sum to 1 within 1e-4; entries in 0..1",
    "0.1 randn(8, 32768), in the suite 37 rows; randn upstream",
    "softmax",
)
def quack_softmax(softmax: Implementation) -> None:
    """test_softmax at N = 32768, M = 8."""
    mine, theirs = _pair(0.1 * torch.randn(8, 32768))
    got, expected = softmax(mine, dim=-1), torch.softmax(theirs, -1)
    _close(got, expected, 1e-4, 1e-4)
    _close(got.sum(-1), torch.ones(8), 1e-4, 1e-4)
    assert bool(((got >= 0) & (got <= 1)).all())
    upstream = torch.randn_like(got)
    (back,) = torch.autograd.grad(got, mine, upstream)
    _close(back, torch.autograd.grad(expected, theirs, upstream)[0], 1e-4, 1e-4)


@_row(
    "quack-cross_entropy",
    "quack, cross-entropy, float32",
    "Dao-AILab/quack `tests/test_cross_entropy.py`",
    "atol 5e-5, rtol 1e-5; losses not negative",
    "0.1 randn(8, 128256), in the suite 77 rows; randn upstream, reduction none",
    "cross_entropy",
)
def quack_cross_entropy(loss: Implementation) -> None:
    """test_cross_entropy at N = 128256, M = 8."""
    mine, theirs = _pair(0.1 * torch.randn(8, 128256))
    labels = torch.randint(0, 128256, (8,))
    got = loss(mine, labels, reduction="none")
    expected = functional.cross_entropy(theirs, labels, reduction="none")
    _close(got, expected, 5e-5, 1e-5)
    assert bool((got >= 0).all())
    upstream = torch.randn_like(got)
    (back,) = torch.autograd.grad(got, mine, upstream)
    _close(back, torch.autograd.grad(expected, theirs, upstream)[0], 5e-5, 1e-5)
