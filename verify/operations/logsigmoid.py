"""Logarithm of the logistic sigmoid."""

from __future__ import annotations

import math
from typing import Any

from verify.contract import Contract, Gradient, Options
from verify.domain import real
from verify.entries import by_entry, called_with, conditioned, given_entries
from verify.operation import Operation, Peer
from verify.operations.sigmoid import sigmoid
from verify.operations.softplus import softplus_by_log1p
from verify.tables import AXES, input_shape, rows_apart


def _definition(c: Any, z: Any) -> Any:
    return -c.log(1 + c.exp(-z))


def _notation(z: str) -> str:
    return rf"\log \sigma({z})"


def _algorithm(c: Any, z: Any) -> Any:
    return c.minimum(z, 0) - c.log1p(c.exp(-c.abs(z)))


def _by_softplus(c: Any, options: Options, z: Any) -> Any:
    """-log1p(exp(-z)), the softplus of -z."""
    return -softplus_by_log1p(c, -z)


def functional_logsigmoid(torch: Any, z: Any) -> Any:
    """The logsigmoid of torch.nn.functional."""
    return torch.nn.functional.logsigmoid(z)


def _entry(c: Any, options: Options, z: Any) -> Any:
    return c.call(logsigmoid, z)


def _entry_algorithm(c: Any, options: Options, z: Any) -> Any:
    return c.standard(logsigmoid, z)


def _gradient(c: Any, options: Options, g: Any, z: Any) -> Any:
    return g * c.call(sigmoid, -z)


def _gradient_algorithm(c: Any, options: Options, g: Any, z: Any) -> Any:
    return g * c.standard(sigmoid, -z)


logsigmoid = Operation(
    id="logsigmoid",
    summary="logarithm of the probability whose log-odds are z",
    definition=_definition,
    notation=_notation,
    source="Definition; torch.nn.functional.logsigmoid. "
    "Algorithm: min(z, 0) - log1p(exp(-|z|)), whose terms have one sign.",
    algorithm=_algorithm,
    peers=(Peer("F.logsigmoid", functional_logsigmoid),),
    contract=Contract(
        name="logsigmoid",
        namesake="torch.nn.functional.logsigmoid",
        given=given_entries({"input": real}),
        shape=input_shape,
        definition=by_entry(_entry),
        algorithm=by_entry(_entry_algorithm),
        alternatives=(by_entry(_by_softplus),),
        gradients=(Gradient("input", by_entry(_gradient), by_entry(_gradient_algorithm)),),
        conditioning=by_entry(conditioned(_gradient)),
        infinite={"input": (-math.inf, math.inf)},
        rowwise=rows_apart,
        arguments=called_with("input"),
        options=(AXES,),
    ),
)
