"""Ordinary calls: what any test of an operation would call it with, the same numbers in every dtype."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from fractions import Fraction
from typing import Any

from verify.calls import Call
from verify.contract import Contract
from verify.domain import Declaration, Domain
from verify.elements import Property, choices_for
from verify.errors import UsageError
from verify.floats import format_named
from verify.points import length_of

LENGTHS = {"N": 4, "C": 8}
"""Rows and columns; any other length is 3."""

SHARES = 64
"""Probabilities are whole multiples of 1/64, logits and others of 1/16: at most 8 digits, as bfloat16 has."""


def ordinary_call(contract: Contract, aspect: Property = "value") -> Call:
    """The call of 4 rows of 8 with all options at their default, drawn from one seed.

    For a gradient that does not exist there, with the next value at which it does. Logits are normal with
    deviation 1, probabilities uniform, upstream gradients uniform in -2..2 without 0.
    """
    draw = random.Random(contract.name)
    choices = choices_for(aspect, contract, {option.name: option.values for option in contract.options})
    options = {
        option.name: option.default if option.default in choices[option.name] else choices[option.name][0]
        for option in contract.options
    }
    variables = contract.variables(options)
    lengths = dict(LENGTHS)
    for variable in variables:
        for size in (*variable.shape, variable.domain.bound):
            if isinstance(size, str):
                lengths.setdefault(size, 3)
    drawn = tuple(_drawn(draw, variable, lengths) for variable in variables)
    values = contract.prepared(format_named("float16"), options, drawn)
    if values is None:
        raise UsageError(f"{contract.name} has no value at its default options; give others")
    upstream = _filled(contract.lengths(options, lengths), lambda: _upstream(draw))
    return Call(contract, options, lengths, values, upstream)


def _drawn(draw: random.Random, variable: Declaration, lengths: Mapping[str, int]) -> Any:
    shape = tuple(length_of(size, lengths) for size in variable.shape)
    domain = variable.domain
    if domain.sums_to_one:
        return _filled(shape[:-1], lambda: _distribution(draw, shape[-1]))
    return _filled(shape, lambda: _number(draw, domain, lengths))


def _number(draw: random.Random, domain: Domain, lengths: Mapping[str, int]) -> Fraction | int:
    if domain.kind == "index":
        return draw.randint(1, length_of(domain.bound or 1, lengths))
    if domain.kind == "integer":
        return Fraction(draw.randint(1, 4))
    if domain.below_one:
        return Fraction(draw.randint(1, SHARES - 1), SHARES)
    if domain.sign == "any":
        return Fraction(max(-63, min(63, round(16 * draw.gauss(0, 1)))), 16)
    return Fraction(draw.randint(1, 32), 16)


def _distribution(draw: random.Random, length: int) -> tuple[Fraction, ...]:
    """Positive multiples of 1/64 that sum to 1."""
    cuts = sorted(draw.sample(range(1, SHARES), length - 1))
    return tuple(Fraction(high - low, SHARES) for low, high in zip((0, *cuts), (*cuts, SHARES), strict=True))


def _upstream(draw: random.Random) -> Fraction:
    return Fraction(draw.choice((-1, 1)) * draw.randint(1, 8), 4)


def _filled(shape: tuple[int, ...], make: Callable[[], Any]) -> Any:
    if not shape:
        return make()
    return tuple(_filled(shape[1:], make) for _ in range(shape[0]))
