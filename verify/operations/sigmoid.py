"""The logistic sigmoid."""

from __future__ import annotations

import math
from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import real
from verify.entries import by_entry, called_with, conditioned, given_entries
from verify.operation import Operation, Peer
from verify.tables import AXES, input_shape, rows_apart


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


def _entry(c: Any, options: Options, z: Any) -> Any:
    return c.call(sigmoid, z)


def _entry_by_logarithm(c: Any, options: Options, z: Any) -> Any:
    """The exponential of logsigmoid, whose error becomes a relative one, as in softmax by log_softmax."""
    return c.exp(c.minimum(z, 0) - c.log1p(c.exp(-c.abs(z))))


def _gradient(c: Any, options: Options, g: Any, z: Any) -> Any:
    return g * (c.call(sigmoid, z) * c.call(sigmoid, -z))


def _gradient_algorithm(c: Any, options: Options, g: Any, z: Any) -> Any:
    """From the result s, as autograd does: s (1 - s), whose error is relative to s and not to the product."""
    s = c.standard(sigmoid, z)
    return g * (s * (1 - s))


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
        given=given_entries({"input": real}),
        shape=input_shape,
        definition=by_entry(_entry),
        algorithm=by_entry(_entry),
        alternatives=(by_entry(_entry_by_logarithm),),
        gradients=(Gradient("input", by_entry(_gradient), by_entry(_gradient_algorithm)),),
        conditioning=by_entry(conditioned(_gradient)),
        infinite={"input": (-math.inf, math.inf)},
        rowwise=rows_apart,
        arguments=called_with("input"),
        options=(AXES,),
    ),
)
