"""Tensors of a call: made from exact values in a given memory layout, watched and compared by their bits."""

from __future__ import annotations

import functools
import itertools
from typing import Any

from verify.backends import load_torch, tensor_from
from verify.calls import Call
from verify.wide import Wide


def layout_at(layout: str, position: int) -> str:
    """The layout of the tensor at a position of a call; the upstream gradient is at none, -1."""
    if layout != "mixed":
        return layout
    return "contiguous" if position else "transposed"


def layout_text(text: str, tensor: Any, layout: str) -> str:
    """Source of an expression that gives ``tensor``, whose own source is ``text``, another layout.

    ``layout`` is one of ``calls.LAYOUTS`` but "mixed"; where it changes nothing, as for a number without
    axes or for "expanded" where no axis has equal entries, the text stays as it is. What lies between or
    beside the entries in memory is nan, or 0 for labels, so that reading it shows.
    """
    shape = tuple(tensor.shape)
    last = len(shape) - 1
    fill = 'float("nan")' if tensor.is_floating_point() else "0"
    if layout == "transposed" and last > 0:
        return f"{text}.transpose({last - 1}, {last}).contiguous().transpose({last - 1}, {last})"
    if layout == "reversed" and last > 0:
        order = tuple(range(last, -1, -1))
        return f"{text}.permute{order}.contiguous().permute{order}"
    if layout == "strided" or (layout in ("transposed", "reversed") and last == 0):
        return f"torch.nn.functional.pad({text}.unsqueeze(-1), (0, 1), value={fill})[..., 0]"
    if layout == "padded" and shape:
        around = (1, 2, *(0, 1) * last)
        kept = ", ".join([*[":-1"] * last, "1:-2"])
        return f"torch.nn.functional.pad({text}, {around}, value={fill})[{kept}]"
    if layout in ("offset", "padded"):
        return f"torch.nn.functional.pad({text}.flatten(), (1, 2), value={fill})[1:-2].view({shape})"
    axis = _equal_axis(tensor) if layout == "expanded" else None
    return text if axis is None else f"{text}.narrow({axis}, 0, 1).clone().expand({shape})"


def _equal_axis(tensor: Any) -> int | None:
    """The first axis of at least two entries along which all are equal bit by bit; None if there is none."""
    for axis, length in enumerate(tensor.shape):
        if length > 1 and same_bits(tensor, tensor.narrow(axis, 0, 1).expand(tensor.shape)):
            return axis
    return None


def laid_out(tensor: Any, layout: str) -> Any:
    """A tensor of the same values in a layout of ``calls.LAYOUTS`` but "mixed"."""
    expression = layout_text("tensor", tensor, layout)
    return eval(_compiled(expression), {"torch": load_torch(), "tensor": tensor, "float": float})


@functools.lru_cache(maxsize=256)
def _compiled(expression: str) -> Any:
    return compile(expression, "layout", "eval")


def tensors_of(call: Call, dtype: str, device: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The positional tensors and the tensors given by keyword, each by its name."""
    position = itertools.count()
    positional, keywords = (
        {
            name: laid_out(tensor_from(value, dtype, device), layout_at(call.layout, next(position)))
            for name, value in part
        }
        for part in call.arguments
    )
    return positional, keywords


def upstream_of(call: Call, dtype: str, device: str) -> Any:
    """The upstream gradient as a tensor of the result's shape, with stride 0 where the call says so."""
    torch = load_torch()
    if not call.expanded or not call.shape:
        return laid_out(tensor_from(call.upstream, dtype, device), layout_at(call.layout, -1))
    first = call.upstream
    while isinstance(first, tuple | Wide):
        first = first[0]
    return torch.as_tensor(tensor_from(first, dtype, device)).expand(call.shape)


def memory_of(tensor: Any) -> Any:
    """A copy of all bytes of the memory in which a tensor lies, padding included."""
    torch = load_torch()
    return torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage()).clone()


def lies_in_memory(tensor: Any) -> bool:
    """Whether a tensor has memory, on its device, for all entries: it may be freed, or faked by a mode."""
    storage = tensor.untyped_storage()
    if not tensor.numel() or storage.device.type != tensor.device.type:
        return not tensor.numel()
    last = sum((length - 1) * stride for length, stride in zip(tensor.shape, tensor.stride(), strict=True))
    needed = (tensor.storage_offset() + last + 1) * tensor.element_size()
    return bool(needed <= storage.nbytes())


def form_of(tensor: Any) -> tuple[Any, ...]:
    """How a tensor reads its memory: shape, strides, offset, dtype, and whether autograd follows it."""
    return tensor.shape, tensor.stride(), tensor.storage_offset(), tensor.dtype, tensor.requires_grad


def same_bits(a: Any, b: Any) -> bool:
    """Whether two tensors of one shape and dtype are equal bit by bit; a nan equals itself."""
    torch = load_torch()
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    a, b = (tensor.detach().resolve_neg().view(whole) for tensor in (a, b))
    return bool(torch.equal(a, b))


def share_memory(a: Any, b: Any) -> bool:
    """Whether two tensors lie in one piece of memory, also where one of them knows a part of it alone.

    A tensor made of an array of NumPy has a storage that begins where the array does.
    """
    first, second = a.untyped_storage(), b.untyped_storage()
    ahead, behind = sorted((one.data_ptr(), one.nbytes()) for one in (first, second))
    return bool(behind[0] < ahead[0] + ahead[1] and a.numel() and b.numel())
