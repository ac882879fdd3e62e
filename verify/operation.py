"""Operations: a mathematical function with its definition and the code known to compute it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from verify.contract import Contract
from verify.form import Form


@dataclass(frozen=True, slots=True)
class Peer:
    """A torch function, or a short composition of torch functions, that computes an operation.

    ``call(torch, *arguments)`` gets the torch module as its first argument, so that naming a peer
    imports nothing; families arrive as 1-d tensors, labels as 0-based int64 scalars. ``algorithm``
    says, over the rounding context, which floating-point operations the peer is entitled to;
    ``None`` means those of the operation.
    """

    name: str
    call: Callable[..., Any]
    algorithm: Callable[..., Any] | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One mathematical function.

    ``definition(context, *arguments)`` is written once, in the vocabulary exp, log, xlogy, sum and
    product over an index, + - * /, whole numbers and index equality, and serves every context.
    ``notation`` makes the LaTeX of an application from the LaTeX of its arguments. ``algorithm`` is
    the standard stable algorithm over the rounding context, from which the error bound is computed;
    ``source`` says where it comes from. ``contract`` is what a function of torch's signature promises that
    computes it; without one the operation cannot be checked by ``verify.check``. ``forms`` say how one number
    becomes a call of it, so that it can be tried on every input (verify/form.py).
    """

    id: str
    summary: str
    definition: Callable[..., Any]
    notation: Callable[..., str]
    source: str
    algorithm: Callable[..., Any] | None = None
    peers: tuple[Peer, ...] = ()
    contract: Contract | None = None
    forms: tuple[Form, ...] = ()
