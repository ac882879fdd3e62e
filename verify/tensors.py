"""Tensors of a call: made from exact values in a given memory layout, watched and compared by their bits."""

from __future__ import annotations

from typing import Any

from verify.backends import load_torch, tensor_from
from verify.calls import Call

_PADDED = {
    1: "torch.nn.functional.pad({}, (1, 2), value={})[1:-2]",
    2: "torch.nn.functional.pad({}, (1, 2, 0, 1), value={})[:-1, 1:-2]",
}
_TRANSPOSED = {1: "torch.stack(({0}, {0}), 1)[:, 0]", 2: "{}.t().contiguous().t()"}


def layout_text(text: str, axes: int, whole: bool, layout: str) -> str:
    """Source of an expression that gives the tensor ``text`` another layout.

    Padding holds nan, or 0 for labels, so that what reads beyond the slice shows.
    """
    if axes not in _PADDED or layout == "contiguous":
        return text
    if layout == "transposed":
        return _TRANSPOSED[axes].format(text)
    return _PADDED[axes].format(text, "0" if whole else 'float("nan")')


def laid_out(tensor: Any, layout: str) -> Any:
    """A tensor of the same values in a layout of ``calls.LAYOUTS``; numbers without axes stay as they are."""
    expression = layout_text("tensor", tensor.ndim, not tensor.is_floating_point(), layout)
    return eval(expression, {"torch": load_torch(), "tensor": tensor, "float": float})


def tensors_of(call: Call, dtype: str, device: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The positional tensors and the tensors given by keyword, each by its name."""
    positional, keywords = (
        {name: laid_out(tensor_from(value, dtype, device), call.layout) for name, value in part}
        for part in call.arguments
    )
    return positional, keywords


def upstream_of(call: Call, dtype: str, device: str) -> Any:
    """The upstream gradient as a tensor of the result's shape, with stride 0 where the call says so."""
    torch = load_torch()
    if not call.expanded or not call.shape:
        return laid_out(tensor_from(call.upstream, dtype, device), call.layout)
    first = call.upstream
    while isinstance(first, tuple):
        first = first[0]
    return torch.as_tensor(tensor_from(first, dtype, device)).expand(call.shape)


def memory_of(tensor: Any) -> Any:
    """A copy of all bytes of the memory in which a tensor lies, padding included."""
    torch = load_torch()
    return torch.empty(0, dtype=torch.uint8, device=tensor.device).set_(tensor.untyped_storage()).clone()


def same_bits(a: Any, b: Any) -> bool:
    """Whether two tensors of one shape and dtype are equal bit by bit; a nan equals itself."""
    torch = load_torch()
    whole = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    return bool(torch.equal(a.detach().view(whole), b.detach().view(whole)))


def share_memory(a: Any, b: Any) -> bool:
    """Whether two tensors lie in one piece of memory."""
    return bool(a.untyped_storage().data_ptr() == b.untyped_storage().data_ptr() and a.numel() and b.numel())
