"""Counts: what is kept of the results of a chunk, and what they are made of."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from verify.backends import load_torch

PARTS = 16
"""Parts of a chunk for each of which the largest error is kept."""

BINS = 34
"""Bins of the histogram: errors up to 1/2 ulp, 1, 2, 4, ...; the last has all others."""

EDGES = tuple(2.0**k for k in range(-1, BINS - 2))


@dataclass(slots=True)
class Counts:
    """What was counted. Each of ``exact``, ``rounded``, ``faithful`` includes those before it.

    ``rounded``: the error is at most 1/2 ulp; ``faithful``: below 1 ulp. ``refuted``: beyond the bound.
    ``undecided``: neither passed nor refuted. ``histogram``: by binade of the first argument, the
    counts of `EDGES`. ``profile``: the largest error in each part. ``worst`` and ``steepest``: an
    input with the largest error, and with the largest error / bound: that number, the place of the
    input, and what the candidate gave. In float32, float64 and for pairs the latter is of inputs that are not
    correctly rounded: a correctly rounded result is within the bound, since the algorithm that the bound
    is computed for gives a number of the format too, and none is nearer.
    """

    inputs: int = 0
    exact: int = 0
    rounded: int = 0
    faithful: int = 0
    refuted: int = 0
    undecided: int = 0
    first_refuted: int | None = None
    histogram: dict[int, list[int]] = field(default_factory=dict)
    profile: list[float] = field(default_factory=lambda: [0.0] * PARTS)
    worst: tuple[float, int, float] | None = None
    steepest: tuple[float, int, float] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Span:
    """Results at the inputs numbered ``start``, ``start`` + 1, ..., and their errors.

    Or at those numbered ``start`` + each of ``places``, an ascending int64 tensor, where it is given.

    ``got``: what the candidate gave. ``errors``: float64, in ulp of the exact value, off by at most
    ``slack`` ulp; ``unit``: that ulp. Both are numbers, or tensors like ``errors``. ``bounds``: what is
    allowed, in ulp, where it is known already.
    """

    start: int
    got: Any
    errors: Any
    slack: Any
    unit: Any
    bounds: Any = None
    places: Any = None


def bins_of(errors: Any) -> Any:
    """The bin of each error, float64 and not below 0: by its exponent, since the edges are powers of two."""
    torch = load_torch()
    return ((errors.view(torch.int64) - 1) >> 52).sub_(1021).clamp_(0, BINS - 1)


def numbers_of(place: int, arity: int) -> tuple[int, ...]:
    """The number of each argument, from the place of an input in a sweep."""
    return (place,) if arity == 1 else (place >> 16, place & 0xFFFF)
