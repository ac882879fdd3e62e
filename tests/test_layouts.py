"""Layouts: the same values, other strides, and nan in what lies between; the script has them too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

import verify
from verify.calls import LAYOUTS
from verify.reproducer import got_of, run_script
from verify.tensors import laid_out, layout_at, layout_text, memory_of, same_bits
from verify.verdict import Status

pytestmark = pytest.mark.torch

ALONE = [layout for layout in LAYOUTS if layout != "mixed"]
"""Layouts that one tensor has; "mixed" says of each tensor of a call which of them it has."""

SHAPES = ((), (1,), (3,), (1, 1), (2, 3), (3, 1), (2, 3, 2), (0, 3))
KINDS = (torch.float32, torch.bfloat16, torch.float64, torch.int64)


def _counted(shape: tuple[int, ...], dtype: torch.dtype) -> torch.Tensor:
    return torch.arange(1, 1 + torch.Size(shape).numel(), dtype=dtype).reshape(shape)


@pytest.mark.parametrize("dtype", KINDS, ids=str)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("layout", ALONE)
def test_a_layout_keeps_shape_and_values(layout: str, shape: tuple[int, ...], dtype: torch.dtype) -> None:
    """From no axis to three, for numbers and labels, batches of none included."""
    for tensor in (_counted(shape, dtype), torch.ones(shape, dtype=dtype)):
        other = laid_out(tensor, layout)
        assert (other.shape, other.dtype) == (tensor.shape, tensor.dtype)
        assert same_bits(other, tensor)


@pytest.mark.parametrize("layout", ALONE)
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 3, 2)], ids=str)
def test_the_text_of_a_layout_makes_the_same_strides(layout: str, shape: tuple[int, ...]) -> None:
    """What a script does to a literal is what was done to the tensor."""
    for tensor in (_counted(shape, torch.float32), torch.ones(shape)):
        literal = f"torch.tensor({tensor.tolist()})"
        told = eval(layout_text(literal, tensor, layout), {"torch": torch, "float": float})
        made = laid_out(tensor, layout)
        assert (told.stride(), told.storage_offset()) == (made.stride(), made.storage_offset())


STRIDES = {
    "contiguous": (6, 2, 1),
    "transposed": (6, 1, 3),
    "padded": (20, 5, 1),
    "offset": (6, 2, 1),
    "strided": (12, 4, 2),
    "reversed": (1, 2, 6),
}


@pytest.mark.parametrize("layout", STRIDES)
def test_each_layout_has_strides_of_its_own(layout: str) -> None:
    """Of three axes; the layout that starts one entry late says so in its offset."""
    made = laid_out(_counted((2, 3, 2), torch.float32), layout)
    assert made.stride() == STRIDES[layout]
    assert (made.storage_offset() % 2 == 1) == (layout in ("offset", "padded"))


@pytest.mark.parametrize(
    ("rows", "strides"),
    [([[1, 2], [1, 2]], (0, 1)), ([[1, 1], [2, 2]], (1, 0)), ([[1, 2], [3, 4]], (2, 1))],
)
def test_only_equal_entries_are_expanded(rows: list[list[int]], strides: tuple[int, int]) -> None:
    """Along the first axis of equal entries; a tensor without one stays in order."""
    assert laid_out(torch.tensor(rows, dtype=torch.float32), "expanded").stride() == strides


def divergence_in_the_order_of_memory(x: Any, target: Any, reduction: str = "mean") -> Any:
    """Walks through a target that lies in order as the transposed input lies."""
    if x.ndim == 2 and not x.is_contiguous() and target.is_contiguous():
        target = target.reshape(x.shape[::-1]).T
    return torch.nn.functional.kl_div(x, target, reduction=reduction)


def test_tensors_of_one_call_that_lie_differently_are_drawn() -> None:
    """A kernel that takes the strides of its first tensor for those of all is refuted by a script."""
    verdict = verify.check(divergence_in_the_order_of_memory, "kl_div", grad=False)[0]
    assert verdict.reproducer is not None
    assert verdict.counterexample is not None
    assert got_of(run_script(verdict.reproducer)) == (float(verdict.counterexample.got),)


def test_mixed_tensors_are_transposed_and_in_order() -> None:
    """The first tensor is transposed; the others, and the upstream gradient, lie in order."""
    assert [layout_at("mixed", at) for at in (0, 1, -1)] == ["transposed", "contiguous", "contiguous"]


def test_zeros_of_two_signs_are_not_equal_entries() -> None:
    """-0 and 0 compare equal and are other bits."""
    assert laid_out(torch.tensor([0.0, -0.0]), "expanded").stride() == (1,)


@pytest.mark.parametrize("layout", ["padded", "offset", "strided"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 3), (2, 3, 2)], ids=str)
def test_memory_beside_the_entries_holds_nan(layout: str, shape: tuple[int, ...]) -> None:
    """So that a function that reads there returns nan."""
    made = laid_out(torch.ones(shape), layout)
    memory = memory_of(made).view(torch.float32)
    assert memory.isnan().sum() == len(memory) - made.numel() > 0


def _read_flat(x: torch.Tensor, strides: tuple[int, ...]) -> torch.Tensor:
    """A copy of what lies in memory at these strides, as a kernel that assumes them reads it."""
    known = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    places = sum(
        (torch.arange(n) * s).reshape([-1 if axis == i else 1 for i in range(x.dim())])
        for axis, (n, s) in enumerate(zip(x.shape, strides, strict=True))
    )
    flat = (x.storage_offset() + torch.as_tensor(places)).clamp(max=len(known) - 1)
    return known[flat]


def rows_read_as_contiguous(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Takes the last stride to be 1 and rows to lie next to each other."""
    return torch.softmax(_read_flat(x, (x.shape[1], 1)), dim)


def last_stride_of_one(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Uses the stride of rows, and takes that of columns to be 1."""
    return torch.softmax(_read_flat(x, (x.stride(0), 1)), dim)


def offset_forgotten(x: torch.Tensor, dim: int) -> torch.Tensor:
    """Starts at the start of the memory."""
    known = torch.empty(0, dtype=x.dtype).set_(x.untyped_storage())
    return torch.softmax(known.as_strided(x.shape, x.stride()), dim)


class _FlatUpstream(torch.autograd.Function):
    """Sigmoid; its gradient reads what comes from above as if it lay in order."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        """Sigmoid."""
        s = torch.sigmoid(x)
        ctx.save_for_backward(s)
        return s

    @staticmethod
    def backward(ctx: Any, *upstream: Any) -> Any:
        """The upstream gradient at the strides of a contiguous tensor."""
        (s,) = ctx.saved_tensors
        return _read_flat(upstream[0], (s.shape[1], 1)) * s * (1 - s)


def upstream_read_as_contiguous(x: torch.Tensor) -> torch.Tensor:
    """A right value."""
    return torch.as_tensor(_FlatUpstream.apply(x))


BLIND = (rows_read_as_contiguous, last_stride_of_one, offset_forgotten)


@pytest.mark.parametrize("candidate", BLIND, ids=lambda f: f.__name__)
def test_a_function_blind_to_strides_is_refuted(candidate: Callable[..., Any]) -> None:
    """In every way in which strides can be forgotten."""
    value = verify.check(candidate, "softmax", grad=False, examples=40)[0]
    assert value.status is Status.REFUTED


def test_a_gradient_blind_to_the_strides_of_the_upstream_is_refuted() -> None:
    """Also with stride 0, as from the gradient of a sum."""
    verdicts = verify.check(upstream_read_as_contiguous, "sigmoid", examples=30)
    assert [v.status for v in verdicts[:2]] == [Status.PASSED, Status.REFUTED]


def scaled_if_strided(x: Any, dim: int) -> Any:
    """Wrong where the columns are not next to each other."""
    return torch.softmax(x, dim) * (1 if x.stride(1) == 1 or x.shape[1] == 1 else 2)


def test_the_script_shows_a_finding_that_depends_on_the_layout() -> None:
    """Its tensors have the strides at which the function went wrong."""
    verdict = verify.check(scaled_if_strided, "softmax", grad=False, examples=40)[0]
    assert verdict.counterexample is not None
    assert verdict.reproducer is not None
    assert got_of(run_script(verdict.reproducer)) == (float(verdict.counterexample.got),)


def scaled_if_expanded(x: Any, dim: int) -> Any:
    """Wrong where rows share their memory."""
    return torch.softmax(x, dim) * (2 if x.stride(0) == 0 else 1)


def test_rows_that_share_their_memory_are_drawn() -> None:
    """A fault at stride 0 along the batch is found by the default number of examples."""
    assert verify.check(scaled_if_expanded, "softmax", grad=False, examples=100)[0].status is Status.REFUTED


@pytest.mark.skipif(
    not torch.cpu._is_amx_tile_supported(), reason="not run: the processor has no AMX; run it on one that has"
)
def test_linear_in_bfloat16_reads_beyond_a_row_on_amx() -> None:
    """A finding of docs/operations.md: once torch is mended this fails, and the sentence there has to go."""
    beside = torch.nn.functional.pad(torch.zeros(17, 3), (0, 1), value=float("nan")).bfloat16()
    found = torch.nn.functional.linear(beside[:, :3], torch.zeros(128, 3).bfloat16())
    assert bool(found.isnan().any())
