"""Indicators: beside the factor [i = j] the two indices stand for one another."""

from __future__ import annotations

from fractions import Fraction
from typing import Protocol

from verify.kernel import poly
from verify.kernel.assumptions import Assumptions
from verify.kernel.poly import Monomial, Poly
from verify.kernel.terms import Term, replace, subterms
from verify.kernel.text import text


class Rules(Protocol):
    """What this file needs of the normaliser that it is part of."""

    rules: frozenset[str]

    def norm(self, term: Term, given: Assumptions) -> Poly:
        """The normal form of a term."""

    def note(self, rule: str, condition: str) -> None:
        """Note a side condition of ``rule`` that is met."""


def aligned(n: Rules, p: Poly, given: Assumptions) -> Poly:
    """With ``delta_swap``: beside an indicator, one of its indices is written for the other."""
    if "delta_swap" not in n.rules:
        return p
    return poly.add(*(_aligned(n, m, c, given) for m, c in p.items()))


def _aligned(n: Rules, m: Monomial, c: Fraction, given: Assumptions) -> Poly:
    """A named position stays; of two other indices of one range, the one that comes first."""
    for factor, k in m:
        if factor.head != "delta":
            continue
        keep, drop = factor.args if factor.args[1].head != "position" else factor.args[::-1]
        rest = tuple(x for x in m if x[0] != factor)
        if drop.head == "position" or not any(drop in subterms(t) for t, _ in rest):
            continue
        if any(given.in_range(keep, s) and given.in_range(drop, s) for s in given.sizes()):
            n.note("delta_swap", f"{text(keep)} and {text(drop)} have one range")
            moved = n.norm(replace(poly.monomial_term(rest, c), drop, keep), given)
            return poly.mul(moved, {((factor, k),): Fraction(1)})
    return {m: c}
