"""Contracts: what a function with the signature of its torch namesake promises for every element."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from verify.domain import Declaration

Options = Mapping[str, Any]
"""The value of every option of a contract, by name."""

Values = tuple[Any, ...]
"""One exact value for each declared variable of a contract, in order."""

Arguments = tuple[tuple[tuple[str, Any], ...], tuple[tuple[str, Any], ...]]
"""Positional arguments, then keyword arguments, each a name with an exact value or plain data."""


@dataclass(frozen=True, slots=True)
class Option:
    """A keyword of the function: the values to try, the default, and which others are meaningful.

    The search draws from ``values``; ``accepts`` decides about values that a user asks for. A value
    equal to ``default`` is left out of the call; ``None`` says that there is no default.
    """

    name: str
    values: tuple[Any, ...]
    default: Any
    accepts: Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Contract:
    """How a function of several tensors and options computes an operation, element by element.

    ``name`` is that of the torch function, ``namesake`` its full name, for scripts. ``given``
    declares the variables to draw; the gradient is that of the first. ``shape(options)`` is the
    shape of the result in the lengths of ``given``.

    ``definition(context, options, *variables)`` and ``gradient(context, options, upstream,
    *variables)`` give the exact result and vector-Jacobian product over any context, a number or a
    family of the result's shape; ``algorithm`` and ``gradient_algorithm`` are the standard stable
    algorithms for the same over the rounding context, from which the bounds are computed.
    ``tensors`` is how many positional tensors the function takes.
    ``arguments(options, values)`` says what the function is called with, options left out.
    ``prepare(options, values)`` moves drawn values into the domain, or gives None where it cannot.
    """

    name: str
    namesake: str
    given: tuple[Declaration, ...]
    shape: Callable[[Options], tuple[str, ...]]
    definition: Callable[..., Any]
    gradient: Callable[..., Any]
    algorithm: Callable[..., Any]
    gradient_algorithm: Callable[..., Any]
    arguments: Callable[[Options, Values], Arguments]
    tensors: int = 1
    options: tuple[Option, ...] = ()
    prepare: Callable[[Options, Values], Values | None] = lambda options, values: values


def one_of(name: str, *values: Any, default: Any) -> Option:
    """An option that takes these values and no others."""
    return Option(name, values, default, lambda value: value in values)
