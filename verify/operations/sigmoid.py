"""The logistic sigmoid."""

from __future__ import annotations

from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import real
from verify.operation import Operation, Peer
from verify.tables import by_entries, inputs_only, table_shape


def _definition(c: Any, z: Any) -> Any:
    return 1 / (1 + c.exp(-z))


def _notation(z: str) -> str:
    return rf"\sigma({z})"


def torch_sigmoid(torch: Any, z: Any) -> Any:
    """torch.sigmoid."""
    return torch.sigmoid(z)


def special_expit(torch: Any, z: Any) -> Any:
    """torch.special.expit."""
    return torch.special.expit(z)


def _table(c: Any, options: Options, z: Any) -> Any:
    return by_entries(c, lambda a: c.call(sigmoid, a), z)


def _gradient(c: Any, options: Options, g: Any, z: Any) -> Any:
    return by_entries(c, lambda a, b: a * (c.call(sigmoid, b) * c.call(sigmoid, -b)), g, z)


def _gradient_algorithm(c: Any, options: Options, g: Any, z: Any) -> Any:
    """From the result s, as autograd does: s (1 - s), whose error is relative to s and not to the product."""

    def entry(a: Any, b: Any) -> Any:
        s = c.standard(sigmoid, b)
        return a * (s * (1 - s))

    return by_entries(c, entry, g, z)


sigmoid = Operation(
    id="sigmoid",
    summary="logistic function: the probability whose log-odds are z",
    definition=_definition,
    notation=_notation,
    source="Definition, which is also the algorithm: its relative error is small for every z.",
    algorithm=_definition,
    peers=(Peer("torch.sigmoid", torch_sigmoid), Peer("torch.special.expit", special_expit)),
    contract=Contract(
        name="sigmoid",
        namesake="torch.sigmoid",
        given=(real("input", "N", "C"),),
        shape=table_shape,
        definition=_table,
        algorithm=_table,
        gradients=(Gradient("input", _gradient, _gradient_algorithm),),
        arguments=inputs_only("input"),
    ),
)
