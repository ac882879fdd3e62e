"""Polynomials over atoms with rational coefficients: the commutative-ring half of the normal form.

A polynomial maps monomials to non-zero coefficients; a monomial is a sorted tuple of
(atom, exponent) with exponents >= 1. A reciprocal is an atom of its own (head ``inv``), so that
``a * inv(a)`` becomes 1 only when the rule ``cancel`` is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from fractions import Fraction

from verify.kernel.terms import ZERO, Term, num
from verify.patience import go_on

Monomial = tuple[tuple[Term, int], ...]
Poly = dict[Monomial, Fraction]


def constant(value: int | Fraction) -> Poly:
    """The constant polynomial."""
    return {(): Fraction(value)} if value else {}


def atom(term: Term) -> Poly:
    """The polynomial that is one atom."""
    return {((term, 1),): Fraction(1)}


def times(a: Monomial, b: Monomial) -> Monomial:
    """Product of two monomials."""
    if not a:
        return b
    if not b:
        return a
    powers = dict(a)
    for t, k in b:
        powers[t] = powers.get(t, 0) + k
    return tuple(sorted(powers.items()))


def add(*polys: Poly) -> Poly:
    """Sum of polynomials."""
    total: Poly = {}
    for p in polys:
        for m, c in p.items():
            s = total.get(m, Fraction(0)) + c
            if s:
                total[m] = s
            else:
                del total[m]
    return total


def scale(p: Poly, by: Fraction) -> Poly:
    """``p`` times a rational number."""
    return {m: c * by for m, c in p.items()} if by else {}


def mul(a: Poly, b: Poly) -> Poly:
    """Product of two polynomials. Raises ``TimeOverError`` where it takes longer than it may."""
    total: Poly = {}
    for ma, ca in a.items():
        go_on()
        for mb, cb in b.items():
            m = times(ma, mb)
            s = total.get(m, Fraction(0)) + ca * cb
            if s:
                total[m] = s
            else:
                del total[m]
    return total


def power(p: Poly, k: int) -> Poly:
    """``p`` to a whole power k >= 0."""
    result = constant(1)
    for _ in range(k):
        result = mul(result, p)
    return result


def monomial_term(m: Monomial, c: Fraction) -> Term:
    """The term that a monomial with its coefficient denotes."""
    factors = [t if k == 1 else Term("pow", (t,), k) for t, k in m]
    if c != 1 or not factors:
        factors.insert(0, num(c))
    return factors[0] if len(factors) == 1 else Term("mul", tuple(factors))


def to_term(p: Poly) -> Term:
    """The term that a polynomial denotes, in a fixed order of its monomials."""
    terms = [monomial_term(m, c) for m, c in sorted(p.items())]
    if not terms:
        return ZERO
    return terms[0] if len(terms) == 1 else Term("add", tuple(terms))


def single(p: Poly) -> tuple[Monomial, Fraction] | None:
    """The monomial and coefficient of a polynomial that has exactly one, else None."""
    return next(iter(p.items())) if len(p) == 1 else None


def ratio(a: Poly, b: Poly) -> Fraction | None:
    """The rational r with a = r b, if there is one and b is not zero."""
    if not b or a.keys() != b.keys():
        return None
    m = next(iter(b))
    r = a[m] / b[m]
    return r if all(a[k] == r * b[k] for k in b) else None


def content(p: Poly) -> tuple[Monomial, Poly]:
    """The largest monomial that divides two or more monomials of ``p``, and the rest."""
    if len(p) < 2:
        return (), p
    powers = [dict(m) for m in p]
    shared = {t: min(q.get(t, 0) for q in powers) for t in powers[0]}
    common = tuple((t, k) for t, k in sorted(shared.items()) if k)
    rest = {tuple((t, k - shared.get(t, 0)) for t, k in m if k > shared.get(t, 0)): c for m, c in p.items()}
    return common, rest


def factored(p: Poly) -> Term:
    """The term of ``p``, with what its monomials share in front of a bracket, for display."""
    shared, rest = content(p)
    above = [x for x in shared if x[0].head != "inv"]
    below = [(t.args[0], k) for t, k in shared if t.head == "inv"]
    whole = to_term(rest)
    if above:
        whole = Term("mul", (monomial_term(tuple(above), Fraction(1)), whole))
    return Term("div", (whole, monomial_term(tuple(below), Fraction(1)))) if below else whole


def divide(n: Poly, d: Poly) -> Poly | None:
    """The polynomial n / d if d divides n exactly, else None (lexicographic division)."""
    order = sorted({t for p in (n, d) for m in p for t, _ in m})
    place = {t: i for i, t in enumerate(order)}

    def degrees(m: Monomial) -> tuple[int, ...]:
        v = [0] * len(order)
        for t, k in m:
            v[place[t]] = k
        return tuple(v)

    def lead(p: Poly) -> tuple[tuple[int, ...], Monomial]:
        return max((degrees(m), m) for m in p)

    quotient: Poly = {}
    dv, dm = lead(d)
    rest = dict(n)
    while rest:
        rv, rm = lead(rest)
        diff = [a - b for a, b in zip(rv, dv, strict=True)]
        if min(diff, default=0) < 0:
            return None
        m = tuple((t, k) for t, k in zip(order, diff, strict=True) if k)
        c = rest[rm] / d[dm]
        quotient = add(quotient, {m: c})
        rest = add(rest, scale(mul({m: c}, d), Fraction(-1)))
    return quotient


def atoms(polys: Iterable[Mapping[Monomial, Fraction]]) -> set[Term]:
    """All atoms that occur in the polynomials."""
    return {t for p in polys for m in p for t, _ in m}


def reduced(p: Poly, below: Mapping[Term, Poly], merge: Callable[[Poly], Poly]) -> Poly:
    """``p`` over one common denominator, and reduced.

    ``below`` maps reciprocal atoms to the (non-zero) polynomials they are reciprocals of; ``merge``
    normalises the numerator after it was multiplied out.
    """
    most = {t: max(dict(m).get(t, 0) for m in p) for t in below}
    top: Poly = {}
    for m, c in p.items():
        powers = dict(m)
        part: Poly = {tuple(x for x in m if x[0] not in most): c}
        for t in below:
            part = mul(part, power(below[t], most[t] - powers.get(t, 0)))
        top = add(top, part)
    top = merge(top)
    for t in below:
        while most[t] and top and (quotient := divide(top, below[t])) is not None:
            top, most[t] = quotient, most[t] - 1
    for t, k in most.items():
        top = mul(top, power(atom(t), k))
    return top
