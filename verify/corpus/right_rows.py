"""Right ways to compute softmax, log_softmax and logsumexp."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch.nn import functional

from verify.corpus import rows
from verify.corpus.hand import along_last, by_hand
from verify.corpus.planting import Right, sower

RIGHTS: list[Right] = []
softmax = sower(RIGHTS, "softmax")
log_softmax = sower(RIGHTS, "log_softmax")
logsumexp = sower(RIGHTS, "logsumexp")

SINGLE = ("float32", "float64")
HALF = ("bfloat16", "float16")


def _widened(x: Any) -> Any:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _probabilities(x: Any, dim: int, statistics: Any) -> Any:
    def scaled(x: Any) -> Any:
        wide = _widened(x)
        top, total = statistics(wide)
        return (torch.exp(wide - top) / total).to(x.dtype)

    return along_last(x, dim, scaled)


def _scores(x: Any, dim: int, statistics: Any) -> Any:
    def shifted(x: Any) -> Any:
        wide = _widened(x)
        top, total = statistics(wide)
        return ((wide - top) - torch.log(total)).to(x.dtype)

    return along_last(x, dim, shifted)


def _total(x: Any, dim: int, statistics: Any) -> Any:
    top, total = statistics(_widened(x).movedim(dim, -1))
    return (top + torch.log(total)).squeeze(-1).to(x.dtype)


def _finite_top(x: Any) -> Any:
    top = rows.top_of(x)
    return torch.where(top.isinf(), 0, top)


def _pairwise(x: Any) -> Any:
    """The sum of each row by halves."""
    while x.shape[-1] > 1:
        half = x.shape[-1] // 2
        rest = x[..., 2 * half :]
        x = torch.cat([x[..., :half] + x[..., half : 2 * half], rest], -1)
    return x


def _sequential(x: Any) -> Any:
    total = torch.zeros_like(x[..., :1])
    for entry in x.split(1, -1):
        total = total + entry
    return total


def _by_lanes(x: Any) -> Any:
    """Eight running sums, added at the end."""
    padded = functional.pad(x, (0, -x.shape[-1] % 8))
    return padded.unflatten(-1, (-1, 8)).sum(-2).sum(-1, keepdim=True)


SUMS: dict[str, Any] = {
    "pairwise": _pairwise,
    "sequential": _sequential,
    "lanes": _by_lanes,
    "einsum": lambda e: torch.einsum("...i->...", e).unsqueeze(-1),
    "product_with_ones": lambda e: e @ torch.ones(e.shape[-1], 1, dtype=e.dtype),
    "sorted": lambda e: e.sort(-1).values.sum(-1, keepdim=True),
}


def _halvings(x: Any) -> Any:
    """Exponentials by powers of two, as GPU kernels have them."""
    return torch.exp2(x * math.log2(math.e))


def _by_powers(x: Any) -> tuple[Any, Any]:
    top = _finite_top(x)
    return top, _halvings(x - top).sum(-1, keepdim=True)


def _summed(x: Any, how: str) -> tuple[Any, Any]:
    top = _finite_top(x)
    return top, SUMS[how](torch.exp(x - top))


@softmax()
def torch_softmax(x: Any, dim: int) -> Any:
    """torch.softmax."""
    return torch.softmax(x, dim)


@softmax(dtypes=HALF)
def torch_softmax_in_single(x: Any, dim: int) -> Any:
    """torch.softmax of a 16-bit tensor widened to float32."""
    return torch.softmax(x, dim, dtype=torch.float32).to(x.dtype)


@softmax()
def torch_softmax_in_double(x: Any, dim: int) -> Any:
    """Computed in float64 and rounded once."""
    return torch.softmax(x.double(), dim).to(x.dtype)


@softmax()
def softmax_two_pass(x: Any, dim: int) -> Any:
    """Maximum, sum, quotient, differentiated by autograd."""
    return _probabilities(x, dim, rows.two_pass)


@softmax(block=(1, 3, 64))
def softmax_online(x: Any, dim: int, block: int) -> Any:
    """One pass with a running maximum."""
    return by_hand(
        x,
        lambda x: _probabilities(x, dim, lambda x: rows.online(x, block)),
        lambda g, x: torch._softmax_backward_data(g, torch.softmax(x, dim), dim, x.dtype),
    )


@softmax(block=(1, 4))
def softmax_online_by_autograd(x: Any, dim: int, block: int) -> Any:
    """One pass, differentiated by autograd through the running maximum."""
    return _probabilities(x, dim, lambda x: rows.online_attached(x, block))


@softmax(how=tuple(SUMS))
def softmax_summed(x: Any, dim: int, how: str) -> Any:
    """The sum in an order of its own."""
    return _probabilities(x, dim, lambda x: _summed(x, how))


@softmax(dtypes=SINGLE)
def softmax_by_logarithm(x: Any, dim: int) -> Any:
    """The exponential of log_softmax."""
    return torch.exp(torch.log_softmax(x, dim))


@softmax()
def softmax_by_powers_of_two(x: Any, dim: int) -> Any:
    """exp2 of log2 e times the shifted logits, differentiated by autograd."""

    def probabilities(x: Any) -> Any:
        wide = _widened(x)
        e = _halvings(wide - rows.top_of(wide))
        return (e / e.sum(-1, keepdim=True)).to(x.dtype)

    return along_last(x, dim, probabilities)


@softmax(dtypes=SINGLE)
def softmax_by_hand(x: Any, dim: int) -> Any:
    """The gradient s (g - sum g s) written by hand."""

    def gradient(g: Any, x: Any) -> Any:
        s = torch.softmax(x, dim)
        return s * (g - (g * s).sum(dim, keepdim=True))

    return by_hand(x, lambda x: torch.softmax(x, dim), gradient)


@softmax()
def softmax_row_by_row(x: Any, dim: int) -> Any:
    """Row by row, stacked."""
    table = x.movedim(dim, -1)
    flat = table.reshape(-1, table.shape[-1])
    if not len(flat):
        return torch.softmax(x, dim)
    done = torch.stack([torch.softmax(row, 0) for row in flat])
    return done.reshape(table.shape).movedim(-1, dim)


@log_softmax(dtypes=(*SINGLE, "bfloat16"))
def torch_log_softmax(x: Any, dim: int) -> Any:
    """torch.log_softmax."""
    return torch.log_softmax(x, dim)


@log_softmax()
def log_softmax_in_double(x: Any, dim: int) -> Any:
    """Computed in float64 and rounded once."""
    return torch.log_softmax(x.double(), dim).to(x.dtype)


@log_softmax()
def log_softmax_two_pass(x: Any, dim: int) -> Any:
    """Maximum, sum, logarithm, differentiated by autograd."""
    return _scores(x, dim, rows.two_pass)


@log_softmax(block=(2, 16))
def log_softmax_online(x: Any, dim: int, block: int) -> Any:
    """One pass with a running maximum."""
    return by_hand(
        x,
        lambda x: _scores(x, dim, lambda x: rows.online(x, block)),
        lambda g, x: torch._log_softmax_backward_data(g, torch.log_softmax(x, dim), dim, x.dtype),
    )


@log_softmax(block=(1, 4))
def log_softmax_online_by_autograd(x: Any, dim: int, block: int) -> Any:
    """One pass, differentiated by autograd through the running maximum."""
    return _scores(x, dim, lambda x: rows.online_attached(x, block))


@log_softmax(how=("pairwise", "sequential", "einsum"))
def log_softmax_summed(x: Any, dim: int, how: str) -> Any:
    """The sum in an order of its own."""
    return _scores(x, dim, lambda x: _summed(x, how))


@log_softmax()
def log_softmax_by_log1p(x: Any, dim: int) -> Any:
    """log1p of the sum without the maximum, so that confident rows keep their digits."""

    def scores(x: Any) -> Any:
        wide = _widened(x)
        at = wide.detach().argmax(-1, keepdim=True)
        shifted = wide - wide.detach().gather(-1, at)
        others = torch.exp(shifted).scatter(-1, at, 0.0).sum(-1, keepdim=True)
        return (shifted - torch.log1p(others)).to(x.dtype)

    return by_hand(
        x,
        lambda x: along_last(x, dim, scores),
        lambda g, x: torch._log_softmax_backward_data(g, torch.log_softmax(x, dim), dim, x.dtype),
    )


@log_softmax(dtypes=SINGLE)
def log_softmax_in_bits(x: Any, dim: int) -> Any:
    """exp2 and log2 throughout, and nats at the end, differentiated by autograd."""

    def scores(x: Any) -> Any:
        bits = (x - rows.top_of(x)) * math.log2(math.e)
        return (bits - torch.log2(torch.exp2(bits).sum(-1, keepdim=True))) * math.log(2)

    return along_last(x, dim, scores)


@log_softmax(dtypes=SINGLE)
def log_softmax_by_hand(x: Any, dim: int) -> Any:
    """The gradient g - exp(l) sum g written by hand."""

    def gradient(g: Any, x: Any) -> Any:
        return g - torch.exp(torch.log_softmax(x, dim)) * g.sum(dim, keepdim=True)

    return by_hand(x, lambda x: torch.log_softmax(x, dim), gradient)


@log_softmax(dtypes=SINGLE)
def log_softmax_by_softmax_backward(x: Any, dim: int) -> Any:
    """The gradient g - s sum g with softmax itself."""

    def gradient(g: Any, x: Any) -> Any:
        return g - torch.softmax(x, dim) * g.sum(dim, keepdim=True)

    return by_hand(x, lambda x: torch.log_softmax(x, dim), gradient)


@logsumexp(dtypes=(*SINGLE, "bfloat16"), grad=False)
def torch_logsumexp(x: Any, dim: int) -> Any:
    """The values of torch.logsumexp; its gradient, and float16, are findings."""
    return torch.logsumexp(x, dim)


@logsumexp()
def logsumexp_in_double(x: Any, dim: int) -> Any:
    """Computed in float64 and rounded once, the gradient with it."""
    return by_hand(
        x,
        lambda x: torch.logsumexp(x.double(), dim).to(x.dtype),
        lambda g, x: (g.double().unsqueeze(dim) * torch.softmax(x.double(), dim)).to(x.dtype),
    )


@logsumexp()
def logsumexp_two_pass(x: Any, dim: int) -> Any:
    """Maximum, sum, logarithm, differentiated by autograd."""
    return _total(x, dim, lambda x: rows.shifted_by(x, _finite_top(x)))


@logsumexp(how=("pairwise", "lanes", "product_with_ones"))
def logsumexp_summed(x: Any, dim: int, how: str) -> Any:
    """The sum in an order of its own."""
    return _total(x, dim, lambda x: _summed(x, how))


@logsumexp()
def logsumexp_by_powers_of_two(x: Any, dim: int) -> Any:
    """exp2 of log2 e times the shifted logits, differentiated by autograd."""
    return _total(x, dim, _by_powers)


@logsumexp(block=(1, 32))
def logsumexp_online(x: Any, dim: int, block: int) -> Any:
    """One pass with a running maximum."""
    return by_hand(
        x,
        lambda x: _total(x, dim, lambda x: rows.online(x, block)),
        lambda g, x: (g.unsqueeze(dim).to(_widened(x).dtype) * torch.softmax(_widened(x), dim)).to(x.dtype),
    )


@logsumexp(block=(1, 4))
def logsumexp_online_by_autograd(x: Any, dim: int, block: int) -> Any:
    """One pass, differentiated by autograd through the running maximum."""
    return _total(x, dim, lambda x: rows.online_attached(x, block))
