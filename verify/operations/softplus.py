"""Softplus: a smooth maximum of 0 and its argument."""

from __future__ import annotations

import math
from typing import Any

from verify.contract import Contract, Gradient, Option, Options, parameter
from verify.domain import real
from verify.entries import by_entry, called_with, conditioned, given_entries
from verify.operation import Operation, Peer
from verify.operations.sigmoid import sigmoid
from verify.tables import AXES, input_shape, rows_apart


def _definition(c: Any, z: Any) -> Any:
    return c.log(1 + c.exp(z))


def _notation(z: str) -> str:
    return rf"\operatorname{{softplus}}({z})"


def _algorithm(c: Any, z: Any) -> Any:
    return c.maximum(z, 0) + c.log1p(c.exp(-c.abs(z)))


FAR = 80
"""Beyond it exp(z) may overflow, and log1p(exp(z)) is z in every format."""


def softplus_by_log1p(c: Any, z: Any) -> Any:
    """log1p(exp(z)), as torch computes it below its threshold; where that overflows, z itself."""
    return c.log1p(c.exp(c.minimum(z, FAR))) + c.maximum(z - FAR, 0)


def functional_softplus(torch: Any, z: Any) -> Any:
    """The softplus of torch.nn.functional."""
    return torch.nn.functional.softplus(z)


def _scaled(c: Any, options: Options, z: Any) -> tuple[Any, Any]:
    """The argument beta z, and beta."""
    beta = parameter(c, options, "beta")
    return beta * z, beta


def _entry(c: Any, options: Options, z: Any) -> Any:
    scaled, beta = _scaled(c, options, z)
    return c.call(softplus, scaled) / beta


def _entry_algorithm(c: Any, options: Options, z: Any) -> Any:
    scaled, beta = _scaled(c, options, z)
    return c.standard(softplus, scaled) / beta


def _entry_by_log1p(c: Any, options: Options, z: Any) -> Any:
    """log1p(exp(z)), as torch computes it: its relative error is small for every z, until exp overflows."""
    scaled, beta = _scaled(c, options, z)
    return c.log1p(c.exp(scaled)) / beta


def _gradient(c: Any, options: Options, g: Any, z: Any) -> Any:
    return g * c.call(sigmoid, _scaled(c, options, z)[0])


def _gradient_algorithm(c: Any, options: Options, g: Any, z: Any) -> Any:
    return g * c.standard(sigmoid, _scaled(c, options, z)[0])


def _gradient_by_steps(c: Any, options: Options, g: Any, z: Any) -> Any:
    """What autograd makes of a division by beta after the fact."""
    scaled, beta = _scaled(c, options, z)
    return g / beta * c.standard(sigmoid, scaled) * beta


def _is_positive(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


softplus = Operation(
    id="softplus",
    summary="logarithm of 1 + exp(z): a smooth maximum of 0 and z",
    definition=_definition,
    notation=_notation,
    source="Definition; Dugas et al. 2001. Algorithm: max(z, 0) + log1p(exp(-|z|)), which cannot overflow.",
    algorithm=_algorithm,
    peers=(Peer("F.softplus", functional_softplus),),
    contract=Contract(
        name="softplus",
        namesake="torch.nn.functional.softplus",
        given=given_entries({"input": real}),
        shape=input_shape,
        definition=by_entry(_entry),
        algorithm=by_entry(_entry_algorithm),
        alternatives=(by_entry(_entry_by_log1p),),
        gradients=(
            Gradient(
                "input",
                by_entry(_gradient),
                by_entry(_gradient_algorithm),
                alternatives=(by_entry(_gradient_by_steps),),
            ),
        ),
        conditioning=by_entry(conditioned(_gradient)),
        infinite={"input": (-math.inf, math.inf)},
        rowwise=rows_apart,
        arguments=called_with("input"),
        options=(
            AXES,
            Option("beta", (1, 2, 0.25, 3), 1, _is_positive, rule="a number above 0"),
            Option("threshold", (20,), 20, _is_positive, rule="a number above 0"),
        ),
    ),
)
