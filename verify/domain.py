"""Domains: which values a variable of a statement may take, said once for every use.

The proof kernel reads its sign and range assumptions from a declaration, the refuter draws its
exact rational points from it, and Hypothesis its floating-point inputs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Size = str | int
"""A length: a name such as ``"n"`` (any whole number >= 1) or a fixed whole number."""


@dataclass(frozen=True, slots=True)
class Domain:
    """A set of values.

    ``kind``: ``real``, ``integer`` (a real that is whole) or ``index`` (a position in 1..``bound``).
    ``sign``: ``any``, ``nonnegative`` or ``positive``. ``below_one``: strictly less than 1.
    ``sums_to_one``: the entries along the last axis add to 1.
    """

    kind: Literal["real", "integer", "index"] = "real"
    sign: Literal["any", "nonnegative", "positive"] = "any"
    below_one: bool = False
    sums_to_one: bool = False
    bound: Size | None = None


@dataclass(frozen=True, slots=True)
class Declaration:
    """A named variable of a statement: a scalar when ``shape`` is empty, else a family."""

    name: str
    domain: Domain
    shape: tuple[Size, ...] = ()
    latex: str | None = None

    @property
    def is_family(self) -> bool:
        """Whether the variable is indexed."""
        return bool(self.shape)


def real(name: str, *shape: Size, latex: str | None = None) -> Declaration:
    """A finite real number, or a family of them, of either sign."""
    return Declaration(name, Domain(), shape, latex)


def positive(name: str, *shape: Size, latex: str | None = None) -> Declaration:
    """A real number > 0, or a family of them."""
    return Declaration(name, Domain(sign="positive"), shape, latex)


def nonnegative(name: str, *shape: Size, latex: str | None = None) -> Declaration:
    """A real number >= 0, or a family of them."""
    return Declaration(name, Domain(sign="nonnegative"), shape, latex)


def probability(name: str, *shape: Size, latex: str | None = None) -> Declaration:
    """A number strictly between 0 and 1, or a family of them that need not sum to 1."""
    return Declaration(name, Domain(sign="positive", below_one=True), shape, latex)


def distribution(name: str, *shape: Size, positive: bool = False, latex: str | None = None) -> Declaration:
    """A probability vector: entries >= 0 (> 0 if ``positive``) that sum to 1 along the last axis."""
    sign: Literal["positive", "nonnegative"] = "positive" if positive else "nonnegative"
    return Declaration(name, Domain(sign=sign, sums_to_one=True), shape, latex)


def whole(name: str, *shape: Size, latex: str | None = None) -> Declaration:
    """A whole number >= 1, or a family of them."""
    return Declaration(name, Domain(kind="integer", sign="positive"), shape, latex)


def index(name: str, bound: Size, *shape: Size, latex: str | None = None) -> Declaration:
    """A position in 1..``bound`` (a label), or a family of positions (labels)."""
    return Declaration(name, Domain(kind="index", bound=bound), shape, latex)
